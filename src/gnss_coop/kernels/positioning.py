"""Single point positioning: lines of sight, delays of the atmosphere, and least squares epoch by epoch.

Lengths are metres, angles radians. The unknowns of an epoch are the offset from a reference position in its local
frame (east, north, up) and one clock per system, so that a pseudorange less everything that is known of it is

    y = -e.dx + c_s + noise,        e the unit vector to the satellite.

The step from the reference is linear: at 100 m the neglected term is 0.25 mm.
Every observation has a standard deviation of its own; clocks of systems may be free, the same, or tied to each other
by a variance tau of each about their mean (see `kernels.geometry`): then (I - 11'/k)/tau is added to their normals.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

# What became of an observation.
UNUSED, USED, OUTLIER = range(3)
#: Columns of the result of an epoch: offset, PDOP, HDOP, VDOP, variance factor v'Pv, then the clocks.
EAST, NORTH, UP, PDOP, HDOP, VDOP, VTPV, FIRST_CLOCK = range(8)
#: Upper triangle of the covariance of the offset.
N_COVARIANCE = 6

_LIGHT_SPEED_MPS = 299_792_458.0
_OMEGA_E_RADPS = 7.2921151467e-5  # IS-GPS-200; the others differ in the ninth digit, 1 um
_SEMICIRCLE = math.pi
_LEAST_PIVOT = 1e-9  # of an unweighted normal matrix: beyond it rounding decides
_LEAST_REDUNDANCY = 1e-4  # share of an observation that the others check; below it no error of it can be seen


@kernel
def lines_of_sight(
    satellite_m: Floats, station_m: Floats, enu: Floats, range_m: Floats, unit: Floats, azimuth: Floats,
    elevation: Floats,
) -> None:  # fmt: skip
    """Fill ranges with the Earth's rotation during the travel of the signal, and directions.

    Parameters
    ----------
    satellite_m : (n, 3) float64
        Earth-fixed at emission.
    station_m : (3,) float64
    enu : (3, 3) float64
        Local axes as rows.
    range_m, azimuth, elevation : (n,) float64, filled
    unit : (n, 3) float64, filled
        East, north and up of the unit vector to the satellite.
    """
    for i in range(satellite_m.shape[0]):
        x, y, z = satellite_m[i, 0], satellite_m[i, 1], satellite_m[i, 2]
        dx, dy, dz = x - station_m[0], y - station_m[1], z - station_m[2]
        distance = math.sqrt(dx * dx + dy * dy + dz * dz)
        for _ in range(2):  # the second round changes it by micrometres
            turn = _OMEGA_E_RADPS * distance / _LIGHT_SPEED_MPS
            c, s = math.cos(turn), math.sin(turn)
            dx, dy = c * x + s * y - station_m[0], c * y - s * x - station_m[1]
            distance = math.sqrt(dx * dx + dy * dy + dz * dz)
        range_m[i] = distance
        for j in range(3):
            unit[i, j] = (enu[j, 0] * dx + enu[j, 1] * dy + enu[j, 2] * dz) / distance
        elevation[i] = math.asin(max(-1.0, min(1.0, unit[i, 2])))
        azimuth[i] = math.atan2(unit[i, 0], unit[i, 1])


@kernel
def klobuchar_gps(
    alpha: Floats, beta: Floats, latitude: float, longitude: float, azimuth: Floats, elevation: Floats,
    second_of_day: Floats, delay_m: Floats,
) -> None:  # fmt: skip
    """Fill the ionosphere's delay at L1 by IS-GPS-200, 20.3.3.5.2.5.

    Parameters
    ----------
    alpha, beta : (4,) float64
        As broadcast [s, s/semicircle, ...].
    latitude, longitude : float
    azimuth, elevation, second_of_day : (n,) float64
        Second of the day of GPST.
    delay_m : (n,) float64, filled
    """
    for i in range(elevation.size):
        e = max(elevation[i], 0.0) / _SEMICIRCLE
        psi = 0.0137 / (e + 0.11) - 0.022
        phi = latitude / _SEMICIRCLE + psi * math.cos(azimuth[i])
        phi = max(-0.416, min(0.416, phi))
        lam = longitude / _SEMICIRCLE + psi * math.sin(azimuth[i]) / math.cos(phi * _SEMICIRCLE)
        phi += 0.064 * math.cos((lam - 1.617) * _SEMICIRCLE)
        t = (43200.0 * lam + second_of_day[i]) % 86400.0
        slant = 1.0 + 16.0 * (0.53 - e) ** 3
        amplitude = max(alpha[0] + phi * (alpha[1] + phi * (alpha[2] + phi * alpha[3])), 0.0)
        period = max(beta[0] + phi * (beta[1] + phi * (beta[2] + phi * beta[3])), 72000.0)
        x = 2.0 * math.pi * (t - 50400.0) / period
        day = amplitude * (1.0 - x * x / 2.0 + x * x * x * x / 24.0) if abs(x) < 1.57 else 0.0
        delay_m[i] = _LIGHT_SPEED_MPS * slant * (5e-9 + day)


@kernel
def klobuchar_beidou(
    alpha: Floats, beta: Floats, latitude: float, longitude: float, azimuth: Floats, elevation: Floats,
    second_of_day: Floats, delay_m: Floats,
) -> None:  # fmt: skip
    """As `klobuchar_gps`, at B1I by BDS-SIS-ICD-B1I 5.2.4.7: geographic pierce points at 375 km, a full cosine."""
    shell = 6378.0 / (6378.0 + 375.0)
    for i in range(elevation.size):
        e = max(elevation[i], 0.0)
        psi = math.pi / 2.0 - e - math.asin(shell * math.cos(e))
        phi = math.asin(math.sin(latitude) * math.cos(psi) + math.cos(latitude) * math.sin(psi) * math.cos(azimuth[i]))
        lam = longitude + math.asin(max(-1.0, min(1.0, math.sin(psi) * math.sin(azimuth[i]) / math.cos(phi))))
        t = (second_of_day[i] + lam * 43200.0 / math.pi) % 86400.0
        p = abs(phi) / _SEMICIRCLE
        amplitude = max(alpha[0] + p * (alpha[1] + p * (alpha[2] + p * alpha[3])), 0.0)
        period = beta[0] + p * (beta[1] + p * (beta[2] + p * beta[3]))
        period = max(72000.0, min(172800.0, period))
        day = amplitude * math.cos(2.0 * math.pi * (t - 50400.0) / period) if abs(t - 50400.0) < period / 4 else 0.0
        delay_m[i] = _LIGHT_SPEED_MPS * (5e-9 + day) / math.sqrt(1.0 - (shell * math.cos(e)) ** 2)


@kernel
def saastamoinen(latitude: float, height_m: float, elevation: Floats, delay_m: Floats) -> None:
    """Fill the troposphere's delay: Saastamoinen in the standard atmosphere, relative humidity 0.7.

    Zenith delay times 1.001 / sqrt(0.002001 + sin^2 e), the mapping of RTCA DO-229 (A.4.2.4).
    """
    h = max(-500.0, min(10_000.0, height_m))
    pressure = 1013.25 * (1.0 - 2.2557e-5 * h) ** 5.2568
    kelvin = 288.15 - 6.5e-3 * h
    vapour = 6.108 * 0.7 * math.exp((17.15 * kelvin - 4684.0) / (kelvin - 38.45))
    dry = 0.0022768 * pressure / (1.0 - 0.00266 * math.cos(2.0 * latitude) - 0.00028 * h / 1e3)
    wet = 0.002277 * (1255.0 / kelvin + 0.05) * vapour
    for i in range(elevation.size):
        s = math.sin(max(elevation[i], 0.0))
        delay_m[i] = (dry + wet) * 1.001 / math.sqrt(0.002001 + s * s)


@kernel
def _invert(matrix: Floats, n: int, least: float) -> bool:
    """Invert the leading n x n block of a symmetric positive matrix in place; False where it has no inverse."""
    for j in range(n):  # lower Cholesky root
        scale = matrix[j, j]
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        if not matrix[j, j] > least * scale:
            return False
        matrix[j, j] = math.sqrt(matrix[j, j])
        for i in range(j + 1, n):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]
    for j in range(n):  # its inverse
        matrix[j, j] = 1.0 / matrix[j, j]
        for i in range(j + 1, n):
            total = 0.0
            for k in range(j, i):
                total -= matrix[i, k] * matrix[k, j]
            matrix[i, j] = total / matrix[i, i]
    for j in range(n):  # root' root
        for i in range(j, n):
            total = 0.0
            for k in range(i, n):
                total += matrix[k, i] * matrix[k, j]
            matrix[i, j] = total
    for j in range(n):
        for i in range(j):
            matrix[i, j] = matrix[j, i]
    return True


@kernel
def _tie_clocks(matrix: Floats, n_clocks: int, tau_m2: float) -> None:
    """Add what is known of the offsets between clocks."""
    if n_clocks < 2 or math.isinf(tau_m2):
        return
    for a in range(n_clocks):
        for b in range(n_clocks):
            matrix[3 + a, 3 + b] += ((1.0 if a == b else 0.0) - 1.0 / n_clocks) / tau_m2


@kernel
def _normals(
    start: int, stop: int, unit: Floats, variance_m2: Floats, column: Ints, state: Codes, weighted: bool,
    matrix: Floats,
) -> None:  # fmt: skip
    matrix[:] = 0.0
    for i in range(start, stop):
        if state[i] != USED:
            continue
        w = 1.0 / variance_m2[i] if weighted else 1.0
        c = 3 + column[i - start]
        for a in range(3):
            for b in range(a + 1):
                matrix[a, b] += w * unit[i, a] * unit[i, b]
            matrix[c, a] -= w * unit[i, a]
        matrix[c, c] += w
    n = matrix.shape[0]
    for a in range(n):
        for b in range(a):
            matrix[b, a] = matrix[a, b]


@kernel
def _estimate(
    start: int, stop: int, y: Floats, unit: Floats, variance_m2: Floats, column: Ints, state: Codes, inverse: Floats,
    n: int, right: Floats, x: Floats,
) -> None:  # fmt: skip
    right[:] = 0.0
    for i in range(start, stop):
        if state[i] == USED:
            w = y[i] / variance_m2[i]
            for a in range(3):
                right[a] -= w * unit[i, a]
            right[3 + column[i - start]] += w
    for a in range(n):
        x[a] = 0.0
        for b in range(n):
            x[a] += inverse[a, b] * right[b]


@kernel
def _residuals(
    start: int, stop: int, y: Floats, unit: Floats, variance_m2: Floats, column: Ints, state: Codes, inverse: Floats,
    x: Floats, residual_m: Floats, checked: Floats,
) -> tuple[int, float, float]:  # fmt: skip
    """Fill residuals and what the others check of each; return the worst by its normalised residual, and v'Pv."""
    worst, largest, total = -1, 0.0, 0.0
    for i in range(start, stop):
        if state[i] == UNUSED:
            continue
        c = 3 + column[i - start]
        v = y[i] - x[c]
        leverage = inverse[c, c]
        for a in range(3):
            v += unit[i, a] * x[a]
            leverage -= 2.0 * unit[i, a] * inverse[a, c]
            for b in range(3):
                leverage += unit[i, a] * unit[i, b] * inverse[a, b]
        residual_m[i] = v
        if state[i] == OUTLIER:
            continue
        checked[i] = max(0.0, 1.0 - leverage / variance_m2[i])
        total += v * v / variance_m2[i]
        if checked[i] > _LEAST_REDUNDANCY:
            size = abs(v) / math.sqrt(variance_m2[i] * checked[i])
            if size > largest:
                worst, largest = i, size
    return worst, largest, total


@kernel
def solve_epochs(
    row_start: Ints, system: Ints, y: Floats, unit: Floats, elevation: Floats, variance_m2: Floats, members: Bools,
    mask_rad: float, tau_m2: float, outlier_limit: float, max_pdop: float, result: Floats, covariance: Floats,
    n_used: Ints, redundancy: Ints, residual_m: Floats, checked: Floats, state: Codes,
) -> None:  # fmt: skip
    """Estimate position and clocks of each epoch with one set of systems above one mask.

    The observation with the largest normalised residual is left out while that is above `outlier_limit` and at
    least two observations are redundant: with one, every residual is normalised to the same number.

    Parameters
    ----------
    row_start : (n_epoch + 1,) int64
        Rows of epoch t are ``row_start[t]`` up to ``row_start[t + 1]``.
    system : (n_row,) int64
        Index of the system.
    y, elevation, variance_m2 : (n_row,) float64
    unit : (n_row, 3) float64
    members : (n_system,) bool
    mask_rad : float
    tau_m2 : float
        Variance of each clock about their mean: 0 one clock, infinity free clocks.
    outlier_limit : float
        In standard deviations; infinity for no test.
    max_pdop : float
        Epochs with a larger (unweighted) PDOP have no fix.
    result : (n_epoch, FIRST_CLOCK + n_system) float64, filled
        NaN without a fix. Clocks [m], of systems in use; all the same with tau 0.
    covariance : (n_epoch, N_COVARIANCE) float64, filled
        Upper triangle in east, north, up [m^2].
    n_used, redundancy : (n_epoch,) int64, filled
        Observations used (also without a fix), and observations (with ties of clocks) less unknowns.
    residual_m, checked : (n_row,) float64, filled
        Residuals, of outliers from the solution without them; the share of each that the others check; NaN elsewhere.
    state : (n_row,) int8, filled
        UNUSED, USED, OUTLIER.
    """
    n_system = members.size
    matrix, plain = np.zeros((3 + n_system, 3 + n_system)), np.zeros((3 + n_system, 3 + n_system))
    right, x = np.zeros(3 + n_system), np.zeros(3 + n_system)
    clock_of = np.zeros(n_system, np.int64)
    longest = 0
    for t in range(row_start.size - 1):
        longest = max(longest, row_start[t + 1] - row_start[t])
    column = np.zeros(longest, np.int64)
    residual_m[:], checked[:], state[:] = np.nan, np.nan, UNUSED
    result[:], covariance[:] = np.nan, np.nan
    for t in range(row_start.size - 1):
        start, stop = row_start[t], row_start[t + 1]
        used = 0
        for i in range(start, stop):
            if members[system[i]] and elevation[i] >= mask_rad and not math.isnan(y[i]):
                state[i] = USED
                used += 1
        while True:
            clock_of[:] = -1
            n_clocks = 0
            for i in range(start, stop):
                if state[i] == USED and clock_of[system[i]] < 0:
                    clock_of[system[i]] = 0 if tau_m2 == 0.0 else n_clocks
                    n_clocks = 1 if tau_m2 == 0.0 else n_clocks + 1
            for i in range(start, stop):
                column[i - start] = max(clock_of[system[i]], 0)
            ties = n_clocks - 1 if n_clocks > 1 and not math.isinf(tau_m2) else 0
            n = 3 + n_clocks
            n_used[t], redundancy[t] = used, used + ties - n
            if used + ties < n:
                break
            _normals(start, stop, unit, variance_m2, column, state, False, plain)
            _tie_clocks(plain, n_clocks, tau_m2)
            if not _invert(plain, n, _LEAST_PIVOT):
                break
            pdop = math.sqrt(plain[0, 0] + plain[1, 1] + plain[2, 2])
            if not pdop <= max_pdop:
                break
            _normals(start, stop, unit, variance_m2, column, state, True, matrix)
            _tie_clocks(matrix, n_clocks, tau_m2)
            if not _invert(matrix, n, 0.0):
                break
            _estimate(start, stop, y, unit, variance_m2, column, state, matrix, n, right, x)
            worst, largest, vtpv = _residuals(
                start, stop, y, unit, variance_m2, column, state, matrix, x, residual_m, checked
            )
            if largest > outlier_limit and redundancy[t] >= 2:
                state[worst] = OUTLIER
                used -= 1
                continue
            result[t, EAST], result[t, NORTH], result[t, UP] = x[0], x[1], x[2]
            result[t, PDOP], result[t, HDOP] = pdop, math.sqrt(plain[0, 0] + plain[1, 1])
            result[t, VDOP], result[t, VTPV] = math.sqrt(plain[2, 2]), vtpv
            for s in range(n_system):
                if clock_of[s] >= 0:
                    result[t, FIRST_CLOCK + s] = x[3 + clock_of[s]]
            k = 0
            for a in range(3):
                for b in range(a, 3):
                    covariance[t, k] = matrix[a, b]
                    k += 1
            break


@kernel
def _gamma_share(square: float, trace: float, trace_of_square: float) -> float:
    """Return the probability that a sum of squares of normal variates is below `square`.

    Satterthwaite's scaled chi-square with the same mean and variance, by Wilson and Hilferty's cube root: within
    0.01 of the exact probability, in the upper tail within 0.002.
    """
    degrees = trace * trace / trace_of_square
    ratio = square / trace
    spread = 2.0 / (9.0 * degrees)
    z = (ratio ** (1.0 / 3.0) - (1.0 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@kernel
def expected_percentile(covariance: Floats, first: int, last: int, share: float) -> float:
    """Return the length below which a share of the errors of all epochs is expected.

    Errors are normal with each epoch's own covariance; `first` and `last` are the axes that count (0 to 2: east,
    north, up). NaN without any epoch; rows of NaN do not count.
    """
    n_epoch = covariance.shape[0]
    traces, squares = np.empty(n_epoch), np.empty(n_epoch)
    n, largest = 0, 0.0
    for t in range(n_epoch):
        if math.isnan(covariance[t, 0]):
            continue
        trace, square, k = 0.0, 0.0, 0
        for a in range(3):
            for b in range(a, 3):
                if first <= a and b <= last:
                    if a == b:
                        trace += covariance[t, k]
                        square += covariance[t, k] ** 2
                    else:
                        square += 2.0 * covariance[t, k] ** 2
                k += 1
        traces[n], squares[n] = trace, square
        largest = max(largest, trace)
        n += 1
    if n == 0:
        return math.nan
    low, high = 0.0, 25.0 * largest
    for _ in range(60):
        middle = 0.5 * (low + high)
        total = 0.0
        for k in range(n):
            total += _gamma_share(middle, traces[k], squares[k])
        if total < share * n:
            low = middle
        else:
            high = middle
    return math.sqrt(high)
