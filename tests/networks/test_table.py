"""What networks see: against counts by hand from positions, closed forms, and properties of real days."""

import math
import os
from itertools import groupby
from pathlib import Path

import numpy as np
import pymap3d
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.errors import EphemerisGapError, ScenarioError, StationError, TimeError
from gnss_coop.networks import orbit_information as info
from gnss_coop.networks.coverage import all_are_cut

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
STEP_S, MASK_DEG = 300, 7.0
NETWORKS = {"walled": "walled", "russia": "russia", "all": "all"}
WALL = ((0.0, 40.0), (90.0, 40.0), (90.0, 3.0), (180.0, 12.0), (270.0, 60.0))


def walled():
    """Changchun behind mountains: a wall in the north-east, and slopes."""
    place = gc.Station(name="Walled", country="CN", ecef_m=gc.stations("Changchun")[0].ecef_m, horizon=WALL)
    return gc.stations([place])


def wall_deg(azimuth_deg):
    """Height of the wall over azimuth, by hand: half-open between the corners, closed over north."""
    a = np.asarray(azimuth_deg) % 360.0
    south = 3.0 + (a - 90.0) / 90.0 * 9.0
    west = 12.0 + (a - 180.0) / 90.0 * 48.0
    north = 60.0 + (a - 270.0) / 90.0 * -20.0
    return np.where(a < 90, 40.0, np.where(a < 180, south, np.where(a < 270, west, north)))


@pytest.fixture(scope="module")
def nav():
    return gc.read_nav(DAY)


@pytest.fixture(scope="module")
def sky(nav):
    """A real day with holes: at the beginning, at the end, in the middle, one epoch, and all but four epochs."""
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=STEP_S), systems="RC")
    positions = sky["positions"].values.copy()
    column = sky["sv"].values.tolist().index
    for sv, epochs in {"R01": slice(0, 40), "R02": slice(250, None), "C20": slice(100, 140), "C03": 77}.items():
        positions[epochs, column(sv)] = np.nan
    positions[:100, column("R05")] = positions[104:, column("R05")] = np.nan
    return sky.assign(positions=(sky["positions"].dims, positions))


@pytest.fixture(scope="module")
def views(sky):
    networks = {"walled": walled(), "russia": "russia", "all": [walled(), "russia", "Urumqi", "Shanghai"]}
    return gc.network_views(sky, networks, mask_deg=MASK_DEG)


@pytest.fixture(scope="module")
def plain(nav):
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=STEP_S), systems="RC")
    return gc.network_views(sky)


@pytest.fixture(scope="module")
def orbits(plain):
    return info.OrbitInformation.of(plain)


@pytest.fixture(scope="module")
def by_hand(sky):
    """Which station sees what (station, time, sv), by pymap3d's angles; and the satellites with positions."""
    x, y, z = np.moveaxis(sky["positions"].values, 2, 0)
    used = np.isfinite(x).any(axis=0)
    names, seen = [], []
    for station in [*walled(), *gc.stations("russia,Urumqi,Shanghai")]:
        place = pymap3d.ecef2geodetic(*station.xyz_m)
        azimuth, elevation, _ = pymap3d.ecef2aer(x[:, used], y[:, used], z[:, used], *place)
        horizon = wall_deg(azimuth) if station.name == "Walled" else -90.0
        names.append(station.name)
        seen.append(np.isfinite(x[:, used]) & (elevation >= np.maximum(MASK_DEG, horizon)))
    return names, np.array(seen), np.isfinite(x[:, used]), sky["sv"].values[used]


def members_of(views, network, names):
    return [names.index(name) for name in views.networks.network(network).names]


def runs(seen, usable):
    """Arcs and gaps of one satellite as (kind, first, after, cut)."""
    states = ["" if not u else "arc" if s else "gap" for s, u in zip(seen.tolist(), usable.tolist(), strict=True)]
    found, first = [], 0
    for kind, group in groupby(states):
        after = first + len(list(group))
        hole = (first > 0 and states[first - 1] == "") or (after < len(states) and states[after] == "")
        span = first == 0 or after == len(states)
        if kind:
            found.append((kind, first, after, "ephemeris" if hole else "span" if span else ""))
        first = after
    return found


# --- Coverage ---------------------------------------------------------------------------------------------


def test_who_sees_what_is_as_by_hand(views, by_hand):
    names, seen, usable, satellites = by_hand
    assert views.sv.tolist() == satellites.tolist()
    np.testing.assert_array_equal(views.usable, usable)
    order = [names.index(name) for name in views.networks.stations.names]
    np.testing.assert_array_equal(views.visible, seen[order])
    assert {"C56", "R25"} <= set(views.idle)
    assert not set(views.idle) & set(satellites)


def test_the_summary_is_counted_by_hand(views, by_hand):
    names, seen, usable, satellites = by_hand
    table = gc.network_table(views).set_index(["system", "orbit", "network"])
    classes = dict(zip(views.sv.tolist(), views.orbit.tolist(), strict=True))
    for (letter, orbit, network), row in table.iterrows():
        chosen = [s for s, sv in enumerate(satellites) if sv[0] == letter and orbit in (classes[sv], "all")]
        depth = seen[members_of(views, network, names)].sum(axis=0)[:, chosen]
        known = usable[:, chosen]
        assert row.n_satellites == len(chosen)
        for k in range(1, 5):
            assert row[f"k{k}"] == pytest.approx(100 * (depth[known] >= k).mean(), rel=1e-12)
        assert row.depth == pytest.approx(depth[known].mean(), rel=1e-12)
        found = [run for s, _ in enumerate(chosen) for run in runs(depth[:, s] > 0, known[:, s])]
        arcs, gaps = ([b - a for kind, a, b, _ in found if kind == wanted] for wanted in ("arc", "gap"))
        minutes = STEP_S / 60
        assert row.gap_max_min == max(gaps, default=0) * minutes
        expected = [np.mean(part) * minutes if part else np.nan for part in (gaps, arcs)]
        np.testing.assert_allclose([row.gap_mean_min, row.arc_mean_min], expected, rtol=1e-12)
    assert table.attrs["n_left_out"] == usable.size - usable.sum()
    assert table.attrs["n_satellite_epochs"] == usable.size


def test_every_arc_and_gap_is_where_it_is_by_hand(views, by_hand, sky):
    names, seen, usable, satellites = by_hand
    start, minute = sky["time"].values[0], np.timedelta64(STEP_S, "s")
    expected = [
        (network, sv, kind, start + a * minute, start + b * minute, (b - a) * STEP_S / 60, cut)
        for network in views.networks.names
        for s, sv in enumerate(satellites)
        for kind, a, b, cut in runs(seen[members_of(views, network, names)].any(axis=0)[:, s], usable[:, s])
    ]
    table = gc.network_arcs(views)
    assert [tuple(row) for row in table.itertuples(index=False)] == expected
    assert set(table.cut) == {"", "span", "ephemeris"}
    assert not all_are_cut(views)


def test_the_table_of_satellites_agrees_with_their_arcs(views, by_hand):
    _, _, usable, _ = by_hand
    arcs = gc.network_arcs(views)
    table = gc.satellite_table(views)
    assert [f"k{k}" in table for k in (1, 6, 7)] == [True, True, False]  # the largest network has six stations
    for _, row in table.iterrows():
        own = arcs[(arcs.network == row.network) & (arcs.sv == row.sv)]
        arc, gap = (own[own.kind == kind].duration_min for kind in ("arc", "gap"))
        assert (row.n_arcs, row.n_gaps) == (len(arc), len(gap))
        assert row.arc_max_min == (arc.max() if len(arc) else 0)
        usable_min = usable[:, views.sv.tolist().index(row.sv)].sum() * STEP_S / 60
        assert own.duration_min.sum() == usable_min
        assert row.usable_pct == pytest.approx(100 * usable_min / 1440)
        assert row.k1 == pytest.approx(100 * arc.sum() / usable_min)
        assert (row.k1 >= row.k2) & (row.k2 >= row.k3)


def test_common_view_is_counted_by_hand(views, by_hand):
    names, seen, usable, satellites = by_hand
    chinese = [names.index(name) for name in ("Walled", "Urumqi", "Shanghai")]
    russian = [i for i in range(len(names)) if i not in chinese]
    both = seen[chinese].any(axis=0) & seen[russian].any(axis=0)
    classes = dict(zip(views.sv.tolist(), views.orbit.tolist(), strict=True))
    for row in gc.common_view(views).itertuples():
        chosen = [s for s, sv in enumerate(satellites) if sv[0] == row.system and row.orbit in (classes[sv], "all")]
        assert row.countries == "CN+RU"
        assert row.common_view_pct == pytest.approx(100 * both[:, chosen].sum() / usable[:, chosen].sum())
        assert row.common_view_mean_n == pytest.approx(both[:, chosen].sum(axis=1).mean())
        waits = [
            b - a for kind, a, b, _ in runs(both[:, chosen].any(axis=1), np.ones(len(both), bool)) if kind == "gap"
        ]
        assert row.common_view_gap_max_min == max(waits, default=0) * STEP_S / 60
        home = seen[russian].any(axis=0)[:, chosen]
        gaps = [
            b - a
            for s in range(len(chosen))
            for kind, a, b, _ in runs(home[:, s], usable[:, chosen[s]])
            if kind == "gap"
        ]
        if row.system == "R":
            assert (row.home, row.upload_gap_max_min) == ("russia", max(gaps) * STEP_S / 60)
        else:  # no network called china is among them
            assert row.home == "china"
            assert math.isnan(row.upload_gap_max_min)


def test_epochs_without_any_satellite_are_no_wait_for_common_view(sky):
    holed = sky.sel(sv=[sv for sv in sky["sv"].values if sv[0] == "R"])
    positions = holed["positions"].values.copy()
    positions[60:120] = np.nan
    whole = gc.common_view(gc.network_views(holed)).iloc[0]
    cut = gc.common_view(gc.network_views(holed.assign(positions=(holed["positions"].dims, positions)))).iloc[0]
    assert cut.common_view_gap_max_min <= whole.common_view_gap_max_min
    seen = gc.network_views(holed.isel(time=[*range(60)])), gc.network_views(holed.isel(time=[*range(120, 288)]))
    n = [gc.common_view(part).iloc[0].common_view_mean_n for part in seen]
    assert cut.common_view_mean_n == pytest.approx((60 * n[0] + 168 * n[1]) / 228)


def test_one_country_has_no_common_view(sky):
    with pytest.raises(StationError, match="All stations stand in CN"):
        gc.common_view(gc.network_views(sky, "china"))


def test_a_station_that_never_sees_a_satellite_changes_nothing(sky):
    opposite = gc.Station(name="Far", geodetic=gc.model.station.Geodetic(latitude_deg=0, longitude_deg=-70, height_m=0))
    igso = sky.sel(sv=["C06", "C09", "C13"])
    table = gc.satellite_table(gc.network_views(igso, {"china": "china", "more": ["china", opposite], "far": opposite}))
    table = table.set_index("network")
    assert (table.loc["far"].k1 == 0).all()
    figures = table.drop(columns=["orbit", "system"])
    assert figures.loc["china"].values.tolist() == figures.loc["more"].values.tolist()
    assert figures.loc["china"].sigma_3d_m.notna().all()


# --- Closed forms -----------------------------------------------------------------------------------------

POLAR_RADIUS_M, EQUATOR_RADIUS_M = 6_356_752.314245, 6_378_137.0  # WGS84


def place(latitude_deg, longitude_deg, name="Here"):
    geodetic = {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "height_m": 0.0}
    return gc.Station(name=name, geodetic=gc.model.station.Geodetic(**geodetic))


def sky_of(positions, step_s=60):
    """Sky of positions (time, sv, 3)."""
    time = np.datetime64("2024-01-10", "ns") + np.arange(len(positions)) * np.timedelta64(step_s, "s")
    names = [f"R{i + 1:02d}" for i in range(positions.shape[1])]
    coords = {"time": ("time", time, {"time_scale": "GPST"}), "sv": names, "ecef": ["x", "y", "z"]}
    return xr.Dataset({"positions": (("time", "sv", "ecef"), positions)}, coords=coords)


def reach_rad(radius_m, station_radius_m, mask_deg):
    """Angle at the Earth's centre up to which a satellite stands above the mask (law of sines)."""
    mask = math.radians(mask_deg)
    return math.acos(station_radius_m / radius_m * math.cos(mask)) - mask


@pytest.mark.parametrize("mask_deg", [0.0, 5.0, 40.0])
@pytest.mark.parametrize("radius_m", [25_508.2e3, 27_906.1e3, 42_164.2e3])
def test_the_pole_sees_a_polar_orbit_for_its_share(radius_m, mask_deg):
    # At the pole the ellipsoid's normal points from the centre: the plane triangle is exact with the polar radius.
    n = 20_000
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    turn = np.linspace(0, 5, n)  # the Earth turns below; the pole does not mind
    positions = radius_m * np.stack(
        [np.cos(angle) * np.cos(turn), np.cos(angle) * np.sin(turn), np.sin(angle)], axis=-1
    )
    views = gc.network_views(sky_of(positions[:, None]), {"pole": place(90, 0)}, mask_deg=mask_deg)
    table = gc.network_table(views)
    share = reach_rad(radius_m, POLAR_RADIUS_M, mask_deg) / np.pi
    # Each end of the arc falls between two of 20 000 epochs.
    assert table.k1.iloc[0] == pytest.approx(100 * share, abs=100 * 2 / n)
    arcs = gc.network_arcs(views)
    assert arcs.kind.tolist() == ["gap", "arc", "gap"]
    assert arcs.duration_min[1] == pytest.approx(share * n, abs=2)


@pytest.mark.parametrize(("latitude_deg", "station_radius_m"), [(90, POLAR_RADIUS_M), (-90, POLAR_RADIUS_M)])
def test_the_share_of_the_celestial_sphere(latitude_deg, station_radius_m):
    n = 40_000  # evenly spread over the sphere, by a spiral of the golden angle
    z = 1 - (2 * np.arange(n) + 1) / n
    longitude = np.arange(n) * np.pi * (3 - math.sqrt(5))
    level = np.sqrt(1 - z * z)
    positions = 25_508.2e3 * np.stack([level * np.cos(longitude), level * np.sin(longitude), z], axis=-1)
    views = gc.network_views(sky_of(positions[:, None]), {"here": place(latitude_deg, 0)}, mask_deg=5)
    seen = views.coverage(views.networks.members[0], 1)[0, 0 + 8]
    expected = (1 - math.cos(reach_rad(25_508.2e3, station_radius_m, 5))) / 2
    assert seen / n == pytest.approx(expected, abs=2 / n)  # rings of the spiral are 1/n apart in height


def test_stations_on_the_equator_see_their_share_of_the_geostationary_ring():
    n, radius_m = 36_000, 42_164.2e3
    longitude = 2 * np.pi * (np.arange(n) + 0.5) / n
    positions = radius_m * np.stack([np.cos(longitude), np.sin(longitude), 0 * longitude], axis=-1)
    networks = {"one": place(0, 0, "A"), "two": [place(0, 0, "A"), place(0, 90, "B")]}
    table = gc.network_table(gc.network_views(sky_of(positions[:, None]), networks, mask_deg=10))
    table = table[table.orbit == "all"].set_index("network")
    # On the equator, too, the normal points from the centre.
    reach_deg = math.degrees(reach_rad(radius_m, EQUATOR_RADIUS_M, 10))
    tolerance = 100 * 4 / n
    assert table.k1["one"] == pytest.approx(100 * 2 * reach_deg / 360, abs=tolerance)
    assert table.k1["two"] == pytest.approx(100 * (2 * reach_deg + 90) / 360, abs=tolerance)
    assert table.k2["two"] == pytest.approx(100 * (2 * reach_deg - 90) / 360, abs=tolerance)
    assert table.depth["two"] == pytest.approx(4 * reach_deg / 360, abs=tolerance / 100)


# --- Orbits -----------------------------------------------------------------------------------------------


def test_integrated_orbits_keep_to_the_broadcast_ones(plain, orbits):
    """Sun and Moon, which are left out, move a MEO by 1 km and a synchronous satellite by 3 km within a day."""
    assert np.isfinite(orbits.deviation_m).all()
    for orbit, limit_m in (("MEO", 1e3), ("IGSO", 4e3), ("GEO", 4e3)):
        assert orbits.deviation_m[plain.orbit == orbit].max() < limit_m


@pytest.mark.parametrize("step_s", [900, 3600, 7200])
def test_orbits_fit_whatever_the_step(nav, step_s):
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=step_s), systems="RC")
    fitted = info.OrbitInformation.of(gc.network_views(sky))
    fitted_m = fitted.deviation_m[~np.isnan(fitted.deviation_m)]  # without: no five epochs of two hours in a row
    assert len(fitted_m) > 60
    assert fitted_m.max() < 4e3


@settings(deadline=None, max_examples=60)
@given(bits=st.integers(1, 63), extra=st.integers(0, 5), clock_known=st.booleans())
def test_a_station_more_never_raises_sigma(orbits, bits, extra, clock_known):
    members = np.array([bits >> p & 1 == 1 for p in range(6)])
    more = members.copy()
    more[extra] = True
    before, _ = orbits.sigma_m(members, clock_known=clock_known)
    after, _ = orbits.sigma_m(more, clock_known=clock_known)
    # An orbit that is determined stays so; nothing grows beyond rounding.
    assert not (np.isnan(after) & ~np.isnan(before)).any()
    known = ~np.isnan(before)
    assert (after[known] <= before[known] * (1 + 1e-6)).all()


@settings(deadline=None, max_examples=40)
@given(bits=st.integers(1, 63))
def test_knowing_the_clock_never_raises_sigma(orbits, bits):
    members = np.array([bits >> p & 1 == 1 for p in range(6)])
    estimated, known = (orbits.sigma_m(members, clock_known=flag)[0] for flag in (False, True))
    there = ~np.isnan(estimated)
    assert (known[there] <= estimated[there] * (1 + 1e-6)).all()
    np.testing.assert_allclose(known[:, 3], np.linalg.norm(known[:, :3], axis=1), rtol=1e-12)


def test_the_median_takes_an_undetermined_orbit_as_the_worst(plain, orbits):
    table = gc.network_table(plain).set_index(["system", "orbit", "network"])
    for n, name in enumerate(plain.networks.names):
        sigma, _ = orbits.sigma_m(plain.networks.members[n])
        for letter, orbit, chosen in plain.groups():
            column = np.sort(np.nan_to_num(sigma[chosen, 3], nan=np.inf))
            middle = (column[(len(column) - 1) // 2] + column[len(column) // 2]) / 2
            expected = middle if np.isfinite(middle) else np.nan
            assert table.sigma_3d_m[letter, orbit, name] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_reasons_of_what_is_undetermined(views):
    table = gc.satellite_table(views).set_index(["network", "sv"])
    assert set(table.loc["walled"].undetermined.drop("R05")) == {info.ONE_STATION}
    assert (table.undetermined[:, "R05"] == info.TOO_SHORT).all()  # four epochs
    sigma = table.filter(regex=r"^sigma_(radial|along|cross|3d)_m$")
    np.testing.assert_array_equal(sigma.isna().all(axis=1), table.undetermined != "")
    assert sigma.loc["walled"].isna().all(axis=None)
    assert table.loc["walled"].sigma_3d_clock_known_m.notna().any()  # a known clock needs one station only


def test_stations_that_never_look_together_do_not_tell_the_clock(plain):
    """Obninsk and a place on the other side of the Earth."""
    far = place(-55.0, -143.0, "Far")
    sky = xr.Dataset({"positions": (("time", "sv", "ecef"), plain.positions_m)}, coords=None)
    sky = sky.assign_coords(time=gc.epochs("2024-01-10", hours=24, step_s=STEP_S), sv=plain.sv, ecef=["x", "y", "z"])
    views = gc.network_views(sky.sel(sv=plain.sv[plain.system == "R"]), {"apart": ["Obninsk", far]}, mask_deg=20)
    table = gc.satellite_table(views)
    never = table.k2 == 0
    assert never.sum() > 10
    assert set(table[never & (table.k1 > 0)].undetermined) == {info.NEVER_TWO}
    assert table[never].sigma_3d_m.isna().all()


def test_reasons_without_any_view(plain):
    geo = plain.orbit == "GEO"
    sky = sky_of(plain.positions_m[:, geo], STEP_S)
    west = [place(30.0, -90.0, "W1"), place(0.0, -70.0, "W2")]
    table = gc.satellite_table(gc.network_views(sky, {"west": west}))
    unseen = table[table.k1 == 0]
    assert len(unseen) >= 4
    assert set(unseen.undetermined) == {info.NEVER_SEEN}
    assert (unseen.gap_max_min == 1440).all()


def test_positions_of_no_orbit_are_told(sky):
    positions = sky["positions"].sel(sv=["R03", "R04"]).values.copy()
    positions[150:, 0] = positions[150:, 0, [1, 0, 2]]  # from then on another satellite's
    table = gc.satellite_table(gc.network_views(sky_of(positions, STEP_S), "joint"))
    assert table.undetermined.tolist() == [info.NO_ORBIT, ""]


def test_windows(plain):
    whole, day, half = (info.OrbitInformation.of(plain, window_h=hours) for hours in (math.inf, 24, 12))
    members = np.ones(6, bool)
    np.testing.assert_array_equal(whole.sigma_m(members)[0], day.sigma_m(members)[0])
    assert (whole.n_epochs, half.n_epochs) == (288, 144)
    assert np.nanmedian(half.sigma_m(members)[0][:, 3]) > np.nanmedian(day.sigma_m(members)[0][:, 3])
    for settings_ in ({"window_h": 0}, {"window_h": math.nan}, {"range_interval_s": 0}, {"range_interval_s": -1}):
        with pytest.raises(ScenarioError, match="positive"):
            info.OrbitInformation.of(plain, **settings_)
    short = info.OrbitInformation.of(plain, window_h=0.01)
    assert set(short.sigma_m(members)[1]) == {info.TOO_SHORT}


def test_the_information_of_one_satellite_in_full_precision(plain, orbits):
    """Sigma of short windows, where the matrix is nearly singular, against singular values of the ranges themselves."""
    for hours in (1, 2, 4, 24):
        window = info.OrbitInformation.of(plain, window_h=hours)
        sigma, _ = window.sigma_m(np.ones(6, bool))
        for s in range(0, len(plain.sv), 5):
            rows = []
            for t in range(window.n_epochs):
                lines = window.lines[t, s][window.lines[t, s, :, 3] > 0]
                if len(lines):
                    root = np.sqrt(lines[:, 3])
                    design = root[:, None] * (lines[:, :3] @ window.phi[t, s])
                    clock = root / np.linalg.norm(root)
                    rows.append(design - np.outer(clock, clock @ design))
            stacked = np.concatenate(rows) * math.sqrt(window.ranges_per_epoch) if rows else np.zeros((1, 6))
            scale = np.linalg.norm(stacked, axis=0) + 1e-300
            _, values, right = np.linalg.svd(stacked / scale)
            if values.size < 6 or values[-1] <= 1e-9 * values[0]:
                assert np.isnan(sigma[s]).all()
                continue
            usable = plain.usable[: window.n_epochs, s]
            moved = window.phi[usable, s] / scale @ (right.T / values)
            expected = np.sqrt((moved**2).sum(axis=2).mean(axis=0))
            if np.linalg.norm(expected) > info.MAX_SIGMA_M:
                assert np.isnan(sigma[s]).all()
            else:
                np.testing.assert_allclose(sigma[s, :3], expected, rtol=1e-3)


# --- Orbit classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "day", "systems", "n_least"),
    [
        (DAY, "2024-01-10", "RCGEJ", 110),
        (DATA / "snapshot/2016-158_pair_BDS2/BRDC00WRD_U_20161580000_01D_MN.rnx", "2016-06-06", "RC", 38),
    ],
    ids=["2024", "BeiDou-2 in 2016"],
)
def test_orbit_classes_are_those_of_the_elements(file, day, systems, n_least):
    if file != DAY and not os.environ.get("GNSS_COOP_TESTDATA"):
        pytest.skip("needs a file in the folder that GNSS_COOP_TESTDATA names")
    nav = gc.read_nav(file)
    expected = {orbit.sv: str(orbit.orbit_class) for orbit in gc.mean_elements(nav).orbits}
    for hours, step_s in ((24, 300), (1, 60), (24, 7200), (24, 4 * 3600)):
        times = gc.epochs(day, hours=hours, step_s=step_s)
        views = gc.network_views(gc.satellite_positions(nav, times, systems=systems), "joint")
        twice = views.usable.sum(axis=0) > 1  # a single position tells no orbit
        told = dict(zip(views.sv[twice].tolist(), views.orbit[twice].tolist(), strict=True))
        common = set(told) & set(expected)
        assert step_s > 300 or hours < 24 or len(common) >= n_least
        assert {sv: told[sv] for sv in common} == {sv: expected[sv] for sv in common}
        assert step_s > 300 or hours < 24 or set(told.values()) == {"MEO", "IGSO", "GEO"}


def test_a_synchronous_satellite_at_its_perigee_is_no_meo():
    """A quasi-zenith orbit, e = 0.075: 39 000 km at the perigee, which a MEO might have."""
    a, e, gm = 42_164.2e3, 0.075, 3.986004418e14
    mean = np.sqrt(gm / a**3) * np.arange(-10, 10) * 60.0
    anomaly = mean
    for _ in range(50):
        anomaly = mean + e * np.sin(anomaly)
    x, y = a * (np.cos(anomaly) - e), a * math.sqrt(1 - e * e) * np.sin(anomaly)
    turn = -7.292115e-5 * np.arange(-10, 10) * 60.0
    inertial = np.stack([x, y * math.cos(math.radians(41)), y * math.sin(math.radians(41))], axis=-1)
    fixed = np.stack([
        np.cos(turn) * inertial[:, 0] - np.sin(turn) * inertial[:, 1],
        np.sin(turn) * inertial[:, 0] + np.cos(turn) * inertial[:, 1],
        inertial[:, 2],
    ], axis=-1)  # fmt: skip
    assert np.linalg.norm(fixed, axis=1).max() < 4e7
    assert gc.network_views(sky_of(fixed[:, None]), "joint").orbit.tolist() == ["IGSO"]


# --- Refusals ---------------------------------------------------------------------------------------------


def test_what_is_no_span_is_refused(sky):
    for part in (sky.isel(time=[0]), sky.isel(time=[0, 1, 3]), sky.isel(time=[2, 1, 0])):
        with pytest.raises(TimeError, match="networks are about a span"):
            gc.network_views(part)
    with pytest.raises(EphemerisGapError, match="no satellite"):
        gc.network_views(sky.sel(sv=["C56", "R25"]))
    with pytest.raises(ScenarioError, match="mask"):
        gc.network_views(sky, mask_deg=100)


def test_a_span_shorter_than_an_arc_has_cut_ones_only(sky):
    views = gc.network_views(sky.isel(time=slice(0, 2)))
    assert all_are_cut(views)
    assert set(gc.network_arcs(views).cut) <= {"span", "ephemeris"}


def test_two_stations_on_one_spot_are_as_one(plain):
    sky = sky_of(plain.positions_m[:, plain.system == "R"], STEP_S)
    spot = gc.stations("Irkutsk")[0].ecef_m
    twins = [gc.Station(name=name, ecef_m=spot) for name in ("First", "Second", "Third")]
    table = gc.satellite_table(gc.network_views(sky, {"twins": twins}))
    assert set(table.undetermined) == {info.SINGULAR}
    # A metre apart tells something, yet nothing within 100 km.
    beside = gc.Station(name="Beside", ecef_m=(spot[0] + 1.0, *spot[1:]))
    table = gc.satellite_table(gc.network_views(sky, {"twins": [twins[0], beside]}))
    assert set(table.undetermined) == {info.SINGULAR}
    # With a far station all of it, and the twin counts as a second range there.
    alone, doubled = (
        gc.satellite_table(gc.network_views(sky, {"n": ["Obninsk", *twins[:n]]})).sigma_3d_m.values for n in (1, 2)
    )
    there = ~np.isnan(alone)
    assert there.any()
    ratio = doubled[there] / alone[there]
    assert ((ratio < 1) & (ratio > math.sqrt(1 / 2) - 1e-6)).all()
