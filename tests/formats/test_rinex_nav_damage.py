"""Damage to navigation files costs as little as it can, is counted, and is told."""

from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import GnssCoopWarning

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "tests/data/public_reports"
DAY = ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


def the_same_records(nav: gc.Ephemerides, systems: str, first: str, last: str) -> None:
    """Expect what the whole day has of some systems between two reference times, field by field."""
    day = gc.read_nav(DAY).select(systems)
    told = day.to_dataframe()
    rows = np.flatnonzero(told["toc_gpst"].between(first, last).to_numpy())
    assert len(nav) == len(rows) > 0
    assert nav.table.names() == [day.table.names()[i] for i in rows]
    assert np.array_equal(nav.table.fields, day.table.fields[rows], equal_nan=True)


def test_a_blank_first_line_is_passed_over():
    nav = gc.read_nav(REPORTS / "blank-first-line.rnx.gz")
    the_same_records(nav, "RC", "2024-01-10T05:00", "2024-01-10T05:50")


def test_a_tar_archive_with_one_file_is_read():
    nav = gc.read_nav(REPORTS / "nav.tar.gz")
    the_same_records(nav, "RC", "2024-01-10T05:00", "2024-01-10T05:50")


def test_a_newer_minor_version_is_read_with_a_warning():
    with pytest.warns(GnssCoopWarning, match="RINEX version 3.06 is newer than 3.05 and is read like it"):
        nav = gc.read_nav(REPORTS / "version-3.06.rnx.gz")
    the_same_records(nav, "C", "2024-01-10T05:00", "2024-01-10T05:50")
