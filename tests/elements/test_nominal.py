"""Nominal constellations: against real satellites, published periods and textbook orbital mechanics."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gnss_coop.elements.nominal import CONSTELLATIONS, SlotSet, nominal_constellation
from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.geometry.dop import dilution_of_precision
from gnss_coop.model.timescales import epochs
from gnss_coop.orbits.broadcast import satellite_positions

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
GM, AE, J2 = 3.986004418e14, 6_378_137.0, 1.0826257e-3
SIDEREAL_DAY_S = 86164.0905
ALL = "R+C+E+G"
SETS = [pytest.param(s, id=f"{letter}{s.first_number}") for letter, sets in CONSTELLATIONS.items() for s in sets]
EPOCHS = st.integers(0, 3_786_000_000).map(lambda s: np.datetime64("1980-01-06", "s") + np.timedelta64(s, "s"))


def data(*parts: str) -> Path:
    folder = os.environ.get("GNSS_COOP_TESTDATA")
    if not folder:
        pytest.skip(f"needs {'/'.join(parts)} in the folder that GNSS_COOP_TESTDATA names")
    return Path(folder, *parts)


def unit(sky: xr.Dataset) -> np.ndarray:
    xyz = sky.positions.values
    return xyz / np.linalg.norm(xyz, axis=-1, keepdims=True)


def of(sky: xr.Dataset, names: list[str]) -> xr.Dataset:
    return sky.sel(sv=[sv for sv in names if sv in sky.sv.values])


def numbered(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{n:02d}" for n in range(first, last + 1)]


def largest_angles_deg(real: xr.Dataset, nominal: xr.Dataset) -> pd.DataFrame:
    """Largest angle at the Earth's centre between each real satellite, while healthy, and each slot."""
    kept = real.where(real.healthy)
    cosine = np.einsum("tik,tjk->tij", unit(kept), unit(nominal))
    smallest = np.nanmin(np.clip(cosine, -1.0, 1.0), axis=0)
    return pd.DataFrame(np.degrees(np.arccos(smallest)), real.sv.values, nominal.sv.values)


def longitude_deg(sky: xr.Dataset) -> np.ndarray:
    return np.degrees(np.arctan2(sky.positions.sel(ecef="y").values, sky.positions.sel(ecef="x").values))


def real_sky(path: Path, day: str) -> xr.Dataset:
    sky = satellite_positions(read_nav(path), epochs(day, hours=24, step_s=3600), systems="RCEG")
    return sky.isel(sv=sky.healthy.any("time").values)


@pytest.fixture(scope="module")
def real() -> xr.Dataset:
    return real_sky(SAMPLE, "2024-01-10")


# Against satellites in orbit. Those of GLONASS stray up to 8 deg along their orbit and 3 deg across it.


@pytest.mark.parametrize(
    ("file", "day", "least"),
    [
        (ROOT / "tests/data/brdc0910.09g.gz", "2009-04-01", 18),
        ("registry/georinex-1.10.1/BRDC00IGS_R_20191330000_01D_MN.rnx.gz", "2019-05-13", 23),
        (SAMPLE, "2024-01-10", 23),
    ],
)
def test_real_glonass_satellites_are_in_the_slots_of_their_numbers(file: Path | str, day: str, least: int) -> None:
    sky = of(real_sky(file if isinstance(file, Path) else data(file), day), numbered("R", 1, 24))
    angles = largest_angles_deg(sky, nominal_constellation("GLONASS", sky.time.values))
    assert sky.sizes["sv"] >= least
    assert max(angles.loc[sv, sv] for sv in angles.index) < 12.0
    assert np.median([angles.loc[sv, sv] for sv in angles.index]) < 4.0


def test_the_24_beidou_meo_occupy_the_24_slots_one_each(real: xr.Dataset) -> None:
    sky = of(real, [*numbered("C", 19, 30), *numbered("C", 32, 37), *numbered("C", 41, 46)])
    nominal = of(nominal_constellation("BDS-3", sky.time.values), numbered("C", 19, 42))
    angles = largest_angles_deg(sky, nominal)
    assert angles.shape == (24, 24)
    assert set(angles.idxmin(axis=1)) == set(nominal.sv.values)
    assert angles.min(axis=1).max() < 10.0  # 6.5 deg on this day; neighbours in a plane are 45 deg apart
    assert angles.min(axis=1).median() < 3.0


def test_beidou_meo_were_in_their_slots_five_years_before() -> None:
    """Nodes and phases have moved by turns between the two days, so this holds the secular rates."""
    sky = real_sky(data("registry/georinex-1.10.1/BRDC00IGS_R_20191330000_01D_MN.rnx.gz"), "2019-05-13")
    sky = of(sky, [*numbered("C", 19, 30), *numbered("C", 32, 37)])
    angles = largest_angles_deg(sky, nominal_constellation("C", sky.time.values))
    assert angles.shape[0] >= 17
    assert angles.min(axis=1).max() < 5.0


def test_beidou_igso_and_geo_stand_where_real_ones_do(real: xr.Dataset) -> None:
    nominal = nominal_constellation("C", real.time.values)
    angles = largest_angles_deg(of(real, ["C38", "C39", "C40", "C59", "C60"]), nominal)
    for satellite, slot in {"C38": "C04", "C39": "C05", "C40": "C06", "C59": "C03", "C60": "C01"}.items():
        # Real GEO are inclined by 2 deg; real IGSO cross the equator between 116 and 119 E.
        assert angles.loc[satellite, slot] < 5.0, satellite


def test_galileo_slots_are_taken(real: xr.Dataset) -> None:
    sky = of(real, numbered("E", 1, 36))
    nearest = largest_angles_deg(sky, nominal_constellation("Galileo", sky.time.values)).min(axis=0)
    # 23 satellites on circular orbits were usable that day, one of them a spare between two slots.
    assert (nearest < 5.0).sum() == 22


def test_gps_slots_have_satellites_near_them(real: xr.Dataset) -> None:
    """Half of the slots are split, their satellites up to 16 deg ahead and behind; the rest are close."""
    sky = of(real, numbered("G", 1, 32))
    nearest = largest_angles_deg(sky, nominal_constellation("GPS", sky.time.values)).min(axis=0)
    assert nearest.median() < 6.0
    assert (nearest < 20.0).sum() >= 22


# Published ground tracks and orbital mechanics.


@pytest.mark.parametrize(
    ("names", "sidereal_days", "revolutions"),
    [("GLONASS", 8, 17), ("GPS", 1, 2), ("Galileo", 10, 17), ("BeiDou", 7, 13)],
)
def test_ground_tracks_repeat(names: str, sidereal_days: int, revolutions: int) -> None:
    start = np.datetime64("2026-03-01", "ns")
    later = start + np.timedelta64(round(sidereal_days * SIDEREAL_DAY_S * 1e9), "ns")
    before, after = unit(nominal_constellation(names, [start, later]))
    # A moving node makes the cycle up to 80 s shorter than so many sidereal days: 0.7 deg of the orbit.
    assert np.degrees(np.arccos(np.clip((before * after).sum(axis=-1), -1.0, 1.0))).max() < 0.8
    meo = CONSTELLATIONS[nominal_constellation(names, [start]).sv.values[0][0]][-1]
    assert sidereal_days * SIDEREAL_DAY_S / meo.period_s == pytest.approx(revolutions, rel=2e-4)


@pytest.mark.parametrize("slots", SETS)
def test_period_follows_from_radius(slots: SlotSet) -> None:
    """Kepler's third law; the Earth's oblateness and rounding of the radius change a period by less than 0.02 %."""
    assert slots.period_s == pytest.approx(math.tau * math.sqrt(slots.radius_m**3 / GM), rel=2e-4)


@pytest.mark.parametrize("slots", [p for p in SETS if p.values[0].inclination_deg > 0.0])
def test_nodes_drift_as_the_oblate_earth_makes_them(slots: SlotSet) -> None:
    motion_deg_per_day = 360.0 * 86400.0 / slots.period_s
    flattening = 1.5 * J2 * (AE / slots.radius_m) ** 2
    drift = -flattening * motion_deg_per_day * math.cos(math.radians(slots.inclination_deg))
    # Sun and Moon add a few percent to MEO, the more the higher they are, and a third to synchronous orbits.
    assert slots.node_drift_deg_per_day == pytest.approx(drift, rel=0.08 if slots.radius_m < 3e7 else 0.35)


@settings(max_examples=40, deadline=None)
@given(EPOCHS)
def test_satellites_keep_radius_and_inclination(epoch: np.datetime64) -> None:
    """From 1980 to 2100; the plane's normal comes from two positions in the frame of the stars."""
    step_s = 600
    times = [epoch, epoch + np.timedelta64(step_s, "s")]
    for letter, sets in CONSTELLATIONS.items():
        radius_m = np.concatenate([np.full(len(s.slots), s.radius_m) for s in sets])
        inclination = np.concatenate([np.full(len(s.slots), s.inclination_deg) for s in sets])
        first, second = nominal_constellation(letter, times).positions.values
        np.testing.assert_allclose(np.linalg.norm(first, axis=-1), radius_m, rtol=1e-12)
        turn = math.tau * step_s / SIDEREAL_DAY_S
        stars = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
        normal = np.cross(first, second @ stars.T)
        cosine = normal[:, 2] / np.linalg.norm(normal, axis=-1)
        # In ten minutes a node moves by 0.0003 deg, which tilts a chord of 5 deg by less than 0.01 deg.
        np.testing.assert_allclose(cosine, np.cos(np.radians(inclination)), atol=2e-4)


@pytest.mark.parametrize("names", ["GLONASS", "BeiDou", "Galileo"])
def test_meo_form_three_planes_of_eight(names: str) -> None:
    sky = nominal_constellation(names, ["2026-01-01"])
    meo = unit(sky)[0, -24:].reshape(3, 8, 3)
    eighths = np.cos(np.radians([180, 135, 135, 90, 90, 45, 45, 0]))
    for plane in meo:
        np.testing.assert_allclose(np.sort(plane @ plane[0]), eighths, atol=1e-9)
    normals = np.cross(meo[:, 0], meo[:, 1])
    normals *= np.sign(normals[:, 2:]) / np.linalg.norm(normals, axis=-1, keepdims=True)
    tilt = np.radians(CONSTELLATIONS[sky.sv.values[0][0]][-1].inclination_deg)
    between = np.cos(tilt) ** 2 + np.sin(tilt) ** 2 * np.cos(np.radians(120.0))
    np.testing.assert_allclose([normals[i] @ normals[i - 1] for i in range(3)], between, atol=1e-9)


def test_geo_stay_over_their_longitudes() -> None:
    sky = of(nominal_constellation("C", ["1995-07-02", "2024-01-10T05:00", "2060-11-30"]), ["C01", "C02", "C03"])
    np.testing.assert_allclose(longitude_deg(sky), [[80.0, 110.5, 140.0]] * 3, atol=1e-6)
    np.testing.assert_allclose(sky.positions.sel(ecef="z"), 0.0, atol=1e-3)


def test_igso_share_one_track_a_third_of_a_day_apart() -> None:
    sky = of(nominal_constellation("C", epochs("2026-05-01", hours=23.93, step_s=60)), ["C04", "C05", "C06"])
    z_m, longitude = sky.positions.sel(ecef="z").values, longitude_deg(sky)
    rising, falling = ((z_m[:-1] * s < 0) & (z_m[1:] * s >= 0) for s in (1, -1))
    for crossing in (rising, falling):
        rows, columns = np.nonzero(crossing)
        assert sorted(columns) == [0, 1, 2]
        assert all(117.5 <= longitude[row, column] <= 120.0 for row, column in zip(rows, columns, strict=True))
        np.testing.assert_allclose(np.diff(np.sort(rows)), 8 * 60, atol=4)  # minutes


# Form.


def test_form_is_that_of_satellite_positions(real: xr.Dataset) -> None:
    sky = nominal_constellation(ALL, real.time.values)
    assert sky.positions.dims == real.positions.dims == ("time", "sv", "ecef")
    assert sky.positions.attrs["units"] == "m"
    assert sky.healthy.dims == ("time", "sv")
    assert sky.healthy.dtype == bool
    assert sky.healthy.all()
    for name in ("time", "sv", "ecef"):
        assert sky[name].dtype.kind == real[name].dtype.kind
        assert sky[name].attrs == real[name].attrs
    assert sky.time.dtype == "datetime64[ns]"
    assert list(sky.sv.values) == sorted(set(sky.sv.values))
    assert sky.attrs["frame"] == "nominal"
    assert sky.attrs["time_scale"] == "GPST"
    assert "GLONASS" in sky.attrs["title"]


@pytest.mark.parametrize(
    ("names", "satellites"),
    [
        ("R", numbered("R", 1, 24)),
        ("glonass", numbered("R", 1, 24)),
        ("C", numbered("C", 1, 6) + numbered("C", 19, 42)),
        ("BDS-3", numbered("C", 1, 6) + numbered("C", 19, 42)),
        ("BeiDou", numbered("C", 1, 6) + numbered("C", 19, 42)),
        (["GPS", "Galileo"], numbered("E", 1, 24) + numbered("G", 1, 24)),
        ("G, E", numbered("E", 1, 24) + numbered("G", 1, 24)),
    ],
)
def test_names_of_systems_and_satellites(names: str | list[str], satellites: list[str]) -> None:
    assert list(nominal_constellation(names, ["2026-01-01"]).sv.values) == satellites


@pytest.mark.parametrize("names", ["", [], "X", "GLONAS", "J", "R+R", ["R", "GLONASS"], "R+"])
def test_wrong_names_are_refused(names: str | list[str]) -> None:
    with pytest.raises(ScenarioError, match=r"nominal constellation|each once"):
        nominal_constellation(names, ["2026-01-01"])


def test_wrong_epochs_are_refused() -> None:
    with pytest.raises(TimeError):
        nominal_constellation("R", ["yesterday"])
    with pytest.raises(TimeError, match="one list"):
        nominal_constellation("R", np.full((2, 2), np.datetime64("2026-01-01", "ns")))


def test_epochs_come_in_every_form_and_order() -> None:
    instants = ["2026-01-02", "2026-01-01"]
    one = nominal_constellation("R", pd.Timestamp("2026-01-01"))
    two = nominal_constellation("R", pd.DatetimeIndex(instants))
    assert one.sizes["time"] == 1
    np.testing.assert_array_equal(one.positions[0], two.positions[1])
    utc = nominal_constellation("R", pd.DatetimeIndex(["2026-01-01T00:00:00"], tz="UTC"))
    assert utc.time.values[0] - one.time.values[0] == np.timedelta64(18, "s")
    assert nominal_constellation("R", epochs("2026-01-01", hours=0)).sizes["time"] == 0


def test_sets_do_not_depend_on_company() -> None:
    times = epochs("2026-01-01", hours=2)
    joint = nominal_constellation(ALL, times)
    for letter in CONSTELLATIONS:
        alone = nominal_constellation(letter, times)
        xr.testing.assert_identical(of(joint, list(alone.sv.values)).positions, alone.positions)


def test_serves_for_dilution_of_precision() -> None:
    """A full GLONASS or BDS-3 constellation keeps PDOP within 6 at 5 deg."""
    sky = nominal_constellation("R+C", epochs("2026-01-01", hours=24, step_s=1800))
    dop = dilution_of_precision(sky, ["Irkutsk", "Shanghai"], ["R", "C", "R+C"], mask_deg=5)
    assert int(dop.n_used.min()) >= 5
    assert float(dop.pdop.max()) < 6.0
