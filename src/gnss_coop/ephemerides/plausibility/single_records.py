"""Gates: checks of single records that real files were seen to fail with the health flag at "good".

Records are compared with each other in `consistency`. Each check takes records and returns the rows that fail with the
reason, to be listed and never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gnss_coop import constants as const
from gnss_coop.ephemerides import messages as msg
from gnss_coop.ephemerides.messages import NO_FIELD, OrbitModel, field
from gnss_coop.ephemerides.records import (
    KEPLER_FIELDS,
    STATE_FIELDS,
    Booleans,
    Derived,
    Floats,
    Integers,
    RecordTable,
    by_message,
)
from gnss_coop.kernels import orbits


def gate(table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return the rows whose orbit cannot be, with the reason (the first gate a row fails)."""
    reasons: dict[int, str] = {}
    for message, rows in by_message(table):
        values = table.fields[rows]
        kepler = message.model is OrbitModel.KEPLER
        with np.errstate(over="ignore"):  # damaged numbers may be as large as numbers get
            for bad, reason in (
                _kepler_gates(message, values, table, derived, rows)
                if kepler
                else _state_gates(message, derived, rows, table)
            ):
                for row in np.flatnonzero(bad):
                    reasons.setdefault(int(rows[row]), reason(int(row)))
    return reasons


def incomplete(table: RecordTable, n_lines: Integers) -> dict[int, str]:
    """Return the rows that lack a part of their orbit, with the reason."""
    reasons: dict[int, str] = {}
    for message, rows in by_message(table):
        wanted = list(KEPLER_FIELDS.values()) if message.model is OrbitModel.KEPLER else STATE_FIELDS
        if message.adot != NO_FIELD:
            wanted = [*wanted, message.adot, message.dn0dot]
        blank = ~np.isfinite(table.fields[rows][:, wanted]).all(axis=1)
        reasons |= dict.fromkeys(rows[blank].tolist(), "record has blank fields in its orbit")
        for row in rows[n_lines[rows] < message.n_required].tolist():
            reasons[row] = f"record is cut short: {n_lines[row]} of {message.n_lines} lines behind its epoch"
    return reasons


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
