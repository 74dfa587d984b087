"""RINEX navigation files of versions 2, 3 and 4 to `Ephemerides`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from os import PathLike, fspath
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.nav_frames import read_frames, without_repeats
from gnss_coop.formats.rinex_header import NavHeader, read_header
from gnss_coop.kernels import records as kernel
from gnss_coop.model import timescales
from gnss_coop.model.ephemerides import Ephemerides, NavFrame
from gnss_coop.model.messages import MESSAGE_INDEX, MESSAGES
from gnss_coop.model.records import RecordTable, Reject, name_unlabelled
from gnss_coop.model.systems import SYSTEMS, TimeScale

Source: TypeAlias = str | PathLike[str] | BinaryIO

#: The only message that RINEX 2 and 3 know of a system; D2 and FNAV are told from the content.
_UNLABELLED: Final = {"G": "LNAV", "R": "FDMA", "E": "INAV", "C": "D1", "J": "LNAV", "I": "LNAV", "S": "SBAS"}
_STATUS_REASON: Final = {
    kernel.BAD_SATELLITE: "line opens no record: no satellite in its first columns",
    kernel.BAD_EPOCH: "epoch of the record cannot be read",
    kernel.NO_EPOCH_LINE: "frame without a record",
}
_N_REQUIRED: Final = np.array([m.n_required for m in MESSAGES])
_N_LINES: Final = np.array([m.n_lines for m in MESSAGES])


def read_nav(
    source: Source | Iterable[Source],
    *,
    engine: str = "native",
    accept_truncated: bool = False,
    failures: list[RinexError] | None = None,
) -> Ephemerides:
    """Read RINEX navigation files into one set of ephemerides.

    Versions 2, 3 and 4 (minor ones beyond 2.12, 3.05 and 4.02 with a warning), all systems and message types, plain or
    packed (gzip, compress, zip, tar, bzip2, xz). A record that several files carry counts once.

    Parameters
    ----------
    source : path, binary file-like, or iterable of them
        The files.
    engine : {"native", "georinex"}
        The reader. georinex knows GLONASS and BeiDou of RINEX 2 and 3 and is much slower; what it returns is
        checked against a scan of the file.
    accept_truncated : bool
        Take what is there of a file that ends in the middle of a record.
    failures : list, optional
        Where given, errors of single files are put here and the others are read all the same, unless none
        can be.

    Returns
    -------
    Ephemerides
        Records that pass the gates, and the list of those that do not (`Ephemerides.rejected`).

    Raises
    ------
    RinexError
        If a file cannot be read, is no RINEX navigation file, or is cut.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx")
    >>> nav.select("C").satellites[:4]
    ('C05', 'C08', 'C10', 'C13')
    """
    several = isinstance(source, Iterable) and not isinstance(source, (str, PathLike)) and not hasattr(source, "read")
    sources: list[Source] = list(cast("Iterable[Source]", source)) if several else [cast("Source", source)]
    if not sources:
        raise RinexError("no navigation file was given", "read_nav")
    if engine == "georinex":
        from gnss_coop.formats.georinex_engine import read_with_georinex

        return read_with_georinex(sources)
    if engine != "native":
        raise ValueError(f"engine must be 'native' or 'georinex', not {engine!r}")
    parts: list[_Part] = []
    for one in sources:
        try:
            parts.append(_read_one(one, len(parts), accept_truncated))
        except RinexError as error:
            if failures is None:
                raise
            failures.append(error)
    if not parts:
        raise RinexError(f"none of {len(sources)} files could be read", "read_nav")
    return Ephemerides.from_records(
        RecordTable.concatenate(p.table for p in parts),
        np.concatenate([p.n_lines for p in parts]),
        [p.name for p in parts],
        headers=[p.header for p in parts],
        rejects=[r for p in parts for r in p.rejects],
        frames=without_repeats(f for p in parts for f in p.frames),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file holds."""

    name: str
    header: NavHeader
    table: RecordTable
    n_lines: npt.NDArray[Any]
    rejects: list[Reject]
    frames: list[NavFrame]


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines and frames of a file's body."""

    name: str
    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    first_line: int
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    header: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]

    def text(self, line: int) -> str:
        """Return a line of the body."""
        return self.data[self.starts[line] : self.stops[line]].tobytes().decode("latin-1")

    def line_number(self, line: int) -> int:
        """Return the number of a line in the file, from 1."""
        return int(line) + self.first_line

    def opening_line(self, frame: int) -> int:
        """Return the number of a frame's first line in the file, its ``>`` where it has one."""
        return self.line_number(self.first[frame] if self.header[frame] < 0 else self.header[frame])

    def lines(self, frame: int) -> list[int]:
        """Return the lines of a frame behind its ``>``, without blank ones and comments."""
        start, stop = int(self.first[frame]), len(self.starts)
        written = (i for i in range(start, stop) if self.stops[i] > self.starts[i])
        return list(islice(written, int(self.count[frame])))


def scan(name: str, data: bytes, header: NavHeader) -> Layout:
    """Find lines and frames in the body of a file."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    n_max = data.count(b"\n", header.body_offset) + 1
    starts, stops = np.empty(n_max, np.int64), np.empty(n_max, np.int64)
    n_lines = kernel.index_lines(buffer, header.body_offset, starts, stops)
    first, count, mark, kind = (np.empty(n_lines + 1, np.int64) for _ in range(4))
    n = kernel.index_records(buffer, starts, stops, n_lines, first, count, mark, kind)
    return Layout(
        name, buffer, starts[:n_lines], stops[:n_lines], header.body_line, first[:n], count[:n], mark[:n], kind[:n]
    )


def _read_one(source: Source, index: int, accept_truncated: bool) -> _Part:
    name, data = read_bytes(fspath(source) if isinstance(source, PathLike) else source)
    header = read_header(data, name)
    layout = scan(name, data, header)
    cut_line = _drop_cut_field(layout, header)
    chosen = np.flatnonzero(layout.kind == kernel.EPHEMERIS)
    parsed = _Parsed(layout, chosen, header)
    rejects = parsed.unreadable() + _stray(layout)
    table, n_lines = parsed.table(index, rejects)
    if not accept_truncated:
        _refuse_truncated(layout, table, n_lines, cut_line)
    frames, unreadable = read_frames(layout)
    return _Part(name, header, table, n_lines, rejects + unreadable, frames)


def _stray(layout: Layout) -> list[Reject]:
    reasons = {
        kernel.STRAY_LINES: "lines that belong to no record",
        kernel.UNKNOWN_FRAME: "frame of an unknown kind",
    }
    return [
        Reject(layout.name, layout.opening_line(i), "", reasons[kind])
        for i, kind in enumerate(layout.kind.tolist())
        if kind in reasons
    ]


def _drop_cut_field(layout: Layout, header: NavHeader) -> int | None:
    """Take a field that the end of the file cuts off its last line; return the line's number.

    Half a number looks like a whole one, but for the missing end of the line.
    """
    if layout.kind.size == 0 or layout.data[-1] == ord("\n") or layout.stops[-1] == layout.starts[-1]:
        return None
    indent = 4 if header.version >= 3 else 3 + (layout.data[layout.starts[layout.first[-1]]] > ord("9"))
    excess = (layout.stops[-1] - layout.starts[-1] - indent) % kernel.FIELD_WIDTH
    layout.stops[-1] -= min(excess, layout.stops[-1] - layout.starts[-1] - 1)
    return layout.line_number(len(layout.stops) - 1) if excess else None


def _refuse_truncated(layout: Layout, table: RecordTable, n_lines: npt.NDArray[Any], cut_line: int | None) -> None:
    """Refuse a file that ends within a field, or whose last frame is a record without the lines it must have."""
    line = cut_line
    if line is None and layout.kind.size and layout.kind[-1] == kernel.EPHEMERIS:
        line = layout.line_number(layout.first[-1])
        whole = layout.count[-1] > 0
        if whole and len(table) and table.line[-1] == line:
            whole = n_lines[-1] >= _N_REQUIRED[table.message[-1]]
        line = None if whole else line
    if line is not None:
        raise RinexError(
            "the file is truncated: it ends in the middle of a record; fetch it again, or take what is there "
            "with accept_truncated (--accept-truncated)",
            layout.name,
            line,
        )


class _Parsed:
    """The ephemeris frames of a file as arrays, one row each."""

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

    def unreadable(self) -> list[Reject]:
        """List frames in which no record could be found."""
        return [
            self._reject(row, _STATUS_REASON[int(self.status[row])]) for row in np.flatnonzero(self.status).tolist()
        ]

    def _reject(self, row: int, reason: str, line: int | None = None) -> Reject:
        layout, frame = self.layout, self.chosen[row]
        if line is None:
            line = int(layout.first[frame])
        named = self.status[row] == kernel.GOOD
        sv = f"{chr(self.system[row])}{self.number[row]:02d}" if named else ""
        return Reject(layout.name, layout.line_number(line), sv, reason)

    def table(self, index: int, rejects: list[Reject]) -> tuple[RecordTable, npt.NDArray[Any]]:
        """Return the readable records and their numbers of lines; add the others to `rejects`."""
        message = self._messages()
        year, month, day, hour, minute, second = self.epoch.T
        ns, valid = timescales.calendar_to_ns(year, month, day, hour, minute, second)
        reasons = dict.fromkeys(np.flatnonzero(~valid).tolist(), "epoch is no calendar date")
        reasons |= {row: self._unknown(row) for row in np.flatnonzero(message < 0).tolist()}
        good = self.status == kernel.GOOD
        odd = (self.field_status == kernel.ODD).reshape(-1, kernel.N_FIELDS).any(axis=1)
        for row in np.flatnonzero(odd).tolist():
            if good[row] and row not in reasons and (text := self._odd(row, message[row])):
                reasons[row] = text
        rejects += [self._reject(row, reason) for row, reason in reasons.items() if good[row]]
        good[list(reasons)] = False
        rows = np.flatnonzero(good)
        rejects += self._surplus(rows, message)
        values = self.values.reshape(-1, kernel.N_FIELDS)
        table = RecordTable(
            self.system[rows],
            self.number[rows],
            message[rows].astype(np.int8),
            _to_gpst(ns[rows], self.system[rows]),
            values if rows.size == len(values) else values[rows],
            np.full(rows.size, index, np.int16),
            (self.layout.first[self.chosen[rows]] + self.layout.first_line).astype(np.int32),
        )
        return name_unlabelled(table, self.packed[rows] != 0), self.n_lines[rows]

    def _surplus(self, rows: npt.NDArray[np.int64], message: npt.NDArray[np.int64]) -> list[Reject]:
        """List lines behind a record that it cannot have: the line that opened theirs is damaged or gone."""
        n_surplus = self.layout.count[self.chosen[rows]] - 1 - _N_LINES[message[rows]]
        return [
            self._reject(
                row,
                f"{n} lines too many behind this record: they belong to none",
                self.layout.lines(self.chosen[row])[-n],
            )
            for row, n in zip(rows[n_surplus > 0], n_surplus[n_surplus > 0], strict=True)
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

    def _odd(self, row: int, message: int) -> str:
        """Let Python read the fields that the kernel left; return what is wrong with one that is no number."""
        base = int(row) * kernel.N_FIELDS
        for k in np.flatnonzero(self.field_status[base : base + kernel.N_FIELDS] == kernel.ODD):
            if k >= 3 + 4 * _N_LINES[message]:
                break
            line, text = self._field_text(row, int(k))
            try:
                self.values[base + k] = float(text.lower().replace("d", "e")) if "_" not in text else float("no")
            except ValueError:
                return f"{text.strip()!r} in line {self.layout.line_number(line)} is no number"
        return ""

    def _field_text(self, row: int, k: int) -> tuple[int, str]:
        """Return the line and the text of a field."""
        layout, frame = self.layout, self.chosen[row]
        line = layout.lines(int(frame))[(k + 1) // 4]
        lettered = layout.data[layout.starts[layout.first[frame]]] > ord("9")
        indent = 3 + lettered if self.version_2 else 4
        start = indent + kernel.FIELD_WIDTH * ((k + 1) % 4)
        return line, layout.text(line)[start : start + kernel.FIELD_WIDTH]


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
