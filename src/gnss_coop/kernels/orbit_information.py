"""How well ranges from ground stations determine an orbit: transition matrices, information, formal sigma.

The state is position and velocity at one epoch, inertial. Its transition matrix comes from the variational
equations along an orbit under the Earth's central field and oblateness (Montenbruck and Gill, Satellite Orbits,
2000, sections 3.2 and 7.2). A range from a station in the direction u informs about the state by u' Phi. The
satellite's clock is an unknown of each epoch: it takes the weighted mean out of the lines of sight of the epoch.
That mean is carried along as stations are added (Welford's recursion), so that nothing cancels:
each station beyond the first adds c g g' with g = Phi' (u - mean) and c = w W / (w + W).

Rows of the transition matrix and lines of sight are in the radial, along-track and cross-track directions of the
epoch.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Longest step of the integration [s]: as for GLONASS orbits it keeps a day to centimetres.
MAX_STEP_S = 60.0
#: Numbers of a state and its transition matrix.
_N_STATE = 42


@kernel
def _derivative(y: Floats, gm: float, j2_gm_ae2: float, out: Floats) -> None:
    """Time derivative of position, velocity and the transition matrix (6 x 6 behind them, by rows)."""
    x, v = y[:3], y[3:6]
    r2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
    r = math.sqrt(r2)
    r3, r5 = r2 * r, r2 * r2 * r
    k = 1.5 * j2_gm_ae2 / r5
    zz = x[2] * x[2] / r2
    gradient = np.zeros((3, 3))
    for i in range(3):
        own = 3.0 if i == 2 else 1.0
        out[i] = v[i]
        out[3 + i] = -x[i] * (gm / r3 + k * (own - 5.0 * zz))
        for j in range(3):
            gradient[i, j] = 3.0 * gm * x[i] * x[j] / r5
            # Of k x_i (own - 5 z^2/r^2) with k ~ r^-5, by x_j.
            gradient[i, j] += k * x[i] * x[j] / r2 * (5.0 * own - 35.0 * zz)
            if j == 2:
                gradient[i, j] += 10.0 * k * x[i] * x[2] / r2
        gradient[i, i] -= gm / r3 + k * (own - 5.0 * zz)
    for j in range(6):
        for i in range(3):
            out[6 + 6 * i + j] = y[6 + 6 * (3 + i) + j]
            total = 0.0
            for m in range(3):
                total += gradient[i, m] * y[6 + 6 * m + j]
            out[6 + 6 * (3 + i) + j] = total


@kernel
def _advance(y: Floats, span_s: float, gm: float, j2_gm_ae2: float) -> None:
    """Carry a state by `span_s`, forwards or backwards, by Runge-Kutta steps of the fourth order."""
    n_steps = max(1, math.ceil(abs(span_s) / MAX_STEP_S))
    h = span_s / n_steps
    k1, k2, k3, k4 = np.empty(_N_STATE), np.empty(_N_STATE), np.empty(_N_STATE), np.empty(_N_STATE)
    for _ in range(n_steps):
        _derivative(y, gm, j2_gm_ae2, k1)
        _derivative(y + 0.5 * h * k1, gm, j2_gm_ae2, k2)
        _derivative(y + 0.5 * h * k2, gm, j2_gm_ae2, k3)
        _derivative(y + h * k3, gm, j2_gm_ae2, k4)
        for i in range(_N_STATE):
            y[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i])


@kernel
def _store(y: Floats, angle: float, basis_out: Floats, phi_out: Floats) -> None:
    """Write the directions of the orbit, turned to the Earth, and the position rows of the matrix along them."""
    basis = np.empty((3, 3))
    x, v = y[:3], y[3:6]
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    cross = np.array([x[1] * v[2] - x[2] * v[1], x[2] * v[0] - x[0] * v[2], x[0] * v[1] - x[1] * v[0]])
    h = math.sqrt(cross[0] ** 2 + cross[1] ** 2 + cross[2] ** 2)
    for i in range(3):
        basis[0, i] = x[i] / r
        basis[2, i] = cross[i] / h
    basis[1, 0] = basis[2, 1] * basis[0, 2] - basis[2, 2] * basis[0, 1]
    basis[1, 1] = basis[2, 2] * basis[0, 0] - basis[2, 0] * basis[0, 2]
    basis[1, 2] = basis[2, 0] * basis[0, 1] - basis[2, 1] * basis[0, 0]
    c, s = math.cos(angle), math.sin(angle)
    for d in range(3):
        for j in range(6):
            phi_out[d, j] = 0.0
            for i in range(3):
                phi_out[d, j] += basis[d, i] * y[6 + 6 * i + j]
        basis_out[d, 0] = c * basis[d, 0] + s * basis[d, 1]
        basis_out[d, 1] = c * basis[d, 1] - s * basis[d, 0]
        basis_out[d, 2] = basis[d, 2]


@kernel
def transition(
    states: Floats,
    reference: Ints,
    n_times: int,
    step_s: float,
    physics: Floats,
    position_out: Floats,
    basis_out: Floats,
    phi_out: Floats,
) -> None:
    """Integrate orbits and their transition matrices to evenly spaced epochs.

    Parameters
    ----------
    states : (sv, 6) float64
        Position and velocity at the reference epoch, in the inertial frame that agrees with the Earth-fixed one
        then; NaN for a satellite without a state.
    reference : (sv,) int64
        Number of the reference epoch.
    n_times : int
    step_s : float
        Between epochs.
    physics : (4,) float64
        GM [m^3/s^2], J2 [-], equatorial radius [m], rotation of the Earth [rad/s].
    position_out : (time, sv, 3) float64
        Filled: positions, Earth-fixed.
    basis_out : (time, sv, 3, 3) float64
        Filled: rows radial, along-track and cross-track, Earth-fixed components.
    phi_out : (time, sv, 3, 6) float64
        Filled: radial, along-track and cross-track displacement per unit of the state at the reference epoch.
    """
    gm, rotation = physics[0], physics[3]
    j2_gm_ae2 = physics[1] * gm * physics[2] ** 2
    for s in range(states.shape[0]):
        if math.isnan(states[s, 0]):
            position_out[:, s], basis_out[:, s], phi_out[:, s] = math.nan, math.nan, math.nan
            continue
        for direction in (1, -1):
            y = np.zeros(_N_STATE)
            y[:6] = states[s]
            for i in range(6):
                y[6 + 7 * i] = 1.0
            t = reference[s]
            while 0 <= t < n_times:
                angle = rotation * step_s * (t - reference[s])
                c, sn = math.cos(angle), math.sin(angle)
                position_out[t, s, 0] = c * y[0] + sn * y[1]
                position_out[t, s, 1] = c * y[1] - sn * y[0]
                position_out[t, s, 2] = y[2]
                _store(y, angle, basis_out[t, s], phi_out[t, s])
                _advance(y, direction * step_s, gm, j2_gm_ae2)
                t += direction


@kernel
def lines_of_sight(
    satellites_m: Floats, stations_m: Floats, up: Floats, visible: Bools, basis: Floats, out: Floats
) -> None:
    """Directions from stations to satellites along the orbits' own axes, and the weights of the ranges.

    The weight is the squared sine of the elevation: noise grows as 1/sin, from the value at the zenith.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
    stations_m, up : (station, 3) float64
        Positions and upward normals, Earth-fixed.
    visible : (station, time, sv) bool
    basis : (time, sv, 3, 3) float64
        As `transition` gives it.
    out : (time, sv, station, 4) float64
        Filled: radial, along-track, cross-track component and weight; the weight is 0 where there is no view, or
        one below the horizon, which a negative mask allows.
    """
    n_stations, n_times, n_satellites = visible.shape
    out[:] = 0.0
    for t in range(n_times):
        for s in range(n_satellites):
            for p in range(n_stations):
                if not visible[p, t, s] or math.isnan(basis[t, s, 0, 0]):
                    continue
                d = satellites_m[t, s] - stations_m[p]
                length = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
                for i in range(3):
                    row = basis[t, s, i]
                    out[t, s, p, i] = (row[0] * d[0] + row[1] * d[1] + row[2] * d[2]) / length
                sine = (up[p, 0] * d[0] + up[p, 1] * d[1] + up[p, 2] * d[2]) / length
                out[t, s, p, 3] = max(sine, 0.0) ** 2


@kernel
def _add_outer(matrix: Floats, phi: Floats, d0: float, d1: float, d2: float, weight: float, g: Floats) -> None:
    """Add weight g g' with g = phi' d to the lower triangle; `g` is room for it."""
    for j in range(6):
        g[j] = phi[0, j] * d0 + phi[1, j] * d1 + phi[2, j] * d2
    for i in range(6):
        for j in range(i + 1):
            matrix[i, j] += weight * g[i] * g[j]


@kernel
def information(phi: Floats, lines: Floats, members: Bools, clock_known: bool, out: Floats) -> None:
    """Sum the information of all ranges about each satellite's state.

    Parameters
    ----------
    phi : (time, sv, 3, 6) float64
    lines : (time, sv, station, 4) float64
        As `lines_of_sight` gives it.
    members : (station,) bool
        Stations that measure.
    clock_known : bool
        Whether the satellite's clock is known, rather than an unknown of each epoch.
    out : (sv, 6, 6) float64
        Filled, lower triangles; for ranges of unit noise at the zenith, one per station and epoch.
    """
    n_times, n_satellites, n_stations, _ = lines.shape
    g = np.empty(6)
    out[:] = 0.0
    for t in range(n_times):
        for s in range(n_satellites):
            total, m0, m1, m2 = 0.0, 0.0, 0.0, 0.0
            for p in range(n_stations):
                w = lines[t, s, p, 3]
                if not members[p] or w <= 0.0:
                    continue
                u = lines[t, s, p]
                if clock_known:
                    _add_outer(out[s], phi[t, s], u[0], u[1], u[2], w, g)
                    continue
                d0, d1, d2 = u[0] - m0, u[1] - m1, u[2] - m2
                if total > 0.0:
                    _add_outer(out[s], phi[t, s], d0, d1, d2, w * total / (w + total), g)
                total += w
                m0 += w / total * d0
                m1 += w / total * d1
                m2 += w / total * d2


@kernel
def moments(phi: Floats, usable: Bools, out: Floats) -> None:
    """Mean squares of the displacements over the usable epochs: sigma^2 in a direction is tr(P moment).

    Parameters
    ----------
    phi : (time, sv, 3, 6) float64
    usable : (time, sv) bool
    out : (sv, 3, 6, 6) float64
        Filled; 0 for a satellite without usable epochs.
    """
    n_times, n_satellites = usable.shape
    out[:] = 0.0
    for s in range(n_satellites):
        n = 0
        for t in range(n_times):
            if not usable[t, s] or math.isnan(phi[t, s, 0, 0]):
                continue
            n += 1
            for d in range(3):
                for i in range(6):
                    for j in range(6):
                        out[s, d, i, j] += phi[t, s, d, i] * phi[t, s, d, j]
        if n > 0:
            out[s] /= n


@kernel
def _whitened(matrix: Floats, factor: Floats, scale: Floats) -> float:
    """Cholesky factor of the matrix scaled to a unit diagonal; returns the least pivot, 0 where it fails."""
    for i in range(6):
        if not matrix[i, i] > 0.0:
            return 0.0
        scale[i] = 1.0 / math.sqrt(matrix[i, i])
    least = 1.0
    for i in range(6):
        for j in range(i + 1):
            value = matrix[i, j] * scale[i] * scale[j]
            for m in range(j):
                value -= factor[i, m] * factor[j, m]
            if i == j:
                if not value > 0.0:
                    return 0.0
                least = min(least, value)
                factor[i, i] = math.sqrt(value)
            else:
                factor[i, j] = value / factor[j, j]
    return least


@kernel
def sigmas(matrices: Floats, moment: Floats, least_pivot: float, out: Floats) -> None:
    """Formal standard deviations along the orbit from information about the state.

    Parameters
    ----------
    matrices : (..., 6, 6) float64, here (sv, 6, 6)
        Lower triangles, as `information` gives them.
    moment : (sv, 3, 6, 6) float64
        As `moments` gives it.
    least_pivot : float
        Smallest pivot of the scaled matrix with which it still counts as regular.
    out : (sv, 3) float64
        Filled: radial, along-track, cross-track, root mean square over the epochs; NaN where the matrix is singular.
    """
    factor, scale, column = np.zeros((6, 6)), np.empty(6), np.empty(6)
    inverse = np.empty((6, 6))
    for s in range(matrices.shape[0]):
        out[s] = math.nan
        if not _whitened(matrices[s], factor, scale) > least_pivot:
            continue
        for k in range(6):  # columns of the inverse of the scaled factor
            for i in range(6):
                value = 1.0 if i == k else 0.0
                for m in range(i):
                    value -= factor[i, m] * column[m]
                column[i] = value / factor[i, i]
            inverse[:, k] = column
        for d in range(3):
            total = 0.0
            for i in range(6):
                for j in range(6):
                    covariance = 0.0
                    for m in range(6):
                        covariance += inverse[m, i] * inverse[m, j]
                    total += covariance * scale[i] * scale[j] * moment[s, d, i, j]
            out[s, d] = math.sqrt(total)


@kernel
def centres(lines: Floats, members: Bools, out: Floats) -> None:
    """Weighted mean line of sight of a network and its weight, which one more station is measured against.

    Parameters
    ----------
    lines : (time, sv, station, 4) float64
    members : (station,) bool
    out : (time, sv, 4) float64
        Filled: mean components and total weight.
    """
    n_times, n_satellites, n_stations, _ = lines.shape
    out[:] = 0.0
    for t in range(n_times):
        for s in range(n_satellites):
            for p in range(n_stations):
                w = lines[t, s, p, 3]
                if members[p] and w > 0.0:
                    out[t, s, 3] += w
                    for i in range(3):
                        out[t, s, i] += w / out[t, s, 3] * (lines[t, s, p, i] - out[t, s, i])


@kernel
def with_one_more(phi: Floats, centre: Floats, base: Floats, site_lines: Floats, out: Floats) -> None:
    """Information of a network and one more station; see the module's head.

    Parameters
    ----------
    phi : (time, sv, 3, 6) float64
    centre : (time, sv, 4) float64
        As `centres` gives it.
    base : (sv, 6, 6) float64
        Information of the network alone, lower triangles.
    site_lines : (time, sv, 1, 4) float64
        Of the additional station.
    out : (sv, 6, 6) float64
        Filled, lower triangles.
    """
    n_times, n_satellites = centre.shape[:2]
    g = np.empty(6)
    out[:] = base
    for t in range(n_times):
        for s in range(n_satellites):
            w, total = site_lines[t, s, 0, 3], centre[t, s, 3]
            if w > 0.0 and total > 0.0:
                u, m = site_lines[t, s, 0], centre[t, s]
                c = w * total / (w + total)
                _add_outer(out[s], phi[t, s], u[0] - m[0], u[1] - m[1], u[2] - m[2], c, g)
