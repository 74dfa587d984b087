"""Orbits of many satellites of a system that jump together: a wrong upload, for satellites manoeuvre one by one.

GLONASS sent orbits some 200 km off, flagged healthy, from 2014-04-01 21:15 UTC on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gnss_coop.constants import NS_PER_S
from gnss_coop.ephemerides.records import Derived, RecordTable, satellite_key
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS

#: Jumps within this time are together [ns]; what share of a system, and how many satellites, no chance brings together.
_TOGETHER_NS: Final = 3600 * NS_PER_S
_SHARE, _FEWEST = 1 / 3, 4
#: The side with at most this share of the records of the other is the wrong one.
_CLEARLY_FEWER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Jump:
    """A satellite's orbit that is left for another without an unhealthy record between.

    Attributes
    ----------
    sv : str
        Satellite.
    at_ns : int
        Reference time of the first record after it [ns of GPST].
    apart_m : float
        Distance of the orbits [m].
    before, after : tuple of int
        Rows of the records on both sides.
    """

    sv: str
    at_ns: int
    apart_m: float
    before: tuple[int, ...]
    after: tuple[int, ...]


def wrong_sides(jumps: Sequence[Jump], table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return the healthy rows on the wrong side of jumps that many satellites of a system make together."""
    reasons: dict[int, str] = {}
    for letter in sorted({jump.sv[0] for jump in jumps}):
        of_system = sorted((jump for jump in jumps if jump.sv[0] == letter), key=lambda jump: jump.at_ns)
        at_ns = np.array([jump.at_ns for jump in of_system])
        stop = np.searchsorted(at_ns, at_ns + _TOGETHER_NS, side="right")
        satellites = [{jump.sv for jump in of_system[i:j]} for i, j in enumerate(stop.tolist())]
        start = max(range(len(satellites)), key=lambda i: len(satellites[i]))
        n_all = len(np.unique(satellite_key(table)[derived.healthy & (table.system == ord(letter))]))
        if len(satellites[start]) >= max(_FEWEST, _SHARE * n_all):
            reasons |= _fewer(of_system[start : stop[start]], len(satellites[start]), derived)
    return reasons


def _fewer(jumps: Sequence[Jump], n_satellites: int, derived: Derived) -> dict[int, str]:
    """Return the healthy rows on the side with clearly fewer; none if it is one side's word against the other's."""
    n_before = sum(int(derived.healthy[list(jump.before)].sum()) for jump in jumps)
    n_after = sum(int(derived.healthy[list(jump.after)].sum()) for jump in jumps)
    if min(n_before, n_after) > _CLEARLY_FEWER * max(n_before, n_after):
        return {}
    system = SYSTEMS[jumps[0].sv[0]].name
    return {
        row: (
            f"orbits of {n_satellites} satellites of {system} jump together at {timescales.format_time(jump.at_ns)}, "
            f"this one by {jump.apart_m / 1e3:.0f} km: most records are on the other side"
        )
        for jump in jumps
        for row in (jump.after if n_after < n_before else jump.before)
        if derived.healthy[row]
    }
