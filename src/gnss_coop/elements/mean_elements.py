"""Mean orbital elements: where a satellite will be some days after its last ephemeris.

The orbit is an ellipse whose elements turn at constant rates. Its plane is carried by the oblateness of the
Earth and by Sun and Moon; the periodic part of the oblateness, up to 2 km, is added, so that elements which are
fitted to some hours hold for days. Periodic effects of Sun and Moon, some kilometres, are left out.

Sources: F. R. Hoots, R. L. Roehrich, Spacetrack Report No. 3 (1980), near-Earth secular and short-periodic
terms in J2; D. A. Vallado, Fundamentals of Astrodynamics and Applications, 9.6 (third-body precession).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.elements.almanac import DAY_NS, FloatArray, orbit_class, sidereal_deg
from gnss_coop.model.systems import OrbitClass

_GM: Final = const.GM_BEIDOU_M3S2
_K2_M2: Final = 0.5 * const.J2_GLONASS * const.AE_GLONASS_M**2
_OBLIQUITY_RAD: Final = math.radians(23.4393)
_MOON_TILT_RAD: Final = math.radians(5.145)
_MOON_NODE_DEG: Final = (125.0446, -0.05295377)  # at J2000 [deg], rate [deg/day]
#: Mean motion [deg/day], and share of the body in the mass of the orbit: what its tide is proportional to.
_SUN: Final = (0.98560912, 1.0)
_MOON: Final = (13.17639646, 1.0 / 82.3006)
_J2000_NS: Final = 7300.5 * DAY_NS
#: Longitude to which the flattened equator pulls synchronous satellites [deg], and how fast [deg/day^2].
_STABLE_LONGITUDE_DEG: Final = 75.1
_PULL_DEG_PER_DAY2: Final = 0.00168


@dataclass(frozen=True, slots=True)
class MeanElements:
    """Mean elements of one satellite, in the frame of the true equator and mean equinox of date.

    Attributes
    ----------
    sv : str
        RINEX name.
    epoch_ns : int
        Reference time [ns of GPST].
    semi_major_axis_m, eccentricity, inclination_deg, raan_deg, argument_of_perigee_deg, mean_anomaly_deg : float
        At the reference time. The right ascension of the ascending node counts from the equinox, not from
        Greenwich.
    mean_motion_deg_per_day : float
        Rate of the mean anomaly.
    perigee_rate_deg_per_day : float
        Rate of the argument of perigee.
    precession_deg_per_day : tuple of 3 float
        Rotation that carries the plane of the orbit, in the inertial frame.
    drift_deg_per_day2 : float
        Acceleration along the orbit; not 0 for synchronous satellites.
    healthy : bool
        Health that the newest record says.
    fit_rms_m : float
        Root mean square distance from the positions that the elements were fitted to [m]; NaN if they were not.
    span_s : float
        Span of those positions [s].
    source : str
        ``broadcast`` or ``YUMA``.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> orbit = gc.mean_elements(nav).orbits[0]
    >>> orbit.sv, round(orbit.semi_major_axis_m / 1e3, -1), round(orbit.node_rate_deg_per_day, 3)
    ('R01', 25510.0, -0.034)
    """

    sv: str
    epoch_ns: int
    semi_major_axis_m: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    mean_motion_deg_per_day: float
    perigee_rate_deg_per_day: float
    precession_deg_per_day: tuple[float, float, float]
    drift_deg_per_day2: float = 0.0
    healthy: bool = True
    fit_rms_m: float = math.nan
    span_s: float = 0.0
    source: str = "broadcast"

    @property
    def orbit_class(self) -> OrbitClass:
        """Kind of the orbit."""
        return orbit_class(self.semi_major_axis_m, self.inclination_deg)

    @property
    def node_rate_deg_per_day(self) -> float:
        """Rate of the right ascension of the ascending node at the reference time."""
        node, tilt = math.radians(self.raan_deg), math.radians(self.inclination_deg)
        px, py, pz = self.precession_deg_per_day
        return pz + (py * math.cos(node) - px * math.sin(node)) / math.tan(tilt) if tilt else pz

    def positions_m(self, epoch_ns: npt.NDArray[np.int64]) -> FloatArray:
        """Return Earth-fixed positions.

        Parameters
        ----------
        epoch_ns : int64 (n,)
            Epochs [ns of GPST].

        Returns
        -------
        float64 (n, 3)
            [m].
        """
        days = (epoch_ns - self.epoch_ns) / DAY_NS
        inertial = turned(self.inertial_m(days), np.radians(self.precession_deg_per_day), days)
        return earth_fixed(inertial, np.radians(sidereal_deg(epoch_ns, self.epoch_ns)))

    def inertial_m(self, days: FloatArray) -> FloatArray:
        """Return positions (n, 3) [m] in the plane of the reference time, `days` after it."""
        e, tilt = self.eccentricity, math.radians(self.inclination_deg)
        advance_deg = self.mean_motion_deg_per_day * days + 0.5 * self.drift_deg_per_day2 * days**2
        anomaly = _eccentric_anomaly(np.radians(self.mean_anomaly_deg + advance_deg), e)
        true = np.arctan2(math.sqrt(1.0 - e * e) * np.sin(anomaly), np.cos(anomaly) - e)
        u = true + np.radians(self.argument_of_perigee_deg + self.perigee_rate_deg_per_day * days)
        p_m = self.semi_major_axis_m * (1.0 - e * e)
        k, c, s = _K2_M2 / p_m**2, math.cos(tilt), math.sin(tilt)
        sin_2u, cos_2u = np.sin(2.0 * u), np.cos(2.0 * u)
        r = self.semi_major_axis_m * (1.0 - e * np.cos(anomaly)) * (
            1.0 - 1.5 * k * math.sqrt(1.0 - e * e) * (3.0 * c * c - 1.0)
        ) + 0.5 * k * p_m * s * s * cos_2u  # fmt: skip
        along = u - 0.25 * k * (7.0 * c * c - 1.0) * sin_2u
        node = math.radians(self.raan_deg) + 1.5 * k * c * sin_2u
        tilts = tilt + 1.5 * k * c * s * cos_2u
        x, y = r * np.cos(along), r * np.sin(along)
        return np.stack(
            (
                x * np.cos(node) - y * np.cos(tilts) * np.sin(node),
                x * np.sin(node) + y * np.cos(tilts) * np.cos(node),
                y * np.sin(tilts),
            ),
            axis=-1,
        )


def _eccentric_anomaly(mean: FloatArray, e: float) -> FloatArray:
    anomaly = mean + e * np.sin(mean)
    for _ in range(6):  # exact to the last digit for every eccentricity below 0.3
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean) / (1.0 - e * np.cos(anomaly))
    return anomaly


def turned(xyz: FloatArray, rate_rad_per_day: npt.ArrayLike, days: FloatArray) -> FloatArray:
    """Rotate positions (n, 3) about a fixed axis by its rate times their days (formula of Rodrigues)."""
    rate = np.asarray(rate_rad_per_day, dtype=np.float64)
    speed = float(np.linalg.norm(rate))
    if speed == 0.0:
        return xyz
    axis = rate / speed
    c, s = np.cos(speed * days)[:, None], np.sin(speed * days)[:, None]
    return np.asarray(xyz * c + np.cross(axis, xyz) * s + np.outer(xyz @ axis, axis) * (1.0 - c))


def earth_fixed(xyz: FloatArray, sidereal_rad: FloatArray) -> FloatArray:
    """Turn inertial positions (n, 3) into Earth-fixed ones.

    The other way round with the angle negated. Velocities never occur here: what an Earth-fixed velocity lacks
    against an inertial one, omega x r, cannot be forgotten.

    Examples
    --------
    >>> earth_fixed(np.array([[1.0, 0.0, 0.0]]), np.array([np.pi / 2])).round(9).tolist()
    [[0.0, -1.0, 0.0]]
    """
    c, s = np.cos(sidereal_rad), np.sin(sidereal_rad)
    x, y, z = xyz.T
    return np.stack((c * x + s * y, c * y - s * x, z), axis=-1)


def secular_rates(a_m: float, e: float, inclination_rad: float) -> tuple[float, float, float]:
    """Return what the oblateness does in the long run.

    Parameters
    ----------
    a_m, e, inclination_rad : float
        Semi-major axis [m], eccentricity and inclination [rad].

    Returns
    -------
    (float, float, float)
        Rates of the mean anomaly, of the perigee and of the node [deg/day].

    Examples
    --------
    GLONASS: the node goes back by 0.033 deg a day, and another 0.001 by Sun and Moon (see `precession`).

    >>> [round(rate, 3) for rate in secular_rates(25_508_200.0, 0.001, np.radians(64.8))]
    [767.142, -0.004, -0.033]
    """
    motion = math.degrees(math.sqrt(_GM / a_m**3)) * const.SECONDS_PER_DAY
    k, c = 1.5 * _K2_M2 / (a_m * (1.0 - e * e)) ** 2, math.cos(inclination_rad)
    return (
        motion * (1.0 + k * math.sqrt(1.0 - e * e) * (3.0 * c * c - 1.0)),
        motion * k * (5.0 * c * c - 1.0),
        -2.0 * motion * k * c,
    )


def precession(
    motion_deg_per_day: float, node_rate_deg_per_day: float, normal: FloatArray, epoch_ns: int
) -> tuple[float, float, float]:
    """Return the rotation that carries the plane of an orbit [deg/day], by oblateness, Sun and Moon.

    The mean tide of a body that goes round in a plane with the pole p turns the normal w of a circular orbit
    about p at the rate -3/4 (w.p) m^2/n times the body's share of the mass, with its motion m and the
    satellite's n.
    """
    total = np.array([0.0, 0.0, node_rate_deg_per_day])
    for (body_motion, share), pole in zip((_SUN, _MOON), _poles(epoch_ns), strict=True):
        total -= 0.75 * share * body_motion**2 / motion_deg_per_day * float(normal @ pole) * pole
    return (float(total[0]), float(total[1]), float(total[2]))


def _poles(epoch_ns: int) -> tuple[FloatArray, FloatArray]:
    """Poles of the orbits of Sun and Moon, in the equatorial frame."""
    node = math.radians(_MOON_NODE_DEG[0] + _MOON_NODE_DEG[1] * (epoch_ns - _J2000_NS) / DAY_NS)
    tilt = math.sin(_MOON_TILT_RAD)
    moon = np.array([tilt * math.sin(node), -tilt * math.cos(node), math.cos(_MOON_TILT_RAD)])
    c, s = math.cos(_OBLIQUITY_RAD), math.sin(_OBLIQUITY_RAD)
    to_equator = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return to_equator @ np.array([0.0, 0.0, 1.0]), to_equator @ moon


def synchronous_drift(a_m: float, inclination_rad: float, longitude_deg: float) -> float:
    """Return the acceleration of a synchronous satellite along its orbit [deg/day^2]; 0 for others.

    Tesseral harmonics of degree and order 2; an inclined orbit feels them by ((1 + cos i) / 2)^2.
    """
    if orbit_class(a_m, math.degrees(inclination_rad)) is OrbitClass.MEO:
        return 0.0
    share = (0.5 + 0.5 * math.cos(inclination_rad)) ** 2
    return -_PULL_DEG_PER_DAY2 * share * math.sin(2.0 * math.radians(longitude_deg - _STABLE_LONGITUDE_DEG))
