"""The tile kernel against the textbook, one cell at a time, and its cone test, sorting and percentiles."""

import math

import numpy as np
import pymap3d
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gnss_coop.kernels import tiles
from gnss_coop.kernels.geometry import EDGE_RAD

COMMON, PRIOR, PER_SYSTEM = 0.0, 1.1234, math.inf
ALL = np.array([tiles.GEOMETRIC, tiles.POSITION, tiles.HORIZONTAL, tiles.VERTICAL, tiles.CLOCKS, tiles.USED])


def frames(latitude_deg, longitude_deg):
    """East, north and up (cell, 3, 3)."""
    a, o = np.radians(latitude_deg), np.radians(longitude_deg)
    zero = np.zeros_like(a)
    east = [-np.sin(o), np.cos(o), zero]
    north = [-np.sin(a) * np.cos(o), -np.sin(a) * np.sin(o), np.cos(a)]
    up = [np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)]
    return np.moveaxis(np.array([east, north, up]), 2, 0)


class Tile:
    """Up to 64 places as the kernel wants them; the tile's middle is where the mean of the directions points."""

    def __init__(self, latitude_deg, longitude_deg, height_m=0.0):
        columns = np.broadcast_arrays(*map(np.atleast_1d, (latitude_deg, longitude_deg, height_m)))
        self.size = columns[0].size
        lanes = np.minimum(np.arange(tiles.LANES), self.size - 1)
        latitude, longitude, height = (np.asarray(c, float)[lanes] for c in columns)
        self.places_m = np.stack(pymap3d.geodetic2ecef(latitude, longitude, height), axis=-1)
        self.enu = frames(latitude, longitude)
        outward = self.places_m / np.linalg.norm(self.places_m, axis=1, keepdims=True)
        mean = outward.mean(axis=0)
        self.axis = mean / np.linalg.norm(mean)
        cross = np.linalg.norm(np.cross(outward, self.axis), axis=1)
        self.radius_rad = np.arctan2(cross, outward @ self.axis).max()

    def series(self, satellites_m, counts, mask_deg, members, variances, shares=()):
        """Squares (scenario, dop, time, cell), counts (scenario, 3, cell), quantiles (scenario, dop, share, cell)."""
        mask = np.radians(mask_deg)
        cones = np.empty((1, *satellites_m.shape[:2], 5))
        tiles.fill_cones(satellites_m, mask, cones[0])
        filling = np.zeros((len(satellites_m), 1, 3))
        n = len(members)
        series = np.empty((n, 1, ALL.size, len(satellites_m) * tiles.LANES), np.float32)
        out = np.empty((n, 1, 3 * tiles.LANES))
        quantiles = np.empty((n, 1, ALL.size, len(shares), tiles.LANES), np.float32)
        cell = np.concatenate([self.places_m, self.enu.reshape(-1, 9)], axis=1).T.ravel()
        tiles.tile_statistics(
            cell, np.concatenate([satellites_m, filling], axis=1), cones, np.cumsum([0, *counts]), self.axis,
            self.radius_rad, np.sin([mask - EDGE_RAD]), np.asarray(members, bool), np.asarray(variances, float), ALL,
            36.0, np.asarray(shares, float), series, out, quantiles,
        )  # fmt: skip
        squares = series.reshape(n, ALL.size, -1, tiles.LANES)[..., : self.size]
        return squares, out.reshape(n, 3, -1)[..., : self.size], quantiles[:, 0, ..., : self.size]

    def elevation_rad(self, satellites_m):
        """Elevations (time, sv, cell) from the east, north and up components."""
        lines = satellites_m[:, :, None] - self.places_m[: self.size]
        east, north, up = np.moveaxis(np.einsum("cij,tscj->tsci", self.enu[: self.size], lines), -1, 0)
        return np.arctan2(up, np.hypot(east, north))


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


def textbook(lines_enu, system, variance):
    """Squares of GDOP, PDOP, HDOP, VDOP and TDOP from one row per satellite and one column per unknown."""
    clocks = sorted(set(system))
    n_clocks = 1 if variance == COMMON else len(clocks)
    prior = 0.0 < variance < math.inf
    n_used = len(system)
    if n_used < 3 + (len(clocks) if variance == PER_SYSTEM else 1):
        return np.full(5, np.inf)
    design = np.zeros((n_used, 3 + n_clocks + prior))
    for row, line, letter in zip(design, lines_enu, system, strict=True):
        row[:3] = -line
        row[3 if n_clocks == 1 else 3 + clocks.index(letter)] = 1.0
    if prior:  # the last unknown is the common clock, about which each system's clock is known
        rows = np.hstack([np.zeros((n_clocks, 3)), np.eye(n_clocks), -np.ones((n_clocks, 1))])
        design = np.vstack([design, rows / math.sqrt(variance)])
    q = np.diag(np.linalg.inv(design.T @ design))
    level, upright, clock = q[0] + q[1], q[2], q[3 : 3 + n_clocks].mean() * clocks_counted(system, variance)
    return np.array([level + upright + clock, level + upright, level, upright, clock])


def constellation(rng, n_times, n_satellites, radius_m=26.0e6):
    directions = rng.normal(size=(n_times, n_satellites, 3))
    return radius_m * directions / np.linalg.norm(directions, axis=-1, keepdims=True)


# --- Values -----------------------------------------------------------------------------------------------

MEMBERS = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("variance", [COMMON, PRIOR, PER_SYSTEM])
@pytest.mark.parametrize("mask_deg", [-5.0, 0.0, 15.0, 40.0])
@pytest.mark.parametrize(
    "tile",
    [
        pytest.param(Tile([90, -90, 0, 52.3, 43.8, -0.01], [0, 0, 180, -180, 87.6, 179.99], [0, 0, 8848, 0, 858, 0]),
                     id="poles, antimeridian and heights all round the Earth"),
        pytest.param(Tile(np.repeat(np.arange(82.5, 90), 8), np.tile(np.arange(-180, 180, 45.0), 8)), id="polar cap"),
        pytest.param(Tile(np.repeat(np.arange(40.5, 48), 8), np.tile(np.arange(176.5, 184), 8)), id="antimeridian"),
    ],
)  # fmt: skip
def test_values_equal_the_textbook(tile, mask_deg, variance):
    rng = np.random.default_rng(7)
    counts = (13, 24, 7)
    letters = np.repeat(["R", "C", "J"], counts)
    sky = constellation(rng, 4, sum(counts))
    sky[1, 5] = sky[2, :13] = math.nan  # a gap, and a whole system
    squares, _, _ = tile.series(sky, counts, mask_deg, MEMBERS, [variance] * 4)
    elevation = tile.elevation_rad(sky)
    solved = 0
    for c, t, i in np.ndindex(len(MEMBERS), len(sky), tile.size):
        seen = elevation[t, :, i] >= np.radians(mask_deg)
        seen &= np.repeat(MEMBERS[c], counts).astype(bool)
        assert squares[c, -1, t, i] == seen.sum()
        lines = (sky[t, seen] - tile.places_m[i]) @ tile.enu[i].T
        lines /= np.linalg.norm(lines, axis=1, keepdims=True)
        try:
            truth = textbook(lines, list(letters[seen]), variance)
        except np.linalg.LinAlgError:
            truth = np.full(5, np.inf)
        if 1e4 < truth[1] < np.inf:
            continue  # near-singular: the rounding of the inverse passes the tolerance
        solved += truth[1] < np.inf
        # 2e-7 of the square: single precision (6e-8) and the rounding of the inverse.
        np.testing.assert_allclose(squares[c, :-1, t, i], truth, rtol=2e-7)
    assert solved or mask_deg == 40.0


def test_a_satellite_exactly_on_the_mask_is_seen_and_one_a_hair_below_is_not():
    places = np.array([[0.0, 0.0], [55.1, 36.6], [-33.0, 151.0], [89.9, 10.0], [90.0, 0.0]])
    for mask_deg in (-5.0, 0.0, 5.0, 15.0, 25.0, 60.0, 85.0):
        for latitude, longitude in places:
            azimuth = np.arange(0.0, 360.0, 7.5)
            # 1e-7 deg is 45 mm at the satellite: well above rounding (1e-9 m / 2.3e7 m), far below any orbit's error.
            for below_deg, seen in ((0.0, azimuth.size), (1e-7, 0)):
                xyz = pymap3d.aer2ecef(azimuth, mask_deg - below_deg, 2.3e7, latitude, longitude, 0.0)
                sky = np.stack(xyz, axis=-1)[np.newaxis]
                squares, _, _ = Tile(latitude, longitude).series(sky, (azimuth.size,), mask_deg, [[1]], [PER_SYSTEM])
                assert squares[0, -1, 0, 0] == seen


@pytest.mark.parametrize(
    ("system", "variance", "solvable"),
    [
        ((3, 0), PER_SYSTEM, False),
        ((4, 0), PER_SYSTEM, True),
        ((2, 2), PER_SYSTEM, False),
        ((2, 2), COMMON, True),
        ((2, 2), PRIOR, True),
        ((3, 2), PER_SYSTEM, True),
        ((2, 1), COMMON, False),
        ((0, 0), COMMON, False),
    ],
)
def test_enough_satellites(system, variance, solvable):
    xyz = pymap3d.aer2ecef([0, 20, 130, 250, 300], [85, 10, 15, 20, 40], 2.3e7, 52.0, 104.0, 0.0)
    sky = np.stack(xyz, axis=-1)[np.newaxis, : sum(system)]
    squares, counts, _ = Tile(52.0, 104.0).series(sky, system, 5.0, [[1, 1]], [variance])
    assert squares[0, -1, 0, 0] == sum(system)
    assert np.isfinite(squares[0, :-1, 0, 0]).all() == solvable
    assert (squares[0, :-1, 0, 0] > 0).all()
    assert counts[0, 1:, 0].tolist() == [sum(system)] * 2


@pytest.mark.parametrize("variance", [COMMON, PRIOR, PER_SYSTEM])
@pytest.mark.parametrize(
    ("azimuth_deg", "elevation_deg"),
    [([10.0] * 8, [40.0] * 8), (np.arange(0, 360, 45), [35.0] * 8), ([0.0] * 8, np.arange(10, 90, 10))],
    ids=["one direction", "one cone around the zenith", "one vertical plane"],
)
def test_singular_geometry_has_no_solution(azimuth_deg, elevation_deg, variance):
    xyz = pymap3d.aer2ecef(azimuth_deg, elevation_deg, 2.3e7, 31.0, 121.0, 0.0)
    squares, counts, _ = Tile(31.0, 121.0).series(np.stack(xyz, axis=-1)[np.newaxis], (8,), 0.0, [[1]], [variance])
    assert np.isinf(squares[0, :-1]).all()
    assert counts[0, :, 0].tolist() == [0, 8, 8]


# --- Nothing that a cell sees is thrown out ----------------------------------------------------------------


@st.composite
def patches(draw):
    """Places in a patch: some degrees to a third of the Earth wide, anywhere, up to 9 km high."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    south = draw(st.floats(-90, 90))
    west = draw(st.floats(-180, 180))
    span = draw(st.sampled_from([0.0, 0.5, 8.0, 40.0, 80.0, 180.0]))
    latitude = np.minimum(south + span * rng.uniform(0, 1, 20), 90.0)
    return Tile(latitude, west + 2 * span * rng.uniform(0, 1, 20), rng.choice([0.0, -400.0, 3000.0, 9000.0], 20))


@settings(max_examples=150, deadline=None)
@given(patches(), st.integers(0, 2**32), st.floats(-5, 85), st.floats(25.0e6, 42.164e6))
def test_the_cone_test_loses_no_satellite(tile, seed, mask_deg, radius_m):
    n = 24
    rng = np.random.default_rng(seed)
    sky = constellation(rng, 8, n, radius_m)
    # Half of the satellites stand just above the mask of one of the places, where the cone is tightest.
    for t, s in np.ndindex(len(sky), n // 2):
        place = rng.integers(tile.size)
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(mask_deg + rng.choice([0.0, 0.02, 1.0]))
        level = np.cos(elevation)
        line = [level * np.sin(azimuth), level * np.cos(azimuth), np.sin(elevation)] @ tile.enu[place]
        along = tile.places_m[place] @ line
        reach = -along + math.sqrt(along**2 + radius_m**2 - (tile.places_m[place] ** 2).sum())
        sky[t, s] = tile.places_m[place] + reach * line
    elevation = tile.elevation_rad(sky)
    seen = elevation >= np.radians(mask_deg) - EDGE_RAD
    doubtful = np.abs(elevation - np.radians(mask_deg) + EDGE_RAD) < 0.9 * EDGE_RAD
    assume(not doubtful.any())
    # Each satellite is a system and a scenario of its own: the count tells whether the cell sees it.
    squares, _, _ = tile.series(sky, (1,) * n, mask_deg, np.eye(n), [COMMON] * n)
    np.testing.assert_array_equal(squares[:, -1], np.moveaxis(seen, 1, 0))


# --- Order statistics -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["single precision", "zeros and ones", "a third without a solution"])
def test_the_network_sorts_any_number_of_epochs(kind):
    rng = np.random.default_rng(1)
    for n in range(1, 401):
        block = rng.exponential(size=(n, tiles.LANES)).astype(np.float32)
        if kind == "zeros and ones":  # a network that sorts all of these sorts everything
            block = (block > rng.exponential(size=tiles.LANES)).astype(np.float32)
        if kind.startswith("a third"):
            block[rng.uniform(size=block.shape) < 1 / 3] = np.inf
        flat = block.ravel().copy()
        tiles._sort_columns(flat)
        np.testing.assert_array_equal(flat.reshape(block.shape), np.sort(block, axis=0), err_msg=f"{n} epochs")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 2.0**40, width=32), st.just(math.inf)), min_size=1, max_size=400))
def test_the_network_sorts_any_values(values):
    flat = np.repeat(np.array(values, np.float32), tiles.LANES)
    tiles._sort_columns(flat)
    np.testing.assert_array_equal(flat[:: tiles.LANES], np.sort(np.array(values, np.float32)))


def plain_quantile(values, share):
    """By whole numbers: the percentile in thousandths, so that no rank is off by rounding."""
    ranked = sorted(values)
    low, rest = divmod(round(share * 1000) * (len(ranked) - 1), 1000)
    if rest == 0:
        return ranked[low]
    step = ranked[low + 1] - ranked[low] if ranked[low + 1] < math.inf else math.inf
    return ranked[low] + rest / 1000 * step


@pytest.mark.parametrize("n_times", [1, 2, 3, 20, 21, 101, 360, 361])
@pytest.mark.parametrize("n_solved", [0.0, 0.4, 0.5, 0.94, 0.95, 1.0])
def test_percentiles_are_exact_and_an_epoch_without_a_solution_is_the_worst(n_times, n_solved):
    shares = [0.0, 0.07, 0.29, 0.5, 0.55, 0.57, 0.9, 0.95, 0.999, 1.0]
    squares = np.random.default_rng(n_times).uniform(1, 50, (n_times, tiles.LANES)).astype(np.float32)
    # Every whole rank is the last epoch with a solution at least in one lane.
    for lane in range(tiles.LANES):
        squares[max(1, int(n_solved * n_times)) + lane - 32 if n_solved else 0 :, lane] = np.inf
    ranked = np.sort(squares, axis=0)
    out = np.empty((len(shares), tiles.LANES), np.float32)
    tiles._quantiles(ranked.ravel(), np.array(shares), out)
    truth = [[plain_quantile(np.sqrt(column.astype(float)), q) for column in ranked.T] for q in shares]
    np.testing.assert_allclose(out, truth, rtol=2e-7)  # roots and results in single precision


def test_the_kernel_sorts_and_counts_what_it_kept():
    rng = np.random.default_rng(3)
    tile = Tile(np.linspace(40, 60, 30), np.linspace(100, 130, 30))
    sky = constellation(rng, 45, 22)
    plain, counts, _ = tile.series(sky, (22,), 5.0, [[1]], [PER_SYSTEM])
    ranked, again, quantiles = tile.series(sky, (22,), 5.0, [[1]], [PER_SYSTEM], shares=[0.5, 1.0])
    np.testing.assert_array_equal(ranked, np.sort(plain, axis=2))
    np.testing.assert_array_equal(again, counts)
    used = plain[0, -1]
    np.testing.assert_array_equal(counts[0], [(plain[0, 1] <= 36.0).sum(axis=0), used.sum(axis=0), used.min(axis=0)])
    np.testing.assert_array_equal(quantiles[0, 1], np.sqrt(ranked[0, 1, [22, 44]]))
