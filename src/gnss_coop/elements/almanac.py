"""Orbits that hold for days: what mean elements, two-line elements and almanacs have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S, SECONDS_PER_DAY
from gnss_coop.errors import ScenarioError
from gnss_coop.model.systems import SYSTEMS, OrbitClass
from gnss_coop.model.time_arithmetic import LEAP_SECONDS, utc_to_gpst_ns

FloatArray = npt.NDArray[np.float64]

#: Largest file of elements that is read [byte]: a catalogue of all that flies has 60 million as XML, and JSON of empty
#: messages takes twenty times its size in memory.
MAX_ALMANAC_BYTES: Final = 100_000_000
DAY_NS: Final = SECONDS_PER_DAY * NS_PER_S
#: Rotation of the Earth against the equinox [deg/day], IAU 1982.
GMST_DEG_PER_DAY: Final = 360.98564736629
_GMST_J2000_DEG: Final = 280.46061837
_J2000_DAYS: Final = 7300.5  # 2000-01-01T12:00 counted from 1980-01-06
_LEAP_GPST_NS: Final = np.array(
    [utc_to_gpst_ns(int((np.datetime64(day, "D") - np.datetime64("1980-01-06")).astype(int)) * DAY_NS)
     for day, _ in LEAP_SECONDS]
)  # fmt: skip

#: Semi-major axis above which an orbit is synchronous [m], and inclination below which it is geostationary [deg].
SYNCHRONOUS_MIN_M: Final = 4.0e7
GEO_INCLINATION_MAX_DEG: Final = 20.0


class Orbit(Protocol):
    """One satellite's orbit, good for days around its epoch.

    Attributes
    ----------
    sv : str
        RINEX name, or the catalogue number of a satellite that no name is known of.
    epoch_ns : int
        Reference time [ns of GPST].
    healthy : bool
        Health as last known; true where the source does not tell.
    source : str
        Where it comes from: ``broadcast``, ``TLE``, ``OMM`` or ``YUMA``.
    """

    @property
    def sv(self) -> str: ...  # noqa: D102

    @property
    def epoch_ns(self) -> int: ...  # noqa: D102

    @property
    def healthy(self) -> bool: ...  # noqa: D102

    @property
    def source(self) -> str: ...  # noqa: D102

    @property
    def orbit_class(self) -> OrbitClass: ...  # noqa: D102

    def positions_m(self, epoch_ns: npt.NDArray[np.int64]) -> FloatArray:
        """Return Earth-fixed positions (n, 3) [m]; NaN where the theory breaks down."""
        ...


@dataclass(frozen=True, slots=True)
class Almanac:
    """Orbits of many satellites: one each, or one for each span of records.

    Attributes
    ----------
    orbits : tuple of Orbit
        In the order of their names.
    unmatched : tuple of str
        What the source names without a RINEX name that could be told, and what was left out of it, with the reason.
    files : tuple of str
        Where it was read from.
    notes : tuple of str
        What else a reader should know.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> almanac = gc.mean_elements(nav)
    >>> almanac.satellites[:3], almanac.select("R", exclude_sv=["R01"]).satellites[0]
    (('R01', 'R02', 'R03'), 'R02')
    """

    orbits: tuple[Orbit, ...]
    unmatched: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.orbits)

    @property
    def satellites(self) -> tuple[str, ...]:
        """Names of the satellites, in order."""
        return tuple(orbit.sv for orbit in self.orbits)

    @property
    def systems(self) -> tuple[str, ...]:
        """RINEX letters of the systems, in order."""
        return tuple(sorted({sv[0] for sv in self.satellites if sv[0] in SYSTEMS}))

    def select(self, systems: str | Iterable[str] | None = None, exclude_sv: Iterable[str] = ()) -> Almanac:
        """Return the orbits of some systems, without some satellites.

        Parameters
        ----------
        systems : str or iterable of str, optional
            RINEX letters; all that have RINEX names by default.
        exclude_sv : iterable of str
            Satellites to leave out.

        Raises
        ------
        ScenarioError
            For an unknown system letter.
        """
        letters = list(SYSTEMS if systems is None else systems)
        unknown = [s for s in letters if s not in SYSTEMS]
        if unknown:
            raise ScenarioError(f"unknown system {unknown[0]!r}: known are {', '.join(SYSTEMS)}")
        without = set(exclude_sv)
        kept = (o for o in self.orbits if o.sv[0] in letters and o.sv not in without)
        return replace(self, orbits=tuple(sorted(kept, key=lambda o: o.sv)))


def orbit_class(semi_major_axis_m: float, inclination_deg: float) -> OrbitClass:
    """Return the kind of an orbit.

    Examples
    --------
    >>> str(orbit_class(42_164_000.0, 55.0))
    'IGSO'
    """
    if semi_major_axis_m < SYNCHRONOUS_MIN_M:
        return OrbitClass.MEO
    return OrbitClass.GEO if inclination_deg < GEO_INCLINATION_MAX_DEG else OrbitClass.IGSO


def utc_offset_ns(gpst_ns: int) -> int:
    """Return GPST - UTC [ns], without a warning past the table: the orbit is not that exact.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> utc_offset_ns(gc.parse_time("2024-01-10")) // 10**9
    18
    """
    passed = int(np.searchsorted(_LEAP_GPST_NS, gpst_ns, side="right"))
    return (LEAP_SECONDS[passed - 1][1] if passed else 0) * NS_PER_S


def sidereal_deg(epoch_ns: npt.NDArray[np.int64], reference_ns: int) -> FloatArray:
    """Return Greenwich mean sidereal time [deg] at epochs, not reduced to a turn.

    UTC stands for UT1 (within 0.9 s, 0.004 deg). GPST - UTC is that of the reference time, so that an orbit does
    not jump where a leap second lies between.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> noon = gc.parse_time("2000-01-01T12:00:13")  # 12:00:00 UTC
    >>> (sidereal_deg(np.array([noon]), noon) % 360).round(5).tolist()
    [280.46062]
    """
    days = (epoch_ns - utc_offset_ns(reference_ns)) / DAY_NS
    return np.asarray(_GMST_J2000_DEG + GMST_DEG_PER_DAY * (days - _J2000_DAYS))
