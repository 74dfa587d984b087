"""Broadcast messages as RINEX writes them: a table of which field means what.

RINEX gives each record three values on its epoch line and four on each line behind it. `field` turns a
line (1 = first line behind the epoch line) and a column (0 to 3) into an index of that flat list.

Sources: RINEX 4.02, tables A10 to A38 (and the version 2 and 3 tables they grew out of).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


class OrbitModel(IntEnum):
    """How a message describes the orbit."""

    KEPLER = 0
    GLONASS = 1  # state vector, to be integrated
    SBAS = 2  # state vector, short polynomial


def field(line: int, column: int) -> int:
    """Return the index of a field in a record's flat list of values.

    Examples
    --------
    >>> field(1, 0), field(3, 0)
    (3, 11)
    """
    return 3 + 4 * (line - 1) + column


NO_FIELD: Final = -1


@dataclass(frozen=True, slots=True)
class Message:
    """Layout and rules of one broadcast message type.

    Attributes
    ----------
    system : str
        RINEX letter.
    name : str
        RINEX 4 name: LNAV, FDMA, D1, ...
    model : OrbitModel
        How it describes the orbit.
    n_lines : int
        Lines behind the epoch line.
    n_required : int
        Lines that must be there for a usable orbit with health.
    max_age_s : float
        Default limit of abs(t - toe) [s].
    toe, week, health, sent, iod, accuracy : int
        Index of the field; `NO_FIELD` where the message has none (then toe is the record's epoch).
    adot, dn0dot : int
        Index of the rates of CNAV-like messages.
    """

    system: str
    name: str
    model: OrbitModel
    n_lines: int
    n_required: int
    max_age_s: float
    toe: int = NO_FIELD
    week: int = NO_FIELD
    health: int = NO_FIELD
    sent: int = NO_FIELD
    iod: int = NO_FIELD
    accuracy: int = NO_FIELD
    adot: int = NO_FIELD
    dn0dot: int = NO_FIELD


_KEPLER_CLASSIC = {
    "model": OrbitModel.KEPLER, "n_lines": 7, "n_required": 6,
    "toe": field(3, 0), "week": field(5, 2), "health": field(6, 1), "sent": field(7, 0),
    "iod": field(1, 0), "accuracy": field(6, 0),
}  # fmt: skip
# Messages with rates. toe is the record's epoch for GPS and QZSS: field (3, 0) holds t_op there.
_RATES = {"model": OrbitModel.KEPLER, "adot": field(1, 0), "dn0dot": field(5, 1)}
_CNAV = _RATES | {"n_lines": 8, "n_required": 6, "health": field(6, 1), "sent": field(8, 0)}
_CNV2 = _RATES | {"n_lines": 9, "n_required": 6, "health": field(6, 1), "sent": field(9, 0)}
_B_CNAV = _RATES | {
    "n_lines": 9, "n_required": 8, "toe": field(3, 0), "health": field(8, 1), "sent": field(9, 0),
    "iod": field(9, 3),
}  # fmt: skip
_STATE = {
    "model": OrbitModel.GLONASS, "n_lines": 4, "n_required": 3, "health": field(1, 3), "sent": 2,
}  # fmt: skip
_CDMA = _STATE | {"n_lines": 8, "sent": field(8, 3)}

#: All messages. Within a system they stand in order of preference: the first that has a record in
#: reach gives the orbit, so that each satellite counts once. Limits: GLONASS ICD (tb +-15 min; RTKLIB
#: accepts +-30 min), BDS hourly toe, GPS and QZSS fit interval of 4 h; Galileo and NavIC 2 h, beyond which
#: errors grow to 100 m.
MESSAGES: Final[tuple[Message, ...]] = tuple(
    Message(system, name, max_age_s=max_age_s, **layout)  # type: ignore[arg-type]
    for system, name, max_age_s, layout in (
        ("G", "LNAV", 7200.0, _KEPLER_CLASSIC),
        ("G", "CNAV", 7200.0, _CNAV),
        ("G", "CNV2", 7200.0, _CNV2),
        ("R", "FDMA", 1800.0, _STATE),
        ("R", "L1OC", 1800.0, _CDMA),
        ("R", "L3OC", 1800.0, _CDMA),
        ("E", "INAV", 7200.0, _KEPLER_CLASSIC),
        ("E", "FNAV", 7200.0, _KEPLER_CLASSIC),
        ("C", "D1", 3600.0, _KEPLER_CLASSIC),
        ("C", "D2", 3600.0, _KEPLER_CLASSIC),
        ("C", "CNV1", 3600.0, _B_CNAV),
        ("C", "CNV2", 3600.0, _B_CNAV),
        ("C", "CNV3", 3600.0, _B_CNAV | {
            "n_lines": 8, "n_required": 7, "health": field(7, 1), "sent": field(8, 0), "iod": NO_FIELD,
        }),
        ("J", "LNAV", 7200.0, _KEPLER_CLASSIC),
        ("J", "CNAV", 7200.0, _CNAV),
        ("J", "CNV2", 7200.0, _CNV2),
        ("I", "LNAV", 7200.0, _KEPLER_CLASSIC),
        ("I", "L1NV", 7200.0, _CNAV | {"iod": field(3, 0)}),
        ("S", "SBAS", 360.0, _STATE | {"model": OrbitModel.SBAS, "n_lines": 3, "iod": field(3, 3)}),
    )
)  # fmt: skip

MESSAGE_INDEX: Final[dict[tuple[str, str], int]] = {(m.system, m.name): i for i, m in enumerate(MESSAGES)}


@dataclass(frozen=True, slots=True)
class HealthBits:
    """Which bits of a health field speak of the satellite, as seen by those who use the message.

    Attributes
    ----------
    bad : int
        Bits each of which means that the satellite is not to be used.
    all_bad : int
        Bits that mean so together: signals of which one is enough. 0 for none.
    """

    bad: int
    all_bad: int = 0

    def good(self, field_bits: npt.NDArray[np.int64]) -> Booleans:
        """Tell which health fields call the satellite healthy."""
        together = np.zeros(np.shape(field_bits), dtype=bool)
        if self.all_bad:
            together = field_bits & self.all_bad == self.all_bad
        return np.asarray((field_bits & self.bad == 0) & ~together)


#: Messages whose health field speaks of several signals; of all others 0 is good.
#: Galileo: data and signal of E1-B and E5b, or of E5a (OS SIS ICD 5.1.9.3; RINEX 4.02, table A15).
#: GPS and QZSS CNAV: bits 52 to 54 are L1, L2, L5 (IS-GPS-200, 30.3.3.1.1.2); L5 stands at bad on all GPS satellites
#: while it is pre-operational, and on those that have none. The message comes by L2C or by L5.
#: QZSS LNAV: L1, L1C/A, L2, L5, L1C, L1C/B from the first bit on (IS-QZSS-PNT-006, 4.1.2.3). Of L1C/A and L1C/B a
#: satellite sends one, and the bit of the other is set: 1 and 16 are usual. The last bit spoke of LEX before.
HEALTH_BITS: Final[dict[tuple[str, str], HealthBits]] = {
    ("E", "INAV"): HealthBits(0x1C7),
    ("E", "FNAV"): HealthBits(0x38),
    ("G", "CNAV"): HealthBits(0b100, all_bad=0b011),
    ("J", "CNAV"): HealthBits(0b100, all_bad=0b011),
    ("J", "LNAV"): HealthBits(0b100000, all_bad=0b010001),
}
#: Of a QZSS almanac: three bits of the data, then the signals as in LNAV from L1C/A on.
QZSS_ALMANAC_HEALTH: Final = HealthBits(0b11100000, all_bad=0b010001)


@dataclass(frozen=True, slots=True)
class OrbitKind:
    """A class of orbits that a system has.

    Attributes
    ----------
    sqrt_a : tuple of 2 float
        Bounds of the square root of the semi-major axis [sqrt(m)].
    inclination_rad : tuple of 2 float
        Bounds of the inclination as broadcast [rad] (of a BeiDou GEO in its frame tilted by 5 deg).
    """

    sqrt_a: tuple[float, float]
    inclination_rad: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OrbitBounds:
    """What the orbit of a system's satellites can look like, and the constants it is computed with.

    Attributes
    ----------
    kinds : tuple of OrbitKind
        Its classes of orbits.
    eccentricity_max : float
        Largest eccentricity seen in service (Galileo E14 and E18: 0.17; QZSS: 0.08).
    gm_m3s2, omega_e_radps : float
        Gravitational constant [m^3/s^2] and rotation of the Earth [rad/s] of the system's ICD.
    """

    kinds: tuple[OrbitKind, ...]
    eccentricity_max: float
    gm_m3s2: float
    omega_e_radps: float

    def hold(self, sqrt_a: Floats, inclination_rad: Floats | None = None) -> Booleans:
        """Tell which semi-major axes (and inclinations) are those of an orbit that the system has."""
        result = np.zeros(np.shape(sqrt_a), dtype=bool)
        for kind in self.kinds:
            within = (sqrt_a >= kind.sqrt_a[0]) & (sqrt_a <= kind.sqrt_a[1])
            if inclination_rad is not None:
                low, high = kind.inclination_rad
                within &= (inclination_rad >= low) & (inclination_rad <= high)
            result |= within
        return result


_SYNCHRONOUS = (6450.0, 6540.0)
_GPS_EARTH = (const.GM_GPS_M3S2, const.OMEGA_E_GPS_RADPS)

#: Inclinations leave room for drift, and none for angles in semicircles, but for geostationary orbits. Seen in files:
#: GPS .90-1.12 (Block I stood at 63 deg), Galileo .87-1.00, BeiDou MEO .94-.99, IGSO .86-1.08, GEO .04-.13,
#: QZSS .60-.76 and below .002, NavIC .50-.51 and .03-.09.
ORBIT_BOUNDS: Final[dict[str, OrbitBounds]] = {
    "G": OrbitBounds((OrbitKind((5130.0, 5180.0), (0.75, 1.2)),), 0.1, *_GPS_EARTH),
    "E": OrbitBounds(
        (OrbitKind((5270.0, 5310.0), (0.75, 1.2)), OrbitKind((5420.0, 5460.0), (0.75, 1.2))),
        0.2, const.GM_GALILEO_M3S2, const.OMEGA_E_GPS_RADPS,
    ),
    "C": OrbitBounds(
        (
            OrbitKind((5260.0, 5300.0), (0.7, 1.2)),
            OrbitKind(_SYNCHRONOUS, (0.7, 1.2)),
            OrbitKind(_SYNCHRONOUS, (0.0, 0.2)),
        ),
        0.1, const.GM_BEIDOU_M3S2, const.OMEGA_E_BEIDOU_RADPS,
    ),
    "J": OrbitBounds(
        (OrbitKind(_SYNCHRONOUS, (0.5, 1.0)), OrbitKind(_SYNCHRONOUS, (0.0, 0.15))), 0.1, *_GPS_EARTH
    ),
    "I": OrbitBounds(
        (OrbitKind(_SYNCHRONOUS, (0.4, 0.7)), OrbitKind(_SYNCHRONOUS, (0.0, 0.12))), 0.1, *_GPS_EARTH
    ),
}  # fmt: skip

#: No record is older [ISO date]: the first satellite of the system, BeiDou's own time for its second generation.
FIRST_DATE: Final[dict[str, str]] = {
    "G": "1980-01-06", "R": "1982-10-12", "E": "2005-12-28", "C": "2006-01-01", "J": "2010-09-11", "I": "2013-07-01",
    "S": "1996-04-03",
}  # fmt: skip
#: Weeks that week fields count from, as weeks of GPS: RINEX's own first, then what converters were seen to write.
WEEK_ORIGINS: Final[dict[str, tuple[int, ...]]] = {
    "G": (0,), "J": (0,), "E": (0, 1024), "I": (0, 1024), "C": (1356, 0),
}  # fmt: skip
#: Systems whose messages carry ten bits of the week, which some files hold without the rest.
SHORT_WEEK_SYSTEMS: Final = ("G", "J")

#: Orbit radius of GLONASS satellites [m]: 25,508 km nominal.
GLONASS_RADIUS_M: Final = (25.30e6, 25.70e6)
#: Inclination of GLONASS satellites, from position and velocity [rad]: 64.8 deg nominal, 63.3 to 66.1 seen.
GLONASS_INCLINATION_RAD: Final = (1.05, 1.22)
#: Speed of GLONASS satellites in an inertial frame [m/s]: 3,953 nominal.
GLONASS_SPEED_MPS: Final = (3850.0, 4050.0)
#: Speed on each axis and luni-solar acceleration [m/s, m/s^2] that a state vector can carry: GLONASS ICD,
#: table 4.5, with room for the wider words of the CDMA signals; SBAS MOPS (RTCA DO-229), message type 9.
STATE_LIMITS: Final = {OrbitModel.GLONASS: (4.3e3, 5e-5), OrbitModel.SBAS: (525.0, 0.05)}
#: Largest magnitude of the elements [rad, m, s]: about the widest word that any ICD gives them, so that what a
#: damaged digit does to an orbit stays small. Some simulators do not wrap angles; 1e5 rad still give metres.
ELEMENT_LIMITS: Final = {
    "m0": 1e5, "omega": 1e5, "omega0": 1e5, "i0": 6.3, "omega_dot": 3.1e-6, "i_dot": 3e-9, "dn0": 1e-7,
    "cuc": 1e-3, "cus": 1e-3, "cic": 1e-3, "cis": 1e-3,
    "crc": 32768.0, "crs": 32768.0, "a_dot": 16.0, "dn0_dot": 2e-10,
}  # fmt: skip
#: Orbit radius of geostationary SBAS satellites [m].
SBAS_RADIUS_M: Final = (41.9e6, 42.5e6)
#: A reference time further than this from its record's epoch is damage [s].
MAX_TOE_FROM_EPOCH_S: Final = 7200.0
#: GLONASS reference times lie on multiples of this [s] (ICD, table 4.6: parameter tb).
GLONASS_TB_STEP_S: Final = 900
#: Semi-major axis above which, and inclination below which, a BeiDou satellite is geostationary.
GEO_SQRT_A_MIN: Final = 4.0e7**0.5
GEO_INCLINATION_MAX_RAD: Final = 0.3490658503988659  # 20 deg
