"""Dates of records: the era of their system, the week that they carry, and what the rest of the file says.

A date that slipped by 1024 weeks leaves every orbit as it was, and moves satellites by what GPST - UTC changed since.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.ephemerides import messages as msg
from gnss_coop.ephemerides.messages import MESSAGES, NO_FIELD
from gnss_coop.ephemerides.records import Booleans, Derived, Floats, Integers, RecordTable, by_message
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS

_WEEK_NS: Final = const.SECONDS_PER_WEEK * const.NS_PER_S
_DAY_S: Final = const.SECONDS_PER_DAY
_ROLLOVER: Final = 1024
_MAX_WEEK: Final = 8192
#: Share of a file's datable records (and the least number of them) that makes all its dates wrong.
_SHARE, _FEWEST = 0.8, 3


def misdated(table: RecordTable, derived: Derived) -> dict[int, str]:
    """Return the rows whose date cannot be, with the reason."""
    reasons: dict[int, str] = {}
    datable = np.zeros(len(table), dtype=bool)
    for message, rows in by_message(table):
        first = msg.FIRST_DATE[message.system]
        early = table.toc_ns[rows] < timescales.parse_time(first)
        for row in rows[early]:
            reasons[int(row)] = (
                f"date {_date(table.toc_ns[row])} is before the first record that {SYSTEMS[message.system].name} "
                f"can have sent ({first})"
            )
        datable[rows[early]] = True
        if message.week == NO_FIELD:
            continue
        known, wrong = _against_weeks(message, table.fields[rows, message.week], derived.toe_ns[rows])
        datable[rows[known]] = True
        for i in np.flatnonzero(wrong):
            reasons.setdefault(int(rows[i]), _contradiction(message, table, derived, int(rows[i])))
    return reasons | _of_wrong_files(table, datable, reasons)


def _against_weeks(message: msg.Message, written: Floats, toe_ns: Integers) -> tuple[Booleans, Booleans]:
    """Tell which records carry a full week, and which of these carry another than that of their reference time."""
    offset_ns = const.BDT_MINUS_GPST_S * const.NS_PER_S if message.system == "C" else 0
    week, into_week_ns = np.divmod(toe_ns + offset_ns, _WEEK_NS)
    known = _is_week(written)
    # The week may be that of the epoch or of the transmission: another one only near the week's ends.
    near_end = np.minimum(into_week_ns, _WEEK_NS - into_week_ns) <= _DAY_S * const.NS_PER_S
    fits = np.zeros(len(written), dtype=bool)
    expiry_ns = timescales.parse_time(timescales.LEAP_SECONDS_EXPIRY)
    for i, origin in enumerate(msg.WEEK_ORIGINS[message.system]):
        apart = written + origin - week
        as_written = (apart == 0) | (near_end & (np.abs(apart) == 1))
        # Other origins only where the date is not itself beyond all that is known: 1024 weeks late look alike.
        fits |= as_written & ((i == 0) | (toe_ns <= expiry_ns))
    if message.system in msg.SHORT_WEEK_SYSTEMS:
        apart = (written - week) % _ROLLOVER
        short = (written < _ROLLOVER) & ((apart == 0) | (near_end & ((apart == 1) | (apart == _ROLLOVER - 1))))
        known &= ~(short & ~fits)  # fits any of the weeks that are 1024 apart, and tells none
    return known, known & ~fits


def _is_week(written: Floats) -> Booleans:
    return np.asarray((written > 0) & (written < _MAX_WEEK) & (written == np.round(written)))


def carries_week(table: RecordTable, row: int) -> bool:
    """Tell whether a record has a full week, which (see `misdated`) is that of its date."""
    message = MESSAGES[table.message[row]]
    if message.week == NO_FIELD:
        return False
    short = message.system in msg.SHORT_WEEK_SYSTEMS and table.fields[row, message.week] < _ROLLOVER
    return bool(_is_week(table.fields[row, [message.week]])[0] and not short)


def _contradiction(message: msg.Message, table: RecordTable, derived: Derived, row: int) -> str:
    written = int(table.fields[row, message.week])
    said_ns = (written + msg.WEEK_ORIGINS[message.system][0]) * _WEEK_NS
    return f"week field {written} (from {_date(said_ns)} on) contradicts the record's date {_date(derived.toe_ns[row])}"


def _of_wrong_files(table: RecordTable, datable: Booleans, reasons: dict[int, str]) -> dict[int, str]:
    """Return the other rows of files in which (nearly) all records that can be dated are misdated."""
    result: dict[int, str] = {}
    if not reasons:
        return result
    wrong = np.zeros(len(table), dtype=bool)
    wrong[list(reasons)] = True
    for file in np.unique(table.file[wrong]):
        of_file = table.file == file
        n_wrong, n_datable = int((wrong & of_file).sum()), int((datable & of_file).sum())
        if n_wrong >= max(_FEWEST, _SHARE * n_datable):
            for row in np.flatnonzero(of_file & ~wrong & ~datable):
                result[int(row)] = (
                    f"date cannot be trusted: {n_wrong} of the {n_datable} records of this file that tell their week "
                    "or era contradict its dates"
                )
    return result


def _date(gpst_ns: int) -> str:
    return timescales.format_time(gpst_ns)[:10]
