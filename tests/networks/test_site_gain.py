"""Gains of one more site: each equals the figures of the network with a real station there."""

import itertools

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.coasts import on_land

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


@pytest.fixture(scope="module")
def sky():
    nav = gc.read_nav(SAMPLE)
    return gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=300), systems="RC")


def site(name, latitude_deg, longitude_deg):
    return gc.Station(
        name=name, geodetic={"latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "height_m": 0.0}
    )


@pytest.fixture(scope="module")
def gain(sky):
    return gc.site_gain_map(gc.network_views(sky, "russia,joint", mask_deg=10), gc.GeoGrid(30))


@pytest.mark.parametrize(("lat", "lon"), [(-75.0, -165.0), (15.0, -75.0), (45.0, 105.0), (75.0, 15.0), (-15.0, 165.0)])
def test_a_cell_is_what_a_station_there_adds(sky, gain, lat, lon):
    joint = gc.stations("joint")
    views = gc.network_views(sky, {"before": joint, "after": [joint, site("New", lat, lon)]}, mask_deg=10)
    table = gc.network_table(views).query("orbit == 'all'").set_index(["system", "network"])
    for system in "RC":
        cell = gain.sel(system=system, lat=lat, lon=lon)
        before, after = table.loc[system, "before"], table.loc[system, "after"]
        assert cell["k1_gain_points"].item() == pytest.approx(after["k1"] - before["k1"], abs=1e-9)
        assert cell["k2_gain_points"].item() == pytest.approx(after["k2"] - before["k2"], abs=1e-9)
        assert cell["depth_gain"].item() == pytest.approx(after["depth"] - before["depth"], abs=1e-12)
        assert cell["gap_max_drop_min"].item() == before["gap_max_min"] - after["gap_max_min"]
        assert cell["sigma_3d_m"].item() == pytest.approx(after["sigma_3d_m"], rel=1e-9)
        drop = 100.0 * (1.0 - after["sigma_3d_m"] / before["sigma_3d_m"])
        assert cell["sigma_3d_drop_pct"].item() == pytest.approx(drop, abs=1e-6)


@pytest.mark.parametrize(("lat", "lon"), [(-75.0, -165.0), (15.0, -75.0)])
def test_a_known_clock_counts_in_cells_and_chosen_sites(sky, lat, lon):
    joint = gc.stations("joint")
    thin = sky.isel(time=slice(None, None, 3))
    views = gc.network_views(thin, {"after": [joint, site("New", lat, lon)], "before": joint})
    table = gc.network_table(views, clock_known=True).query("orbit == 'all'").set_index(["system", "network"])
    sigma = table["sigma_3d_m"]
    grid = gc.GeoGrid(30, (lat - 15, lat + 15, lon - 15, lon + 15))
    gain = gc.site_gain_map(views, grid, clock_known=True).sel(lat=lat, lon=lon)
    places = gc.GeoPoints.of(["New"], [lat], [lon])
    chosen = gc.best_sites(thin, places, objective="sigma_3d_m", clock_known=True).set_index("system")
    for system in "RC":
        before, after = sigma[system, "before"], sigma[system, "after"]
        assert gain["sigma_3d_m"].sel(system=system).item() == pytest.approx(after, rel=1e-9)
        drop = 100.0 * (1.0 - after / before)
        assert gain["sigma_3d_drop_pct"].sel(system=system).item() == pytest.approx(drop, abs=1e-6)
        assert chosen.loc[system, ["before", "after"]].tolist() == pytest.approx([before, after], rel=1e-9)
    assert gain.attrs["satellite_clock"] == "known"


def test_the_network_can_be_chosen_and_one_station_gains_from_a_second(sky):
    views = gc.network_views(sky, "Irkutsk,joint")
    grid = gc.GeoGrid(30, (30, 60, 90, 120))
    of_one = gc.site_gain_map(views, grid, "Irkutsk")
    assert of_one.attrs["network"] == "Irkutsk"
    assert of_one["sigma_3d_drop_pct"].isnull().all()  # there was no sigma to fall from
    assert (of_one["sigma_3d_m"] > 0).all()
    assert (of_one["k2_gain_points"] > gc.site_gain_map(views, grid)["k2_gain_points"]).all()


def test_a_region_across_the_antimeridian_and_threads_change_nothing(sky):
    views = gc.network_views(sky, "joint")
    across = gc.site_gain_map(views, gc.GeoGrid(15, (0, 30, 165, -165)), threads=2)
    world = gc.site_gain_map(views, gc.GeoGrid(15), threads=1)
    for column, lon in enumerate((172.5, -172.5)):
        for name in across:
            np.testing.assert_array_equal(across[name].isel(lon=column), world[name].sel(lat=across["lat"], lon=lon))
    of_sea = across["k1_gain_points"].sel(system="R")  # where no cell has its middle on land
    assert np.isnan(gc.best_cell(of_sea)["longitude_deg"])
    assert -180 <= gc.best_cell(of_sea.drop_vars("land"))["longitude_deg"] <= 180


def test_a_finer_step_is_thinned_to_300_s(sky, gain):
    nav = gc.read_nav(SAMPLE)
    fine = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=100), systems="RC")
    thinned = gc.site_gain_map(gc.network_views(fine, "joint", mask_deg=10), gc.GeoGrid(30))
    assert thinned.attrs["step_s"] == 300.0
    np.testing.assert_allclose(thinned["k1_gain_points"], gain["k1_gain_points"], atol=1e-9)


def test_best_cell_of_nothing_is_nan():
    import xarray as xr

    empty = xr.DataArray([[np.nan]], dims=("lat", "lon"), coords={"lat": [0.0], "lon": [0.0]})
    assert np.isnan(gc.best_cell(empty)["value"])


PLACES = gc.GeoPoints.of(
    ["Quito", "Perth", "Havana", "HartRAO", "Oslo"],
    [-0.2, -31.9, 23.1, -25.9, 59.9],
    [281.5, 115.9, -82.4, 27.7, 10.7],
)


@pytest.mark.parametrize("objective", ["k1_pct", "gap_max_min", "sigma_3d_m"])
def test_best_sites_are_those_of_trying_all(sky, objective):
    table = gc.best_sites(sky, PLACES, 2, objective=objective)
    column = {"k1_pct": "k1"}.get(objective, objective)
    places = zip(PLACES.names, PLACES.latitude_deg, PLACES.longitude_deg, strict=True)
    sites = {name: site(name, lat, lon if lon <= 180 else lon - 360) for name, lat, lon in places}
    sets = {"none": gc.stations("joint")} | {
        ", ".join(pair): [gc.stations("joint"), *(sites[name] for name in pair)]
        for pair in itertools.combinations(PLACES.names, 2)
    }
    figures = gc.network_table(gc.network_views(sky, sets)).query("orbit == 'all'").set_index(["system", "network"])
    sign = 1.0 if objective == "k1_pct" else -1.0
    for system in "RC":
        rows = table.query("system == @system").set_index(["method", "n_sites"])
        of = (sign * figures.loc[system, column]).drop("none")
        exact, greedy = rows.loc[("exact", 2)], rows.loc[("greedy", 2)]
        assert exact["sites"] == of.idxmax()
        assert exact["after"] == pytest.approx(sign * of.max(), rel=1e-9)
        assert exact["before"] == pytest.approx(figures.loc[(system, "none"), column], rel=1e-9)
        assert exact["gain"] == pytest.approx(sign * (exact["after"] - exact["before"]), rel=1e-12)
        assert exact["gain"] >= greedy["gain"] - 1e-9
        assert greedy["sites"].startswith(rows.loc[("greedy", 1), "sites"])


def test_too_many_sets_are_left_to_greedy(sky, monkeypatch):
    from gnss_coop.networks import best_sites as module

    monkeypatch.setattr(module, "MAX_SETS", 9)
    table = gc.best_sites(sky, PLACES, 4)
    assert table.attrs["not_searched"] == [2, 3]
    assert sorted(table.query("method == 'exact'")["n_sites"].unique()) == [4]
    assert sorted(table.query("method == 'greedy'")["n_sites"].unique()) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("candidates", "n", "settings", "error", "words"),
    [
        (PLACES, 0, {}, ScenarioError, "1 to 5"),
        (PLACES, 6, {}, ScenarioError, "1 to 5"),
        (PLACES, 1, {"objective": "beauty"}, ScenarioError, "k2_pct"),
        (gc.GeoPoints.of(["Irkutsk"], [52.0], [104.0]), 1, {}, StationError, "belong to the network"),
        (gc.GeoPoints.of([f"S{i}" for i in range(60)], range(60), range(60)), 1, {}, StationError, "at most 64"),
        ("Atlantis", 1, {}, StationError, "no station or network"),
    ],
)
def test_wrong_questions(sky, candidates, n, settings, error, words):
    with pytest.raises(error, match=words):
        gc.best_sites(sky, candidates, n, **settings)


def test_the_best_places_stand_on_land_and_apart(sky):
    """The largest value on land first; distances by the angle between unit vectors."""
    views = gc.network_views(sky.isel(time=slice(None, None, 6)), "joint")
    gain = gc.site_gain_map(views, gc.GeoGrid(15))["k1_gain_points"].sel(system="R")
    land = gain["land"].values.astype(bool)
    assert 0.2 < land.mean() < 0.5
    found = gc.best_cells(gain, 4)
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["value"].is_monotonic_decreasing
    assert on_land(found["latitude_deg"], found["longitude_deg"]).all()
    assert found["value"][0] == gain.values[land].max()
    latitude, longitude = np.radians(found[["latitude_deg", "longitude_deg"]].to_numpy().T)
    unit = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    apart_km = 6371 * np.arccos(np.clip(unit @ unit.T, -1, 1))
    assert apart_km[~np.eye(4, dtype=bool)].min() > 999
    assert gc.best_cell(gain) == found.iloc[0].drop("rank").to_dict()
    sea_only = gain.where(gain["land"] == 0)
    assert np.isnan(gc.best_cell(sea_only)["value"])
    assert gc.best_cells(sea_only.drop_vars("land"), 2).shape == (2, 4)
