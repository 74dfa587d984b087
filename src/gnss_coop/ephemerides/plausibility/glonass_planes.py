"""Planes of GLONASS orbits against those that its slots have: a check of dates and times that needs no other record.

GLONASS numbers are slots, and the nodes of the slots' planes are known for all times: in files from 2006 to 2024 the
median over satellites lies within 1.3 deg of them. In the Earth-fixed frame of the records, a date or time that is
wrong turns all planes alike: by 15 deg per hour, 1 deg per day, 108 deg for 1024 weeks.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.elements.nominal import CONSTELLATIONS, greenwich_deg
from gnss_coop.ephemerides.messages import OrbitModel
from gnss_coop.ephemerides.records import Booleans, Derived, Floats, Integers, RecordTable
from gnss_coop.model import timescales

#: How far the planes of a file must be turned [deg], and within which most of its satellites must agree [deg].
_TURNED_DEG, _ALIKE_DEG = 8.0, 5.0
_SHARE, _FEWEST_SATELLITES = 0.8, 4
_MOST_ANGLES: Final = 200
_SLOTS: Final = CONSTELLATIONS["R"][0]


def turned_planes(table: RecordTable, derived: Derived, usable: Booleans) -> dict[int, str]:
    """Return the GLONASS rows of files in which the planes of (nearly) all satellites are turned alike.

    Parameters
    ----------
    table, derived
        Records.
    usable : bool array (n,)
        Those whose orbit can be one.
    """
    reasons: dict[int, str] = {}
    glonass = np.flatnonzero(derived.model == OrbitModel.GLONASS)
    known = glonass[usable[glonass] & (table.number[glonass] <= len(_SLOTS.slots))]
    if not known.size:
        return reasons
    off_deg = _off_deg(derived.elements[known], derived.toe_ns[known], table.number[known])
    for file in np.unique(table.file[known]):
        of_file = table.file[known] == file
        turned_deg = _turned(off_deg[of_file], table.number[known][of_file])
        if abs(turned_deg) > _TURNED_DEG:
            rows = glonass[(table.file[glonass] == file) & usable[glonass]]
            reasons |= dict.fromkeys(
                rows.tolist(),
                f"the orbital planes of this file's satellites are turned by {turned_deg:.0f} deg against those of "
                "GLONASS at their dates: dates, times or satellite numbers of the file are wrong",
            )
    return reasons


def _turned(off_deg: Floats, numbers: Integers) -> float:
    """Return by which angle most satellites are turned [deg]; 0 where they do not agree, or are few."""
    satellites = np.unique(numbers)
    if len(satellites) < _FEWEST_SATELLITES:
        return 0.0
    each = np.array([_middle(off_deg[numbers == number]) for number in satellites])
    middle = _middle(each)
    alike = np.abs(_wrapped(each - middle)) <= _ALIKE_DEG
    return middle if alike.mean() >= _SHARE else 0.0


def _middle(angles_deg: Floats) -> float:
    """Return the median of angles [deg], seen from the one with most others near; of many, some are looked at."""
    angles_deg = angles_deg[:: 1 + len(angles_deg) // _MOST_ANGLES]
    near = np.abs(_wrapped(angles_deg[:, None] - angles_deg)) <= _ALIKE_DEG
    start = angles_deg[near.sum(axis=1).argmax()]
    return float(_wrapped(start + np.median(_wrapped(angles_deg - start))))


def _off_deg(elements: Floats, epoch_ns: Integers, numbers: Integers) -> Floats:
    """Return how far each record's node is from that of its slot [deg]."""
    position, velocity = elements[:, :3], elements[:, 3:6]
    w = const.OMEGA_E_GLONASS_RADPS
    turning = np.stack([-w * position[:, 1], w * position[:, 0], np.zeros(len(position))], axis=1)
    normal = np.cross(position, velocity + turning)
    node_deg = np.degrees(np.arctan2(normal[:, 0], -normal[:, 1])) + greenwich_deg(epoch_ns)
    days = (epoch_ns - timescales.parse_time(_SLOTS.epoch)) / (const.SECONDS_PER_DAY * const.NS_PER_S)
    slot_deg = np.array(_SLOTS.slots)[numbers - _SLOTS.first_number, 0]
    return _wrapped(node_deg - slot_deg - _SLOTS.node_drift_deg_per_day * days)


def _wrapped(angle_deg: Floats) -> Floats:
    return np.asarray((angle_deg + 180.0) % 360.0 - 180.0)
