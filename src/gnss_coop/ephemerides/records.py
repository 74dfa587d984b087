"""Navigation records as columns, and what follows from their fields: times, health, elements, order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.ephemerides import messages as msg
from gnss_coop.ephemerides.messages import MESSAGES, NO_FIELD, OrbitModel, field
from gnss_coop.kernels import orbits

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]

#: Default limit of the age of each message, in the order of `MESSAGES` [ns].
MESSAGE_LIMIT_NS: Final = np.array([int(m.max_age_s * const.NS_PER_S) for m in MESSAGES])
_MODEL: Final = np.array([m.model for m in MESSAGES], dtype=np.int8)

#: Where a Keplerian element row of the kernels finds its values in a record's fields.
KEPLER_FIELDS: Final = {
    orbits.SQRT_A: field(2, 3), orbits.ECCENTRICITY: field(2, 1), orbits.M0: field(1, 3),
    orbits.OMEGA: field(4, 2), orbits.OMEGA0: field(3, 2), orbits.OMEGA_DOT: field(4, 3),
    orbits.I0: field(4, 0), orbits.I_DOT: field(5, 0), orbits.DN0: field(1, 2),
    orbits.CUC: field(2, 0), orbits.CUS: field(2, 2), orbits.CRC: field(4, 1),
    orbits.CRS: field(1, 1), orbits.CIC: field(3, 1), orbits.CIS: field(3, 3),
}  # fmt: skip
#: Position, velocity and acceleration of a state record [km, km/s, km/s^2].
STATE_FIELDS: Final = [field(line, column) for column in range(3) for line in (1, 2, 3)]
_GLONASS_FLAGS: Final = field(4, 3)
GALILEO_SOURCE: Final = field(5, 1)
_MAX_SENT_FROM_TOE_S: Final = 86_400.0


def orbit_fields(message: msg.Message) -> list[int]:
    """Return the fields that an orbit cannot do without."""
    if message.model is not OrbitModel.KEPLER:
        return list(STATE_FIELDS)
    rates = [message.adot, message.dn0dot] if message.adot != NO_FIELD else []
    return [*KEPLER_FIELDS.values(), *rates]


def needed_fields(message: msg.Message) -> frozenset[int]:
    """Return the fields that say where a satellite is, when, and whether it is healthy."""
    flags = [_GLONASS_FLAGS] if message.name == "FDMA" else []
    return frozenset([*orbit_fields(message), message.toe, message.health, *flags]) - {NO_FIELD}


@dataclass(frozen=True, slots=True, eq=False)
class RecordTable:
    """Navigation records, one row each, as a reader hands them over.

    Attributes
    ----------
    system : uint8 (n,), ASCII code of the RINEX letter
    number : int16 (n,)
    message : int8 (n,), index into `MESSAGES`
    toc_ns : int64 (n,), epoch of the record [ns of GPST]
    fields : float64 (n, 39), as written in RINEX; NaN where blank
    file : int16 (n,), index of the file
    line : int32 (n,), line of the record's epoch
    """

    system: Integers
    number: Integers
    message: Integers
    toc_ns: Integers
    fields: Floats
    file: Integers
    line: Integers

    def __len__(self) -> int:
        return len(self.toc_ns)

    def take(self, rows: npt.NDArray[Any]) -> RecordTable:
        """Return the table of the given rows (indices or a mask)."""
        return RecordTable(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concatenate(tables: Iterable[RecordTable]) -> RecordTable:
        """Return one table of all rows."""
        tables = list(tables)
        if len(tables) == 1:
            return tables[0]
        return RecordTable(*(np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(RecordTable)))

    def names(self) -> list[str]:
        """Return the satellite of each row as RINEX names it."""
        return [f"{chr(s)}{n:02d}" for s, n in zip(self.system, self.number, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """What follows from the fields of each record.

    Attributes
    ----------
    toe_ns : int64 (n,), reference time of the orbit [ns of GPST]
    sent_ns : int64 (n,), when the record was (first) sent, the reference time where that is unknown
    health : float64 (n,), as written
    healthy : bool (n,)
    elements : float64 (n, N_ELEMENTS), rows for `kernels.orbits`
    model : int8 (n,), `OrbitModel`
    """

    toe_ns: Integers
    sent_ns: Integers
    health: Floats
    healthy: Booleans
    elements: Floats
    model: Integers

    def take(self, rows: npt.NDArray[Any]) -> Derived:
        """Return the given rows (indices or a mask)."""
        return Derived(*(getattr(self, f.name)[rows] for f in fields(self)))


def by_message(table: RecordTable) -> Iterator[tuple[msg.Message, Integers]]:
    """Yield each message type that occurs and the rows that carry it."""
    for code in np.unique(table.message):
        yield MESSAGES[code], np.flatnonzero(table.message == code)


def seconds_of_week(gpst_ns: Integers, system: str) -> Floats:
    """Return seconds of week [s] in the system's own scale (BDT for BeiDou, GPST for the others)."""
    offset_ns = const.BDT_MINUS_GPST_S * const.NS_PER_S if system == "C" else 0
    week_ns = const.SECONDS_PER_WEEK * const.NS_PER_S
    return ((gpst_ns + offset_ns) % week_ns) / const.NS_PER_S


def _near(toc_ns: Integers, toc_of_week_s: Floats, of_week_s: Floats) -> Integers:
    """Return the instant with the given seconds of week that is nearest to the record's epoch [ns]."""
    apart = of_week_s - toc_of_week_s
    # What is blank or no second of any week counts as the epoch itself; the gates look at the field.
    apart = np.where(np.abs(apart) <= 2 * const.SECONDS_PER_WEEK, apart, 0.0)
    apart -= const.SECONDS_PER_WEEK * np.round(apart / const.SECONDS_PER_WEEK)
    return toc_ns + np.round(apart * const.NS_PER_S).astype(np.int64)


def name_unlabelled(table: RecordTable, labelled: Booleans) -> RecordTable:
    """Tell D2 from D1 and FNAV from INAV where the file did not (before RINEX 4)."""
    message = table.message.copy()
    values = table.fields
    geo = (values[:, field(2, 3)] > msg.GEO_SQRT_A_MIN) & (np.abs(values[:, field(4, 0)]) < msg.GEO_INCLINATION_MAX_RAD)
    message[~labelled & geo & (message == msg.MESSAGE_INDEX["C", "D1"])] = msg.MESSAGE_INDEX["C", "D2"]
    fnav = ~labelled & (message == msg.MESSAGE_INDEX["E", "INAV"])
    fnav &= _bits(values[:, GALILEO_SOURCE]) & 0b111 == 0b010
    message[fnav] = msg.MESSAGE_INDEX["E", "FNAV"]
    return replace(table, message=message)


def derive(table: RecordTable) -> Derived:
    """Compute times, health and element rows of all records."""
    n = len(table)
    result = Derived(
        toe_ns=table.toc_ns.copy(),
        sent_ns=table.toc_ns.copy(),
        health=np.full(n, np.nan),
        healthy=np.zeros(n, dtype=bool),
        elements=np.zeros((n, orbits.N_ELEMENTS)),
        model=_MODEL[table.message],
    )
    for message, rows in by_message(table):
        values = table.fields[rows]
        result.health[rows] = values[:, message.health]
        result.healthy[rows] = _healthy(message, values)
        if message.model is OrbitModel.KEPLER:
            _derive_kepler(message, rows, values, table, result)
        else:
            with np.errstate(over="ignore"):  # the gates see infinities
                result.elements[rows, :9] = values[:, STATE_FIELDS] * 1e3
            result.elements[rows, orbits.DAYS_J2000] = _days_j2000(table.toc_ns[rows])
            # GLONASS sends a record from a quarter of an hour before its reference time on; what files
            # give as its transmission time has several meanings.
            lead_s = msg.GLONASS_TB_STEP_S if message.model is OrbitModel.GLONASS else 0
            result.sent_ns[rows] = table.toc_ns[rows] - lead_s * const.NS_PER_S
    return result


def _derive_kepler(message: msg.Message, rows: Integers, values: Floats, table: RecordTable, result: Derived) -> None:
    toc_ns = table.toc_ns[rows]
    of_week = seconds_of_week(toc_ns, message.system)
    toe_of_week = of_week if message.toe == NO_FIELD else values[:, message.toe]
    toe_ns = _near(toc_ns, of_week, toe_of_week)
    sent_ns = _near(toc_ns, of_week, values[:, message.sent])
    known = np.isfinite(values[:, message.sent]) & (values[:, message.sent] < 2 * const.SECONDS_PER_WEEK)
    known &= np.abs(sent_ns - toe_ns) <= _MAX_SENT_FROM_TOE_S * const.NS_PER_S
    result.toe_ns[rows] = toe_ns
    result.sent_ns[rows] = np.where(known, sent_ns, toe_ns)
    bounds = msg.ORBIT_BOUNDS[message.system]
    elements = np.zeros((len(rows), orbits.N_ELEMENTS))
    elements[:, list(KEPLER_FIELDS)] = values[:, list(KEPLER_FIELDS.values())]
    if message.adot != NO_FIELD:
        elements[:, orbits.A_DOT] = values[:, message.adot]
        elements[:, orbits.DN0_DOT] = values[:, message.dn0dot]
    elements[:, orbits.TOE_OF_WEEK] = toe_of_week
    elements[:, orbits.GM] = bounds.gm_m3s2
    elements[:, orbits.OMEGA_E] = bounds.omega_e_radps
    if message.name in ("D1", "D2"):
        geo = (elements[:, orbits.SQRT_A] > msg.GEO_SQRT_A_MIN) & (
            np.abs(elements[:, orbits.I0]) < msg.GEO_INCLINATION_MAX_RAD
        )
        elements[:, orbits.IS_GEO] = geo | (message.name == "D2")
    result.elements[rows] = elements


def _days_j2000(gpst_ns: Integers) -> Floats:
    """Return days since 2000-01-01 12:00 (GPST and UT1 are one here: seconds do not matter) [d]."""
    return gpst_ns / (const.SECONDS_PER_DAY * const.NS_PER_S) - 7300.5


def _bits(values: Floats) -> npt.NDArray[np.int64]:
    """Return flag fields as integers; all bits set where there is no usable number."""
    usable = (values >= 0) & (values < 2**31)
    return np.where(usable, np.nan_to_num(values, posinf=0, neginf=0), 2.0**31 - 1).astype(np.int64)


def _healthy(message: msg.Message, values: Floats) -> Booleans:
    health = values[:, message.health]
    rule = msg.HEALTH_BITS.get((message.system, message.name))
    if rule is not None:
        return rule.good(_bits(health))
    healthy: Booleans = health == 0  # GLONASS files carry 1, 4 and 14 for bad; blank is unknown and not good
    if message.name == "FDMA":  # version 3.05 and later: bit 2 of the flags is l(3)
        flags = values[:, _GLONASS_FLAGS]
        healthy &= ~((flags >= 0) & (flags < 8) & (_bits(flags) & 4 != 0))
    return healthy


def groups(table: RecordTable) -> tuple[Integers, Integers]:
    """Return start and stop of the runs of equal satellite and message in a sorted table."""
    if len(table) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    key = satellite_key(table) * len(MESSAGES) + table.message
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return starts, np.r_[starts[1:], len(table)]


def satellite_key(table: RecordTable) -> Integers:
    """Return an integer per row that orders satellites by letter and number."""
    return np.asarray(table.system.astype(np.int64) * 1000 + table.number)


# --- Order and duplicates -------------------------------------------------------------------------------


def order(table: RecordTable, derived: Derived) -> Integers:
    """Return the order of rows by satellite, message, reference time and time of transmission.

    Of records that agree in all of these and not in their health, the unhealthy ones are last, and so in force.
    """
    key = satellite_key(table) * len(MESSAGES) + table.message
    return np.lexsort((table.fields[:, 3], ~derived.healthy, derived.sent_ns, derived.toe_ns, key))


def representatives(table: RecordTable, derived: Derived) -> Integers:
    """Return, for each row of a sorted table, the row that stands for all that say the same.

    The same satellite, message, reference time, time of transmission, health and orbit; the orbit may
    differ in the last digits, as converters round differently.
    """
    own = np.arange(len(table))
    if len(table) < 2:
        return own
    key = satellite_key(table) * len(MESSAGES) + table.message
    again = (np.diff(key) == 0) & (np.diff(derived.toe_ns) == 0) & (np.diff(derived.sent_ns) == 0)
    pairs = np.flatnonzero(again)
    repeats = np.zeros(len(table), dtype=bool)
    repeats[pairs + 1] = _alike(pairs, pairs + 1, derived)
    first = _starts(~repeats)
    # What says two things about one instant stands mixed where several files say so: bring like to like.
    instant = np.cumsum(np.r_[True, ~again])
    left = np.flatnonzero(~repeats)
    left = left[np.bincount(instant[left])[instant[left]] > 2]
    keys = (*derived.elements[left].T, derived.health[left], instant[left])
    left = left[np.lexsort(keys)]
    alike = (instant[left[1:]] == instant[left[:-1]]) & _alike(left[:-1], left[1:], derived)
    own[left] = left[_starts(np.r_[True, ~alike][: len(left)])]
    return np.asarray(own[first])


def _starts(begins: Booleans) -> Integers:
    """Return the index at which the run of each item began."""
    return np.asarray(np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0)))


def duplicated(table: RecordTable, derived: Derived) -> Booleans:
    """Tell which rows of a sorted table another one stands for (see `representatives`)."""
    return np.asarray(representatives(table, derived) != np.arange(len(table)))


def _alike(first: Integers, second: Integers, derived: Derived) -> Booleans:
    """Tell which pairs of rows have the same health and, but for rounding, the same orbit."""
    health, other = derived.health[first], derived.health[second]
    a, b = derived.elements[first], derived.elements[second]
    close = (np.abs(a - b) <= 1e-9 * np.maximum(np.abs(a), np.abs(b))) | (np.isnan(a) & np.isnan(b))
    return np.asarray(close.all(axis=1) & ((health == other) | (np.isnan(health) & np.isnan(other))))
