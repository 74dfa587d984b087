"""Angles in semicircles: some writers pass on the broadcast numbers, where RINEX wants radians.

Nothing is converted: a file whose angles are off by pi is as likely to have other faults.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gnss_coop.ephemerides import messages as msg
from gnss_coop.ephemerides.messages import OrbitModel, field
from gnss_coop.ephemerides.records import Booleans, Floats, Integers, RecordTable, by_message, satellite_key

_ANGLES: Final = [field(1, 3), field(3, 2), field(4, 2)]  # M0, Omega0, omega
#: What the largest angle in semicircles is, with room for rounding. In radians 3 angles of 100 records are below it.
_LARGEST: Final = 1.0 + 1e-9
#: Share of a system's records in a file that must be so for all of them to be.
_SHARE: Final = 0.9
#: Satellites whose angles must all be so where inclinations tell nothing. Geostationary satellites share their node, so
#: that two angles of each are free: 1 chance in 90,000.
_FEWEST_SATELLITES: Final = 5


def in_semicircles(table: RecordTable) -> dict[int, str]:
    """Return the rows whose angles look like semicircles, with the reason; it is judged per file and system."""
    reasons: dict[int, str] = {}
    for system, bounds in msg.ORBIT_BOUNDS.items():
        rows = [
            r for message, r in by_message(table) if message.system == system and message.model is OrbitModel.KEPLER
        ]
        if rows:
            of_system = np.concatenate(rows)
            for file in np.unique(table.file[of_system]):
                _judge(table, of_system[table.file[of_system] == file], bounds, reasons)
    return reasons


def _judge(table: RecordTable, rows: Integers, bounds: msg.OrbitBounds, reasons: dict[int, str]) -> None:
    values = table.fields[rows]
    inclination = values[:, field(4, 0)]
    if _fits(bounds, values, 1.0).all() and inclination.max(initial=0.0) > _largest_of_geostationary(bounds):
        return
    small = np.asarray((np.abs(values[:, _ANGLES]) <= _LARGEST).all(axis=1))
    alone = small & ~_fits(bounds, values, 1.0) & _fits(bounds, values, np.pi)
    told = bool(alone.any() and _fits(bounds, values, np.pi).mean() >= _SHARE)
    told |= len(np.unique(satellite_key(table)[rows[small]])) >= _FEWEST_SATELLITES
    whole = told and small.mean() >= _SHARE
    for i in np.flatnonzero(small if whole else alone):
        reasons[int(rows[i])] = (
            f"angles look like semicircles, not the radians that RINEX wants: inclination {inclination[i]:.4g} "
            f"(times pi {np.degrees(inclination[i] * np.pi):.1f} deg)"
        )


def _largest_of_geostationary(bounds: msg.OrbitBounds) -> float:
    """Return the largest inclination of the system's orbits that is one in semicircles too [rad]; 0 for none."""
    return max((kind.inclination_rad[1] for kind in bounds.kinds if kind.inclination_rad[0] == 0.0), default=0.0)


def _fits(bounds: msg.OrbitBounds, values: Floats, factor: float) -> Booleans:
    """Tell which records have an orbit of the system once their inclination is multiplied by a factor."""
    return bounds.hold(values[:, field(2, 3)], values[:, field(4, 0)] * factor)
