"""Satellite positions from broadcast elements: Kepler with BeiDou's special cases, GLONASS, SBAS.

All positions are Earth-fixed [m] at the asked instant. Formulas: IS-GPS-200 table 20-IV (classic
elements), BDS-SIS-ICD-B1I 5.2.4.12 (GEO), BDS-SIS-ICD-B1C 7.7 and IS-GPS-200 table 30-II (elements with
rates), GLONASS ICD annex A.3.1.2 with its two misprints mended (the z row has 3, the y row minus).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import (
    AE_GLONASS_M,
    BEIDOU_GEO_TILT_RAD,
    GM_GLONASS_M3S2,
    J2_GLONASS,
    OMEGA_E_GLONASS_RADPS,
)
from gnss_coop.kernels._jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

# Orbit models, as in model.messages.OrbitModel.
KEPLER, GLONASS, SBAS = range(3)

# Columns of a Keplerian element row.
(SQRT_A, ECCENTRICITY, M0, OMEGA, OMEGA0, OMEGA_DOT, I0, I_DOT, DN0, CUC, CUS, CRC, CRS, CIC, CIS,
 A_DOT, DN0_DOT, TOE_OF_WEEK, GM, OMEGA_E, IS_GEO) = range(21)  # fmt: skip
N_ELEMENTS = 21
# A state row (GLONASS, SBAS) holds position, velocity and acceleration in its first nine columns, then the
# reference time: days since J2000 [d], for the Sun and the Moon.
DAYS_J2000 = 9

_STEP_S = 60.0  # RK4 step: 0.7 mm after 15 min, 2 cm after 6 h
_FROZEN_SPAN_S = 1800.0  # up to here the broadcast luni-solar acceleration is held constant
_GM_SUN_M3S2 = 1.32712440018e20  # [m^3/s^2] IERS Conventions 2010, table 1.1
_GM_MOON_M3S2 = 4.902800e12  # [m^3/s^2] IERS Conventions 2010, from the Moon-Earth mass ratio
_AU_M = 1.495978707e11  # [m] IAU 2012
_GEO_SIN, _GEO_COS = math.sin(BEIDOU_GEO_TILT_RAD), math.cos(BEIDOU_GEO_TILT_RAD)


@kernel
def _kepler(el: Floats, tk: float, xyz: Floats) -> None:
    """Fill the position of a Keplerian element row `tk` seconds after its reference time."""
    a0 = el[SQRT_A] * el[SQRT_A]
    a = a0 + el[A_DOT] * tk
    motion = math.sqrt(el[GM] / (a0 * a0 * a0)) + el[DN0] + 0.5 * el[DN0_DOT] * tk
    e = el[ECCENTRICITY]
    mean = el[M0] + motion * tk
    anomaly = mean + e * math.sin(mean)
    for _ in range(30):
        change = (anomaly - e * math.sin(anomaly) - mean) / (1.0 - e * math.cos(anomaly))
        anomaly -= change
        if abs(change) < 1e-14:
            break
    sin_e, cos_e = math.sin(anomaly), math.cos(anomaly)
    phi = math.atan2(math.sqrt(1.0 - e * e) * sin_e, cos_e - e) + el[OMEGA]
    sin_2, cos_2 = math.sin(2.0 * phi), math.cos(2.0 * phi)
    u = phi + el[CUS] * sin_2 + el[CUC] * cos_2
    r = a * (1.0 - e * cos_e) + el[CRS] * sin_2 + el[CRC] * cos_2
    inclination = el[I0] + el[I_DOT] * tk + el[CIS] * sin_2 + el[CIC] * cos_2
    x, y = r * math.cos(u), r * math.sin(u)
    geo = el[IS_GEO] > 0.0
    node_rate = el[OMEGA_DOT] if geo else el[OMEGA_DOT] - el[OMEGA_E]
    node = el[OMEGA0] + node_rate * tk - el[OMEGA_E] * el[TOE_OF_WEEK]
    sin_o, cos_o = math.sin(node), math.cos(node)
    cos_i = math.cos(inclination)
    xg = x * cos_o - y * cos_i * sin_o
    yg = x * sin_o + y * cos_i * cos_o
    zg = y * math.sin(inclination)
    if geo:  # from the tilted, inertial frame of the GEO elements: Rz(omega tk) Rx(-5 deg)
        sin_t, cos_t = math.sin(el[OMEGA_E] * tk), math.cos(el[OMEGA_E] * tk)
        y2 = yg * _GEO_COS + zg * _GEO_SIN
        zg = zg * _GEO_COS - yg * _GEO_SIN
        xg, yg = xg * cos_t + y2 * sin_t, y2 * cos_t - xg * sin_t
    xyz[0], xyz[1], xyz[2] = xg, yg, zg


@kernel
def _add_pull(gm: float, body: Floats, x: float, y: float, z: float, out: Floats) -> None:
    """Add the tidal acceleration of a body at `body` [m] on a satellite."""
    dx, dy, dz = body[0] - x, body[1] - y, body[2] - z
    d3 = (dx * dx + dy * dy + dz * dz) ** 1.5
    b3 = (body[0] * body[0] + body[1] * body[1] + body[2] * body[2]) ** 1.5
    out[0] += gm * (dx / d3 - body[0] / b3)
    out[1] += gm * (dy / d3 - body[1] / b3)
    out[2] += gm * (dz / d3 - body[2] / b3)


@kernel
def _to_earth_fixed(distance: float, longitude: float, latitude: float, days: float, body: Floats) -> None:
    """Turn ecliptic coordinates [m, rad] into Earth-fixed ones by obliquity and sidereal time."""
    tilt = math.radians(23.439 - 4.0e-7 * days)
    x = distance * math.cos(latitude) * math.cos(longitude)
    ye = distance * math.cos(latitude) * math.sin(longitude)
    ze = distance * math.sin(latitude)
    y = ye * math.cos(tilt) - ze * math.sin(tilt)
    z = ye * math.sin(tilt) + ze * math.cos(tilt)
    sidereal = math.radians(280.46061837 + 360.98564736629 * days)
    c, s = math.cos(sidereal), math.sin(sidereal)
    body[0], body[1], body[2] = c * x + s * y, c * y - s * x, z


@kernel
def _sun_and_moon(days: float, x: float, y: float, z: float, out: Floats) -> None:
    """Fill the Earth-fixed acceleration [m/s^2] that Sun and Moon give a satellite.

    Low-precision series of the Astronomical Almanac (pages C5 and D22): Sun to 0.01 deg, Moon to 0.3 deg.
    """
    body = np.empty(3)
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    g = math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(g) + 0.020 * math.sin(2 * g))
    distance = _AU_M * (1.00014 - 0.01671 * math.cos(g) - 0.00014 * math.cos(2 * g))
    _to_earth_fixed(distance, longitude, 0.0, days, body)
    _add_pull(_GM_SUN_M3S2, body, x, y, z, out)
    t = days / 36525.0
    a, b = math.radians(134.9 + 477198.85 * t), math.radians(259.2 - 413335.38 * t)
    c, d = math.radians(235.7 + 890534.23 * t), math.radians(269.9 + 954397.70 * t)
    longitude = (218.32 + 481267.883 * t + 6.29 * math.sin(a) - 1.27 * math.sin(b) + 0.66 * math.sin(c)
                 + 0.21 * math.sin(d) - 0.19 * math.sin(math.radians(357.5 + 35999.05 * t))
                 - 0.11 * math.sin(math.radians(186.6 + 966404.05 * t)))  # fmt: skip
    latitude = (5.13 * math.sin(math.radians(93.3 + 483202.03 * t))
                + 0.28 * math.sin(math.radians(228.2 + 960400.87 * t))
                - 0.28 * math.sin(math.radians(318.3 + 6003.18 * t))
                - 0.17 * math.sin(math.radians(217.6 - 407332.20 * t)))  # fmt: skip
    parallax = (0.9508 + 0.0518 * math.cos(a) + 0.0095 * math.cos(b) + 0.0078 * math.cos(c)
                + 0.0028 * math.cos(d))  # fmt: skip
    distance = 6378140.0 / math.sin(math.radians(parallax))
    _to_earth_fixed(distance, math.radians(longitude), math.radians(latitude), days, body)
    _add_pull(_GM_MOON_M3S2, body, x, y, z, out)


@kernel
def _glonass_rates(s: Floats, pull: Floats, out: Floats) -> None:
    """Fill the time derivative of a GLONASS state in the rotating frame of PZ-90."""
    r2 = s[0] * s[0] + s[1] * s[1] + s[2] * s[2]
    r = math.sqrt(r2)
    centre = GM_GLONASS_M3S2 / (r2 * r)
    k = 1.5 * J2_GLONASS * GM_GLONASS_M3S2 * AE_GLONASS_M * AE_GLONASS_M / (r2 * r2 * r)
    z2 = 5.0 * s[2] * s[2] / r2
    w = OMEGA_E_GLONASS_RADPS
    equatorial = w * w - centre - k * (1.0 - z2)
    out[0], out[1], out[2] = s[3], s[4], s[5]
    out[3] = equatorial * s[0] + 2.0 * w * s[4] + pull[0]
    out[4] = equatorial * s[1] - 2.0 * w * s[3] + pull[1]
    out[5] = -(centre + k * (3.0 - z2)) * s[2] + pull[2]


@kernel
def _glonass(row: Floats, tk: float, xyz: Floats) -> None:
    """Fill the position of a GLONASS state row after `tk` seconds: RK4 in steps of a minute."""
    s, trial = row[:6].copy(), np.empty(6)
    k1, k2, k3, k4 = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    pull = row[6:9].copy()
    done = 0.0
    while abs(tk - done) > 1e-9:
        h = min(_STEP_S, abs(tk - done))
        if tk < 0.0:
            h = -h
        if abs(tk) > _FROZEN_SPAN_S:
            _sun_and_moon(row[DAYS_J2000] + (done + 0.5 * h) / 86400.0, s[0], s[1], s[2], pull)
        _glonass_rates(s, pull, k1)
        for j in range(6):
            trial[j] = s[j] + 0.5 * h * k1[j]
        _glonass_rates(trial, pull, k2)
        for j in range(6):
            trial[j] = s[j] + 0.5 * h * k2[j]
        _glonass_rates(trial, pull, k3)
        for j in range(6):
            trial[j] = s[j] + h * k3[j]
        _glonass_rates(trial, pull, k4)
        for j in range(6):
            s[j] += h / 6.0 * (k1[j] + 2.0 * (k2[j] + k3[j]) + k4[j])
        done += h
    xyz[0], xyz[1], xyz[2] = s[0], s[1], s[2]


@kernel
def _position(model: int, row: Floats, tk: float, xyz: Floats) -> None:
    if model == KEPLER:
        _kepler(row, tk, xyz)
    elif model == GLONASS:
        _glonass(row, tk, xyz)
    else:
        for j in range(3):
            xyz[j] = row[j] + tk * (row[3 + j] + 0.5 * tk * row[6 + j])


@kernel
def positions(epoch_ns: Ints, chosen: Ints, toe_ns: Ints, model: Codes, elements: Floats, xyz: Floats) -> None:
    """Fill positions [m]; NaN where no record was chosen.

    Parameters
    ----------
    epoch_ns : int64 (n_time,)
    chosen : int64 (n_time, n_sv), record of each position, -1 for none
    toe_ns : int64 (n_record,)
    model : int8 (n_record,)
    elements : float64 (n_record, N_ELEMENTS)
    xyz : float64 (n_time, n_sv, 3), filled
    """
    for t in range(chosen.shape[0]):
        for s in range(chosen.shape[1]):
            record = chosen[t, s]
            if record < 0:
                xyz[t, s, 0], xyz[t, s, 1], xyz[t, s, 2] = np.nan, np.nan, np.nan
            else:
                tk = (epoch_ns[t] - toe_ns[record]) * 1e-9
                _position(model[record], elements[record], tk, xyz[t, s])


@kernel
def select(
    epoch_ns: Ints,
    group_start: Ints,
    group_stop: Ints,
    group_sv: Ints,
    toe_ns: Ints,
    sent_ns: Ints,
    limit_ns: Ints,
    healthy: Bools,
    any_health: bool,
    chosen: Ints,
    usable: Codes,
) -> None:
    """Choose the record of each satellite at each epoch.

    A group holds the records of one satellite and message, ordered by (toe, sent); groups of a satellite
    stand in order of preference. The first group with a valid record decides. Its record in force (the
    newest one sent by then, or the first to be sent where none was; of equals the last) says whether the
    satellite is healthy; the position comes from the record nearest in time, of several equally near from the
    one in force among them. A healthy satellite's comes from a healthy record; an unhealthy one has a position,
    from a record of any health, only with `any_health`.

    Fills `chosen` (n_time, n_sv; record or -1) and `usable` (n_time, n_sv; 0 no valid record,
    1 unhealthy, 2 healthy).
    """
    for t in range(epoch_ns.size):
        now = epoch_ns[t]
        for s in range(chosen.shape[1]):
            chosen[t, s] = -1
            usable[t, s] = 0
        for g in range(group_start.size):
            s = group_sv[g]
            if usable[t, s] > 0:
                continue
            limit = limit_ns[group_start[g]]
            start = np.searchsorted(toe_ns[group_start[g] : group_stop[g]], now - limit) + group_start[g]
            in_force, sent_in_force = -1, np.int64(0)
            stop = start
            while stop < group_stop[g] and toe_ns[stop] - now <= limit:
                sent = sent_ns[stop]
                later = in_force < 0 or (
                    (sent <= now and (sent_in_force > now or sent >= sent_in_force))
                    or (sent > now and sent_in_force > now and sent <= sent_in_force)
                )
                if later:
                    in_force, sent_in_force = stop, sent
                stop += 1
            if in_force < 0:
                continue
            usable[t, s] = 2 if healthy[in_force] else 1
            if healthy[in_force] or any_health:
                chosen[t, s] = _nearest(now, start, stop, toe_ns, sent_ns, healthy, not healthy[in_force])


@kernel
def _nearest(now: int, start: int, stop: int, toe_ns: Ints, sent_ns: Ints, healthy: Bools, any_health: bool) -> int:
    """Return the record nearest in time; of several equally near the one in force (see `select`)."""
    best = -1
    for k in range(start, stop):
        if not (healthy[k] or any_health):
            continue
        if best < 0:
            best = k
            continue
        nearer = abs(toe_ns[best] - now) - abs(toe_ns[k] - now)
        sent_k, sent_best = sent_ns[k] <= now, sent_ns[best] <= now
        newer = (sent_k and not sent_best) or (sent_k and sent_ns[k] >= sent_ns[best]) or (
            not sent_k and not sent_best and sent_ns[k] <= sent_ns[best]
        )  # fmt: skip
        if nearer > 0 or (nearer == 0 and newer):
            best = k
    return best


@kernel
def _distance_between(
    k: int, j: int, toe_ns: Ints, model: Codes, elements: Floats, here: Floats, there: Floats
) -> float:
    """Return how far apart two records put a satellite half way between their reference times [m]."""
    half = 0.5e-9 * (toe_ns[j] - toe_ns[k])
    _position(model[k], elements[k], half, here)
    _position(model[j], elements[j], -half, there)
    return math.sqrt((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2 + (here[2] - there[2]) ** 2)


@kernel
def find_doubtful(
    group_start: Ints,
    group_stop: Ints,
    toe_ns: Ints,
    reach_ns: Ints,
    model: Codes,
    elements: Floats,
    limit_m: float,
    doubtful: Bools,
) -> None:
    """Tell the groups in which some record disagrees with the next one, if that is not beyond `reach_ns`."""
    here, there = np.empty(3), np.empty(3)
    for g in range(group_start.size):
        for k in range(group_start[g], group_stop[g] - 1):
            apart_m = 0.0
            if toe_ns[k + 1] - toe_ns[k] <= reach_ns[k]:
                apart_m = _distance_between(k, k + 1, toe_ns, model, elements, here, there)
            if not apart_m <= limit_m:
                doubtful[g] = True
                break


@kernel
def find_disagreements(
    group_start: Ints,
    group_stop: Ints,
    toe_ns: Ints,
    reach_ns: Ints,
    model: Codes,
    elements: Floats,
    limit_m: float,
    apart_m: Floats,
) -> None:
    """Find records that agree with none of at least two neighbours in time.

    Neighbours are up to two records on each side, as far as `reach_ns`. Fills `apart_m` per record: the
    smallest distance from a neighbour [m] where that holds, 0 elsewhere.
    """
    here, there = np.empty(3), np.empty(3)
    for g in range(group_start.size):
        agreed = False  # with the record before
        for k in range(group_start[g], group_stop[g]):
            before = agreed
            agreed = (
                k + 1 < group_stop[g]
                and toe_ns[k + 1] - toe_ns[k] <= reach_ns[k]
                and _distance_between(k, k + 1, toe_ns, model, elements, here, there) <= limit_m
            )
            if before or agreed:
                continue
            n, least = 0, np.inf
            for j in range(max(k - 2, group_start[g]), min(k + 3, group_stop[g])):
                if j != k and abs(toe_ns[j] - toe_ns[k]) <= reach_ns[k]:
                    n += 1
                    least = min(least, _distance_between(k, j, toe_ns, model, elements, here, there))
            if n >= 2 and least > limit_m:
                apart_m[k] = least


@kernel
def distances(first: Ints, second: Ints, toe_ns: Ints, model: Codes, elements: Floats, out_m: Floats) -> None:
    """Fill how far apart pairs of records put a satellite half way between their reference times [m]."""
    here, there = np.empty(3), np.empty(3)
    for i in range(first.size):
        out_m[i] = _distance_between(first[i], second[i], toe_ns, model, elements, here, there)
