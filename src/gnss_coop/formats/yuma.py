"""YUMA almanacs: mean elements of GPS and QZSS satellites as text."""

from __future__ import annotations

import math
import os
import re
from datetime import UTC, datetime
from typing import BinaryIO, Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.elements.almanac import MAX_ALMANAC_BYTES, Almanac, sidereal_deg
from gnss_coop.elements.mean_elements import MeanElements
from gnss_coop.ephemerides.messages import GLONASS_RADIUS_M, ORBIT_BOUNDS, QZSS_ALMANAC_HEALTH
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.model import timescales
from gnss_coop.model.numbers import plain_float, plain_int
from gnss_coop.model.systems import SYSTEMS

# Each line is looked at once: patterns that may begin anywhere in blanks or asterisks take cubic time.
_ENTRY: Final = re.compile(r"^\*\*\*.*almanac for", re.IGNORECASE | re.MULTILINE)
#: Beginnings of the lines, in lower case, and the fields that they hold.
_FIELDS: Final = {
    "id": "id", "health": "health", "eccentricity": "e", "time of applicability": "toa_s",
    "orbital inclination": "i_rad", "rate of right ascen": "node_rate", "sqrt(a)": "sqrt_a",
    "right ascen at week": "node_rad", "argument of perigee": "perigee_rad", "mean anom": "anomaly_rad",
    "week": "week",
}  # fmt: skip
_WHOLE: Final = ("id", "health", "week")
#: What a number may be, where its orbit is not judged by `_check_orbit`.
_BOUNDS: Final = {
    "week": (0, 9999), "toa_s": (0, const.SECONDS_PER_WEEK), "node_rate": (-1e-6, 1e-6), "node_rad": (-7.0, 7.0),
    "perigee_rad": (-7.0, 7.0), "anomaly_rad": (-7.0, 7.0), "i_rad": (0.0, math.pi),
}  # fmt: skip
_MAX_SHOWN: Final = 60
_ROLLOVER_WEEKS: Final = 1024
_WEEK_NS: Final = const.SECONDS_PER_WEEK * const.NS_PER_S
#: Letter, first and last identity, what to take off for the RINEX number.
_SYSTEMS: Final = (("G", 1, 63, 0), ("J", 193, 202, 192))
_MAX_ECCENTRICITY: Final = 0.3
_ALMANAC_HEALTH_VALUES: Final = 256
_GLONASS_SQRT_A: Final = (GLONASS_RADIUS_M[0] ** 0.5, GLONASS_RADIUS_M[1] ** 0.5)


def read_yuma(source: str | os.PathLike[str] | BinaryIO, *, reference: timescales.TimeLike | None = None) -> Almanac:
    """Read a YUMA almanac.

    Parameters
    ----------
    source : str, path or binary file-like
        The file, packed or not.
    reference : str, numpy.datetime64 or datetime.datetime, optional
        A time within ten years of the almanac: weeks below 1024 are counted to the nearest one that fits. The present
        by default.

    Returns
    -------
    Almanac
        `MeanElements`; entries that cannot be are in `unmatched` with the reason.

    Raises
    ------
    RinexError
        If the file cannot be read or holds no entry.

    Notes
    -----
    Elements as in IS-GPS-200, 20.3.3.5.2: the right ascension counts from Greenwich at the start of the week. They
    hold to some kilometres for a week.

    Examples
    --------
    >>> import io
    >>> text = '''******** Week 238 almanac for PRN-01 ********
    ... ID:                         01
    ... Health:                     000
    ... Eccentricity:               0.1231098175E-001
    ... Time of Applicability(s):  405504.0000
    ... Orbital Inclination(rad):   0.9896396408
    ... Rate of Right Ascen(r/s):  -0.7977475151E-008
    ... SQRT(A)  (m 1/2):           5153.640625
    ... Right Ascen at Week(rad):  -0.1421709985E+001
    ... Argument of Perigee(rad):   0.942189341
    ... Mean Anom(rad):            -0.2453186539E+001
    ... Af0(s):                     0.2288818359E-003
    ... Af1(s/s):                  -0.7275957614E-011
    ... week:                        238
    ... '''
    >>> almanac = read_yuma(io.BytesIO(text.encode()), reference="2023-11-01")
    >>> almanac.satellites, timescales.format_time(almanac.orbits[0].epoch_ns)
    (('G01',), '2023-11-02T16:38:24')
    """
    path, data = read_bytes(source, max_bytes=MAX_ALMANAC_BYTES)
    text = data.decode("latin-1")
    present = datetime.now(UTC) if reference is None else reference
    reference_ns = timescales.as_gpst_ns(present)
    starts = [match.start() for match in _ENTRY.finditer(text)]
    if not starts:
        raise RinexError("holds no YUMA entry ('******** Week ... almanac for PRN-01 ********')", path)
    orbits: dict[str, MeanElements] = {}
    left_out = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        head = text[start:end].partition("\n")[0].strip("* \r")[:_MAX_SHOWN]
        try:
            orbit = _orbit(_values(text[start:end]), reference_ns)
        except ValueError as error:
            left_out.append(f"{head} ({error})")
            continue
        orbits[orbit.sv] = orbit
    if not orbits:
        raise RinexError(f"holds no usable YUMA entry; the first is {left_out[0]}", path)
    return Almanac(tuple(orbits[sv] for sv in sorted(orbits)), tuple(left_out), (path,))


def looks_like_yuma(text: str) -> bool:
    """Tell whether text may be a YUMA almanac."""
    return _ENTRY.search(text) is not None


def _values(entry: str) -> dict[str, float]:
    """Return the numbers of one entry; ValueError names what is missing, no number, or out of bounds."""
    found: dict[str, float] = {}
    for line in entry.split("\n"):
        label, colon, words = line.partition(":")
        head = label.strip(" \t").lower()
        key = next((field for beginning, field in _FIELDS.items() if colon and head.startswith(beginning)), None)
        if key is None:
            continue
        try:
            found[key] = (plain_int if key in _WHOLE else plain_float)(words.rstrip("\r"))
        except ValueError as error:
            raise ValueError(f"{head[:_MAX_SHOWN]}: {error}") from None
        low, high = _BOUNDS.get(key, (-math.inf, math.inf))
        if not low <= found[key] <= high:
            raise ValueError(f"{head[:_MAX_SHOWN]}: {found[key]:g} is not within {low:g} to {high:g}")
    missing = [beginning for beginning, field in _FIELDS.items() if field not in found]
    if missing:
        raise ValueError(f"no {missing[0]}")
    return found


def _orbit(value: dict[str, float], reference_ns: int) -> MeanElements:
    number = int(value["id"])
    name = next((f"{s}{number - less:02d}" for s, first, last, less in _SYSTEMS if first <= number <= last), None)
    if name is None:
        raise ValueError(f"identity {number} is of no GPS or QZSS satellite")
    _check_orbit(name[0], value["sqrt_a"], value["e"], value["i_rad"])
    epoch_ns = _week(int(value["week"]), reference_ns) * _WEEK_NS + round(value["toa_s"] * const.NS_PER_S)
    a_m = value["sqrt_a"] ** 2
    motion = math.degrees(math.sqrt(const.GM_GPS_M3S2 / a_m**3)) * const.SECONDS_PER_DAY
    # From Greenwich at the start of the week to the equinox: what the Earth turned since, and sidereal time.
    greenwich_deg = math.degrees(value["node_rad"] - const.OMEGA_E_GPS_RADPS * value["toa_s"])
    node_deg = greenwich_deg + float(sidereal_deg(np.array([epoch_ns]), epoch_ns)[0])
    return MeanElements(
        sv=name,
        epoch_ns=epoch_ns,
        semi_major_axis_m=a_m,
        eccentricity=value["e"],
        inclination_deg=math.degrees(value["i_rad"]),
        raan_deg=node_deg % 360.0,
        argument_of_perigee_deg=math.degrees(value["perigee_rad"]) % 360.0,
        mean_anomaly_deg=math.degrees(value["anomaly_rad"]) % 360.0,
        mean_motion_deg_per_day=motion,
        perigee_rate_deg_per_day=0.0,
        precession_deg_per_day=(0.0, 0.0, math.degrees(value["node_rate"]) * const.SECONDS_PER_DAY),
        healthy=_healthy(name[0], value["health"]),
        source="YUMA",
    )


def _healthy(system: str, health: float) -> bool:
    if system == "J" and 0 <= health < _ALMANAC_HEALTH_VALUES:
        return bool(QZSS_ALMANAC_HEALTH.good(np.array(int(health))))
    return health == 0


def _check_orbit(system: str, sqrt_a: float, eccentricity: float, inclination_rad: float) -> None:
    """Refuse elements that no satellite of the system has; YUMA files of other systems use the same numbers."""
    axis, tilt = np.array(sqrt_a), np.array(inclination_rad)
    if not 0.0 <= eccentricity < _MAX_ECCENTRICITY:
        raise ValueError(f"its eccentricity {eccentricity:g} is none of a navigation satellite")
    if not ORBIT_BOUNDS[system].hold(axis):
        others = [SYSTEMS[s].name for s, bounds in ORBIT_BOUNDS.items() if s != system and bounds.hold(axis)]
        if _GLONASS_SQRT_A[0] <= sqrt_a <= _GLONASS_SQRT_A[1]:
            others.append("GLONASS")
        owner = f"an orbit of {' or '.join(others)}" if others else "none of a navigation satellite"
        raise ValueError(
            f"its sqrt(a) of {sqrt_a:g} is {owner}, and numbers of YUMA files mean satellites of GPS and QZSS"
        )
    if not ORBIT_BOUNDS[system].hold(axis, tilt):
        semicircles = bool(ORBIT_BOUNDS[system].hold(axis, tilt * math.pi))
        hint = "looks like semicircles, not radians" if semicircles else f"is none of {SYSTEMS[system].name}"
        raise ValueError(f"its inclination of {inclination_rad:g} {hint}")


def _week(week: int, reference_ns: int) -> int:
    """Return the full week nearest to the reference."""
    if week >= _ROLLOVER_WEEKS:
        return week
    return week + round((reference_ns / _WEEK_NS - week) / _ROLLOVER_WEEKS) * _ROLLOVER_WEEKS
