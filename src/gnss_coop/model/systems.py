"""Satellite systems, as RINEX letters name them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TimeScale(StrEnum):
    """Time scale in which a system writes its epochs into RINEX."""

    GPST = "GPST"
    BDT = "BDT"
    UTC = "UTC"


class OrbitClass(StrEnum):
    """Kind of orbit, told from the elements, never from the satellite's number."""

    MEO = "MEO"
    IGSO = "IGSO"
    GEO = "GEO"


@dataclass(frozen=True, slots=True)
class System:
    """A satellite navigation system.

    Attributes
    ----------
    letter : str
        RINEX letter.
    name : str
        Name in English.
    time_scale : TimeScale
        Scale of its epochs in RINEX navigation files. Galileo, QZSS, NavIC and SBAS times agree with
        GPST to nanoseconds; GLONASS epochs are UTC.
    """

    letter: str
    name: str
    time_scale: TimeScale


SYSTEMS: Final[dict[str, System]] = {
    s.letter: s
    for s in (
        System("G", "GPS", TimeScale.GPST),
        System("R", "GLONASS", TimeScale.UTC),
        System("E", "Galileo", TimeScale.GPST),
        System("C", "BeiDou", TimeScale.BDT),
        System("J", "QZSS", TimeScale.GPST),
        System("I", "NavIC", TimeScale.GPST),
        System("S", "SBAS", TimeScale.GPST),
    )
}
