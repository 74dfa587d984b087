"""Ephemerides: selection, order, tables, and errors that say what to do."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import EphemerisGapError, ScenarioError
from gnss_coop.formats.rinex.nav import read_nav

SAMPLES = Path(__file__).parents[2] / "sample_rinex"


@pytest.fixture(scope="module")
def nav() -> Ephemerides:
    return read_nav(SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")


def test_selection_by_system_and_satellite(nav: Ephemerides):
    both = nav.select("RC", exclude_sv=["R06", "C20"])
    assert both.systems == ("C", "R")
    assert not {"R06", "C20"} & set(both.satellites)
    assert len(both) < len(nav.select("R")) + len(nav.select("C"))
    assert sum(len(nav.select(s)) for s in nav.systems) == len(nav)
    assert len(nav.select([])) == 0


@pytest.mark.parametrize("bad", ["X", "RX", ["R", "glonass"]])
def test_unknown_system(nav: Ephemerides, bad):
    with pytest.raises(ScenarioError, match="known are G, R, E, C"):
        nav.select(bad)


@pytest.mark.parametrize("bad", ["R6", "X01", "R006", "", "RAB"])
def test_unknown_satellite_name(nav: Ephemerides, bad: str):
    with pytest.raises(ScenarioError, match="such as R06 or C20"):
        nav.select(exclude_sv=[bad])


def test_records_are_ordered_and_spans_are_theirs(nav: Ephemerides):
    frame = nav.to_dataframe()
    assert frame.groupby(["sv", "message"], sort=False).toe_gpst.apply(lambda t: t.is_monotonic_increasing).all()
    systems = [sv[0] for sv in frame.sv]
    assert sum(a != b for a, b in pairwise(systems)) == len(nav.systems) - 1
    first, last = nav.span_ns
    assert first == nav.derived.toe_ns.min()
    assert last == nav.derived.toe_ns.max()
    with pytest.raises(EphemerisGapError):
        _ = nav.select([]).span_ns


def test_table_for_people(nav: Ephemerides):
    frame = nav.to_dataframe()
    assert list(frame.columns) == [
        "sv", "message", "toc_gpst", "toe_gpst", "sent_gpst", "iod", "health", "healthy", "accuracy", "file", "line",
    ]  # fmt: skip
    assert frame.toe_gpst.dtype == np.dtype("datetime64[ns]")
    assert set(frame.message) == {"LNAV", "FDMA", "INAV", "FNAV", "D1", "D2", "SBAS"}
    assert frame[frame.message == "FDMA"].accuracy.isna().all()
    assert str(nav).startswith("<Ephemerides: ")
    assert list(nav.rejected().columns) == ["file", "line", "sv", "reason"]
    # The D2 satellites of that day: BDS-2 C01-C05 and BDS-3 C59-C62, all of them GEO.
    assert set(frame[frame.message == "D2"].sv) <= {"C01", "C02", "C03", "C04", "C05", "C59", "C60", "C61", "C62"}
    assert set(frame[frame.message == "D2"].sv) >= {"C01", "C03", "C59"}
