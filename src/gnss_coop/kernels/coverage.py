"""What a ground network sees: for how long, by how many stations, in which arcs and gaps.

Who sees a satellite at an epoch is one number: bit p is set when station p does. So any subset of stations is
judged by masking bits, which makes the worth of stations (all subsets) as cheap as the coverage of one network.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel

Bits = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Stations that the bits of one number can hold.
MAX_STATIONS = 64

# Columns of `coverage`, in epochs where they are lengths of time; the k-fold columns follow behind.
N_USABLE, DEPTH, N_ARCS, ARC_SUM, ARC_MAX, N_GAPS, GAP_SUM, GAP_MAX = range(8)
N_FIXED = 8


@kernel
def _count(bits: int) -> int:
    """Count the set bits, one step each."""
    n = 0
    while bits != 0:
        bits = bits & (bits - np.uint64(1))  # type: ignore[assignment]  # numba's integers are numpy's
        n += 1
    return n


@kernel
def views(visible: Bools, out: Bits) -> None:
    """Pack who sees what into bits.

    Parameters
    ----------
    visible : (station, time, sv) bool
        Of at most `MAX_STATIONS` stations.
    out : (time, sv) uint64
        Filled: bit p is set where station p sees the satellite.
    """
    n_stations, n_times, n_satellites = visible.shape
    out[:] = np.uint64(0)
    for p in range(n_stations):
        bit = np.uint64(1) << np.uint64(p)
        for t in range(n_times):
            for s in range(n_satellites):
                if visible[p, t, s]:
                    out[t, s] |= bit


@kernel
def _end_run(row: Floats, in_arc: bool, length: int) -> None:
    if length == 0:
        return
    first = N_ARCS if in_arc else N_GAPS
    row[first] += 1.0
    row[first + 1] += length
    row[first + 2] = max(row[first + 2], length)


@kernel
def coverage(seen_by: Bits, usable: Bools, subset: int, out: Floats) -> None:
    """Sum up what a subset of the stations sees of each satellite.

    Epochs at which the satellite has no usable ephemeris belong neither to arcs nor to gaps, and end both.

    Parameters
    ----------
    seen_by : (time, sv) uint64
        As `views` makes it.
    usable : (time, sv) bool
        Where the satellite's position is known.
    subset : uint64
        Bits of the stations that count.
    out : (sv, N_FIXED + k) float64
        Filled: usable epochs, sum of stations in view over them, then number, sum and longest of arcs and of gaps
        [epochs], then the number of epochs with at least 1, 2, ... k stations in view.
    """
    n_times, n_satellites = seen_by.shape
    n_folds = out.shape[1] - N_FIXED
    out[:] = 0.0
    for s in range(n_satellites):
        row = out[s]
        length, in_arc = 0, False
        for t in range(n_times):
            if not usable[t, s]:
                _end_run(row, in_arc, length)
                length = 0
                continue
            n = _count(seen_by[t, s] & subset)
            row[N_USABLE] += 1.0
            row[DEPTH] += n
            if n > 0 and n_folds > 0:
                row[N_FIXED + min(n, n_folds) - 1] += 1.0  # exactly n; summed from behind below
            if length > 0 and in_arc != (n > 0):
                _end_run(row, in_arc, length)
                length = 0
            in_arc = n > 0
            length += 1
        _end_run(row, in_arc, length)
        for k in range(n_folds - 2, -1, -1):
            row[N_FIXED + k] += row[N_FIXED + k + 1]


@kernel
def site_views(satellites_m: Floats, site_m: Floats, up: Floats, sine_mask: float, out: Bools) -> None:
    """Tell what a site with an open horizon sees; it needs no angles.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
    site_m, up : (3,) float64
        Position and upward normal, Earth-fixed.
    sine_mask : float
        Sine of the elevation mask.
    out : (time, sv) bool
        Filled, False where the satellite's position is NaN.
    """
    n_times, n_satellites, _ = satellites_m.shape
    for t in range(n_times):
        for s in range(n_satellites):
            dx = satellites_m[t, s, 0] - site_m[0]
            dy = satellites_m[t, s, 1] - site_m[1]
            dz = satellites_m[t, s, 2] - site_m[2]
            height = up[0] * dx + up[1] * dy + up[2] * dz
            out[t, s] = height >= sine_mask * math.sqrt(dx * dx + dy * dy + dz * dz)


@kernel
def site_coverage(depth: npt.NDArray[np.int64], usable: Bools, visible: Bools, out: Floats) -> None:
    """Sum up what one more station adds to a network.

    Parameters
    ----------
    depth : (time, sv) int64
        Stations of the network in view.
    usable : (time, sv) bool
    visible : (time, sv) bool
        What the site sees.
    out : (sv, 4) float64
        Filled: epochs that become seen by one station, by two, added views, and the longest gap that stays [epochs].
    """
    n_times, n_satellites = visible.shape
    out[:] = 0.0
    for s in range(n_satellites):
        gap = 0.0
        for t in range(n_times):
            if not usable[t, s]:
                gap = 0.0
                continue
            if visible[t, s]:
                out[s, 2] += 1.0
                if depth[t, s] == 0:
                    out[s, 0] += 1.0
                elif depth[t, s] == 1:
                    out[s, 1] += 1.0
            if visible[t, s] or depth[t, s] > 0:
                gap = 0.0
            else:
                gap += 1.0
                out[s, 3] = max(out[s, 3], gap)
