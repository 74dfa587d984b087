"""RTKLIB in the same run: its positions (pntpos) and its models, from the same observations and ephemerides.

RTKLIB gets weights that do not depend on the satellite (a huge constant part of its error model) and the same mask.
Its pairs of codes and its satellites are taken over; what differs then is named at each test.
"""

import dataclasses
import gzip
import math
from pathlib import Path

import hatanaka
import numpy as np
import pyrtklib as rtk
import pytest

import gnss_coop as gc
from gnss_coop.kernels import positioning as kernel
from gnss_coop.positioning.fixes import position_fixes
from gnss_coop.positioning.truth import local_axes

SAMPLES = Path(__file__).resolve().parents[2] / "sample_rinex"
SYSTEMS = {"G": rtk.SYS_GPS, "R": rtk.SYS_GLO, "E": rtk.SYS_GAL, "C": rtk.SYS_CMP, "J": rtk.SYS_QZS}
NAMES = {rtk.satid2no(f"{s}{k:02d}"): f"{s}{k:02d}" for s in SYSTEMS for k in range(1, 64)}
#: Codes that RTKLIB does not take for its pairs: it has C1C and C2P of GLONASS, E1/E5b, B1I/B2I.
NOT_IN_RTKLIB = {"R": ["C1P"], "E": ["C5X"], "C": ["C6I", "C1X"]}
#: Its sigma of GLONASS is 1.5 times that of the others (EFACT_GLO).
SIGMA_M = {"G": 1.0, "R": 1.5, "E": 1.0, "C": 1.0, "J": 1.0}
IONOSPHERE = {"free": rtk.IONOOPT_IFLC, "klobuchar": rtk.IONOOPT_BRDC}


def array(kind: type, values: list[float]) -> object:
    result = kind(len(values))
    for i, value in enumerate(values):
        result[i] = value
    return result


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[rtk.obs_t, rtk.nav_t]:
    folder = tmp_path_factory.mktemp("rtklib")
    obs_path, nav_path = folder / "day.obs", folder / "day.nav"
    obs_path.write_bytes(hatanaka.decompress(SAMPLES / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"))
    nav_path.write_bytes(gzip.decompress((SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz").read_bytes()))
    obs, nav = rtk.obs_t(), rtk.nav_t()
    assert rtk.readrnx(str(obs_path), 1, "", obs, nav, rtk.sta_t()) == 1
    assert rtk.readrnx(str(nav_path), 0, "", obs, nav, rtk.sta_t()) == 1
    rtk.sortobs(obs)
    rtk.uniqnav(nav)
    return obs, nav


def positions(
    files: tuple[rtk.obs_t, rtk.nav_t], systems: str, ionosphere: str
) -> list[tuple[np.ndarray, set[str]] | None]:
    """Position and satellites of each epoch by RTKLIB, None without a solution."""
    obs, nav = files
    options = rtk.prcopt_t()
    options.mode, options.nf, options.elmin = rtk.PMODE_SINGLE, 2, math.radians(10)
    options.navsys = sum(SYSTEMS[s] for s in systems.split("+"))
    options.ionoopt, options.tropopt, options.sateph = IONOSPHERE[ionosphere], rtk.TROPOPT_SAAS, rtk.EPHOPT_BRDC
    options.maxgdop = 30.0
    for i, value in enumerate((1e4, 1.0, 0.0)):
        options.err[i] = value
    found: list[tuple[np.ndarray, set[str]] | None] = []
    start = 0
    while start < obs.n:
        stop = start
        while stop < obs.n and abs(rtk.timediff(obs.data[stop].time, obs.data[start].time)) < 1e-3:
            stop += 1
        n = stop - start
        epoch = array(rtk.Arr1Dobsd_t, [obs.data[i] for i in range(start, stop)])
        solution, angles = rtk.sol_t(), rtk.Arr1Ddouble(2 * n)
        states, message = rtk.Arr1Dssat_t(rtk.MAXSAT), rtk.Arr1Dchar(128)
        if rtk.pntpos(epoch.ptr, n, nav, options, solution, angles, states.ptr, message):
            used = {NAMES[epoch[k].sat] for k in range(n) if states[epoch[k].sat - 1].vs}
            found.append((np.array([solution.rr[k] for k in range(3)]), used))
        else:
            found.append(None)
        start = stop
    return found


def with_rtklibs_codes(obs: gc.Observations, systems: str) -> gc.Observations:
    assert obs.values is not None
    pseudorange_m = obs.values.pseudorange_m.copy()
    letters = np.array([sv[0] for sv in obs.satellites])[obs.row_sv]
    for letter in systems.split("+"):
        for code in NOT_IN_RTKLIB.get(letter, []):
            pseudorange_m[letters == letter, obs.values.codes[letter].index(code)] = np.nan
    return dataclasses.replace(obs, values=dataclasses.replace(obs.values, pseudorange_m=pseudorange_m))


def rtklib_troposphere(latitude: float, height_m: float, elevation: np.ndarray, delay_m: np.ndarray) -> None:
    place, angles, when = array(rtk.Arr1Ddouble, [latitude, 0.0, height_m]), rtk.Arr1Ddouble(2), rtk.gtime_t()
    for i in range(elevation.size):
        angles[1] = elevation[i]
        delay_m[i] = rtk.tropmodel(when, place, angles, 0.7)


def apart_m(
    files: tuple[rtk.obs_t, rtk.nav_t], obs: gc.Observations, nav: gc.Ephemerides, systems: str, ionosphere: str
) -> tuple[np.ndarray, int]:
    """Differences in east, north, up at the epochs where both use the same satellites; how many RTKLIB has."""
    if ionosphere == "free":
        obs = with_rtklibs_codes(obs, systems)
    result = position_fixes(
        obs, nav, systems, 10, weights="equal", sigma_m=SIGMA_M, outlier_limit=math.inf, truth="header",
        ionosphere=ionosphere, max_pdop=15.0,
    )  # fmt: skip
    ours, m = result.solutions[systems, 10.0], result.measured
    axes = local_axes(result.seen.reference_m)
    differences = []
    theirs = positions(files, systems, ionosphere)
    assert len(theirs) == len(m.time_ns)
    for t, one in enumerate(theirs):
        rows = slice(m.row_start[t], m.row_start[t + 1])
        used = {m.satellites[sv] for sv in m.sv[rows][ours.state[rows] == 1]}
        if one is not None and ours.fixed[t] and used == one[1]:
            differences.append(axes @ (one[0] - result.seen.reference_m) - ours.offset_m[t])
    return np.array(differences), sum(one is not None for one in theirs)


# Medians are millimetres to centimetres. A few epochs differ by decimetres: of a satellite that has more of another
# code (C2X of G04) we take that one all day, RTKLIB the one that it prefers at each epoch; PDOP is up to 15 for R.
CASES = [
    ("G", "free", 0.05, 0.6),
    ("R", "free", 0.05, 1.2),
    ("E", "free", 0.10, 0.6),
    ("C", "free", 0.10, 0.3),
    ("G+R", "free", 0.05, 0.6),
    ("R+C", "free", 0.10, 0.6),
    ("G", "klobuchar", 0.03, 0.1),
    ("R", "klobuchar", 0.03, 0.3),
]


@pytest.mark.parametrize(("systems", "ionosphere", "median_m", "largest_m"), CASES)
def test_positions_agree_with_pntpos(
    files: tuple[rtk.obs_t, rtk.nav_t], sample_obs: gc.Observations, sample_nav: gc.Ephemerides,
    monkeypatch: pytest.MonkeyPatch, systems: str, ionosphere: str, median_m: float, largest_m: float,
) -> None:  # fmt: skip
    monkeypatch.setattr(kernel, "saastamoinen", rtklib_troposphere)  # ours has another mapping: see the next test
    differences, n_theirs = apart_m(files, sample_obs, sample_nav, systems, ionosphere)
    assert len(differences) >= 0.9 * n_theirs >= 30
    length = np.linalg.norm(differences, axis=1)
    assert np.median(length) < median_m
    assert length.max() < largest_m


def test_the_mapping_of_the_troposphere_moves_heights_by_decimetres(
    files: tuple[rtk.obs_t, rtk.nav_t], sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    # RTKLIB maps with 1 / sin e, 3 % more at 10 deg than 1.001 / sqrt(0.002001 + sin^2 e): some 8 cm per satellite
    # there, several times that in the height.
    differences, _ = apart_m(files, sample_obs, sample_nav, "G", "free")
    assert np.median(np.hypot(differences[:, 0], differences[:, 1])) < 0.1
    assert 0.05 < np.median(np.abs(differences[:, 2])) < 0.8


def test_beidou_on_one_frequency_with_the_ionosphere_of_gps(
    files: tuple[rtk.obs_t, rtk.nav_t], sample_obs: gc.Observations, sample_nav: gc.Ephemerides,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # RTKLIB knows no BeiDou model; without BDSA and BDSB we take that of GPS too.
    monkeypatch.setattr(kernel, "saastamoinen", rtklib_troposphere)
    headers = tuple(
        dataclasses.replace(h, ionosphere={k: v for k, v in h.ionosphere.items() if not k.startswith("BDS")})
        for h in sample_nav.headers
    )
    nav = dataclasses.replace(sample_nav, headers=headers)
    differences, n_theirs = apart_m(files, sample_obs, nav, "C", "klobuchar")
    length = np.linalg.norm(differences, axis=1)
    assert len(differences) >= 0.9 * n_theirs
    assert np.median(length) < 0.1
    assert length.max() < 0.5


# --- Models --------------------------------------------------------------------------------------------------------


def test_the_ionosphere_of_gps_is_that_of_rtklib() -> None:
    alpha, beta = np.array([2.2352e-08, 0.0, -5.9605e-08, 1.1921e-07]), np.array([145410.0, -196610.0, 0.0, 196610.0])
    parameters = array(rtk.Arr1Ddouble, [*alpha, *beta])
    rng = np.random.default_rng(1)
    for latitude_deg, longitude_deg in ((-6.5, 106.8), (55.5, 8.5), (0.0, -179.0), (74.0, 30.0)):
        latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
        azimuth, elevation = rng.uniform(-np.pi, np.pi, 200), np.radians(rng.uniform(5, 90, 200))
        second = rng.uniform(0, 86400, 200)
        ours = np.empty(200)
        kernel.klobuchar_gps(alpha, beta, latitude, longitude, azimuth, elevation, second, ours)
        place = array(rtk.Arr1Ddouble, [latitude, longitude, 0.0])
        for i in range(200):
            when = rtk.gpst2time(2296, 259200.0 + second[i])
            angles = array(rtk.Arr1Ddouble, [azimuth[i], elevation[i]])
            # Both are IS-GPS-200; RTKLIB holds the same constants to the same digits.
            assert ours[i] == pytest.approx(rtk.ionmodel(when, parameters, place, angles), abs=1e-6)


def test_zenith_delay_of_the_troposphere_is_that_of_rtklib() -> None:
    for latitude_deg, height_m in ((0.0, 0.0), (-6.5, 150.0), (43.8, 858.0), (60.0, 3000.0)):
        ours, theirs = np.empty(1), np.empty(1)
        zenith = np.array([math.pi / 2])
        kernel.saastamoinen(math.radians(latitude_deg), height_m, zenith, ours)
        rtklib_troposphere(math.radians(latitude_deg), height_m, zenith, theirs)
        # Same formulas; 1.001 / sqrt(1.002001) is 1 to 2e-7, temperatures differ by 0.01 K.
        assert ours[0] == pytest.approx(theirs[0], abs=2e-4)


def test_ranges_with_the_earths_rotation_are_those_of_rtklib() -> None:
    rng = np.random.default_rng(2)
    station_m = np.array([-1837003.0, 6065631.0, -716184.0])
    directions = rng.normal(size=(100, 3))
    satellites_m = directions / np.linalg.norm(directions, axis=1)[:, None] * rng.uniform(2.5e7, 4.3e7, (100, 1))
    range_m, azimuth, elevation, unit = np.empty(100), np.empty(100), np.empty(100), np.empty((100, 3))
    kernel.lines_of_sight(satellites_m, station_m, local_axes(station_m), range_m, unit, azimuth, elevation)
    for i in range(100):
        theirs = rtk.geodist(
            array(rtk.Arr1Ddouble, satellites_m[i]), array(rtk.Arr1Ddouble, station_m), rtk.Arr1Ddouble(3)
        )
        # RTKLIB's correction is of first order in the angle; the second is (7e-6)^2 / 2 of the equatorial part.
        assert range_m[i] == pytest.approx(theirs, abs=2e-3)
