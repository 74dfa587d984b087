"""Passes of satellites over stations: when each stands on or above the mask and the station's horizon.

A track is a satellite's way through one span with ephemerides: nodes of time [s] and position [m], half a
minute apart. Between them a cubic polynomial through four nodes is within 1 cm of the orbit of a navigation
satellite, and within some metres where one ephemeris takes over from another: a millisecond of a rise.

The search walks along a track and cannot leave a pass out: an elevation changes no faster than the satellite's
speed over its distance, so a step of (distance from the thresholds) / (that rate) crosses none of them. Where
this step is below a second, a second is taken; what is shorter may be missed.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel, leaf_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Columns of a pass in numbers: instants [s], azimuths and elevation [rad].
RISE_S, RISE_AZIMUTH, CULMINATION_S, CULMINATION_AZIMUTH, MAX_ELEVATION, SET_S, SET_AZIMUTH = range(7)
N_NUMBERS = 7
# Columns of a pass in labels: station, track, and whether it is cut by an end of its track (0 or 1).
STATION, TRACK, CUT_BEFORE, CUT_AFTER = range(4)
N_LABELS = 4

#: Slack of the mask, as in `gnss_coop.kernels.geometry`: a satellite on the mask is visible.
_EDGE_RAD = 1e-12
_LEAST_STEP_S = 1.0
_PRECISION_S = 1e-3
_NODES = 4  # of a polynomial
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
_TWO_PI = 2.0 * math.pi


@leaf_kernel
def _after(values: Floats, value: float) -> int:
    """Return how many of rising values are at or below `value`."""
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@leaf_kernel
def _angles(t: float, node_s: Floats, node_m: Floats, site_m: Floats, enu: Floats) -> tuple[float, float]:
    """Return azimuth in [0, 2 pi) and elevation [rad] at an instant of a track."""
    n = min(_NODES, node_s.size)
    first = min(max(_after(node_s, t) - n // 2, 0), node_s.size - n)
    x, y, z = -site_m[0], -site_m[1], -site_m[2]
    for j in range(first, first + n):
        weight = 1.0
        for k in range(first, first + n):
            if k != j:
                weight *= (t - node_s[k]) / (node_s[j] - node_s[k])
        x += weight * node_m[j, 0]
        y += weight * node_m[j, 1]
        z += weight * node_m[j, 2]
    east = enu[0, 0] * x + enu[0, 1] * y + enu[0, 2] * z
    north = enu[1, 0] * x + enu[1, 1] * y + enu[1, 2] * z
    up = enu[2, 0] * x + enu[2, 1] * y + enu[2, 2] * z
    azimuth = math.atan2(east, north)
    if azimuth < 0.0:
        azimuth += _TWO_PI
    return azimuth if azimuth < _TWO_PI else 0.0, math.atan2(up, math.hypot(east, north))


@leaf_kernel
def _threshold(azimuth: float, mask_rad: float, corner_azimuth: Floats, corner_elevation: Floats) -> float:
    """Return what a satellite must reach in a direction: the larger of mask and horizon [rad]."""
    n = corner_azimuth.size
    if n == 0:
        return mask_rad
    after = _after(corner_azimuth, azimuth)
    if after == 0 or after == n:
        return max(mask_rad, corner_elevation[min(after, n - 1)])  # type: ignore[no-any-return]
    start, width = corner_azimuth[after - 1], corner_azimuth[after] - corner_azimuth[after - 1]
    rise = corner_elevation[after] - corner_elevation[after - 1]
    return max(mask_rad, corner_elevation[after - 1] + (azimuth - start) / width * rise)  # type: ignore[no-any-return]


@leaf_kernel
def _culmination(
    begin: float, end: float, node_s: Floats, node_m: Floats, site_m: Floats, enu: Floats
) -> tuple[float, float, float]:
    """Return instant, azimuth and elevation of the highest point of a pass."""
    first, last = _after(node_s, begin), _after(node_s, end)  # nodes within the pass
    at, (_, best) = begin, _angles(begin, node_s, node_m, site_m, enu)
    for i in range(first, last + 1):
        t = node_s[i] if i < last else end
        _, elevation = _angles(t, node_s, node_m, site_m, enu)
        if elevation > best:
            at, best = t, elevation
    after = _after(node_s, at)
    low, high = max(begin, node_s[max(after - 2, 0)]), min(end, node_s[min(after, node_s.size - 1)])
    while high - low > _PRECISION_S:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        _, at_left = _angles(left, node_s, node_m, site_m, enu)
        _, at_right = _angles(right, node_s, node_m, site_m, enu)
        if at_left < at_right:
            low = left
        else:
            high = right
    _, elevation = _angles(low, node_s, node_m, site_m, enu)
    if elevation > best:  # else the highest point is an end of the pass
        at = low
    azimuth, elevation = _angles(at, node_s, node_m, site_m, enu)
    return at, azimuth, elevation


@leaf_kernel
def _is_up(
    t: float, node_s: Floats, node_m: Floats, site_m: Floats, enu: Floats,
    mask_rad: float, corner_azimuth: Floats, corner_elevation: Floats,
) -> bool:  # fmt: skip
    azimuth, elevation = _angles(t, node_s, node_m, site_m, enu)
    least = _threshold(azimuth, mask_rad, corner_azimuth, corner_elevation)
    return elevation >= least - _EDGE_RAD  # type: ignore[no-any-return]


@leaf_kernel
def _next_change(
    t: float, up: bool, rate: float, low_rad: float, high_rad: float,
    node_s: Floats, node_m: Floats, site_m: Floats, enu: Floats,
    mask_rad: float, corner_azimuth: Floats, corner_elevation: Floats,
) -> float:  # fmt: skip
    """Return the first instant after `t` when the satellite is no longer, or newly, up; infinity for none."""
    stop = node_s[node_s.size - 1]
    _, elevation = _angles(t, node_s, node_m, site_m, enu)
    while t < stop:
        clear = max(elevation - high_rad, low_rad - elevation, 0.0)
        ahead = min(t + max(clear / rate, _LEAST_STEP_S), stop)
        azimuth, elevation = _angles(ahead, node_s, node_m, site_m, enu)
        least = _threshold(azimuth, mask_rad, corner_azimuth, corner_elevation)
        if (elevation >= least - _EDGE_RAD) == up:
            t = ahead
            continue
        while ahead - t > _PRECISION_S:
            middle = 0.5 * (t + ahead)
            if _is_up(middle, node_s, node_m, site_m, enu, mask_rad, corner_azimuth, corner_elevation) == up:
                t = middle
            else:
                ahead = middle
        return ahead  # type: ignore[no-any-return]
    return math.inf


@kernel
def find_passes(
    track_start: Ints,
    node_s: Floats,
    node_m: Floats,
    speed_mps: Floats,
    least_radius_m: Floats,
    sites_m: Floats,
    enu: Floats,
    mask_rad: float,
    corner_azimuth: Floats,
    corner_elevation: Floats,
    corner_start: Ints,
    labels: Ints,
    numbers: Floats,
) -> int:
    """Find every pass of every track over every station.

    Parameters
    ----------
    track_start : (track + 1,) int64
        Track k owns the nodes from ``track_start[k]`` up to ``track_start[k + 1]``, at least one.
    node_s : (node,) float64
        Instants [s], rising within a track.
    node_m : (node, 3) float64
        Positions, ECEF.
    speed_mps, least_radius_m : (track,) float64
        A bound of the speed, and the least distance from the Earth's centre.
    sites_m : (station, 3) float64
    enu : (station, 3, 3) float64
    mask_rad : float
    corner_azimuth, corner_elevation : (corner,) float64
        Horizons of all stations behind each other [rad], azimuths rising over [0, 2 pi].
    corner_start : (station + 1,) int64
    labels : (capacity, N_LABELS) int64
    numbers : (capacity, N_NUMBERS) float64
        Filled as far as they reach.

    Returns
    -------
    int
        How many passes there are; with more than the capacity, call again with more room.
    """
    count = 0
    for p in range(sites_m.shape[0]):
        own = slice(corner_start[p], corner_start[p + 1])
        horizon = (mask_rad, corner_azimuth[own], corner_elevation[own])
        low = high = mask_rad  # below and above, the direction does not matter
        if corner_elevation[own].size:
            low, high = max(mask_rad, corner_elevation[own].min()), max(mask_rad, corner_elevation[own].max())
        site_radius_m = math.sqrt((sites_m[p] ** 2).sum())
        for k in range(track_start.size - 1):
            nodes = slice(track_start[k], track_start[k + 1])
            way = (node_s[nodes], node_m[nodes], sites_m[p], enu[p])
            rate = speed_mps[k] / max(least_radius_m[k] - site_radius_m, 1.0)
            begin, stop = way[0][0], way[0][-1]
            cut_before = _is_up(begin, *way, *horizon)
            if not cut_before:
                begin = _next_change(begin, False, rate, low, high, *way, *horizon)
            while begin <= stop:
                change = _next_change(begin, True, rate, low, high, *way, *horizon)
                end = min(change, stop)
                if count < labels.shape[0]:
                    row = numbers[count]
                    row[RISE_S], row[SET_S] = begin, end
                    row[RISE_AZIMUTH], _ = _angles(begin, *way)
                    row[SET_AZIMUTH], _ = _angles(end, *way)
                    at, azimuth, elevation = _culmination(begin, end, *way)
                    row[CULMINATION_S], row[CULMINATION_AZIMUTH], row[MAX_ELEVATION] = at, azimuth, elevation
                    labels[count, STATION], labels[count, TRACK] = p, k
                    labels[count, CUT_BEFORE], labels[count, CUT_AFTER] = cut_before, change > stop
                count += 1
                cut_before = False
                if change > stop:
                    break
                begin = _next_change(end, False, rate, low, high, *way, *horizon)
    return count
