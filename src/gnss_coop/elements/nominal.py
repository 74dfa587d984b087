"""Orbits of nominal constellations: satellites on their planned slots, for planning without a navigation file.

Each set of slots is given at its own reference epoch. The sets are brought to the epochs asked for by the
secular motion of node and satellite; unpropagated sets of different epochs have no common phase.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S, SECONDS_PER_DAY
from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import xarray as xr

FloatArray = npt.NDArray[np.float64]

# Greenwich mean sidereal time, IAU 1982, without its terms in T^2 and T^3 (below 0.001 deg until 2100).
_GMST_J2000_DEG: Final = 280.46061837
_GMST_DEG_PER_DAY: Final = 360.98564736629
_J2000_DAYS: Final = 7300.5  # 2000-01-01T12:00 counted from 1980-01-06
_DAY_NS: Final = SECONDS_PER_DAY * NS_PER_S


@dataclass(frozen=True, slots=True)
class SlotSet:
    """Slots on circular orbits that differ in plane and phase only.

    Attributes
    ----------
    first_number : int
        Number of the first satellite; the others follow.
    epoch : str
        Reference epoch, ISO 8601; with ``Z`` it is UTC, without it GPST.
    radius_m : float
        Radius of the orbit [m].
    inclination_deg : float
        Inclination [deg].
    node_drift_deg_per_day : float
        Secular motion of the ascending node against the stars [deg/day].
    period_s : float
        Draconic period, from node to node [s].
    slots : tuple of (float, float)
        Right ascension of the ascending node and argument of latitude at the epoch [deg].
    """

    first_number: int
    epoch: str
    radius_m: float
    inclination_deg: float
    node_drift_deg_per_day: float
    period_s: float
    slots: tuple[tuple[float, float], ...]


def greenwich_deg(gpst_ns: npt.ArrayLike) -> FloatArray:
    """Greenwich mean sidereal time [deg], not reduced to a turn.

    GPST stands for UT1. The 18 s between them turn the Earth by 0.08 deg, while real satellites are degrees
    away from their slots.
    """
    days = np.asarray(gpst_ns, dtype=np.int64) / _DAY_NS
    return np.asarray(_GMST_J2000_DEG + _GMST_DEG_PER_DAY * (days - _J2000_DAYS))


def _track_period_s(revolutions: int, turns: int, node_drift_deg_per_day: float) -> float:
    """Draconic period with which the ground track closes after `turns` turns of the Earth under the plane [s].

    Satellites that are kept on their ground tracks follow this over decades; the period of a rounded radius
    would be hundreds of degrees away by then.
    """
    return turns / revolutions * 360.0 / (_GMST_DEG_PER_DAY - node_drift_deg_per_day) * SECONDS_PER_DAY


def _walker(node_deg: float, latitude_deg: float, step_deg: float) -> tuple[tuple[float, float], ...]:
    """Slots of a Walker 24/3/1 pattern, `step_deg` from slot to slot, from those of the first satellite."""
    return tuple(
        (node_deg + 120.0 * plane, latitude_deg + 15.0 * plane + step_deg * place)
        for plane in range(3)
        for place in range(8)
    )


def _synchronous(
    epoch: str, longitudes_deg: Sequence[float], nodes_deg: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Slots of geosynchronous satellites from the longitudes at which they cross the equator northwards."""
    gmst_deg = float(greenwich_deg(timescales.parse_time(epoch)))
    return tuple((node, longitude + gmst_deg - node) for longitude, node in zip(longitudes_deg, nodes_deg, strict=True))


_GLONASS_DRIFT: Final = float(np.degrees(-0.59251e-3))
_BEIDOU_IGSO_DRIFT: Final = -0.010
_GALILEO_DRIFT: Final = -0.02764
_GPS_DRIFT: Final = -4.649e-7 * SECONDS_PER_DAY
_BEIDOU_EPOCH: Final = "2024-01-10T12:00:00"
_SYNCHRONOUS_RADIUS_M: Final = 42_164_200.0

# GPS: argument of latitude of slots 1 to 4 in each plane, by right ascension of the node.
_GPS_PLANES: Final = {
    272.847: (268.126, 161.786, 11.676, 41.806),  # A
    332.847: (80.956, 173.336, 309.976, 204.376),  # B
    32.847: (111.876, 11.796, 339.666, 241.556),  # C
    92.847: (135.226, 265.446, 35.156, 167.356),  # D
    152.847: (197.046, 302.596, 66.066, 333.686),  # E
    212.847: (238.886, 345.226, 105.206, 135.346),  # F
}

CONSTELLATIONS: Final[dict[str, tuple[SlotSet, ...]]] = {
    # GLONASS ICD, almanac annex: epoch 1983-01-01T00:00 Moscow time; slot numbers are satellite numbers.
    "R": (
        SlotSet(
            1, "1982-12-31T21:00:00Z", 25_508_200.0, 64.8, _GLONASS_DRIFT, 40_544.0,
            _walker(251.0 + 15 / 60, 145.0 + 26 / 60 + 37 / 3600, -45.0),
        ),
    ),
    # BDS-OS-PS: longitudes and patterns. From broadcast orbits: phases of the MEO on 2023-03-12, their drift and
    # period between 2019-05-13 and 2024-01-10 (the track slips 2 deg a year against 13 revolutions in 7 days);
    # nodes and drift of the IGSO between 2023-03-12 and 2024-01-10.
    "C": (
        SlotSet(
            1, _BEIDOU_EPOCH, _SYNCHRONOUS_RADIUS_M, 0.0, 0.0, _track_period_s(1, 1, 0.0),
            _synchronous(_BEIDOU_EPOCH, (80.0, 110.5, 140.0), (0.0, 0.0, 0.0)),
        ),
        SlotSet(
            4, _BEIDOU_EPOCH, _SYNCHRONOUS_RADIUS_M, 55.0, _BEIDOU_IGSO_DRIFT,
            _track_period_s(1, 1, _BEIDOU_IGSO_DRIFT),
            _synchronous(_BEIDOU_EPOCH, (118.0, 118.0, 118.0), (48.0, 168.0, 288.0)),
        ),
        SlotSet(
            19, "2023-03-12T00:00:14", 27_906_100.0, 55.0, -0.0340, 46_392.46, _walker(102.4, 30.3, 45.0),
        ),
    ),
    # European GNSS Service Centre, reference constellation.
    "E": (
        SlotSet(
            1, "2016-11-21T00:00:00Z", 29_599_801.0, 56.0, _GALILEO_DRIFT,
            _track_period_s(17, 10, _GALILEO_DRIFT), _walker(317.632, 180.153, 45.0),
        ),
    ),
    # GPS SPS Performance Standard: the 24 base slots; drift of the nodes as in its almanac of satellites in orbit,
    # 4 % faster than oblateness alone makes it (2001 edition, appendix A-2; it still holds in 2024).
    "G": (
        SlotSet(
            1, "1993-07-01T00:00:00Z", 26_559_700.0, 55.0, _GPS_DRIFT, _track_period_s(2, 1, _GPS_DRIFT),
            tuple((node, latitude) for node, latitudes in _GPS_PLANES.items() for latitude in latitudes),
        ),
    ),
}  # fmt: skip

#: Sidereal days after which the ground track of a satellite repeats.
REPEAT_SIDEREAL_DAYS: Final = {"R": 8, "C": 7, "E": 10, "G": 1}
_SIDEREAL_DAY_H: Final = 24.0 * 360.0 / _GMST_DEG_PER_DAY

_LETTERS: Final = {"BDS-3": "C", "BDS": "C"} | {
    text.upper(): letter for letter in CONSTELLATIONS for text in (letter, SYSTEMS[letter].name)
}


def nominal_constellation(names: str | Sequence[str], epochs: Any) -> xr.Dataset:
    """Compute positions of satellites that keep to the plan of their constellation.

    Parameters
    ----------
    names : str or sequence of str
        Systems by RINEX letter or name, in a string joined by ``+`` or commas: ``R`` or ``GLONASS``, ``C``,
        ``BeiDou`` or ``BDS-3``, ``E`` or ``Galileo``, ``G`` or ``GPS``.
    epochs : datetime64 array (n_time,), DatetimeIndex, sequence, or a single instant
        Instants on GPST, in any order; time-zone aware ones are UTC. `gnss_coop.epochs` makes them.

    Returns
    -------
    xarray.Dataset
        In the form of `satellite_positions`: ``positions`` (time, sv, ecef) [m], Earth-fixed, and ``healthy``
        (time, sv), all true. Coordinates time, sv, ecef; attribute ``frame`` is ``"nominal"``.

    Raises
    ------
    ScenarioError
        If no constellation, an unknown one or the same one twice is named.
    TimeError
        If the epochs cannot be understood.

    Notes
    -----
    Circular orbits whose node and argument of latitude move uniformly; the Earth turns by Greenwich mean
    sidereal time. GLONASS numbers are slots. All other numbers are placeholders in the order of the slots:
    C01 to C03 GEO, C04 to C06 IGSO, C19 to C42 MEO, E01 to E24, and G01 to G24 for GPS slots A1 to F4.

    On 2024-01-10 GLONASS and BDS-3 satellites stood within 10 deg of these slots, Galileo within 5 deg except
    spares, GPS within 21 deg because it splits some slots in two: good for statistics of geometry in years
    to come, not for the time of a pass.

    Sources: GLONASS ICD, BDS-OS-PS, Galileo reference constellation, GPS SPS Performance Standard.

    Examples
    --------
    >>> from gnss_coop.model.timescales import epochs
    >>> sky = nominal_constellation("R+C", epochs("2030-06-01", hours=24))
    >>> dict(sky.sizes)
    {'time': 288, 'sv': 54, 'ecef': 3}
    >>> radius_m = (sky.positions.sel(sv="R01") ** 2).sum("ecef") ** 0.5
    >>> round(radius_m.values[0].item() / 1e3, 1)  # [km]
    25508.2
    """
    letters = _letters(names)
    epoch_ns = np.atleast_1d(timescales.from_datetime64(epochs))
    if epoch_ns.ndim > 1:
        raise TimeError(f"epochs are an array of {epoch_ns.ndim} dimensions: give one list of times")
    sets = [(letter, slots) for letter in letters for slots in CONSTELLATIONS[letter]]
    satellites = [f"{letter}{s.first_number + i:02d}" for letter, s in sets for i in range(len(s.slots))]
    xyz_m = np.concatenate([_positions_m(slots, epoch_ns) for _, slots in sets], axis=1)
    return _dataset(letters, satellites, epoch_ns, xyz_m)


def _letters(names: str | Sequence[str]) -> list[str]:
    """RINEX letters of the constellations named, sorted as satellites are."""
    texts = re.split("[+,]", names) if isinstance(names, str) else list(names)
    letters = sorted(_letter(text) for text in texts)
    if not letters or len(set(letters)) < len(letters):
        raise ScenarioError(f"cannot combine the constellations {names!r}: name at least one, and each once")
    return letters


def _letter(text: str) -> str:
    try:
        return _LETTERS[text.strip().upper()]
    except KeyError:
        known = ", ".join(f"{letter} ({SYSTEMS[letter].name})" for letter in CONSTELLATIONS)
        raise ScenarioError(f"there is no nominal constellation {text!r}: write one of {known}") from None


def _positions_m(slots: SlotSet, epoch_ns: npt.NDArray[np.int64]) -> FloatArray:
    """Earth-fixed positions (time, slot, 3) of one set [m]."""
    days = (epoch_ns[:, None] - timescales.parse_time(slots.epoch)) / _DAY_NS
    node_deg, latitude_deg = np.array(slots.slots).T
    node = np.radians(node_deg + slots.node_drift_deg_per_day * days - greenwich_deg(epoch_ns)[:, None])
    latitude = np.radians(latitude_deg + 360.0 * SECONDS_PER_DAY / slots.period_s * days)
    inclination = np.radians(slots.inclination_deg)
    along, across = np.cos(latitude), np.sin(latitude) * np.cos(inclination)
    x = along * np.cos(node) - across * np.sin(node)
    y = along * np.sin(node) + across * np.cos(node)
    z = np.sin(latitude) * np.sin(inclination)
    return np.asarray(slots.radius_m * np.stack((x, y, z), axis=-1))


def _dataset(
    letters: Sequence[str], satellites: Sequence[str], epoch_ns: npt.NDArray[np.int64], xyz_m: FloatArray
) -> xr.Dataset:
    import xarray as xr

    plane = ("time", "sv")
    healthy = np.ones(xyz_m.shape[:2], dtype=bool)
    return xr.Dataset(
        {
            "positions": ((*plane, "ecef"), xyz_m, {"units": "m", "long_name": "Earth-fixed position"}),
            "healthy": (plane, healthy, {"long_name": "always true in a nominal constellation"}),
        },
        coords={
            "time": ("time", timescales.to_datetime64(epoch_ns), {"time_scale": "GPST"}),
            "sv": ("sv", np.array(satellites)),
            "ecef": ("ecef", np.array(["x", "y", "z"])),
        },
        attrs={
            "title": "Nominal constellation of " + ", ".join(SYSTEMS[letter].name for letter in letters),
            "frame": "nominal",
            "time_scale": "GPST",
        },
    )


def repeat_hours(systems: str) -> float:
    """Return how long the ground tracks of systems take to repeat, the slowest of them [h].

    Parameters
    ----------
    systems : str
        RINEX letters with commas or ``+`` between.

    Raises
    ------
    ScenarioError
        For a system whose ground tracks are not known to repeat.

    Examples
    --------
    >>> round(repeat_hours("R,C"), 2)
    191.48
    """
    letters = [letter.strip() for letter in re.split("[,+]", systems) if letter.strip()]
    unknown = [letter for letter in letters if letter not in REPEAT_SIDEREAL_DAYS]
    if unknown or not letters:
        raise ScenarioError(
            f"the ground tracks of {', '.join(unknown) or 'no system'} are not known to repeat; "
            f"known are {', '.join(REPEAT_SIDEREAL_DAYS)}"
        )
    return max(REPEAT_SIDEREAL_DAYS[letter] for letter in letters) * _SIDEREAL_DAY_H
