"""Look angles, visibility and dilution of precision: numbers in, `out` arrays filled.

Lengths are metres, angles radians, positions ECEF. A station's frame is a 3x3 array with the rows east,
north and up (ellipsoidal normal). Satellites without a position are NaN and never visible.

The dilution of precision comes from sums per system, so that every set of systems and every clock model
is solved from one pass over the satellites. With the sums n_s, b_s = sum u and S_s = sum uu'
over the lines of sight u of system s, the normal matrix of the position after elimination of the clocks is
N = sum S_s - B M B', where B holds the b_s as columns and M is the inverse of the clocks' own normal matrix.
All clock models are one family: the clock of system s is a common clock plus an independent offset of
variance tau. Then M = diag(r) + k q q' with q = 1/(1 + n tau), r = tau q and k = 1/sum(n q), which is the
Sherman-Morrison inverse written without cancelling. tau = 0 is one common clock; the limit of infinite tau,
r = 1/n and k = 0, is one free clock per system.

Clocks count as often as the ranges estimate them. A common clock stands in the state of every system and counts once,
free clocks count each; in between the systems' clocks count as sum n (r + k q^2) = trace(F M) clocks, F = diag(n) being
what the ranges know of them: the trace of the resolution matrix, which runs from 1 to the number of systems. The
variance of the clocks is the trace of their covariance times this number over the number of systems, so that a prior of
0 and a prior near 0 both give the time dilution of a common clock.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Numbers kept per system: n, b (x, y, z), S (xx, xy, xz, yy, yz, zz).
N_SUMS = 10
#: Slack of the mask, 0.03 mm at a satellite: the rounding of degrees to radians must not decide.
EDGE_RAD = 1e-12
#: Largest trace of the position covariance times satellites: beyond it rounding decides the result.
MAX_VARIANCE = 1e12
TWO_PI = 2.0 * math.pi


@kernel
def _dot(row: Floats, x: float, y: float, z: float) -> float:
    return row[0] * x + row[1] * y + row[2] * z  # type: ignore[no-any-return]


@kernel
def _azimuth(enu: Floats, dx: float, dy: float, dz: float) -> float:
    azimuth = math.atan2(_dot(enu[0], dx, dy, dz), _dot(enu[1], dx, dy, dz))
    if azimuth < 0.0:
        azimuth += TWO_PI
    return azimuth if azimuth < TWO_PI else 0.0  # a tiny negative angle rounds to a full turn


@kernel
def _elevation(enu: Floats, dx: float, dy: float, dz: float) -> float:
    level = math.hypot(_dot(enu[0], dx, dy, dz), _dot(enu[1], dx, dy, dz))
    return math.atan2(_dot(enu[2], dx, dy, dz), level)


@kernel
def look_angles(
    satellites_m: Floats, stations_m: Floats, enu: Floats, azimuth_out: Floats, elevation_out: Floats
) -> None:
    """Azimuth in [0, 2 pi) from north over east, and geometric elevation above the tangent plane.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
    stations_m : (station, 3) float64
    enu : (station, 3, 3) float64
    azimuth_out, elevation_out : (station, time, sv) float64
        Filled, NaN where the satellite's position is.
    """
    n_times, n_satellites, _ = satellites_m.shape
    for p in range(stations_m.shape[0]):
        for t in range(n_times):
            for s in range(n_satellites):
                dx = satellites_m[t, s, 0] - stations_m[p, 0]
                dy = satellites_m[t, s, 1] - stations_m[p, 1]
                dz = satellites_m[t, s, 2] - stations_m[p, 2]
                elevation_out[p, t, s] = _elevation(enu[p], dx, dy, dz)
                known = not math.isnan(elevation_out[p, t, s])
                azimuth_out[p, t, s] = _azimuth(enu[p], dx, dy, dz) if known else math.nan


@kernel
def _horizon(azimuth: float, node_azimuth: Floats, node_elevation: Floats) -> float:
    """Piecewise linear horizon; no nodes, no horizon."""
    n_nodes = node_azimuth.size
    if n_nodes == 0:
        return -math.inf
    after = np.searchsorted(node_azimuth, azimuth, side="right")
    if after == 0:
        return node_elevation[0]  # type: ignore[no-any-return]
    if after == n_nodes:
        return node_elevation[n_nodes - 1]  # type: ignore[no-any-return]
    before = after - 1
    share = (azimuth - node_azimuth[before]) / (node_azimuth[after] - node_azimuth[before])
    return node_elevation[before] + share * (node_elevation[after] - node_elevation[before])  # type: ignore[no-any-return]


@kernel
def visible(
    azimuth: Floats,
    elevation: Floats,
    mask_rad: float,
    node_azimuth: Floats,
    node_elevation: Floats,
    node_start: Ints,
    out: Bools,
) -> None:
    """Tell which satellites stand on or above both the mask and the station's horizon.

    Parameters
    ----------
    azimuth, elevation : (station, time, sv) float64
    mask_rad : float
    node_azimuth, node_elevation : (node,) float64
        Horizons of all stations behind each other, azimuths rising over [0, 2 pi].
    node_start : (station + 1,) int64
        Station p owns the nodes from ``node_start[p]`` up to ``node_start[p + 1]``, possibly none.
    out : (station, time, sv) bool
        Filled, False where the angles are NaN.
    """
    n_stations, n_times, n_satellites = azimuth.shape
    for p in range(n_stations):
        nodes = slice(node_start[p], node_start[p + 1])
        for t in range(n_times):
            for s in range(n_satellites):
                horizon = _horizon(azimuth[p, t, s], node_azimuth[nodes], node_elevation[nodes])
                out[p, t, s] = elevation[p, t, s] >= max(mask_rad, horizon) - EDGE_RAD


@kernel
def _add_line_of_sight(sums: Floats, x: float, y: float, z: float) -> None:
    sums[0] += 1.0
    sums[1] += x
    sums[2] += y
    sums[3] += z
    sums[4] += x * x
    sums[5] += x * y
    sums[6] += x * z
    sums[7] += y * y
    sums[8] += y * z
    sums[9] += z * z


@kernel
def _clock_terms(n: float, offset_variance_m2: float) -> tuple[float, float]:
    """R and q of one system (see the module's head)."""
    if math.isinf(offset_variance_m2):
        return 1.0 / n, 0.0
    q = 1.0 / (1.0 + n * offset_variance_m2)
    return offset_variance_m2 * q, q


@kernel
def _variance(root: tuple[float, ...], x: float, y: float, z: float) -> float:
    """V' N^-1 v from the Cholesky root of N: a sum of squares, so nothing cancels."""
    l11, l21, l31, l22, l32, l33 = root
    a = x / l11
    b = (y - l21 * a) / l22
    c = (z - l31 * a - l32 * b) / l33
    return a * a + b * b + c * c


@kernel
def _cholesky(n: Floats) -> tuple[float, float, float, float, float, float]:
    """Lower root of (xx, xy, xz, yy, yz, zz); NaN or zero pivots tell that there is none."""
    l11 = math.sqrt(n[0])
    l21 = n[1] / l11
    l31 = n[2] / l11
    l22 = math.sqrt(n[3] - l21 * l21)
    l32 = (n[4] - l31 * l21) / l22
    l33 = math.sqrt(n[5] - l31 * l31 - l32 * l32)
    return l11, l21, l31, l22, l32, l33


@kernel
def _take_outer(normal: Floats, factor: float, x: float, y: float, z: float) -> None:
    normal[0] -= factor * x * x
    normal[1] -= factor * x * y
    normal[2] -= factor * x * z
    normal[3] -= factor * y * y
    normal[4] -= factor * y * z
    normal[5] -= factor * z * z


@kernel
def _normal_matrix(
    sums: Floats, members: Bools, offset_variance_m2: float, normal: Floats
) -> tuple[float, float, float, float]:
    """Fill N = sum S - B M B'; return k and g = sum q_s b_s (see the module's head)."""
    normal[:] = 0.0
    shared = gx = gy = gz = 0.0
    for s in range(members.size):
        if members[s] and sums[s, 0] > 0.0:
            r, q = _clock_terms(sums[s, 0], offset_variance_m2)
            for i in range(6):
                normal[i] += sums[s, 4 + i]
            _take_outer(normal, r, sums[s, 1], sums[s, 2], sums[s, 3])
            shared += sums[s, 0] * q
            gx += q * sums[s, 1]
            gy += q * sums[s, 2]
            gz += q * sums[s, 3]
    k = 1.0 / shared if shared > 0.0 else 0.0
    _take_outer(normal, k, gx, gy, gz)
    return k, gx, gy, gz


@kernel
def _clock_variance(
    sums: Floats,
    members: Bools,
    offset_variance_m2: float,
    root: tuple[float, ...],
    shared: tuple[float, float, float, float],
) -> float:
    """Trace of M + M B' N^-1 B M over the systems in view, each clock counted as the module's head says."""
    k, gx, gy, gz = shared
    total = estimated = n_seen = 0.0
    for s in range(members.size):
        if members[s] and sums[s, 0] > 0.0:
            r, q = _clock_terms(sums[s, 0], offset_variance_m2)
            x = r * sums[s, 1] + k * q * gx
            y = r * sums[s, 2] + k * q * gy
            z = r * sums[s, 3] + k * q * gz
            total += r + k * q * q + _variance(root, x, y, z)
            estimated += sums[s, 0] * (r + k * q * q)
            n_seen += 1.0
    return total * estimated / n_seen


@kernel
def solve_dop(
    sums: Floats, members: Bools, offset_variance_m2: float, enu: Floats, normal: Floats, out: Floats
) -> tuple[int, int]:
    """Dilution of precision of one set of systems at one place and time.

    Parameters
    ----------
    sums : (system, N_SUMS) float64
    members : (system,) bool
        Systems that the set uses.
    offset_variance_m2 : float
        Variance of each system's clock offset from the common clock, in units of the range variance:
        0 is a common clock, infinity a free clock per system.
    enu : (3, 3) float64
    normal : (6,) float64
        Scratch.
    out : (5,) float64
        Filled with GDOP, PDOP, HDOP, VDOP, TDOP; NaN where there is no solution.

    Returns
    -------
    tuple of int
        Satellites used and clocks estimated.
    """
    out[:] = math.nan
    n_used = 0
    n_seen = 0
    for s in range(members.size):
        if members[s] and sums[s, 0] > 0.0:
            n_used += int(sums[s, 0])
            n_seen += 1
    n_clocks = min(n_seen, 1) if offset_variance_m2 == 0.0 else n_seen
    if n_used < 3 + (n_seen if math.isinf(offset_variance_m2) else 1):
        return n_used, n_clocks
    shared = _normal_matrix(sums, members, offset_variance_m2, normal)
    root = _cholesky(normal)
    horizontal = _variance(root, enu[0, 0], enu[0, 1], enu[0, 2])
    horizontal += _variance(root, enu[1, 0], enu[1, 1], enu[1, 2])
    vertical = _variance(root, enu[2, 0], enu[2, 1], enu[2, 2])
    if not (horizontal + vertical) * n_used <= MAX_VARIANCE:  # also refuses NaN
        return n_used, n_clocks
    clocks = _clock_variance(sums, members, offset_variance_m2, root, shared)
    out[0] = math.sqrt(horizontal + vertical + clocks)
    out[1] = math.sqrt(horizontal + vertical)
    out[2] = math.sqrt(horizontal)
    out[3] = math.sqrt(vertical)
    out[4] = math.sqrt(clocks)
    return n_used, n_clocks


@kernel
def _sum_sky(
    satellites_m: Floats,
    system: Ints,
    station_m: Floats,
    enu: Floats,
    mask_rad: Floats,
    node_azimuth: Floats,
    node_elevation: Floats,
    sums: Floats,
) -> None:
    """Fill the sums (mask, system, N_SUMS) of one sky (sv, 3)."""
    sums[:] = 0.0
    for s in range(satellites_m.shape[0]):
        dx = satellites_m[s, 0] - station_m[0]
        dy = satellites_m[s, 1] - station_m[1]
        dz = satellites_m[s, 2] - station_m[2]
        elevation = _elevation(enu, dx, dy, dz) + EDGE_RAD
        if not elevation >= -math.pi:  # NaN: no position
            continue
        if node_azimuth.size:
            azimuth = _azimuth(enu, dx, dy, dz)
            if elevation < _horizon(azimuth, node_azimuth, node_elevation):
                continue
        scale = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
        for k in range(mask_rad.size):
            if elevation >= mask_rad[k]:
                _add_line_of_sight(sums[k, system[s]], dx * scale, dy * scale, dz * scale)


@kernel
def dop_series(
    satellites_m: Floats,
    system: Ints,
    stations_m: Floats,
    enu: Floats,
    mask_rad: Floats,
    node_azimuth: Floats,
    node_elevation: Floats,
    node_start: Ints,
    members: Bools,
    offset_variance_m2: Floats,
    dop_out: Floats,
    count_out: Ints,
) -> None:
    """Dilution of precision of all sets of systems, masks, stations and times.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
    system : (sv,) int64
        Index of each satellite's system.
    stations_m : (station, 3) float64
    enu : (station, 3, 3) float64
    mask_rad : (mask,) float64
    node_azimuth, node_elevation, node_start
        Horizons as for `visible`.
    members : (scenario, system) bool
    offset_variance_m2 : (scenario,) float64
        As for `solve_dop`.
    dop_out : (5, scenario, mask, station, time) float64
        Filled with GDOP, PDOP, HDOP, VDOP, TDOP.
    count_out : (2, scenario, mask, station, time) int64
        Filled with satellites used and clocks estimated.
    """
    n_scenarios, n_systems = members.shape
    sums = np.empty((mask_rad.size, n_systems, N_SUMS))
    normal = np.empty(6)
    dops = np.empty(5)
    for p in range(stations_m.shape[0]):
        azimuths = node_azimuth[node_start[p] : node_start[p + 1]]
        elevations = node_elevation[node_start[p] : node_start[p + 1]]
        for t in range(satellites_m.shape[0]):
            _sum_sky(satellites_m[t], system, stations_m[p], enu[p], mask_rad, azimuths, elevations, sums)
            for c in range(n_scenarios):
                for k in range(mask_rad.size):
                    used, clocks = solve_dop(sums[k], members[c], offset_variance_m2[c], enu[p], normal, dops)
                    dop_out[:, c, k, p, t] = dops
                    count_out[0, c, k, p, t] = used
                    count_out[1, c, k, p, t] = clocks
