"""Names and satellites: the IGS metadata file itself, and what is known of single satellites."""

import os
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.model import identity

DATA = os.environ.get("GNSS_COOP_TESTDATA")


# Facts of the metadata file, and of IGSMAIL for the moves of 2026.
@pytest.mark.parametrize(
    ("sv", "time", "svn", "block", "norad"),
    [
        ("R01", "2024-01-10", "R730", "GLO-M", 36111),  # COSMOS 2456
        ("R09", "2024-01-10", "R802", "GLO-K1B", 40315),  # COSMOS 2501
        ("C19", "2024-01-10", "C201", "BDS-3M-CAST", 43001),  # BEIDOU-3 M1
        ("C06", "2024-01-10", "C005", "BDS-2I", 36828),
        ("C38", "2024-01-10", "C220", "BDS-3I", 44204),
        ("C06", "2026-05-01", "C220", "BDS-3I", 44204),
        ("G13", "2012-11-01", "G043", "GPS-IIR-A", 24876),
        ("E11", "2024-01-10", "E101", "GAL-1", 37846),
        ("J02", "2024-01-10", "J002", "QZS-2I", 42738),
    ],
)
def test_satellites_by_name_and_by_catalogue_number(sv, time, svn, block, norad):
    found = identity.satellite(sv, time)
    assert (found.svn, found.block, found.norad) == (svn, block, norad)
    assert identity.by_norad(norad, time) == found
    assert found.start_ns <= gc.parse_time(time)
    assert not found.past_table


def test_a_name_and_its_satellite_move_together():
    """C220 left C38 for C06 on 2026-04-10: from then on it is not C38, and C005 is not C06."""
    assert identity.by_norad(44204, "2026-04-09").sv == "C38"
    assert identity.by_norad(44204, "2026-04-10").sv == "C06"
    assert identity.satellite("C38", "2026-04-10") is None
    assert identity.by_norad(36828, "2026-04-10") is None


def test_what_was_found_by_orbit_is_unknown_between_the_two_orbits():
    before, between, after = "2026-03-08", "2026-05-01", "2026-06-07"
    assert identity.satellite("C47", before).svn == "C234"
    assert identity.by_norad(61186, between) is None
    found = identity.by_norad(61186, after)
    assert (found.sv, found.source) == ("C11", "by orbit")


def test_past_the_end_of_the_table_it_is_said():
    assert not identity.satellite("R01", identity.TABLE_END_NS).past_table
    assert identity.satellite("R01", "2027-01-01").past_table


@pytest.mark.parametrize("when", ["2024-01-10T00:00:00", np.datetime64("2024-01-10"), datetime(2024, 1, 10)])
def test_every_form_of_time_is_taken(when):
    assert identity.satellite("R01", when) == identity.satellite("R01", gc.parse_time("2024-01-10"))


def test_nobody_knows_what_never_was():
    assert identity.satellite("R01", "1981-01-01") is None
    assert identity.satellite("X99", "2024-01-10") is None
    assert identity.by_norad(25544, "2024-01-10") is None  # the space station


def test_a_name_is_carried_by_one_satellite_at_a_time_and_a_satellite_carries_one_name():
    names, numbers = identity._tables()
    for entries in (*names.values(), *numbers.values()):
        spans = sorted((e.start_ns, np.inf if e.end_ns is None else e.end_ns) for e in entries)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert {name[0] for name in names} == set("CEGIJR")


@pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")
def test_every_span_of_the_metadata_file_is_found():
    """The middle of each span of SATELLITE/PRN that ends before the moves of 2026."""
    text = (Path(DATA or "") / "identity" / "igs_satellite_metadata.snx").read_text("latin-1")

    def block(name: str) -> list[list[str]]:
        body = text.partition(f"+{name}\n")[2].partition(f"-{name}")[0]
        return [line.split() for line in body.split("\n") if line.startswith(" ")]

    catalogue = {words[0]: int(words[2]) for words in block("SATELLITE/IDENTIFIER")}
    checked: dict[str, int] = defaultdict(int)
    for svn, start, end, prn, *_ in block("SATELLITE/PRN"):
        days = []
        for word in (start, end):
            year, day, second = map(int, word.split(":"))
            days.append(datetime(2026, 3, 1) if year == 0 else datetime(year, 1, 1) + timedelta(day - 1, second))
        middle = days[0] + (days[1] - days[0]) / 2
        if prn[0] not in "GRECJI" or middle < datetime(1980, 1, 6):
            continue
        assert identity.satellite(prn, middle).svn == svn, (svn, prn, middle)
        found = identity.by_norad(catalogue[svn], middle)
        assert (found.sv, found.svn) == (prn, svn)
        checked[prn[0]] += 1
    assert dict(checked).keys() == set("GRECJI")
    assert sum(checked.values()) > 350
