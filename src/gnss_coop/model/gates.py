"""Gates: checks that real files were seen to fail with the health flag at "good".

Each takes records and returns the rows that fail with the reason, to be listed and never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.kernels import orbits
from gnss_coop.model import messages as msg
from gnss_coop.model.messages import NO_FIELD, OrbitModel, field
from gnss_coop.model.records import (
    KEPLER_FIELDS,
    MESSAGE_LIMIT_NS,
    STATE_FIELDS,
    Booleans,
    Derived,
    Floats,
    Integers,
    RecordTable,
    by_message,
    groups,
)

#: Neighbours in time that are further apart than this half way between them disagree [m].
_NEIGHBOUR_LIMIT_M: Final = 1e3
#: Records of one satellite that are further apart than this are of two [m]: more than any manoeuvre in a day.
_OTHER_ORBIT_M: Final = 1e5
_COMPARABLE_NS: Final = const.SECONDS_PER_DAY * const.NS_PER_S


def gate(table: RecordTable, derived: Derived, n_lines: Integers) -> dict[int, str]:
    """Return the rows that fail a gate, with the reason (the first gate a row fails)."""
    reasons: dict[int, str] = {}
    for message, rows in by_message(table):
        values = table.fields[rows]
        with np.errstate(over="ignore"):  # damaged numbers may be as large as numbers get
            for bad, reason in _gates(message, values, table, derived, rows, n_lines[rows]):
                for row in np.flatnonzero(bad):
                    reasons.setdefault(int(rows[row]), reason(int(row)))
    return reasons


def _gates(
    message: msg.Message, values: Floats, table: RecordTable, derived: Derived, rows: Integers, n_lines: Integers
) -> Iterator[tuple[Booleans, Callable[[int], str]]]:
    """Yield the gates of a message: rows that fail, and how to say so."""
    yield (
        n_lines < message.n_required,
        lambda i: f"record is cut short: {n_lines[i]} of {message.n_lines} lines behind its epoch",
    )
    wanted = list(KEPLER_FIELDS.values()) if message.model is OrbitModel.KEPLER else STATE_FIELDS
    if message.adot != NO_FIELD:
        wanted = [*wanted, message.adot, message.dn0dot]
    yield np.asarray(~np.isfinite(values[:, wanted]).all(axis=1)), lambda i: "record has blank fields in its orbit"
    if message.model is OrbitModel.KEPLER:
        yield from _kepler_gates(message, values, table, derived, rows)
    else:
        yield from _state_gates(message, derived, rows, table)


def _kepler_gates(
    message: msg.Message, values: Floats, table: RecordTable, derived: Derived, rows: Integers
) -> Iterator[tuple[Booleans, Callable[[int], str]]]:
    bounds = msg.ORBIT_BOUNDS[message.system]
    sqrt_a, eccentricity, inclination = (values[:, field(*at)] for at in ((2, 3), (2, 1), (4, 0)))
    yield (
        ~bounds.hold(sqrt_a),
        lambda i: f"semi-major axis of {sqrt_a[i] ** 2 / 1e3:.0f} km belongs to no orbit of this system",
    )
    yield (
        ~bounds.hold(sqrt_a, inclination),
        lambda i: f"inclination of {np.degrees(inclination[i]):.4g} deg belongs to no orbit of this system and size",
    )
    yield (
        ~((eccentricity >= 0) & (eccentricity <= bounds.eccentricity_max)),
        lambda i: f"eccentricity {eccentricity[i]:.6g} is not between 0 and {bounds.eccentricity_max}",
    )
    elements = derived.elements[rows]
    size = np.abs(elements[:, [getattr(orbits, name.upper()) for name in msg.ELEMENT_LIMITS]])
    within = size <= list(msg.ELEMENT_LIMITS.values())
    yield (
        np.asarray(~within.all(axis=1)),
        lambda i: f"{list(msg.ELEMENT_LIMITS)[within[i].argmin()]} is larger than any message can hold",
    )
    if message.toe != NO_FIELD:
        apart_s = (derived.toe_ns[rows] - table.toc_ns[rows]) / const.NS_PER_S
        # A toe outside the week, or blank, was mapped onto the epoch: look at the field itself.
        field_ok = (values[:, message.toe] >= 0) & (values[:, message.toe] <= const.SECONDS_PER_WEEK)
        yield (
            ~field_ok | (np.abs(apart_s) > msg.MAX_TOE_FROM_EPOCH_S),
            lambda i: f"reference time (toe {values[i, message.toe]:.0f} s) is not near the record's epoch",
        )


def _state_gates(
    message: msg.Message, derived: Derived, rows: Integers, table: RecordTable
) -> Iterator[tuple[Booleans, Callable[[int], str]]]:
    position, velocity = derived.elements[rows, :3], derived.elements[rows, 3:6]
    radius = np.linalg.norm(position, axis=1)
    low, high = msg.GLONASS_RADIUS_M if message.model is OrbitModel.GLONASS else msg.SBAS_RADIUS_M
    yield (
        ~((radius >= low) & (radius <= high)),
        lambda i: f"orbit radius of {radius[i] / 1e3:.0f} km is not between {low / 1e3:.0f} and {high / 1e3:.0f} km",
    )
    fastest, most = msg.STATE_LIMITS[message.model]
    state = np.abs(derived.elements[rows, 3:9])
    yield (
        np.asarray(~((state[:, :3] <= fastest).all(axis=1) & (state[:, 3:] <= most).all(axis=1))),
        lambda i: (
            f"velocity ({state[i, :3].max():.3g} m/s) or acceleration ({state[i, 3:].max():.3g} m/s^2) "
            "is larger than the message can hold"
        ),
    )
    if message.model is OrbitModel.SBAS:
        return
    yield (
        (position[:, 0] == position[:, 1]) & (position[:, 1] == position[:, 2]),
        lambda i: "position has three equal coordinates",
    )
    w = const.OMEGA_E_GLONASS_RADPS
    turning = np.stack([-w * position[:, 1], w * position[:, 0], np.zeros(len(rows))], axis=1)
    inertial = velocity + turning
    speed = np.linalg.norm(inertial, axis=1)
    slow, fast = msg.GLONASS_SPEED_MPS
    yield (
        ~((speed >= slow) & (speed <= fast)),
        lambda i: f"orbital speed of {speed[i]:.0f} m/s is not between {slow:.0f} and {fast:.0f} m/s",
    )
    normal = np.cross(position, inertial)
    with np.errstate(invalid="ignore"):
        inclination = np.arccos(normal[:, 2] / np.linalg.norm(normal, axis=1))
    least, largest = msg.GLONASS_INCLINATION_RAD
    yield (
        ~((inclination >= least) & (inclination <= largest)),
        lambda i: f"inclination of {np.degrees(inclination[i]):.1f} deg is none of GLONASS",
    )


def off_grid(table: RecordTable, utc_ns: Integers) -> dict[int, str]:
    """Return GLONASS rows whose epoch is not one that satellites can send (a multiple of 15 min UTC)."""
    # Only of FDMA: the CDMA messages count in units of 90 s.
    fdma = table.message == msg.MESSAGE_INDEX["R", "FDMA"]
    bad = fdma & (utc_ns % (msg.GLONASS_TB_STEP_S * const.NS_PER_S) != 0)
    return {int(i): "time tag is not on the 15 minute grid of GLONASS reference times" for i in np.flatnonzero(bad)}


def inconsistent(table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return healthy rows of a sorted table whose orbit contradicts those of the satellite's other records."""
    rows = _of_doubtful_satellites(table, derived)
    subset, there = table.take(rows), derived.take(rows)
    reasons = misplaced(subset, there) | disagreeing(subset, there)
    return {int(rows[i]): reason for i, reason in reasons.items()}


def _of_doubtful_satellites(table: RecordTable, derived: Derived) -> Integers:
    """Return the rows of satellites and messages in which some record disagrees with the next one."""
    starts, stops = groups(table)
    kept = derived.model[starts] != OrbitModel.SBAS if len(starts) else np.zeros(0, dtype=bool)
    starts, stops = starts[kept], stops[kept]
    doubtful = np.zeros(len(starts), dtype=bool)
    reach_ns = 2 * MESSAGE_LIMIT_NS[table.message]
    orbits.find_doubtful(
        starts, stops, derived.toe_ns, reach_ns, derived.model, derived.elements, _NEIGHBOUR_LIMIT_M, doubtful
    )
    ranges = [np.arange(a, b) for a, b in zip(starts[doubtful], stops[doubtful], strict=True)]
    return np.concatenate(ranges) if ranges else np.zeros(0, dtype=np.int64)


def disagreeing(table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return healthy rows that agree with none of at least two neighbours of a sorted table."""
    rows = np.flatnonzero(derived.healthy)
    subset, there = table.take(rows), derived.take(rows)
    apart_m = np.zeros(len(rows))
    orbits.find_disagreements(
        *groups(subset), there.toe_ns, 2 * MESSAGE_LIMIT_NS[subset.message], there.model, there.elements,
        _NEIGHBOUR_LIMIT_M, apart_m,
    )  # fmt: skip
    return {
        int(rows[i]): f"orbit disagrees with its neighbours by {apart_m[i] / 1e3:.0f} km or more"
        for i in np.flatnonzero(apart_m)
    }


def misplaced(table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return healthy rows of a sorted table that give the orbit of another satellite.

    Merged files were seen to file hours of one satellite under the number of another, where neighbours agree.
    A satellite's records are cut into runs that agree; a run that does not lie on the orbit of the longest
    one, continued over what is between them, is not this satellite's.
    """
    reasons: dict[int, str] = {}
    if len(table) == 0:
        return reasons
    apart_m = _apart_m(np.arange(len(table) - 1), np.arange(1, len(table)), derived)
    joined = np.diff(derived.toe_ns) <= 2 * MESSAGE_LIMIT_NS[table.message][:-1]
    cut = (apart_m > _OTHER_ORBIT_M) | ~joined
    for start, stop in zip(*groups(table), strict=True):
        runs = np.split(np.arange(start, stop), 1 + np.flatnonzero(cut[start : stop - 1]))
        for run, distance_m in _strangers(runs, derived):
            for row in run[derived.healthy[run]]:
                reasons[int(row)] = (
                    f"orbit is another satellite's: {distance_m / 1e3:.0f} km from that of the other records"
                )
    return reasons


def _apart_m(first: Integers, second: Integers, derived: Derived) -> Floats:
    """Return how far apart pairs of rows put a satellite half way between them [m]; infinite beyond a day."""
    apart_m = np.full(len(first), np.inf)
    near = np.flatnonzero(np.abs(derived.toe_ns[second] - derived.toe_ns[first]) <= _COMPARABLE_NS)
    found_m = np.empty(len(near))
    orbits.distances(first[near], second[near], derived.toe_ns, derived.model, derived.elements, found_m)
    apart_m[near] = found_m
    return apart_m


def _strangers(runs: list[Integers], derived: Derived) -> Iterator[tuple[Integers, float]]:
    """Yield the runs that are not on the orbit of the longest, going outwards from it, and their distance [m]."""
    longest = max(range(len(runs)), key=lambda i: len(runs[i]))
    for side in (range(longest + 1, len(runs)), range(longest - 1, -1, -1)):
        last = runs[longest]
        for i in side:
            ends = (last[-1], runs[i][0]) if i > longest else (runs[i][-1], last[0])
            (apart_m,) = _apart_m(np.array(ends[:1]), np.array(ends[1:]), derived)
            if _OTHER_ORBIT_M < apart_m < np.inf:
                yield runs[i], float(apart_m)
            else:
                last = runs[i]
