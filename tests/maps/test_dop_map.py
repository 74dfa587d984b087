"""Maps of a real day: every cell against the textbook, RTKLIB and the stations' DOP; grids, threads, faults."""

import math
import os
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pymap3d
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.errors import GridError, ScenarioError, TimeError
from gnss_coop.model.network import Geodetic, Station

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ["R", "C", "R+C"]
DOPS = ("gdop", "pdop", "hdop", "vdop", "tdop")
STATISTICS = ("pdop_median", "pdop_p95", "pdop_worst", "hdop_median", "vdop_median", "gdop_median")


@cache
def real_sky(name):
    """GLONASS and BeiDou over a day, an epoch every quarter of an hour and a little."""
    if name == "2024-01-10":
        path = ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
    else:
        folder = os.environ.get("GNSS_COOP_TESTDATA")
        if not folder:
            pytest.skip("GNSS_COOP_TESTDATA is not set")
        path = Path(folder) / "snapshot" / "2020-177_pair" / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
    nav = gc.read_nav(path)
    sky = gc.satellite_positions(nav, gc.epochs(name, hours=24, step_s=960), systems="RC")
    # The second day is of one receiver: its satellites are any geometry here, so no cell is left out.
    return sky.drop_vars("continued", errors="ignore")


@pytest.fixture
def sky():
    return real_sky("2024-01-10")


days = pytest.mark.parametrize("day", ["2024-01-10", "2020-06-25"])


def places(n, seed):
    """Random places all over the Earth, the poles, the antimeridian and high mountains among them."""
    rng = np.random.default_rng(seed)
    latitude = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    longitude = rng.uniform(-180, 180, n)
    height = rng.choice([0.0, 0.0, -400.0, 3000.0, 9000.0], n)
    latitude[:6], longitude[:6] = [90, -90, 0, 64.5, -16.9, 89.9999], [0, 77, 180, -180, 179.9999, -120]
    return gc.GeoPoints.of(range(n), latitude, longitude, height)


# --- Against outside truth --------------------------------------------------------------------------------


def sees(sky_m, points, i, mask_deg):
    """Unit lines (east, north, up) from a place to the satellites on or above the mask, and which these are."""
    latitude, longitude = points.latitude_deg[i], points.longitude_deg[i]
    place_m = np.array(pymap3d.geodetic2ecef(latitude, longitude, points.height_m[i]))
    lines = np.stack(pymap3d.ecef2enuv(*(sky_m - place_m).T, latitude, longitude), axis=-1)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    seen = np.degrees(np.arctan2(lines[:, 2], np.hypot(lines[:, 0], lines[:, 1]))) >= mask_deg
    return lines[seen], seen


def textbook(lines, letters, clocks):
    """GDOP, PDOP, HDOP, VDOP and TDOP from the whole design matrix, infinite where it has too few rows."""
    present = sorted(set(letters))
    n_clocks = 1 if clocks == "common" else len(present)
    if len(lines) < 3 + (n_clocks if clocks == "per-system" else 1):
        return np.full(5, np.inf)
    design = np.zeros((len(lines), 3 + n_clocks))
    design[:, :3] = -lines
    for row, letter in zip(design, letters, strict=True):
        row[3 if n_clocks == 1 else 3 + present.index(letter)] = 1.0
    if clocks.startswith("prior") and len(present) == 2:
        sigma_m = float(clocks.partition(":")[2]) * 1e-9 * 299_792_458.0
        design = np.vstack([design, [0, 0, 0, 1 / sigma_m, -1 / sigma_m]])
    q = np.diag(np.linalg.inv(design.T @ design))
    clock = q[3:].sum()
    if len(design) > len(lines):  # as many clocks as the ranges estimate: the trace of the clocks' resolution matrix
        counted = np.diag([letters.tolist().count(letter) for letter in present])
        known = np.array([[1, -1], [-1, 1]]) / sigma_m**2
        clock *= np.trace(np.linalg.solve(counted + known, counted)) / 2
    return np.sqrt([q[:3].sum() + clock, q[:3].sum(), q[:2].sum(), q[2], clock])


@days
@pytest.mark.parametrize("clocks", ["per-system", "common", "prior:5"])
@pytest.mark.parametrize("mask_deg", [-5.0, 5.0, 25.0, 85.0])
def test_thousands_of_cells_and_epochs_equal_the_textbook(day, clocks, mask_deg):
    sky = real_sky(day)
    letters = np.array([name[0] for name in sky["sv"].values])
    compared = 0
    for t in range(3, sky.sizes["time"], 15):
        one = sky.isel(time=[t])
        points = places(60, seed=t)
        world = gc.dop_map(one, points, SCENARIOS, mask_deg=mask_deg, clocks=clocks, dops=DOPS)
        values = np.stack([world[f"{name}_median"].values for name in DOPS])  # of a single epoch: its own
        used = world["n_used_least"].values
        for i in range(len(points)):
            lines, seen = sees(one["positions"].values[0], points, i, mask_deg)
            for c, scenario in enumerate(SCENARIOS):
                members = np.isin(letters[seen], scenario.split("+"))
                assert used[c, i] == members.sum()
                truth = textbook(lines[members], letters[seen][members], clocks)
                if truth[1] > 1e3 and np.isfinite(truth[1]):
                    continue  # the reference's own inverse is not good to 1e-6 there
                np.testing.assert_allclose(values[:, c, i], truth, rtol=1e-6)
                compared += np.isfinite(truth[1])
    assert compared > 300 or mask_deg == 85.0  # no place sees four satellites so high


@days
@pytest.mark.parametrize("mask_deg", [5.0, 25.0])
def test_rtklib_agrees_with_one_clock(day, mask_deg):
    pyrtklib = pytest.importorskip("pyrtklib")
    sky = real_sky(day)
    letters = np.array([name[0] for name in sky["sv"].values])
    compared = 0
    for t in range(1, sky.sizes["time"], 9):
        one = sky.isel(time=[t])
        points = places(50, seed=1000 + t)
        world = gc.dop_map(one, points, SCENARIOS, mask_deg=mask_deg, clocks="common", dops=DOPS[:4])
        for i in range(len(points)):
            lines, seen = sees(one["positions"].values[0], points, i, mask_deg)
            angles = np.stack([np.arctan2(lines[:, 0], lines[:, 1]), np.arcsin(lines[:, 2])], axis=1)
            for c, scenario in enumerate(SCENARIOS):
                flat = angles[np.isin(letters[seen], scenario.split("+"))].ravel()
                azel, truth = pyrtklib.Arr1Ddouble(max(1, flat.size)), pyrtklib.Arr1Ddouble(4)
                for k, angle in enumerate(flat):
                    azel[k] = float(angle)
                pyrtklib.dops(flat.size // 2, azel, 0.0, truth)
                ours = [world[f"{name}_median"].values[c, i] for name in DOPS[:4]]
                if flat.size < 8:
                    assert np.isinf(ours).all()
                elif truth[1] < 1e3:
                    np.testing.assert_allclose(ours, [truth[k] for k in range(4)], rtol=1e-6)
                    compared += 1
    assert compared > 1000 or mask_deg == 25.0


# E. D. Kaplan and C. J. Hegarty (eds.), Understanding GPS, 2nd edition (2006), section 7.2: availability of PDOP <= 6
# above 5 deg with the 24 nominal satellites less some. What grid, weights and steps they took is not said: weighted
# by area we find 99.967 and 99.09, cell by cell 99.967 and 99.25, and the tolerance spans that.
@pytest.mark.parametrize(
    ("out_of_service", "available_pct", "tolerance"),
    [((), 100.0, 0.001), (("A3",), 99.969, 0.005), (("A2", "E3", "F2"), 99.197, 0.12)],
)
def test_published_availability_of_gps(out_of_service, available_pct, tolerance):
    slots = [plane + number for plane in "ABCDEF" for number in "1234"]
    sky = gc.nominal_constellation("G", gc.epochs("1993-07-01", hours=24, step_s=300))
    sky = sky.drop_sel(sv=[f"G{slots.index(slot) + 1:02d}" for slot in out_of_service])
    summary = gc.map_summary(gc.dop_map(sky, gc.GeoGrid(5), "G", mask_deg=5, limit=6))
    assert summary["availability_mean_pct"].item() == pytest.approx(available_pct, abs=tolerance)


# --- Against the DOP of stations ----------------------------------------------------------------------------


@pytest.mark.parametrize("clocks", ["per-system", "common", "prior:5"])
def test_statistics_are_those_of_a_station_at_the_same_place(sky, clocks):
    points = places(40, seed=5)
    masks = [5.0, 25.0, 45.0]
    world = gc.dop_map(sky, points, SCENARIOS, mask_deg=masks, clocks=clocks, dops=DOPS, percentiles=[95, 100])
    network = [
        Station(name=f"P{i}", geodetic=Geodetic(latitude_deg=latitude, longitude_deg=longitude, height_m=height))
        for i, (latitude, longitude, height) in enumerate(
            zip(points.latitude_deg, points.longitude_deg, points.height_m, strict=True)
        )
    ]
    dop = gc.dilution_of_precision(sky, network, SCENARIOS, mask_deg=masks, clocks=clocks)
    table = gc.compare(dop, limit=6.0).set_index(["systems", "mask_deg", "station"])
    worst = dop["pdop"].fillna(np.inf).max("time")
    unsolved = 0
    for systems, mask, i in np.ndindex(len(SCENARIOS), len(masks), len(network)):
        row = table.loc[SCENARIOS[systems], masks[mask], f"P{i}"]
        cell = world.isel(systems=systems, mask_deg=mask, point=i)
        for name in ("pdop_median", "pdop_p95", "hdop_median", "vdop_median", "gdop_median"):
            assert cell[name].item() == pytest.approx(row[name], rel=1e-6)
        assert cell["pdop_worst"].item() == pytest.approx(worst.values[systems, mask, i], rel=1e-5)
        assert cell["availability_pct"].item() == pytest.approx(row["availability_pct"], rel=1e-6)
        assert cell["n_used_mean"].item() == pytest.approx(row["n_used_mean"], rel=1e-6)
        assert cell["n_used_least"].item() == row["n_used_least"]
        assert str(cell["supplemented_by"].item()) == row["supplemented_by"]
        unsolved += math.isinf(row["pdop_median"])
        expected = 1.0 - row["pdop_drop_pct"] / 100.0  # NaN where either median is infinite, or nothing is added
        assert cell["pdop_ratio"].item() == pytest.approx(expected, rel=1e-6, nan_ok=True)
        points_gained = cell["availability_gain_points"].item()
        assert points_gained == pytest.approx(row["availability_gain_points"], abs=1e-4, nan_ok=True)
    assert unsolved > 0


def test_cells_of_a_grid_are_places_on_the_ellipsoid(sky):
    grid = gc.GeoGrid(2.5, (55, 90, 165, -150))  # 14 by 18 cells, across the antimeridian and up to the pole
    world = gc.dop_map(sky, grid, mask_deg=15)
    latitude, longitude = np.meshgrid(grid.latitude_deg, grid.longitude_deg, indexing="ij")
    order = np.random.default_rng(9).permutation(latitude.size)  # other tiles, other neighbours
    points = gc.GeoPoints.of(order, latitude.ravel()[order], longitude.ravel()[order] - 360.0)
    same = gc.dop_map(sky, points, mask_deg=15)
    for name in world.data_vars:
        flat = world[name].values.reshape(3, -1)[:, order]
        if name.startswith(("n_used", "availability")):
            np.testing.assert_array_equal(flat, same[name].values, err_msg=name)
        else:  # satellites are added in other pairs, which may turn the last bit of single precision
            np.testing.assert_allclose(flat, same[name].values, rtol=2e-7, err_msg=name)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 3), (8, 8), (9, 17), (16, 5)])
def test_any_number_of_rows_and_columns(sky, shape):
    rows, columns = shape
    few = sky.isel(time=slice(0, None, 30))
    part = gc.dop_map(few, gc.GeoGrid(5, (-10, -10 + 5 * rows, 60, 60 + 5 * columns)), mask_deg=15)
    assert part["pdop_median"].shape == (3, *shape)
    whole = gc.dop_map(few, gc.GeoGrid(5), mask_deg=15)
    there = whole.isel(lat=slice(16, 16 + rows), lon=slice(48, 48 + columns))
    for name in ("lat", "lon", *part.data_vars):
        np.testing.assert_allclose(part[name].values, there[name].values, rtol=2e-7, err_msg=name)


# --- Independence -------------------------------------------------------------------------------------------


def test_masks_and_scenarios_do_not_touch_each_other(sky):
    grid = gc.GeoGrid(20)
    masks = [25.0, -5.0, 5.0, 5.0]
    together = gc.dop_map(sky, grid, SCENARIOS, mask_deg=masks)
    for k, mask in enumerate(masks):
        alone = gc.dop_map(sky, grid, SCENARIOS, mask_deg=mask)
        assert alone["pdop_median"].dims == ("systems", "lat", "lon")
        xr.testing.assert_identical(together.isel(mask_deg=k), alone)
        for systems in SCENARIOS:
            single = gc.dop_map(sky, grid, systems, mask_deg=mask)
            for name in set(alone.data_vars) - {"pdop_ratio", "availability_gain_points"}:
                np.testing.assert_array_equal(single[name].values[0], alone[name].sel(systems=systems).values)


def test_threads_do_not_matter(sky):
    grid = gc.GeoGrid(6)
    one = gc.dop_map(sky, grid, mask_deg=[5, 25], threads=1)
    xr.testing.assert_identical(one, gc.dop_map(sky, grid, mask_deg=[5, 25], threads=4))


def test_progress_counts_tiles_to_the_end(sky):
    seen = []
    gc.dop_map(sky.isel(time=[0]), gc.GeoGrid(4), progress=lambda done, total: seen.append((done, total)))
    total = 6 * 12  # 45 by 90 cells in squares of 8
    assert seen[-1] == (total, total)
    assert seen == sorted(set(seen))


def test_an_interrupted_map_stops(sky):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gc.dop_map(sky, gc.GeoGrid(2), progress=stop)


# --- What must hold for any sky -----------------------------------------------------------------------------


def test_more_systems_and_known_clocks_only_help(sky):
    grid = gc.GeoGrid(15)
    worlds = [gc.dop_map(sky, grid, mask_deg=25, clocks=c) for c in ("common", "prior:5", "per-system")]
    for tighter, looser in pairwise(worlds):
        for name in ("pdop_median", "pdop_p95", "hdop_median", "vdop_worst"):
            assert (tighter[name].values <= looser[name].values * (1 + 1e-6)).all()
        assert (tighter["availability_pct"].values >= looser["availability_pct"].values).all()
    free = worlds[-1]
    best = free["pdop_median"].sel(systems=["R", "C"]).min("systems")
    assert (free["pdop_median"].sel(systems="R+C").values <= best.values * (1 + 1e-6)).all()
    assert (free["availability_gain_points"].sel(systems=["R", "C"]).values >= 0).all()


@pytest.mark.parametrize("limit", [math.inf, 1e200])
def test_even_without_a_limit_an_epoch_needs_a_solution(sky, limit):
    grid = gc.GeoGrid(30)
    world = gc.dop_map(sky, grid, mask_deg=60, limit=limit)
    assert ((world["availability_pct"].values < 100) == np.isinf(world["pdop_worst"].values)).all()
    xr.testing.assert_equal(world["availability_pct"], gc.dop_map(sky, grid, mask_deg=60, limit=1e5).availability_pct)


def test_a_mask_of_minus_90_sees_every_satellite_once(sky):
    # Up to one degree from the nadir nothing is left out: no satellite stands there at these places and epochs.
    points = gc.GeoPoints.of("ABCDE", [0, 45, -45, 90, -90], [10, 100, 20, 0, 0])
    letters = np.array([name[0] for name in sky["sv"].values])
    known = np.isfinite(sky["positions"].values[..., 0])
    for mask_deg in (-90.0, -89.8):
        world = gc.dop_map(sky, points, ["R", "C"], mask_deg=mask_deg)
        for c, letter in enumerate("RC"):
            expected = known[:, letters == letter].sum(axis=1)
            assert world["n_used_mean"].values[c] == pytest.approx(expected.mean(), rel=1e-6)
            assert (world["n_used_least"].values[c] == expected.min()).all()


@pytest.mark.parametrize("mask_deg", [-5.0, 0.0, 5.0, 15.0, 25.0, 85.0])
def test_satellites_exactly_on_the_mask_are_seen_as_at_a_station(mask_deg):
    azimuth = np.arange(0.0, 360.0, 9.0)
    for latitude, longitude in ((0.0, 0.0), (55.1, 36.6), (-33.0, 151.0), (90.0, 0.0)):
        xyz = pymap3d.aer2ecef(azimuth, mask_deg, 2.3e7, latitude, longitude, 0.0)
        ring = xr.Dataset(
            {"positions": (("time", "sv", "ecef"), np.stack(xyz, axis=-1)[np.newaxis])},
            coords={
                "time": np.array(["2024-01-10"], "datetime64[ns]"),
                "sv": [f"C{n:02d}" for n in range(azimuth.size)],
            },
        )
        place = gc.GeoPoints.of(["P"], [latitude], [longitude])
        assert gc.dop_map(ring, place, "C", mask_deg=mask_deg)["n_used_least"].item() == azimuth.size
        station = Station(name="P", geodetic=Geodetic(latitude_deg=latitude, longitude_deg=longitude, height_m=0.0))
        assert gc.dilution_of_precision(ring, station, "C", mask_deg=mask_deg)["n_used"].item() == azimuth.size


def test_a_system_without_satellites_has_no_solution(sky):
    world = gc.dop_map(sky.isel(time=[0]), gc.GeoGrid(30), ["E", "C", "C+E", "E+J"])
    assert (world["n_used_mean"].sel(systems=["E", "E+J"]).values == 0).all()
    assert np.isinf(world["pdop_median"].sel(systems=["E", "E+J"]).values).all()
    for name in ("pdop_median", "availability_pct", "n_used_mean"):
        assert (world[name].sel(systems="C").values == world[name].sel(systems="C+E").values).all()


def test_an_epoch_without_positions_is_the_worst(sky):
    gap = sky.isel(time=slice(0, 10)).copy(deep=True)
    gap["positions"].values[:4] = np.nan
    world = gc.dop_map(gap, gc.GeoGrid(30), "R+C")
    whole = gc.dop_map(sky.isel(time=slice(4, 10)), gc.GeoGrid(30), "R+C")
    assert np.isinf(world["pdop_p95"].values).all()
    assert (world["n_used_least"].values == 0).all()
    np.testing.assert_allclose(world["availability_pct"].values, 0.6 * whole["availability_pct"].values, rtol=1e-6)
    np.testing.assert_allclose(world["n_used_mean"].values, 0.6 * whole["n_used_mean"].values, rtol=1e-6)


# --- Labels and faults --------------------------------------------------------------------------------------


def test_labels_of_a_map(sky):
    world = gc.dop_map(sky, gc.GeoGrid(30), SCENARIOS, mask_deg=[5, 15], percentiles=[0, 99.9], dops=["tdop", "tdop"])
    assert world["pdop_median"].dims == ("systems", "mask_deg", "lat", "lon")
    assert world["supplemented_by"].values.tolist() == ["R+C", "R+C", ""]
    assert {name for name in world.data_vars if name.startswith("pdop")} == {
        "pdop_p0", "pdop_median", "pdop_p99_9", "pdop_ratio",
    }  # fmt: skip
    assert {"tdop_p0", "tdop_median", "tdop_p99_9"} < set(world.data_vars)
    assert all(variable.dtype == np.float32 for variable in world.data_vars.values())
    assert all({"units", "long_name"} <= set(variable.attrs) for variable in world.data_vars.values())
    assert world.attrs["n_epochs"] == 90
    assert (world.attrs["time_start"], world.attrs["time_end"]) == ("2024-01-10T00:00:00", "2024-01-10T23:44:00")
    assert (world.attrs["step_s"], world.attrs["clocks"], world.attrs["max_pdop"]) == (960.0, "per-system", 6.0)
    lone = gc.dop_map(sky.isel(time=[0]), places(9, 0), "C+R")
    assert lone["pdop_median"].dims == ("systems", "point")
    assert lone["supplemented_by"].values.tolist() == [""]
    assert np.isnan(lone["pdop_ratio"].values).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"systems": "X"}, "X"),
        ({"systems": []}, "No scenario"),
        ({"clocks": "free"}, "clock model"),
        ({"mask_deg": math.nan}, "mask"),
        ({"mask_deg": []}, "mask"),
        ({"mask_deg": 90.5}, "mask"),
        ({"limit": 0.0}, "largest PDOP"),
        ({"limit": math.nan}, "largest PDOP"),
        ({"percentiles": [101.0]}, "percentiles"),
        ({"percentiles": [math.nan]}, "percentiles"),
        ({"dops": ["pdop", "qdop"]}, "'qdop'"),
        ({"threads": 0}, "thread"),
    ],
)
def test_wrong_questions(sky, settings, words):
    with pytest.raises(ScenarioError, match=words):
        gc.dop_map(sky, gc.GeoGrid(30), **settings)


def test_a_map_that_the_machine_cannot_hold_is_refused_before_it_is_computed(sky, monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.get)
    computed = []
    # 64,800 cells, 3 scenarios, 9 percentiles and 5 numbers besides, 4 bytes: the result, and two parts of it
    with pytest.raises(GridError, match=r"about 0\.0 GB of memory, and the machine has 0\.0 GB"):
        gc.dop_map(sky, gc.GeoGrid(step_deg=1), threads=1, progress=lambda *_: computed.append(1))
    assert not computed
    gc.dop_map(sky.isel(time=[0]), gc.GeoGrid(step_deg=30), threads=1)


def test_a_sky_without_epochs(sky):
    with pytest.raises(TimeError, match="no epochs"):
        gc.dop_map(sky.isel(time=slice(0, 0)), gc.GeoGrid(30))


def test_a_coarse_map_of_a_day_takes_no_time():
    sky = real_sky("2024-01-10")
    day = xr.concat([sky] * 4, dim="time")  # as many epochs as every four minutes of a day
    gc.dop_map(sky.isel(time=[0]), gc.GeoGrid(30))  # compiled
    begin = time.perf_counter()
    gc.dop_map(day, gc.GeoGrid(5))
    # 0.07 s on two cores; a slow or busy machine may take its time, but not for seconds.
    assert time.perf_counter() - begin < 2.0
