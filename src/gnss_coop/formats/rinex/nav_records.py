"""Ephemeris frames of RINEX navigation files to records: which are readable, which fields, and what is repaired."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.ephemerides.messages import MESSAGE_INDEX, MESSAGES
from gnss_coop.ephemerides.records import GALILEO_SOURCE, RecordTable, name_unlabelled, needed_fields, orbit_fields
from gnss_coop.formats.rinex.nav_header import NavHeader
from gnss_coop.formats.rinex.nav_layout import MAX_LISTED, Layout, capped
from gnss_coop.kernels import rinex_nav as kernel
from gnss_coop.model import timescales
from gnss_coop.model.rejects import Reject
from gnss_coop.model.systems import SYSTEMS, TimeScale

#: Frames that are parsed at a time, so that garbage takes no more memory than what is kept: all of them where there is
#: at most one for so many bytes, as records have 320 and more, and else so many.
_CHUNK: Final = 8192
_BYTES_PER_FRAME: Final = 256
#: The only message that RINEX 2 and 3 know of a system; D2 and FNAV are told from the content.
_UNLABELLED: Final = {"G": "LNAV", "R": "FDMA", "E": "INAV", "C": "D1", "J": "LNAV", "I": "LNAV", "S": "SBAS"}
_STATUS_REASON: Final = {
    kernel.BAD_SATELLITE: "line opens no record: no satellite in its first columns",
    kernel.BAD_EPOCH: "epoch of the record cannot be read",
    kernel.NO_EPOCH_LINE: "frame without a record",
}
_N_LINES: Final = np.array([m.n_lines for m in MESSAGES])
_N_REQUIRED: Final = np.array([m.n_required for m in MESSAGES])
_ORBIT: Final = [np.array(orbit_fields(m)) for m in MESSAGES]
_NEEDED: Final = [needed_fields(m) for m in MESSAGES]
# Fortran leaves the letter out where an exponent has three digits, and only there.
_WITHOUT_LETTER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)[+-]\d{3}\s*")
_TOLD_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the ephemeris frames of a file hold.

    Attributes
    ----------
    table : RecordTable
        The readable records.
    n_lines : int array
        Lines behind the epoch line of each.
    rejects, repairs : list of Reject
        Frames that hold no readable record, and fields that were read otherwise than they are written.
    ends_early : bool
        Whether the last one lacks lines that it must have.
    """

    table: RecordTable
    n_lines: npt.NDArray[Any]
    rejects: list[Reject]
    repairs: list[Reject]
    ends_early: bool


def parse(layout: Layout, header: NavHeader, index: int) -> Parsed:
    """Parse all ephemeris frames of a file, the one with this index."""
    chosen = np.flatnonzero(layout.kind == kernel.EPHEMERIS)
    tables, lines, frames, status = [], [], [], []
    rejects: list[Reject] = []
    repairs: list[Reject] = []
    dense = chosen.size * _BYTES_PER_FRAME > layout.data.size
    step = _CHUNK if dense else max(1, chosen.size)
    for start in range(0, max(1, chosen.size), step):
        parsed = _Chunk(layout, chosen[start : start + step], header)
        table, n_lines = parsed.table(index, rejects, repairs)
        tables.append(table)
        lines.append(n_lines)
        frames.append(parsed.chosen[parsed.status != kernel.GOOD])
        status.append(parsed.status[parsed.status != kernel.GOOD])
    bad = np.concatenate(frames)
    listed = zip(bad[:MAX_LISTED].tolist(), np.concatenate(status)[:MAX_LISTED].tolist(), strict=True)
    rejects += capped(
        layout,
        bad,
        (Reject(layout.name, layout.line_number(layout.first[i]), "", _STATUS_REASON[why]) for i, why in listed),
    )
    return Parsed(RecordTable.concatenate(tables), np.concatenate(lines), rejects, repairs, parsed.ends_early())


class _Chunk:
    """Some ephemeris frames of a file as arrays, one row each."""

    def __init__(self, layout: Layout, chosen: npt.NDArray[np.int64], header: NavHeader) -> None:
        n = chosen.size
        self.layout, self.chosen = layout, chosen
        self.version_2 = header.version < 3
        self.system = np.zeros(n, np.uint8)
        self.number = np.zeros(n, np.int16)
        self.packed = np.zeros(n, np.int64)
        self.epoch = np.zeros((n, 6))
        self.n_lines = np.zeros(n, np.int64)
        self.values = np.empty(n * kernel.N_FIELDS)
        self.field_status = np.empty(n * kernel.N_FIELDS, np.uint8)
        self.status = np.zeros(n, np.int8)
        kernel.parse_records(
            layout.data, layout.starts, layout.stops, layout.first, layout.count, layout.header, chosen,
            self.version_2, np.uint8(ord(header.system or " ")), self.system, self.number, self.packed, self.epoch,
            self.n_lines, self.values, self.field_status, self.status,
        )  # fmt: skip
        self.message = self._messages()

    def table(self, index: int, rejects: list[Reject], repairs: list[Reject]) -> tuple[RecordTable, npt.NDArray[Any]]:
        """Return the readable records and their numbers of lines; add to the lists what is not or is repaired."""
        year, month, day, hour, minute, second = self.epoch.T
        ns, valid = timescales.calendar_to_ns(year, month, day, hour, minute, second)
        reasons = dict.fromkeys(np.flatnonzero(~valid).tolist(), "epoch is not a calendar date")
        reasons |= {row: self._unknown(row) for row in np.flatnonzero(self.message < 0).tolist()}
        good = self.status == kernel.GOOD
        odd = (self.field_status == kernel.ODD).reshape(-1, kernel.N_FIELDS).any(axis=1)
        for row in np.flatnonzero(odd & good).tolist():
            if row not in reasons:
                why, repaired = self._read_odd(row, MESSAGES[self.message[row]].n_lines)
                if why:
                    reasons[row] = why
                elif repaired:
                    repairs.append(self._listed(row, repaired))
        for row, reason in self._incomplete():
            reasons.setdefault(row, reason)
        rejects += [self._listed(row, reason) for row, reason in reasons.items() if good[row]]
        good[list(reasons)] = False
        rows = np.flatnonzero(good)
        rejects += self._surplus(rows)
        values = self.values.reshape(-1, kernel.N_FIELDS)
        table = RecordTable(
            self.system[rows],
            self.number[rows],
            self.message[rows].astype(np.int8),
            _to_gpst(ns[rows], self.system[rows]),
            values if rows.size == len(values) else values[rows],
            np.full(rows.size, index, np.int16),
            (self.layout.numbers[self.layout.first[self.chosen[rows]]] + self.layout.first_line).astype(np.int32),
        )
        return name_unlabelled(table, self.packed[rows] != 0), self.n_lines[rows]

    def ends_early(self) -> bool:
        """Tell whether the last record lacks lines that it must have."""
        if self.chosen.size == 0 or self.status[-1] == kernel.NO_EPOCH_LINE:
            return bool(self.chosen.size)
        known = self.status[-1] == kernel.GOOD and self.message[-1] >= 0
        return bool(known and self.n_lines[-1] < _N_REQUIRED[self.message[-1]])

    def _listed(self, row: int, text: str, line: int | None = None) -> Reject:
        """Return an entry of the lists for a row; names are shared, since garbage may bring millions of entries."""
        line = int(self.layout.first[self.chosen[row]]) if line is None else line
        sv = sys.intern(f"{chr(self.system[row])}{self.number[row]:02d}")
        message = MESSAGES[self._named[row]].name if self.message[row] >= 0 else ""
        return Reject(self.layout.name, self.layout.line_number(line), sv, sys.intern(text), message)

    @cached_property
    def _named(self) -> npt.NDArray[Any]:
        """Messages as far as they can be told of records that are not readable."""
        n, values = self.chosen.size, self.values.reshape(-1, kernel.N_FIELDS)
        zeros = np.zeros(n, np.int32)
        table = RecordTable(self.system, self.number, self.message, zeros, values, zeros, zeros)
        return name_unlabelled(table, self.packed != 0).message

    def _incomplete(self) -> Iterator[tuple[int, str]]:
        """Yield records without the lines or fields of an orbit; files of garbage are full of them."""
        blank = (self.field_status == kernel.BLANK).reshape(-1, kernel.N_FIELDS)
        for code in np.unique(self.message[self.message >= 0]):
            rows = np.flatnonzero(self.message == code)
            for row in rows[self.n_lines[rows] < _N_REQUIRED[code]].tolist():
                yield row, f"record is cut short: {self.n_lines[row]} of {_N_LINES[code]} lines behind its epoch"
            for row in rows[blank[np.ix_(rows, _ORBIT[code])].any(axis=1)].tolist():
                yield row, "record has blank fields in its orbit"

    def _surplus(self, rows: npt.NDArray[np.int64]) -> list[Reject]:
        """List lines behind a record that it cannot have: the line that opened theirs is damaged or gone."""
        n_surplus = self.layout.count[self.chosen[rows]] - 1 - _N_LINES[self.message[rows]]
        return [
            self._listed(
                row,
                f"{n} lines too many behind this record: they belong to none",
                self.layout.lines(self.chosen[row])[-n],
            )
            for row, n in zip(rows[n_surplus > 0].tolist(), n_surplus[n_surplus > 0].tolist(), strict=True)
        ]

    def _messages(self) -> npt.NDArray[np.int64]:
        """Return the index of each record's message, -1 where it is unknown."""
        message = np.full(self.chosen.size, -1, dtype=np.int64)
        pair = self.packed * 256 + self.system
        for value in np.unique(pair):
            letter, name = chr(value % 256), _unpack(int(value) // 256)
            known = MESSAGE_INDEX.get((letter, name or _UNLABELLED.get(letter, "")))
            if known is not None:
                message[pair == value] = known
        message[self.number == 0] = -1
        return message

    def _unknown(self, row: int) -> str:
        letter, name = chr(self.system[row]), _unpack(int(self.packed[row]))
        if letter not in SYSTEMS:
            return f"unknown satellite system {letter!r}"
        if self.number[row] == 0:
            return "satellite number 00 is none"
        return f"unknown message type {name!r} of {SYSTEMS[letter].name}"

    def _read_odd(self, row: int, n_lines: int) -> tuple[str, str]:
        """Read the fields of a record that the kernel left.

        Returns
        -------
        reason : str
            What is wrong with a field that a record cannot do without; empty where all of these can be read.
        repaired : str
            Which other fields were left blank, or read in spite of a fault.
        """
        base = row * kernel.N_FIELDS
        needed = _NEEDED[self.message[row]] | ({GALILEO_SOURCE} if self._tells_its_message(row) else set())
        repaired = []
        for k in np.flatnonzero(self.field_status[base : base + kernel.N_FIELDS] == kernel.ODD).tolist():
            if k >= 3 + 4 * n_lines:
                break
            line, text = self._field_text(row, k)
            value = _number(text)
            self.values[base + k] = value
            where = f"{text.strip()!r} in line {self.layout.line_number(line)}"
            if _WITHOUT_LETTER.fullmatch(text):
                repaired.append(f"{where} lacks the letter of its exponent")
            elif text.strip().lower() not in ("nan", "+nan", "-nan") and not math.isfinite(value):
                if k in needed and math.isnan(value):
                    return f"{where} is not a number", ""
                if k not in needed:
                    self.values[base + k] = math.nan
                    repaired.append(f"{where} is not a number and is not needed: taken as blank")
        more = f"; and {len(repaired) - _TOLD_FIELDS} fields more" if len(repaired) > _TOLD_FIELDS else ""
        return "", "; ".join(repaired[:_TOLD_FIELDS]) + more

    def _tells_its_message(self, row: int) -> bool:
        """Tell whether a record is known as INAV or FNAV by its own content only."""
        return chr(self.system[row]) == "E" and self.packed[row] == 0

    def _field_text(self, row: int, k: int) -> tuple[int, str]:
        """Return the line and the text of a field."""
        layout, frame = self.layout, self.chosen[row]
        line = layout.lines(int(frame))[(k + 1) // 4]
        start = indent_of(layout, int(frame), self.version_2) + kernel.FIELD_WIDTH * ((k + 1) % 4)
        return line, layout.text(line)[start : start + kernel.FIELD_WIDTH]


def indent_of(layout: Layout, frame: int, version_2: bool) -> int:
    """Return the columns before the first field of the lines behind a record's epoch line."""
    lettered = layout.data[layout.starts[layout.first[frame]]] > ord("9")
    return 3 + int(lettered) if version_2 else 4


def _number(text: str) -> float:
    """Read a field as Python does; NaN where it is no number."""
    if _WITHOUT_LETTER.fullmatch(text):
        text = text.strip()[:-4] + "E" + text.strip()[-4:]
    try:
        return float(text.lower().replace("d", "e")) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _unpack(packed: int) -> str:
    return packed.to_bytes(8, "big").strip(b"\0").decode("latin-1")


def _to_gpst(ns: npt.NDArray[np.int64], system: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Bring epochs from the scale that each system writes to GPST."""
    to_gpst = {TimeScale.BDT: timescales.bdt_to_gpst_ns, TimeScale.UTC: timescales.utc_to_gpst_ns}
    result = ns.copy()
    for letter, known in SYSTEMS.items():
        rows = system == ord(letter)
        if known.time_scale in to_gpst and rows.any():
            result[rows] = to_gpst[known.time_scale](ns[rows])
    return result
