"""Mean elements from broadcast records: least squares over the positions that the records give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.elements.almanac import DAY_NS, Almanac, FloatArray, sidereal_deg
from gnss_coop.elements.mean_elements import (
    MeanElements,
    earth_fixed,
    precession,
    secular_rates,
    synchronous_drift,
    turned,
)
from gnss_coop.ephemerides import records as rec
from gnss_coop.errors import EphemerisGapError
from gnss_coop.kernels import orbits

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides

#: Spans before the last record over which elements are fitted, each from those of the one before [days]. A manoeuvre
#: leaves it at the last span that one orbit explains.
_SPANS_DAYS: Final = (0.125, 0.5, 3.0)
#: Distance from the fitted orbit that the forces left out explain; more is a manoeuvre or a wrong record [m].
_MAX_RMS_M: Final = 10_000.0
#: What the forces left out do: to a position [m], and to the mean motion that belongs to a semi-major axis [-].
_POSITION_SIGMA_M: Final = 1500.0
_MOTION_SIGMA: Final = 2e-5
_ROUNDS: Final = 8
_MIN_M, _MAX_ECCENTRICITY = 1e7, 0.3
#: Steps of the numerical derivatives: semi-major axis [m], then angles and eccentricities [rad, -], motion [-].
_STEPS: Final = np.array([10.0, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-8])


def mean_elements(nav: Ephemerides) -> Almanac:
    """Derive mean elements of each satellite from its records.

    All orbit models go the same way: the positions of the records within their validity are turned into an inertial
    frame, and elements are fitted to those of up to three days before the last record. Where the records span
    less than about a revolution, the mean motion follows from the semi-major axis; over a longer span it is fitted.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.

    Returns
    -------
    Almanac
        `MeanElements` of each satellite; `unmatched` says which satellites no orbit fits.

    Raises
    ------
    EphemerisGapError
        If `nav` holds no record.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> worst = max(gc.mean_elements(nav).orbits, key=lambda orbit: orbit.fit_rms_m)
    >>> worst.fit_rms_m < 2000
    True
    """
    if len(nav) == 0:
        raise EphemerisGapError("mean elements need navigation records: there is none in the files")
    found: list[MeanElements] = []
    failed: list[str] = []
    for sv, rows, healthy in _by_satellite(nav):
        epoch_ns, xyz_m = _samples(nav, rows)
        last_ns = int(nav.derived.toe_ns[rows].max())
        orbit = _fit_newest(sv, epoch_ns, xyz_m, healthy, last_ns)
        if orbit is None:
            failed.append(f"{sv} (no orbit fits its records)")
        else:
            found.append(orbit)
    return Almanac(tuple(found), tuple(failed), nav.files)


def mean_elements_of_spans(nav: Ephemerides) -> Almanac:
    """Derive mean elements of each satellite from each span of records without a day's gap.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.

    Returns
    -------
    Almanac
        As from `mean_elements`, with as many orbits of a satellite as its records have spans: what lies between two
        spans is forecast from the nearer one.
    """
    order = np.argsort(nav.derived.toe_ns, kind="stable")
    gaps = np.flatnonzero(np.diff(nav.derived.toe_ns[order]) > DAY_NS)
    if not gaps.size:
        return mean_elements(nav)
    parts = []
    for rows in np.split(order, gaps + 1):
        rows.sort()
        parts.append(mean_elements(replace(nav, table=nav.table.take(rows), derived=nav.derived.take(rows))))
    orbits_of_all = sorted((orbit for part in parts for orbit in part.orbits), key=lambda orbit: orbit.sv)
    fitted = {orbit.sv for orbit in orbits_of_all}
    failed = dict.fromkeys(text for part in parts for text in part.unmatched if text.split()[0] not in fitted)
    return Almanac(tuple(orbits_of_all), tuple(failed), nav.files)


def _by_satellite(nav: Ephemerides) -> Iterator[tuple[str, npt.NDArray[np.int64], bool]]:
    """Yield name, rows of one record per reference time (healthy ones, if there are), and health."""
    keys = rec.satellite_key(nav.table)
    for key in np.unique(keys):
        rows = np.flatnonzero(keys == key)
        newest = rows[np.lexsort((nav.derived.sent_ns[rows], nav.derived.toe_ns[rows]))[-1]]
        good = rows[nav.derived.healthy[rows]]
        rows = good if good.size else rows
        _, first = np.unique(nav.derived.toe_ns[rows], return_index=True)
        yield f"{chr(key // 1000)}{key % 1000:02d}", rows[first], bool(nav.derived.healthy[newest])


def _samples(nav: Ephemerides, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Return epochs and Earth-fixed positions [m] at, before and after the reference times of records."""
    half_ns = rec.MESSAGE_LIMIT_NS[nav.table.message[rows]] // 2
    chosen = np.concatenate((rows, rows, rows))
    shift_ns = np.concatenate((-half_ns, 0 * half_ns, half_ns))
    epoch_ns = nav.derived.toe_ns[chosen] + shift_ns
    derived = nav.derived.take(chosen)
    xyz_m = np.empty((chosen.size, 3))
    own = np.arange(chosen.size, dtype=np.int64)
    for i in range(chosen.size):  # each record at its own epoch
        orbits.positions(epoch_ns[i : i + 1], own[i : i + 1, None], derived.toe_ns, derived.model, derived.elements,
                         xyz_m[i : i + 1, None])  # fmt: skip
    return epoch_ns, xyz_m


def _fit_newest(
    sv: str, epoch_ns: npt.NDArray[np.int64], xyz_m: FloatArray, healthy: bool, reference_ns: int
) -> MeanElements | None:
    """Fit ever longer spans before the reference time, as long as one orbit explains them; None if none does."""
    days = (epoch_ns - reference_ns) / DAY_NS
    inertial = earth_fixed(xyz_m, -np.radians(sidereal_deg(epoch_ns, reference_ns)))
    state = _first_guess(days, inertial)
    best = None
    for span_days in _SPANS_DAYS:
        recent = days >= -span_days
        state = None if state is None else _refined(state, days[recent], inertial[recent], reference_ns)
        if state is None:
            break
        off = _residuals(state, days[recent], inertial[recent], reference_ns)[:-1] * _POSITION_SIGMA_M
        rms_m = math.sqrt(float(off @ off) / int(recent.sum()))
        if rms_m > _MAX_RMS_M:
            break
        span_s = float(np.ptp(days[recent])) * const.SECONDS_PER_DAY
        about = {"sv": sv, "healthy": healthy, "fit_rms_m": rms_m, "span_s": span_s}
        best = MeanElements(**(_elements(state, reference_ns) | about))  # type: ignore[arg-type]
    return best


def _refined(state: FloatArray, days: FloatArray, inertial: FloatArray, reference_ns: int) -> FloatArray | None:
    """Improve elements by the method of Gauss and Newton; None where positions are no orbit."""
    for _ in range(_ROUNDS):
        here = _residuals(state, days, inertial, reference_ns)
        slopes = np.stack(
            [(_residuals(state + step, days, inertial, reference_ns) - here) / step.sum()
             for step in np.diag(_STEPS)], axis=1,
        )  # fmt: skip
        change = -np.linalg.lstsq(slopes, here, rcond=None)[0]
        state = state + change
        if not (np.isfinite(state).all() and math.hypot(state[1], state[2]) < _MAX_ECCENTRICITY and state[0] > _MIN_M):
            return None
        if np.all(np.abs(change) < _STEPS):
            break
    return state


def _first_guess(days: FloatArray, inertial: FloatArray) -> FloatArray | None:
    """Return the circular orbit through the last two positions, None where there is none.

    A state holds the semi-major axis [m]; k, h = e (cos, sin) of the longitude of perigee; p, q = 2 sin(i/2) (cos,
    sin) of the node; the mean longitude [rad]; and by which share the mean motion exceeds that of the semi-major
    axis. Such elements have no singularity where orbits are circular or equatorial.
    """
    order = np.argsort(days)
    later, earlier = order[-1], order[-2]
    normal = np.cross(inertial[earlier], inertial[later])
    size = float(np.linalg.norm(normal))
    radius = float(np.linalg.norm(inertial[later]))
    if not (size > 0.0 and radius > _MIN_M):
        return None
    x, y, z = normal / size
    tilt, node = math.acos(max(-1.0, min(1.0, z))), math.atan2(x, -y)
    cos_u = (inertial[later] @ np.array([math.cos(node), math.sin(node), 0.0])) / radius
    u = math.copysign(math.acos(max(-1.0, min(1.0, cos_u))), inertial[later][2])
    size = 2.0 * math.sin(0.5 * tilt)
    longitude = node + u - math.radians(secular_rates(radius, 0.0, tilt)[0]) * float(days[later])
    return np.array([radius, 0.0, 0.0, size * math.cos(node), size * math.sin(node), longitude, 0.0])


def _elements(state: FloatArray, reference_ns: int) -> dict[str, object]:
    """Return the fields of `MeanElements` that follow from equinoctial elements and an excess of mean motion."""
    a_m, k, h, p, q, longitude, excess = state.tolist()
    node, perigee = math.atan2(q, p), math.atan2(h, k)
    tilt, e = 2.0 * math.asin(min(1.0, 0.5 * math.hypot(p, q))), math.hypot(k, h)
    motion, perigee_rate, node_rate = secular_rates(a_m, e, tilt)
    normal = np.array([math.sin(tilt) * math.sin(node), -math.sin(tilt) * math.cos(node), math.cos(tilt)])
    mean_place_deg = math.degrees(longitude) - float(sidereal_deg(np.array([reference_ns]), reference_ns)[0])
    return {
        "epoch_ns": reference_ns,
        "semi_major_axis_m": a_m,
        "eccentricity": e,
        "inclination_deg": math.degrees(tilt),
        "raan_deg": math.degrees(node) % 360.0,
        "argument_of_perigee_deg": math.degrees(perigee - node) % 360.0,
        "mean_anomaly_deg": math.degrees(longitude - perigee) % 360.0,
        "mean_motion_deg_per_day": motion * (1.0 + excess),
        "perigee_rate_deg_per_day": perigee_rate,
        "precession_deg_per_day": precession(motion, node_rate, normal, reference_ns),
        "drift_deg_per_day2": synchronous_drift(a_m, tilt, mean_place_deg),
    }


def _residuals(state: FloatArray, days: FloatArray, inertial: FloatArray, reference_ns: int) -> FloatArray:
    """Return weighted differences of positions, and of the mean motion from that of the semi-major axis."""
    orbit = MeanElements(sv="", **_elements(state, reference_ns))  # type: ignore[arg-type]
    computed = turned(orbit.inertial_m(days), np.radians(orbit.precession_deg_per_day), days)
    off = (computed - inertial).ravel() / _POSITION_SIGMA_M
    return np.append(off, state[-1] / _MOTION_SIGMA)
