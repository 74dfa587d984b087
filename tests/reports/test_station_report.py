"""The numbers of the report, against counts made another way and cases that can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.geometry.worst_intervals import with_one_more, worst_intervals

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
LIMIT = 6.0


@pytest.fixture(scope="module")
def nav(request):
    return gc.read_nav(request.config.rootpath / SAMPLE)


@pytest.fixture(scope="module")
def epochs():
    return gc.epochs("2024-01-10", hours=6, step_s=600)


@pytest.fixture(scope="module")
def reports(nav, epochs):
    return gc.station_reports(nav, ["Irkutsk", "Shanghai"], epochs, mask_deg=[10, 25])


def dops(systems, pdop, n_used=None):
    """A Dataset of one station and mask; one row a scenario."""
    values = np.array(pdop, float)
    time = np.datetime64("2024-01-10", "ns") + np.arange(values.shape[1]) * np.timedelta64(300, "s")
    used = np.full(values.shape, 9) if n_used is None else np.array(n_used)
    dims = ("systems", "mask_deg", "time")
    return xr.Dataset(
        {"pdop": (dims, values[:, None]), "n_used": (dims, used[:, None])},
        coords={"systems": systems, "mask_deg": [5.0], "time": time, "station": "Irkutsk"},
    )


def test_intervals_worked_out_by_hand():
    pdop = [[7.0, 8.0, 2.0, np.nan, 2.0, 6.0]]
    aided = [[3.0, 4.0, 1.0, np.nan, 1.0, 1.0], [5.0, 7.0, 1.0, 2.0, 1.0, 1.0], [1.0, 2.0, 1.0, 3.0, 1.0, 1.0]]
    table = worst_intervals(dops(["R"], pdop), dops(["R+C", "R+G", "R+E"], aided), limit=LIMIT)
    assert table.begins_gpst.tolist() == ["2024-01-10T00:00:00", "2024-01-10T00:15:00"]
    assert table.ends_gpst.tolist() == ["2024-01-10T00:10:00", "2024-01-10T00:20:00"]
    assert table.duration_s.tolist() == [600.0, 300.0]
    assert table.pdop_worst.tolist() == [8.0, np.inf]
    assert table.helped_by.tolist() == ["E,C", "G,E"]
    assert table.pdop_worst_helped.tolist() == [2.0, 2.0]


def test_without_a_bad_interval_the_largest_pdop_is_told():
    [row] = worst_intervals(dops(["R"], [[2.0, 5.0, 3.0]]), dops(["R+C"], [[1.0, 1.0, 1.0]])).to_dict("records")
    assert row["within_limit"]
    assert (row["begins_gpst"], row["pdop_worst"], row["helped_by"]) == ("2024-01-10T00:05:00", 5.0, "")


def test_scenarios_with_one_more_system_occur_once():
    sets = [frozenset(text.split("+")) for text in with_one_more(["R", "C", "R+C"], ["R", "C", "G"])]
    assert sorted(map(sorted, sets)) == [["C", "G"], ["C", "G", "R"], ["C", "R"], ["G", "R"]]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([1.0, 5.9, 6.0, 6.1, 40.0, np.nan]), min_size=2, max_size=40))
def test_the_intervals_hold_exactly_the_epochs_beyond_the_limit(pdop):
    table = worst_intervals(dops(["R"], [pdop]), dops(["R+C"], [[1.0] * len(pdop)]), limit=LIMIT)
    bad = table[~table.within_limit]
    assert bad.duration_s.sum() / 300.0 == sum(not value <= LIMIT for value in pdop)
    assert set(bad.helped_by) <= {"C"}


def test_bad_time_and_availability_are_the_same_thing(reports):
    for report in reports:
        bad = report.worst[~report.worst.within_limit].groupby(["systems", "mask_deg"]).duration_s.sum()
        for row in report.gain.itertuples():
            share = 100.0 - 100.0 * bad.get((row.systems, row.mask_deg), 0.0) / (6 * 3600.0)
            assert share == pytest.approx(row.availability_pct, abs=1e-9)


def test_figures_show_the_mask_of_the_largest_gain(nav, epochs, reports):
    """Worked out from `compare`: over all stations; the first mask where no scenario is supplemented."""
    for own in (reports, gc.station_reports(nav, ["Irkutsk", "Shanghai"], epochs, mask_deg=[25, 10])):
        gain = pd.concat([report.gain for report in own])
        mean = gain[gain.supplemented_by != ""].groupby(["mask_deg", "systems"]).availability_gain_points.mean()
        assert {report.shown_mask_deg for report in own} == {mean.idxmax()[0]} == {25.0}
        above = own[0].seen.elevation.where(own[0].seen.visible)
        assert 25.0 <= above.min() < 27.0
        assert own[0].passes.max_elevation_deg.min() >= 25.0
    [alone] = gc.station_reports(nav, "Irkutsk", epochs, "R", mask_deg=[10, 25])
    assert alone.shown_mask_deg == 10.0


def test_satellites_in_view_are_those_of_the_visibility(nav, epochs, reports):
    sky = gc.satellite_positions(nav, epochs, systems="RC")
    seen = gc.visibility(sky, "Shanghai", mask_deg=reports[1].shown_mask_deg).visible.isel(station=0)
    for letter in "RC":
        own = seen.sel(sv=[sv for sv in seen.sv.values if sv[0] == letter]).sum("sv").values
        table = reports[1].in_view
        assert table[table.system == letter].n_visible.tolist() == own.tolist()


def test_elevations_count_each_visible_satellite_once(reports):
    for report in reports:
        counted = report.elevation.n_visible_mean.sum()
        assert counted == pytest.approx(report.in_view.n_visible.sum() / report.seen.sizes["time"], rel=1e-12)
        assert (report.elevation.n_visible_mean <= report.elevation.n_above_mean).all()
        assert report.elevation.query("to_deg <= 10").n_visible_mean.sum() == 0.0


def test_passes_agree_with_what_is_in_view(reports):
    """At each epoch as many passes are under way as satellites are visible."""
    report = reports[0]
    passes = report.passes
    for time in report.seen.time.values[::7]:
        under_way = (passes.rise_gpst.to_numpy() <= time) & (time <= passes.set_gpst.to_numpy())
        assert under_way.sum() == int(report.seen.visible.sel(time=time).sum())


def test_excluded_satellites_are_nowhere(nav, epochs):
    [report] = gc.station_reports(nav, "Irkutsk", epochs[:4], ["C"], exclude_sv=["C01"])
    assert "C01" not in {*report.passes.sv, *report.seen.sv.values, *report.ephemerides.sv}


def test_the_state_of_an_unhealthy_satellite(reports):
    """R26 sent health flags that say unhealthy all day; it is in no figure but that of the ephemerides."""
    table = reports[0].ephemerides.set_index("sv")
    assert table.loc["R26", "healthy_pct"] == 0.0
    assert not reports[0].seen.visible.sel(sv="R26").any()
    assert (table.healthy_pct <= table.covered_pct).all()


@pytest.mark.parametrize("times", [["2024-01-10T00:00"], ["2024-01-10T00:00", "2024-01-10T00:10", "2024-01-10T00:15"]])
def test_a_report_is_about_an_even_span(nav, times):
    with pytest.raises(gc.TimeError, match="one step between all of them"):
        gc.station_reports(nav, "Irkutsk", np.array(times, "datetime64[ns]"))


def test_forecasts_are_marked(nav):
    outlook = gc.Outlook.of(nav, forecast_days=1)
    [report] = gc.station_reports(outlook, "Irkutsk", gc.epochs("2024-01-11T12:00", hours=2, step_s=1200))
    assert report.ahead.all()
    assert report.forecast["forecast_error_deg"] > 0
    assert report.passes.forecast.all()


def test_receivers_belong_to_the_station_near_them(nav, request):
    obs = gc.read_obs(request.config.rootpath / "sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    x, y, z = obs.headers[0].position_m
    near = gc.Station(name="Near", ecef_m=(x + 300.0, y, z))
    network, trackings = gc.receivers_of(gc.stations([near, "Irkutsk"]), [obs], nav, systems="R")
    assert network.names == ("Near", "Irkutsk")
    assert list(trackings) == ["Near"]
    with pytest.raises(gc.StationError, match="another receiver at Near"):
        gc.receivers_of(gc.stations(near), [obs, obs], nav, systems="R")
