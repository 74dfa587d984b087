"""Forecasts: marked as such, right as far as they say, and never where a record is in reach."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.errors import EphemerisGapError, ScenarioError
from gnss_coop.orbits import forecast, forecast_marks

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
DAY = ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
VARIABLES = {"positions", "age", "healthy", "message", "forecast", "forecast_error"}


def angle_deg(a, b):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))


@pytest.fixture(scope="module")
def nav():
    return gc.read_nav(DAY).select("RC")


@pytest.fixture(scope="module")
def outlook(nav):
    return gc.Outlook.of(nav, forecast_days=7)


def test_within_the_records_it_is_bit_for_bit_the_broadcast_position(nav, outlook):
    times = gc.epochs("2024-01-10T02:00", hours=20, step_s=3600)
    sky, plain = outlook.positions(times), gc.satellite_positions(nav, times)
    assert set(sky.data_vars) == VARIABLES
    assert sky.sv.values.tolist() == plain.sv.values.tolist()
    broadcast = ~sky.forecast.values
    in_reach = plain.message.values >= 0
    assert in_reach[broadcast & np.isfinite(sky.age.values)].all()
    for name in ("positions", "age", "healthy", "message"):
        np.testing.assert_array_equal(sky[name].values[in_reach], plain[name].values[in_reach])
    assert np.isnan(sky.forecast_error.values[broadcast]).all()


def test_beyond_the_records_everything_is_marked(outlook):
    sky = outlook.positions(gc.epochs("2024-01-15", hours=24, step_s=7200))
    there = np.isfinite(sky.positions.values).all(axis=-1)
    assert there.any()
    np.testing.assert_array_equal(there, sky.forecast.values)
    assert (sky.message.values[there] == forecast.FORECAST_MESSAGE).all()
    assert sky.message.attrs["flag_meanings"].split()[forecast.FORECAST_MESSAGE] == "FORECAST"
    assert (sky.message.values[~there] == -1).all()
    assert sky.healthy.values[there].all()
    assert 4 < sky.age.values[there].min() / 86_400 < sky.age.values[there].max() / 86_400 < 7
    assert sky.attrs["forecast_error_deg_per_day"] == "MEO 0.03, IGSO 0.05, GEO 0.05"


def test_the_orbit_hardly_jumps_where_the_forecast_begins(nav, outlook):
    """Across the change a satellite is displaced by no more than the stated error."""
    times = gc.epochs("2024-01-10T23:50", hours=1.5, step_s=60)
    sky = outlook.positions(times)
    step = np.diff(sky.positions.values, axis=0)
    bend_m = np.linalg.norm(np.diff(step, axis=0), axis=-1)
    change = np.diff(sky.forecast.values.astype(int), axis=0)[1:] != 0
    radius_m = np.linalg.norm(sky.positions.values, axis=-1)[2:]
    assert change.any()
    smooth_m = 60.0**2 * 0.6  # gravity bends a MEO's path by 0.57 m/s^2
    assert (bend_m[change] < smooth_m + np.radians(0.02) * radius_m[change]).all()


def test_unhealthy_satellites_are_not_forecast_unless_asked(nav, outlook):
    sick = [o.sv for o in outlook.almanac.orbits if not o.healthy]
    assert "R26" in sick
    times = gc.epochs("2024-01-14", hours=1, step_s=1800)
    sky = outlook.positions(times)
    assert not np.isfinite(sky.positions.sel(sv=sick).values).any()
    every = outlook.positions(times, include_unhealthy=True).sel(sv=sick)
    assert np.isfinite(every.positions.values).all()
    assert not every.healthy.values.any()
    assert every.forecast.values.all()


def test_a_record_in_reach_that_says_unhealthy_is_not_replaced_by_a_forecast(nav, outlook):
    times = gc.epochs("2024-01-10", hours=24, step_s=1800)
    sky = outlook.positions(times, systems="R").sel(sv="R26")
    reach = gc.satellite_positions(nav, times, include_unhealthy=True, systems="R").sel(sv="R26").message.values >= 0
    assert reach.any()
    assert not np.isfinite(sky.positions.values[reach]).any()
    assert not sky.forecast.values[reach].any()


@settings(max_examples=15, deadline=None)
@given(st.floats(-3.0, 12.0))
def test_no_position_lies_outside_the_look_ahead(outlook, day):
    time = gc.model.timescales.to_datetime64([gc.parse_time("2024-01-10") + round(day * 86_400e9)])
    first, last = outlook.span_ns
    inside = first <= gc.model.timescales.from_datetime64(time)[0] <= last
    if inside:
        assert np.isfinite(outlook.positions(time).positions.values).any()
        return
    with contextlib.suppress(EphemerisGapError):  # within the validity of the first records there is something
        assert not outlook.positions(time).forecast.values.any()


def test_beyond_the_look_ahead_is_an_error_that_says_how_far_it_goes(outlook):
    with pytest.raises(EphemerisGapError, match="the forecast of 7 days covers 2024-01-09T"):
        outlook.positions(["2024-01-19"])


@pytest.mark.parametrize("days", [0, -1, 61, float("nan"), float("inf")])
def test_look_aheads_that_make_no_sense(nav, days):
    with pytest.raises(ScenarioError, match="a forecast can reach from 0 to 60 days"):
        gc.positions_with_forecast(nav, ["2024-01-11"], forecast_days=days)


def test_an_outlook_needs_something():
    with pytest.raises(ScenarioError, match="needs navigation records or an almanac"):
        gc.Outlook.of(None, forecast_days=3)


def test_an_almanac_alone_and_as_the_other_source(nav, outlook):
    times = gc.epochs("2024-01-12", hours=2, step_s=3600)
    alone = gc.Outlook.of(None, almanac=outlook.almanac).positions(times)
    with_nav = gc.positions_with_forecast(nav, times, forecast_days=7, almanac=outlook.almanac)
    np.testing.assert_array_equal(alone.positions.values, with_nav.positions.values)
    assert alone.forecast.values[np.isfinite(alone.age.values)].all()


def test_selection_is_that_of_positions(outlook):
    sky = outlook.positions(["2024-01-12"], systems="R", exclude_sv=["R01"])
    assert sky.sv.values[0] == "R02"
    assert set(np.char.array(sky.sv.values).astype("U1")) == {"R"}


def test_dop_and_visibility_take_a_forecast(outlook):
    sky = outlook.positions(gc.epochs("2024-01-16", hours=6, step_s=3600))
    dop = gc.dilution_of_precision(sky, "Irkutsk", ["R", "R+C"])
    assert (dop.pdop.sel(systems="R+C") < 2).all()
    seen = gc.visibility(sky, "Irkutsk")
    assert seen.attrs["forecast_epochs_pct"] == dop.attrs["forecast_epochs_pct"] == 100.0
    assert dop.attrs["forecast_error_deg"] == sky.forecast_error.max()
    table = pd.DataFrame({"time_gpst": ["2024-01-16T00:00:00"] * 3, "systems": ["R", "C", "R+C"]})
    assert forecast_marks.mark_forecast(table, sky)["forecast"].tolist() == [True] * 3


def test_rows_are_marked_one_by_one(outlook):
    sky = outlook.positions(["2024-01-10T12:00", "2024-01-11T12:00"])
    table = pd.DataFrame({"time_gpst": ["2024-01-10T12:00:00", "2024-01-11T12:00:00"], "sv": ["R01", "R01"]})
    assert forecast_marks.mark_forecast(table, sky)["forecast"].tolist() == [False, True]
    assert forecast_marks.mark_forecast(table[:0], sky)["forecast"].tolist() == []


def test_stated_errors_hold_for_the_second_half_of_a_day(nav):
    toe = nav.derived.toe_ns
    early = toe <= gc.parse_time("2024-01-10T10:00")
    first = replace(nav, table=nav.table.take(early), derived=nav.derived.take(early))
    times = gc.epochs("2024-01-10T12:00", hours=11, step_s=1800)
    sky = gc.positions_with_forecast(first, times, forecast_days=1)
    off = angle_deg(sky.positions.values, gc.satellite_positions(nav, times).sel(sv=sky.sv).positions.values)
    known = np.isfinite(off) & sky.forecast.values
    within = off[known] <= sky.forecast_error.values[known]
    assert known.sum() > 1000
    assert within.mean() >= 0.95


@pytest.mark.skipif(not os.environ.get("GNSS_COOP_TESTDATA"), reason="GNSS_COOP_TESTDATA is not set")
@pytest.mark.parametrize(("start", "truth"), [
    # Three weeks: a receiver's GLONASS and BeiDou records of 2020-06-02 against precise orbits of 2020-06-25.
    (["snapshot/asia/hksc155c.20g", "snapshot/asia/hksc155c.20b"], "snapshot/2020-177_pair/Sta21114.sp3.gz"),
    # One record per satellite and precise orbits of the same day.
    (["snapshot/2023-008_pair/BRDM00DLR_S_20230081000_01D_MN.rnx"],
     "snapshot/2023-008_pair/GFZ0MGXRAP_20230080000_01D_05M_ORB.SP3.gz"),
])  # fmt: skip
def test_stated_errors_hold_against_precise_orbits(start, truth):
    almanac = gc.mean_elements(gc.read_nav([DATA / name for name in start]).select("RC"))
    precise = gc.read_sp3(DATA / truth)
    sky = gc.forecast_positions(almanac, precise.time.values)
    both = [sv for sv in sky.sv.values if sv in set(precise.sv.values)]
    sky = sky.sel(sv=both)
    off = angle_deg(sky.positions.values, precise.positions.sel(sv=both).values)
    known = np.isfinite(off) & (sky.age.values > 0)
    assert known.sum() > 1000
    # 95 % of satellites without a manoeuvre; BeiDou IGSO of 2020-06 had one.
    assert (off[known] <= sky.forecast_error.values[known]).mean() >= 0.93
