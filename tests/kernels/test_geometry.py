"""Geometry kernels against RTKLIB, pymap3d, published values, and a dense least-squares reference."""

import json
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pymap3d
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gnss_coop.kernels import geometry

RANGE_M = 2.5e7
COMMON, PER_SYSTEM = 0.0, math.inf
# Beyond this PDOP the rounding of either side grows into the tolerances below.
WELL_POSED = 1e3
GOLDEN = Path(os.environ.get("GNSS_COOP_TESTDATA", "")) / "snapshot" / "expected_values"


def frame(latitude, longitude):
    """East, north and up rows, from the definition by derivatives of the normal."""
    up = [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    east = [-np.sin(longitude), np.cos(longitude), 0.0]
    return np.array([east, np.cross(up, east), up])


def lines(azimuth_deg, elevation_deg):
    """Unit vectors in east, north, up."""
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.stack([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)], axis=-1)


def solve(enu_lines, system, variance, members=None, enu=None, mask_deg=-90.0):
    """GDOP, PDOP, HDOP, VDOP, TDOP and the counts of one sky through the series kernel."""
    enu = frame(0.7, 1.9) if enu is None else enu
    station = 6.37e6 * enu[2]
    system = np.asarray(system, dtype=np.int64)
    members = np.ones(4, dtype=bool) if members is None else np.isin(np.arange(4), members)
    positions = station + RANGE_M * np.asarray(enu_lines).reshape(-1, 3) @ enu
    dops, counts = np.empty((5, 1, 1, 1, 1)), np.empty((2, 1, 1, 1, 1), dtype=np.int64)
    none = np.empty(0)
    geometry.dop_series(
        positions[np.newaxis],
        system,
        station[np.newaxis],
        enu[np.newaxis],
        np.radians([mask_deg]),
        none,
        none,
        np.zeros(2, dtype=np.int64),
        members[np.newaxis],
        np.array([variance]),
        dops,
        counts,
    )
    return dops.ravel(), *counts.ravel().tolist()


def clocks_counted(system, variance):
    """How many clocks the ranges estimate: trace of the resolution matrix (F + P)^-1 F, written out.

    P is the prior's information: each clock is a common one, of which nothing is known, plus an own offset.
    """
    _, counts = np.unique(system, return_counts=True)
    n = len(counts)
    if variance in (COMMON, PER_SYSTEM):
        return 1.0 if variance == COMMON else float(n)
    prior = (np.eye(n) - np.full((n, n), 1 / n)) / variance
    return np.trace(np.linalg.solve(np.diag(counts) + prior, np.diag(counts)))


def dense(enu_lines, system, variance):
    """The textbook: a column per unknown, rows of prior knowledge, one inverse."""
    seen = sorted(set(system))
    n_clocks = 1 if variance == COMMON else len(seen)
    with_prior = 0.0 < variance < math.inf
    design = np.zeros((len(system), 3 + n_clocks + with_prior))
    design[:, :3] = -np.asarray(enu_lines)
    for row, s in zip(design, system, strict=True):
        row[3 + (0 if n_clocks == 1 else seen.index(s))] = 1.0
    if with_prior:  # each clock is the common clock, the last unknown, plus its own offset
        rows = np.zeros((n_clocks, design.shape[1]))
        rows[:, 3 : 3 + n_clocks] = np.eye(n_clocks)
        rows[:, -1] = -1.0
        design = np.vstack([design, rows / np.sqrt(variance)])
    q = np.diag(np.linalg.inv(design.T @ design))
    horizontal, vertical, clocks = q[0] + q[1], q[2], q[3 : 3 + n_clocks].mean() * clocks_counted(system, variance)
    total = horizontal + vertical
    return np.sqrt([total + clocks, total, horizontal, vertical, clocks])


@st.composite
def skies(draw, min_size=1, max_size=40, max_systems=4):
    """Lines of sight all over the sky and the system of each."""
    n = draw(st.integers(min_size, max_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    azimuth = rng.uniform(0, 360, n)
    # Many skies are sampled in a narrow band of elevation, where the geometry is weak.
    elevation = rng.uniform(0, draw(st.sampled_from([5.0, 30.0, 90.0])), n)
    system = rng.integers(0, draw(st.integers(1, max_systems)), n)
    return lines(azimuth, elevation), system


variances = st.sampled_from([COMMON, 0.01, 1.1, 40.0, PER_SYSTEM])


@pytest.mark.parametrize(
    ("elevation_deg", "squares"),
    [
        (0.0, [3.0, 8 / 3, 4 / 3, 4 / 3, 1 / 3]),
        # By hand: the ring has normal 3/2 cos^2 30 = 9/8 in east and in north. Its mean m (variance 1/3) is
        # u/2 + t and the zenith's range z (variance 1) is u + t, so u = 2(z - m) and t = 2m - z.
        (30.0, [64 / 9 + 7 / 3, 64 / 9, 16 / 9, 16 / 3, 7 / 3]),
    ],
)
def test_zenith_and_three_around(elevation_deg, squares):
    dops, used, clocks = solve(lines([0, 0, 120, 240], [90, *[elevation_deg] * 3]), [0] * 4, PER_SYSTEM)
    # 1e-12: a few hundred roundings of doubles.
    assert dops**2 == pytest.approx(squares, rel=1e-12)
    assert (used, clocks) == (4, 1)


@settings(max_examples=200, deadline=None)
@given(skies(), variances)
def test_schur_form_equals_dense_inverse(sky, variance):
    dops, used, clocks = solve(*sky, variance)
    seen = len(set(sky[1]))
    assert used == len(sky[1])
    assert clocks == (1 if variance == COMMON else seen)
    assert np.isnan(dops).all() or np.isfinite(dops).all()
    if used < 3 + (seen if variance == PER_SYSTEM else 1):
        assert np.isnan(dops).all()
        return
    assume(dops[1] < WELL_POSED)
    # 1e-9: condition of the dense normal matrix up to 1e6, doubles of 1e-16.
    assert dops == pytest.approx(dense(*sky, variance), rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(skies(min_size=5, max_systems=2), st.floats(0.05, 50.0))
def test_prior_of_two_systems_is_one_pseudo_observation(sky, sigma_m):
    enu_lines, system = sky
    assume(set(system) == {0, 1})
    dops, _, _ = solve(enu_lines, system, sigma_m**2 / 2)
    assume(dops[1] < WELL_POSED)
    design = np.column_stack([-enu_lines, system == 0, system == 1])
    design = np.vstack([design, [0, 0, 0, 1 / sigma_m, -1 / sigma_m]])
    q = np.linalg.inv(design.T @ design)
    assert dops[1] ** 2 == pytest.approx(np.trace(q[:3, :3]), rel=1e-8)
    share = clocks_counted(system, sigma_m**2 / 2) / 2
    assert dops[4] ** 2 == pytest.approx(np.trace(q[3:, 3:]) * share, rel=1e-8)


@settings(max_examples=100, deadline=None)
@given(skies(min_size=4, max_systems=1), st.floats(0.0, 40.0))
def test_rtklib_agrees(sky, mask_deg):
    pyrtklib = pytest.importorskip("pyrtklib")
    enu_lines, system = sky
    elevation = np.arcsin(enu_lines[:, 2])
    assume(np.abs(elevation - np.radians(mask_deg)).min() > 1e-9)
    assume(elevation.min() > 0)  # RTKLIB leaves out satellites on the horizontal plane
    angles = np.column_stack([np.arctan2(enu_lines[:, 0], enu_lines[:, 1]), elevation]).ravel()
    azel, truth = pyrtklib.Arr1Ddouble(angles.size), pyrtklib.Arr1Ddouble(4)
    for i, angle in enumerate(angles):
        azel[i] = float(angle)
    pyrtklib.dops(len(system), azel, math.radians(mask_deg), truth)
    dops, used, _ = solve(enu_lines, system, PER_SYSTEM, mask_deg=mask_deg)
    assert used == np.count_nonzero(elevation > np.radians(mask_deg))
    if used < 4:
        assert truth[0] == 0.0
        return
    assume(dops[1] < 30)  # RTKLIB inverts the 4x4 normal matrix by LU: beyond, its rounding passes 1e-9
    assert dops[:4] == pytest.approx([truth[i] for i in range(4)], rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(skies(min_size=4))
def test_clock_knowledge_only_helps(sky):
    """common <= prior <= per-system <= best alone, for PDOP, HDOP and VDOP; rising with sigma, of GDOP and TDOP too."""
    enu_lines, system = sky
    joint = [solve(enu_lines, system, variance)[0] for variance in (0.0, 0.01, 1.0, 100.0, PER_SYSTEM)]
    assume(joint[-1][1] < WELL_POSED)
    for tighter, looser in pairwise(joint):
        assert (tighter <= looser * (1 + 1e-9)).all()
    alone = np.array([solve(enu_lines, system, PER_SYSTEM, members=[s])[0] for s in range(4)])
    best = np.fmin.reduce(np.vstack([alone, np.full(5, np.inf)]))
    assert (joint[-1][1:4] <= best[1:4] * (1 + 1e-9)).all()


@settings(max_examples=50, deadline=None)
@given(skies(min_size=6))
def test_prior_runs_from_common_to_per_system(sky):
    common, nearly_common, nearly_free, free = (
        solve(*sky, variance)[0] for variance in (COMMON, 1e-10, 1e10, PER_SYSTEM)
    )
    assume(free[1] < 30)
    # The step away from either limit is of the order of the variance, or its inverse, times PDOP^2. All five DOPs:
    # a clock of two systems that nothing keeps apart counts once, not twice.
    assert nearly_common == pytest.approx(common, rel=1e-6)
    assert nearly_free == pytest.approx(free, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(skies(max_systems=3), st.floats(0, 360), st.floats(-90, 90))
def test_single_satellite_of_a_new_system_changes_nothing(sky, azimuth_deg, elevation_deg):
    before, _, clocks = solve(*sky, PER_SYSTEM)
    more = np.vstack([sky[0], lines([azimuth_deg], [elevation_deg])])
    after, _, clocks_after = solve(more, [*sky[1], 3], PER_SYSTEM)
    assert clocks_after == clocks + 1
    assert np.isnan(after[1]) == np.isnan(before[1]) or before[1] > WELL_POSED or after[1] > WELL_POSED
    if before[1] < WELL_POSED:
        assert after[1:4] == pytest.approx(before[1:4], rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(skies(), variances, st.floats(0, 360), st.floats(-90, 90))
def test_another_satellite_never_raises_pdop(sky, variance, azimuth_deg, elevation_deg):
    before, _, clocks = solve(*sky, variance)
    assume(before[1] < WELL_POSED)
    more = np.vstack([sky[0], lines([azimuth_deg], [elevation_deg])])
    after, _, clocks_after = solve(more, [*sky[1], sky[1][0]], variance)
    assert clocks_after == clocks
    # Under a prior, TDOP and GDOP count the clocks that the ranges determine, which one more range makes more of.
    kept = slice(1, 4) if 0 < variance < math.inf else slice(None)
    assert (after[kept] <= before[kept] * (1 + 1e-9)).all()


@settings(max_examples=100, deadline=None)
@given(skies(), variances, st.floats(-1.57, 1.57), st.floats(-3.14, 3.14), st.randoms())
def test_neither_place_nor_order_matters(sky, variance, latitude, longitude, random):
    enu_lines, system = sky
    here = solve(enu_lines, system, variance)
    assume(here[0][1] < WELL_POSED)
    order = list(range(len(system)))
    random.shuffle(order)
    there = solve(enu_lines[order], (system[order] + 1) % 4, variance, enu=frame(latitude, longitude))
    assert there[0] == pytest.approx(here[0], rel=1e-9)
    assert there[1:] == here[1:]


@settings(max_examples=50, deadline=None)
@given(skies(), variances)
def test_squares_add_up(sky, variance):
    (gdop, pdop, hdop, vdop, tdop), _, _ = solve(*sky, variance)
    assume(not np.isnan(gdop))
    assert pdop**2 == pytest.approx(hdop**2 + vdop**2, rel=1e-14)
    assert gdop**2 == pytest.approx(pdop**2 + tdop**2, rel=1e-14)


@pytest.mark.parametrize(
    "singular",
    [
        pytest.param(lines([10.0] * 8, [40.0] * 8), id="one direction"),
        pytest.param(lines(np.arange(0, 360, 45), [35.0] * 8), id="one cone around the zenith"),
        pytest.param(lines([0.0] * 8, np.arange(10, 90, 10)), id="one vertical plane"),
    ],
)
@pytest.mark.parametrize("variance", [COMMON, PER_SYSTEM])
def test_singular_geometry_has_no_solution(singular, variance):
    dops, used, clocks = solve(singular, [0] * 8, variance)
    assert np.isnan(dops).all()
    assert (used, clocks) == (8, 1)


@pytest.mark.parametrize(
    ("system", "variance", "solvable"),
    [
        ([0] * 3, PER_SYSTEM, False),
        ([0] * 4, PER_SYSTEM, True),
        ([0, 0, 1, 1], PER_SYSTEM, False),
        ([0, 0, 1, 1, 1], PER_SYSTEM, True),
        ([0, 0, 1, 1], COMMON, True),
        ([0, 0, 1, 1], 1.0, True),
        ([0, 1, 2, 3, 3, 3], PER_SYSTEM, False),
        ([], PER_SYSTEM, False),
        ([], COMMON, False),
    ],
)
def test_enough_satellites(system, variance, solvable):
    sky = lines([0, 20, 130, 250, 300, 75], [85, 10, 15, 20, 40, 60])[: len(system)]
    dops, used, _ = solve(sky, system, variance)
    assert used == len(system)
    assert np.isfinite(dops).all() == solvable


def test_satellites_without_position_or_membership_do_not_count():
    sky = lines([0, 0, 120, 240], [90, 10, 10, 10])
    with_gap = np.vstack([sky, [[math.nan] * 3]])
    assert solve(with_gap, [0] * 5, PER_SYSTEM)[1:] == (4, 1)
    assert solve(sky, [0, 0, 0, 1], PER_SYSTEM, members=[1])[1:] == (1, 1)


def as_floats(values):
    return np.vectorize(float.fromhex)(values)


def golden_cases(name):
    if not os.environ.get("GNSS_COOP_TESTDATA"):
        return []
    document = json.loads((GOLDEN / name).read_text())
    cases = document["cases"] + document.get("singular_cases", [])
    chosen = [case for case in cases if set(as_floats(case["inputs"]["weights"])) == {1.0}]
    return [pytest.param(case, id=case["name"]) for case in chosen]


@pytest.mark.parametrize("case", golden_cases("dop_golden.json") + golden_cases("dop_multi_golden.json"))
def test_published_values(case):
    inputs, expected = case["inputs"], case["expect"]
    enu = frame(float.fromhex(inputs["lat_rad"]), float.fromhex(inputs["lon_rad"]))
    los = as_floats(inputs["los_ecef"])
    system = inputs.get("clock_index", [0] * len(los))
    dops, _, clocks = solve(los @ enu.T, system, PER_SYSTEM, enu=enu)
    if expected.get("singular"):
        assert np.isnan(dops).all()
        return
    # 1e-9: the reference inverts the full matrix.
    for i, name in enumerate(["gdop", "pdop", "hdop", "vdop"]):
        assert dops[i] == pytest.approx(float.fromhex(expected[name]), rel=1e-9)
    tdops = as_floats(expected.get("per_system_tdop", [expected["tdop"]]))
    assert dops[4] ** 2 == pytest.approx((tdops**2).sum(), rel=1e-9)
    assert clocks == len(tdops)


def look(satellites_m, latitude, longitude, station_m):
    shape = (1, *satellites_m.shape[:2])
    azimuth, elevation = np.empty(shape), np.empty(shape)
    enu = frame(latitude, longitude)[np.newaxis]
    geometry.look_angles(satellites_m, np.asarray(station_m)[np.newaxis], enu, azimuth, elevation)
    return azimuth[0], elevation[0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.floats(-90, 90), st.floats(-180, 180), st.floats(-400, 8000))
def test_look_angles_agree_with_pymap3d(seed, latitude_deg, longitude_deg, height_m):
    satellites = np.random.default_rng(seed).normal(size=(2, 10, 3))
    satellites *= 2.6e7 / np.linalg.norm(satellites, axis=-1, keepdims=True)
    station = pymap3d.geodetic2ecef(latitude_deg, longitude_deg, height_m)
    azimuth, elevation = look(satellites, math.radians(latitude_deg), math.radians(longitude_deg), station)
    truth = pymap3d.ecef2aer(*np.moveaxis(satellites, -1, 0), latitude_deg, longitude_deg, height_m)
    # 1e-10 deg is 0.05 mm at the satellite; near the zenith the azimuth loses what the level part loses.
    turn = np.remainder(np.degrees(azimuth) - truth[0] + 180.0, 360.0) - 180.0
    assert np.abs(turn * np.cos(elevation)).max() < 1e-10
    assert np.abs(np.degrees(elevation) - truth[1]).max() < 1e-10
    assert (azimuth >= 0).all()
    assert (azimuth < 2 * np.pi).all()


def test_cardinal_directions():
    station = np.array([6378137.0, 0.0, 0.0])
    steps = np.array([[0, 0, 1], [0, 1, 0], [0, 0, -1], [0, -1, 0], [1, 0, 0], [math.nan] * 3], dtype=float)
    azimuth, elevation = look(station + RANGE_M * steps[np.newaxis], 0.0, 0.0, station)
    assert np.degrees(azimuth[0, :4]) == pytest.approx([0, 90, 180, 270], abs=1e-12)
    assert np.degrees(elevation[0, :5]) == pytest.approx([0, 0, 0, 0, 90], abs=1e-12)
    assert np.isnan([azimuth[0, 5], elevation[0, 5]]).all()


def test_direction_a_hair_west_of_north_stays_below_a_full_turn():
    station = np.array([6378137.0, 0.0, 0.0])
    azimuth, _ = look(station + np.array([[[0.0, -1e-300, RANGE_M]]]), 0.0, 0.0, station)
    assert azimuth.item() == 0.0


def stands(azimuth_deg, elevation_deg, mask_deg, nodes_deg=()):
    nodes = np.radians(np.asarray(nodes_deg, dtype=float).reshape(-1, 2))
    azimuth = np.radians(np.asarray(azimuth_deg, dtype=float)).reshape(1, 1, -1)
    elevation = np.radians(np.asarray(elevation_deg, dtype=float)).reshape(1, 1, -1)
    out = np.empty(azimuth.shape, dtype=bool)
    start = np.array([0, len(nodes)], dtype=np.int64)
    columns = np.ascontiguousarray(nodes.T)
    geometry.visible(azimuth, elevation, math.radians(mask_deg), *columns, start, out)
    return out.ravel().tolist()


def test_the_mask_itself_is_visible():
    assert stands([0, 0, 0, 0], [15.0, 15.0 - 1e-9, 15.0 + 1e-9, math.nan], 15.0) == [
        True,
        False,
        True,
        False,
    ]


def test_horizon_is_linear_between_nodes_and_holds_beside_the_mask():
    wall = [(0, 0), (90, 0), (180, 40), (180, 10), (360, 0)]
    azimuths, heights = [45, 135, 135, 179.99, 180, 270, 0], [5, 19.9, 20.1, 30, 10, 5, 5]
    assert stands(azimuths, heights, 0.0, wall) == [True, False, True, False, True, True, True]
    assert stands([45, 45, 135], [9, 11, 15], 10.0, wall) == [False, True, False]


@settings(max_examples=50, deadline=None)
@given(skies(min_size=20), st.floats(0, 45), st.lists(st.floats(0, 60), min_size=5, max_size=5))
def test_series_counts_what_visibility_shows(sky, mask_deg, heights_deg):
    """Both kernels take the same decision about every satellite."""
    enu_lines, system = sky
    enu, station = frame(0.4, 2.0), np.array([-2.0e6, 5.0e6, 3.0e6])
    positions = (station + RANGE_M * enu_lines @ enu)[np.newaxis]
    nodes = np.radians(np.linspace(0, 360, 5)), np.radians(heights_deg)
    start = np.array([0, 5], dtype=np.int64)
    azimuth, elevation = np.empty((1, 1, len(system))), np.empty((1, 1, len(system)))
    geometry.look_angles(positions, station[np.newaxis], enu[np.newaxis], azimuth, elevation)
    masks = np.radians([mask_deg, 10.0, elevation.max()])  # an out-of-order list, and one exactly on a satellite
    masks[2] = elevation.max()
    dops, counts = np.empty((5, 1, 3, 1, 1)), np.empty((2, 1, 3, 1, 1), dtype=np.int64)
    geometry.dop_series(
        positions,
        system,
        station[np.newaxis],
        enu[np.newaxis],
        masks,
        *nodes,
        start,
        np.ones((1, 4), dtype=bool),
        np.array([PER_SYSTEM]),
        dops,
        counts,
    )
    out = np.empty(azimuth.shape, dtype=bool)
    for k, mask in enumerate(masks):
        geometry.visible(azimuth, elevation, mask, *nodes, start, out)
        assert counts[0, 0, k, 0, 0] == out.sum()
        assert counts[1, 0, k, 0, 0] == len(set(system[out[0, 0]]))
