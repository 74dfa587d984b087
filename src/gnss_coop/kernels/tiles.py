"""The tile kernel of the maps: DOP and its statistics for some hundred cells over all epochs.

Lanes of the processor run over the cells of a tile; satellites are outside, accumulators stay in cache and
nothing branches per cell. Per epoch a cone test throws out the satellites that no cell of the tile can see;
sums are kept per system (see `geometry`), so all scenarios come from one pass; a cell's time series is
sorted by a network of exchanges that again runs over cells, so percentiles are exact.

Everything is computed in double precision. The series that is sorted holds squared DOPs in single
precision, and so do the percentiles: they are rounded by at most 2e-7 of their value.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel, leaf_kernel

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Cells of a tile. A constant, so that the compiler knows which rows of an array lie apart: each array holds
#: its rows of LANES numbers behind each other, and row k of cell i is at ``k * LANES + i``.
LANES = 64
_1, _2, _3, _4, _5, _6 = (k * LANES for k in range(1, 7))
_7, _8, _9, _10, _11, _12 = (k * LANES for k in range(7, 13))
#: Rows of a cell array: position [m], then the unit vectors east, north and up.
CELL_ROWS = 12
#: Rows of sums per system: n, b (x, y, z), S (xx, xy, xz, yy, yz); S_zz is n - S_xx - S_yy.
SUM_ROWS = 9
WORK_ROWS = 13
#: Squared DOPs that a solution has: horizontal, vertical, position, clocks, geometric; then the satellites used.
HORIZONTAL, VERTICAL, POSITION, CLOCKS, GEOMETRIC, USED = range(6)
N_SQUARES = 6
#: Largest trace of the position covariance times satellites, as in `geometry`.
MAX_VARIANCE = 1e12
#: Satellites that one step takes: sums are loaded and stored once for all of them.
GROUP = 2
#: What the cone test allows for the ellipsoid against the sphere, and for heights [rad].
CONE_SLACK_RAD = 0.01
_EARTH_RADIUS_M = 6_378_137.0


@leaf_kernel
def _sight(
    px: float, py: float, pz: float, ux: float, uy: float, uz: float, sx: float, sy: float, sz: float, sine_mask: float
) -> tuple[float, float, float, float]:
    """Weight (1 at or above the mask, else 0) and weighted unit vector from a cell to a satellite."""
    dx, dy, dz = sx - px, sy - py, sz - pz
    scale = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    weight = 1.0 if (dx * ux + dy * uy + dz * uz) * scale >= sine_mask else 0.0
    scale *= weight
    return weight, dx * scale, dy * scale, dz * scale


@leaf_kernel
def _add_group(cell: Floats, satellites_m: Floats, first: int, second: int, sine_mask: float, sums: Floats) -> None:
    """Add two satellites to the sums of one system."""
    ax, ay, az = satellites_m[first, 0], satellites_m[first, 1], satellites_m[first, 2]
    bx, by, bz = satellites_m[second, 0], satellites_m[second, 1], satellites_m[second, 2]
    for i in range(LANES):
        px, py, pz = cell[i], cell[_1 + i], cell[_2 + i]
        ux, uy, uz = cell[_9 + i], cell[_10 + i], cell[_11 + i]
        v, w = (
            _sight(px, py, pz, ux, uy, uz, ax, ay, az, sine_mask),
            _sight(px, py, pz, ux, uy, uz, bx, by, bz, sine_mask),
        )
        sums[i] += v[0] + w[0]
        sums[_1 + i] += v[1] + w[1]
        sums[_2 + i] += v[2] + w[2]
        sums[_3 + i] += v[3] + w[3]
        sums[_4 + i] += v[1] * v[1] + w[1] * w[1]
        sums[_5 + i] += v[1] * v[2] + w[1] * w[2]
        sums[_6 + i] += v[1] * v[3] + w[1] * w[3]
        sums[_7 + i] += v[2] * v[2] + w[2] * w[2]
        sums[_8 + i] += v[2] * v[3] + w[2] * w[3]


@leaf_kernel
def _choose(
    satellites_m: Floats, cones: Floats, start: int, stop: int, axis: Floats, cosine: float, sine: float, chosen: Ints
) -> int:
    """Fill the satellites that some cell of the tile may see, padded to whole groups; return their number.

    `axis` is the direction of the tile's middle; `cosine` and `sine` are those of its reach from there. The
    padding is the last row of `satellites_m`, the Earth's middle, which no mask above -90 deg lets in.
    """
    n = 0
    for s in range(start, stop):
        # cos(cone + reach); with both below a half turn their sum is one of the cosine's falling branch,
        # unless it passes a half turn: then all is in reach.
        bound = cones[s, 3] * cosine - cones[s, 4] * sine
        wraps = cones[s, 4] * cosine + cones[s, 3] * sine < 0.0
        along = cones[s, 0] * axis[0] + cones[s, 1] * axis[1] + cones[s, 2] * axis[2]
        if along >= bound or (wraps and along == along):
            chosen[n] = s
            n += 1
    while n % GROUP:
        chosen[n] = satellites_m.shape[0] - 1
        n += 1
    return n


@leaf_kernel
def _sum_systems(
    cell: Floats, satellites_m: Floats, cones: Floats, system_start: Ints, axis: Floats, cosine: float, sine: float,
    sine_mask: float, chosen: Ints, sums: Floats,
) -> None:  # fmt: skip
    """Fill the sums (system, row) of one epoch and mask."""
    for system in range(system_start.size - 1):
        sums[system] = 0.0
        n = _choose(satellites_m, cones, system_start[system], system_start[system + 1], axis, cosine, sine, chosen)
        for j in range(0, n, GROUP):
            _add_group(cell, satellites_m, chosen[j], chosen[j + 1], sine_mask, sums[system])


@leaf_kernel
def _add_positions(a: Floats, offset_variance_m2: float, work: Floats) -> None:
    """Add a system to the normal matrix, its clock eliminated (rows 0 to 5 of `work`)."""
    free = math.isinf(offset_variance_m2)
    for i in range(LANES):
        n, bx, by, bz = a[i], a[_1 + i], a[_2 + i], a[_3 + i]
        r = 1.0 / max(n, 1.0) if free else offset_variance_m2 / (1.0 + n * offset_variance_m2)
        work[i] += a[_4 + i] - r * bx * bx
        work[_1 + i] += a[_5 + i] - r * bx * by
        work[_2 + i] += a[_6 + i] - r * bx * bz
        work[_3 + i] += a[_7 + i] - r * by * by
        work[_4 + i] += a[_8 + i] - r * by * bz
        work[_5 + i] += n - a[_4 + i] - a[_7 + i] - r * bz * bz


@leaf_kernel
def _add_clock(a: Floats, offset_variance_m2: float, work: Floats) -> None:
    """Add what a system has in common with the others (rows 6 to 9 of `work`) and its counts (10, 11)."""
    free = math.isinf(offset_variance_m2)
    for i in range(LANES):
        n = a[i]
        q = 0.0 if free else 1.0 / (1.0 + n * offset_variance_m2)
        work[_6 + i] += n * q
        work[_7 + i] += q * a[_1 + i]
        work[_8 + i] += q * a[_2 + i]
        work[_9 + i] += q * a[_3 + i]
        work[_10 + i] += n
        work[_11 + i] += 1.0 if n > 0.0 else 0.0


@leaf_kernel
def _factor(work: Floats) -> None:
    """Take the common clock off the normal matrix and replace it by its LDL' factors.

    Rows 0 to 2 become 1/d1, 1/d2, 1/d3, rows 3 to 5 l21, l31, l32, row 6 the factor of the common clock.
    """
    for i in range(LANES):
        k = 1.0 / work[_6 + i] if work[_6 + i] > 0.0 else 0.0
        gx, gy, gz = work[_7 + i], work[_8 + i], work[_9 + i]
        n12 = work[_1 + i] - k * gx * gy
        n13 = work[_2 + i] - k * gx * gz
        d1 = 1.0 / (work[i] - k * gx * gx)
        l21, l31 = n12 * d1, n13 * d1
        d2 = 1.0 / (work[_3 + i] - k * gy * gy - l21 * n12)
        n23 = work[_4 + i] - k * gy * gz - l21 * n13
        l32 = n23 * d2
        d3 = 1.0 / (work[_5 + i] - k * gz * gz - l31 * n13 - l32 * n23)
        work[i], work[_1 + i], work[_2 + i] = d1, d2, d3
        work[_3 + i], work[_4 + i], work[_5 + i] = l21, l31, l32
        work[_6 + i] = k


@leaf_kernel
def _variances(cell: Floats, work: Floats, squares: Floats) -> None:
    """Fill HORIZONTAL and VERTICAL: v' N^-1 v for east, north and up, each a sum of squares over the pivots."""
    for i in range(LANES):
        d1, d2, d3 = work[i], work[_1 + i], work[_2 + i]
        l21, l31, l32 = work[_3 + i], work[_4 + i], work[_5 + i]
        ex, nx, ux = cell[_3 + i], cell[_6 + i], cell[_9 + i]
        ey, ny, uy = cell[_4 + i] - l21 * ex, cell[_7 + i] - l21 * nx, cell[_10 + i] - l21 * ux
        ez = cell[_5 + i] - l31 * ex - l32 * ey
        nz = cell[_8 + i] - l31 * nx - l32 * ny
        uz = cell[_11 + i] - l31 * ux - l32 * uy
        squares[i] = d1 * (ex * ex + nx * nx) + d2 * (ey * ey + ny * ny) + d3 * (ez * ez + nz * nz)
        squares[_1 + i] = d1 * ux * ux + d2 * uy * uy + d3 * uz * uz


@leaf_kernel
def _refuse_unsolved(free: bool, work: Floats, squares: Floats) -> None:
    """Fill POSITION, and make all squares infinite where there is no solution."""
    for i in range(LANES):
        level, upright, used = squares[i], squares[_1 + i], work[_10 + i]
        needed = 3.0 + (work[_11 + i] if free else 1.0)
        # Rounding can turn pivots of a singular matrix negative: no solution either.
        solved = (
            (used >= needed)
            & (work[i] > 0.0)
            & (work[_1 + i] > 0.0)
            & (work[_2 + i] > 0.0)
            & ((level + upright) * used <= MAX_VARIANCE)
        )
        squares[i] = level if solved else np.inf
        squares[_1 + i] = upright if solved else np.inf
        squares[_2 + i] = level + upright if solved else np.inf
        squares[_5 + i] = used


@leaf_kernel
def _add_clock_variance(a: Floats, offset_variance_m2: float, work: Floats, squares: Floats) -> None:
    """Add the variance of one system's clock to CLOCKS, and as how many clocks it counts to row 12 of `work`."""
    free = math.isinf(offset_variance_m2)
    for i in range(LANES):
        n = a[i]
        q = 0.0 if free else 1.0 / (1.0 + n * offset_variance_m2)
        r = 1.0 / max(n, 1.0) if free else offset_variance_m2 * q
        kq = work[_6 + i] * q
        x = r * a[_1 + i] + kq * work[_7 + i]
        y = r * a[_2 + i] + kq * work[_8 + i]
        z = r * a[_3 + i] + kq * work[_9 + i]
        b = y - work[_3 + i] * x
        c = z - work[_4 + i] * x - work[_5 + i] * b
        variance = r + kq * q + work[i] * x * x + work[_1 + i] * b * b + work[_2 + i] * c * c
        squares[_3 + i] += variance if n > 0.0 else 0.0
        work[_12 + i] += n * (r + kq * q)  # from 1 for all together to 1 for each: see `geometry`


@leaf_kernel
def _solve(
    cell: Floats, sums: Floats, members: Bools, offset_variance_m2: float, clocks_too: bool, work: Floats,
    squares: Floats,
) -> None:  # fmt: skip
    """Fill the squared DOPs and the satellites used of one scenario."""
    work[:] = 0.0
    for s in range(members.size):
        if members[s]:
            _add_positions(sums[s], offset_variance_m2, work)
            _add_clock(sums[s], offset_variance_m2, work)
    _factor(work)
    _variances(cell, work, squares)
    _refuse_unsolved(math.isinf(offset_variance_m2), work, squares)
    if clocks_too:
        squares[_3:_4] = 0.0
        for s in range(members.size):
            if members[s]:
                _add_clock_variance(sums[s], offset_variance_m2, work, squares)
        for i in range(LANES):
            clocks = squares[_3 + i] * work[_12 + i] / max(work[_11 + i], 1.0)
            clocks = clocks if squares[_2 + i] < np.inf else np.inf
            squares[_3 + i] = clocks
            squares[_4 + i] = squares[_2 + i] + clocks


@leaf_kernel
def _exchange(low: Singles, high: Singles) -> None:
    for j in range(low.size):
        a, b = low[j], high[j]
        low[j] = a if a < b else b
        high[j] = b if a < b else a


@leaf_kernel
def _sort_columns(block: Singles) -> None:
    """Sort the column of each cell in rows of LANES: Knuth's merge exchange (TAOCP 3, 5.2.2 M).

    Rows that are compared with rows at one distance come in runs of p; a run is exchanged at once.
    """
    n = block.size // LANES
    top = 1
    while top < n:
        top *= 2
    p = top // 2
    while p > 0:
        q, first, d = top // 2, 0, p
        while d > 0:
            for i in range(first, n - d, 2 * p):
                size = min(p, n - d - i) * LANES
                low, high = i * LANES, (i + d) * LANES
                _exchange(block[low : low + size], block[high : high + size])
            d = q - p
            q //= 2
            first = p
        p //= 2


@leaf_kernel
def _quantiles(sorted_squares: Singles, shares: Floats, out: Singles) -> None:
    """Fill quantiles (share, cell) of sorted squared DOPs, linear between neighbours in time."""
    n_times = sorted_squares.size // LANES
    for q in range(shares.size):
        rank = round(shares[q] * (n_times - 1), 9)  # rounding must not push a whole rank to the next one
        lower = min(int(rank), n_times - 1)
        upper = min(lower + 1, n_times - 1)
        share = rank - lower
        for i in range(LANES):
            low, high = math.sqrt(sorted_squares[lower * LANES + i]), math.sqrt(sorted_squares[upper * LANES + i])
            # An infinite neighbour counts unless it has no share.
            out[q, i] = low if share == 0.0 else (low + share * (high - low) if high < np.inf else np.inf)


@leaf_kernel
def _keep(t: int, squares: Floats, kept: Ints, limit_square: float, series: Singles, counts: Floats) -> None:
    """Put one epoch of a scenario into its series (DOP, time and cell) and counts: available, sum, least."""
    for d in range(kept.size):
        row = kept[d] * LANES
        for i in range(LANES):
            series[d, t * LANES + i] = squares[row + i]
    for i in range(LANES):
        used = squares[_5 + i]
        counts[i] += 1.0 if squares[_2 + i] <= limit_square else 0.0
        counts[_1 + i] += used
        counts[_2 + i] = used if used < counts[_2 + i] else counts[_2 + i]


@kernel
def tile_statistics(
    cell: Floats,
    satellites_m: Floats,
    cones: Floats,
    system_start: Ints,
    axis: Floats,
    radius_rad: float,
    sine_mask: Floats,
    members: Bools,
    offset_variance_m2: Floats,
    kept: Ints,
    limit_square: float,
    shares: Floats,
    series: Singles,
    counts: Floats,
    quantiles: Singles,
) -> None:
    """Compute the statistics of one tile over all epochs.

    Parameters
    ----------
    cell : (CELL_ROWS * LANES,) float64
    satellites_m : (time, sv + 1, 3) float64
        Satellites in the order of their systems, NaN without a position; the last row zero.
    cones : (mask, time, sv, 5) float64
        As `fill_cones` gives them.
    system_start : (system + 1,) int64
        System i owns the satellites from ``system_start[i]`` up to ``system_start[i + 1]``.
    axis, radius_rad
        Direction of the tile's middle, and the largest angle of a cell from it.
    sine_mask : (mask,) float64
        Sines of the masks (less the slack of `geometry`).
    members : (scenario, system) bool
    offset_variance_m2 : (scenario,) float64
    kept : (dop,) int64
        What is kept of each epoch, such as POSITION or USED.
    limit_square : float
        Square of the largest PDOP that counts as available.
    shares : (quantile,) float64
        0.5 is the median, 1 the worst; empty to leave `series` as it is.
    series : (scenario, mask, dop, time * LANES) float32
        Squared DOPs of all epochs; sorted along time afterwards where quantiles are asked for.
    counts : (scenario, mask, 3 * LANES) float64
        Filled with the epochs available, the sum and the least number of satellites used.
    quantiles : (scenario, mask, dop, quantile, LANES) float32
        Filled; infinite where the quantile falls among epochs without a solution.
    """
    n_times = satellites_m.shape[0]
    n_scenarios, n_systems = members.shape
    n_masks = sine_mask.size
    sums = np.empty((n_systems, SUM_ROWS * LANES))
    chosen = np.empty(satellites_m.shape[1] + GROUP, np.int64)
    work = np.empty(WORK_ROWS * LANES)
    squares = np.empty(N_SQUARES * LANES)
    counts[:, :, :_2] = 0.0
    counts[:, :, _2:] = np.inf
    clocks_too = False
    for d in range(kept.size):
        clocks_too |= kept[d] == CLOCKS or kept[d] == GEOMETRIC
    cosine, sine = math.cos(radius_rad), math.sin(radius_rad)
    for t in range(n_times):
        for k in range(n_masks):
            _sum_systems(
                cell, satellites_m[t], cones[k, t], system_start, axis, cosine, sine, sine_mask[k], chosen, sums
            )
            for c in range(n_scenarios):
                _solve(cell, sums, members[c], offset_variance_m2[c], clocks_too, work, squares)
                _keep(t, squares, kept, limit_square, series[c, k], counts[c, k])
    for c in range(n_scenarios if shares.size else 0):
        for k in range(n_masks):
            for d in range(kept.size):
                _sort_columns(series[c, k, d])
                _quantiles(series[c, k, d], shares, quantiles[c, k, d])


@kernel
def fill_cones(satellites_m: Floats, mask_rad: float, cones: Floats) -> None:
    """Fill, per epoch and satellite, its direction and the cone of places that see it above a mask.

    A satellite at distance d stands at or above the mask m within acos(a / d cos m) - m of the point below
    it; CONE_SLACK_RAD is added.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
    mask_rad : float
    cones : (time, sv, 5) float64
        Filled with the unit vector and the cone's cosine and sine; NaN where the satellite is.
    """
    for t in range(satellites_m.shape[0]):
        for s in range(satellites_m.shape[1]):
            x, y, z = satellites_m[t, s, 0], satellites_m[t, s, 1], satellites_m[t, s, 2]
            d = math.sqrt(x * x + y * y + z * z)
            cone = math.acos(min(1.0, _EARTH_RADIUS_M / d * math.cos(mask_rad))) - mask_rad + CONE_SLACK_RAD
            cone = min(max(cone, 0.0), math.pi)
            cones[t, s, 0], cones[t, s, 1], cones[t, s, 2] = x / d, y / d, z / d
            cones[t, s, 3], cones[t, s, 4] = math.cos(cone), math.sin(cone)


@kernel
def chunk_statistics(
    cells: Floats,
    satellites_m: Floats,
    cones: Floats,
    system_start: Ints,
    axes: Floats,
    radii_rad: Floats,
    sine_mask: Floats,
    members: Bools,
    offset_variance_m2: Floats,
    kept: Ints,
    limit_square: float,
    shares: Floats,
    series: Singles,
    counts: Floats,
    quantiles: Singles,
) -> None:
    """Compute the statistics of several tiles, one after the other.

    As `tile_statistics`, with a first axis for the tile in `cells`, `axes`, `radii_rad`, `counts` and
    `quantiles`; `series` is scratch for one tile.
    """
    for i in range(cells.shape[0]):
        tile_statistics(
            cells[i], satellites_m, cones, system_start, axes[i], radii_rad[i], sine_mask, members, offset_variance_m2,
            kept, limit_square, shares, series, counts[i], quantiles[i],
        )  # fmt: skip
