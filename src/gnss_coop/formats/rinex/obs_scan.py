"""The body of one RINEX observation file: the kernel's scan, and what it stops at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import RinexError
from gnss_coop.formats.rinex.obs_header import Note, ObsHeader, read_position, read_types
from gnss_coop.formats.rinex.obs_values import ValueColumns, ValueReader, united_values
from gnss_coop.kernels import rinex_obs as kernel
from gnss_coop.model import timescales
from gnss_coop.model.observations import ObsEvent
from gnss_coop.model.rejects import Reject
from gnss_coop.model.systems import SYSTEMS, TimeScale

_MAX_TYPES: Final = 999
_LINE_BYTES: Final = 100  # of a header line within the body
_MAX_SIGNALS: Final = kernel.UNNAMED  # bits of a mask
_SHORTEST_EPOCH: Final = 20  # characters of an epoch line that can be read
_SHORTEST_ROW: Final = 4  # a satellite's name, and the end of its line
#: Code of the values of a system whose observation types the header does not announce.
UNNAMED_SIGNAL: Final = "?"
_SIGNAL_KINDS: Final = "CPL"  # pseudoranges (P: code in version 2) and phases; not Doppler and strength
_MAX_LISTED: Final = 100_000  # damaged places of a file; of more only the number is given
#: What is lost by damage, by the kernel's code for it.
_LOSSES: Final = {
    kernel.BAD_EPOCH: "epoch line cannot be read",
    kernel.BAD_SATELLITE: "the name of a satellite cannot be read",
    kernel.BAD_FIELD: "an observation is not a number",
    kernel.WRONG_COUNT: "epoch has fewer lines than it announces; those that it has are used",
    kernel.STRAY: "lines that belong to no epoch",
    kernel.NOTHING_LEFT: "nothing is left of the epoch",
}
#: What is read all the same, since there is only one way to understand it.
_REPAIRS: Final = {
    kernel.TWICE: "a satellite occurs twice in the epoch",
    kernel.NO_COUNT: "the epoch does not say how many satellites it has",
}
_SHORT_V2: Final = "epoch has other lines than it announces, and lines of version 2 do not name their satellites"
_EVENTS: Final = {
    2: "antenna starts moving",
    3: "new site",
    4: "header lines",
    5: "external event",
}
_TO_GPST_NS: Final = {
    TimeScale.GPST: lambda ns: ns,
    TimeScale.BDT: timescales.bdt_to_gpst_ns,
    TimeScale.UTC: timescales.utc_to_gpst_ns,
}


class SignalBits:
    """Which bit of a mask stands for which code, by system."""

    def __init__(self) -> None:
        self.codes: dict[str, list[str]] = {letter: [] for letter in SYSTEMS}

    def of(self, letter: str, code: str, path: str) -> int:
        """Return the bit of a code, a new one where need be; -1 where the code is no pseudorange or phase."""
        if code[:1] not in _SIGNAL_KINDS and code != UNNAMED_SIGNAL:
            return -1
        known = self.codes[letter]
        if code not in known:
            if len(known) == _MAX_SIGNALS:
                raise RinexError(f"more than {_MAX_SIGNALS} signals of {SYSTEMS[letter].name} are announced", path)
            known.append(code)
        return known.index(code)


@dataclass(frozen=True, slots=True)
class ObsPart:
    """What one file holds."""

    name: str
    header: ObsHeader
    time_ns: npt.NDArray[np.int64]
    flag: npt.NDArray[np.int8]
    line: npt.NDArray[np.int64]
    row_epoch: npt.NDArray[np.int32]
    row_code: npt.NDArray[np.int32]
    row_mask: npt.NDArray[np.uint64]
    rejects: list[Reject]
    repairs: list[Reject]
    events: list[ObsEvent]
    values: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None


class ObsScanner:
    """Runs the kernel over a file and deals with what it stops at."""

    def __init__(
        self, name: str, data: bytes, header: ObsHeader, bits: SignalBits, columns: ValueColumns | None = None
    ) -> None:
        self._name, self._header, self._bits = name, header, bits
        self._text = data
        self._data = np.frombuffer(data, dtype=np.uint8)
        self._version_2 = header.version < 3
        self._default_system = ord("G" if header.system == "M" else header.system) if self._version_2 else 0
        self._n_types = np.full(128, kernel.UNKNOWN_SYSTEM, np.int64)
        self._column_bit = np.full((128, _MAX_TYPES), -1, np.int8)
        for letter in SYSTEMS:
            self._set_types(letter, header.types_of(letter))
        n = data.count(b"\n", header.body_offset) + 2
        self._state = np.zeros(kernel.N_STATE, np.int64)
        self._state[[kernel.OFFSET, kernel.LINE]] = header.body_offset, header.body_line
        self._seen = np.zeros(kernel.N_CODES, np.int64)
        n_epochs = min(n, len(data) // _SHORTEST_EPOCH + 2)
        self._epoch = np.zeros((n_epochs, 7), np.int64)
        self._flag, self._line = np.zeros(n_epochs, np.int8), np.zeros(n_epochs, np.int64)
        # The last list of satellites may announce more than there are.
        rows = min(n, len(data) // _SHORTEST_ROW + 2) + kernel.MAX_SATELLITES
        self._row_epoch, self._row_code = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self._row_mask, self._row_offset = np.zeros(rows, np.uint64), np.zeros(rows, np.int64)
        self._values = None if columns is None else ValueReader(name, data, header, columns)
        self._found = np.zeros((min(n + 4 * n_epochs, _MAX_LISTED), 3), np.int64)
        self._unknown = np.zeros(128, np.int64)
        self._rejects: list[Reject] = []
        self._repairs: list[Reject] = []
        self._note(header.notes)
        self._events: list[ObsEvent] = []

    def _set_types(self, letter: str, codes: tuple[str, ...]) -> None:
        if len(codes) > _MAX_TYPES:
            raise RinexError(f"more than {_MAX_TYPES} observation types are announced", self._name)
        self._n_types[ord(letter)] = len(codes)
        columns = [self._bits.of(letter, code, self._name) for code in codes]
        self._column_bit[ord(letter), : len(codes)] = columns

    def run(self, accept_truncated: bool) -> None:
        """Read the body to its end."""
        while True:
            why = kernel.scan(
                self._data, self._version_2, self._default_system, self._n_types, self._column_bit, self._state,
                self._seen, self._epoch, self._flag, self._line, self._row_epoch, self._row_code, self._row_mask,
                self._row_offset, self._found, self._unknown,
            )  # fmt: skip
            if why == kernel.END:
                return
            whole = why != kernel.TRUNCATED and self._special_lines(why == kernel.EVENT)
            if not whole:
                self._cut(accept_truncated)
                return

    def _note(self, notes: Iterable[Note]) -> None:
        for line, lost, words in notes:
            (self._rejects if lost else self._repairs).append(Reject(self._name, line, "", words))

    def _cut(self, accept_truncated: bool) -> None:
        line = int(self._state[kernel.LINE])
        if self._ends_short():
            self._rejects.append(Reject(self._name, line, "", _LOSSES[kernel.WRONG_COUNT]))
            return
        if not accept_truncated:
            raise RinexError(
                "the file is truncated: it ends in the middle of an epoch; fetch it again, or take what is there "
                "with accept_truncated (--accept-truncated)",
                self._name,
                line,
            )
        self._rejects.append(Reject(self._name, line, "", "the file ends in the middle of the epoch"))

    def _ends_short(self) -> bool:
        """Tell whether the last epoch is a line short as others are, rather than cut."""
        kinds = self._found[: int(self._state[kernel.N_FINDINGS]), 1]
        return self._text.endswith(b"\n") and not self._version_2 and bool((kinds == kernel.WRONG_COUNT).any())

    def _special_lines(self, event: bool) -> bool:
        """Take the lines of an event, or header lines without one; False where the file ends before they do."""
        first_line = int(self._state[kernel.LINE])
        flag, announced = (int(self._state[i]) for i in (kernel.FLAG, kernel.COUNT))
        lines: list[str] = []
        while not event or len(lines) < announced:
            offset = int(self._state[kernel.OFFSET])
            newline = self._text.find(b"\n", offset)
            end = newline if newline >= 0 else len(self._text)
            text = self._text[offset : min(end, offset + _LINE_BYTES)].decode("latin-1").rstrip()
            if offset >= self._data.size:
                if event:
                    return False
                break
            if kernel.is_epoch_line(self._data, offset, offset + len(text), self._version_2):
                break
            if not event and not text[60:].strip():
                break
            lines.append(text)
            self._state[kernel.OFFSET] = min(end + 1, self._data.size)
            self._state[kernel.LINE] += 1
        if event and len(lines) < announced:
            reason = "event has fewer lines than it announces"
            self._rejects.append(Reject(self._name, first_line - 1, "", reason))
        kind = _EVENTS[flag] if event else "header lines without an event"
        self._events.append(ObsEvent(self._name, first_line - event, kind, read_position(lines)))
        types, notes = read_types(lines, self._header.version, first_line)
        self._note(notes)
        changed = {letter: codes for key, codes in types.items() for letter in key or SYSTEMS}
        for letter, codes in changed.items():
            self._set_types(letter, codes)
        if changed and self._values is not None:
            self._values.change(int(self._state[kernel.N_ROWS]), changed)
        return True

    def part(self) -> ObsPart:
        """Return what was found."""
        n_epochs, n_rows = (int(self._state[i]) for i in (kernel.N_EPOCHS, kernel.N_ROWS))
        self._sort_findings()
        ns, valid = timescales.calendar_to_ns(*self._epoch[:n_epochs, :6].T)
        lines, row_epoch = self._line[:n_epochs], self._row_epoch[:n_rows]
        bad = lines[~valid].tolist()
        self._rejects += [Reject(self._name, line, "", "epoch is not a calendar date") for line in bad]
        keep = valid[row_epoch]
        time_ns = _TO_GPST_NS[self._header.time_scale]((ns + self._epoch[:n_epochs, 6])[valid])
        epoch, code = (np.cumsum(valid) - 1)[row_epoch[keep]].astype(np.int32), self._row_code[:n_rows][keep]
        mask = self._named(code, self._row_mask[:n_rows][keep])
        order, starts = _runs(epoch, code)
        values = None
        if self._values is not None:
            read = self._values.read(self._row_offset[:n_rows], self._row_code[:n_rows])
            pseudorange_m, cn0_dbhz = (united_values(array[keep], order, starts) for array in read)
            values = (pseudorange_m, cn0_dbhz)
        first = order[starts]
        return ObsPart(
            self._name, self._header, time_ns, self._flag[:n_epochs][valid], lines[valid], epoch[first], code[first],
            np.bitwise_or.reduceat(mask[order], starts) if starts.size else mask, self._rejects, self._repairs,
            self._events, values,
        )  # fmt: skip

    def _sort_findings(self) -> None:
        """Put what the kernel found among what is lost and what is repaired."""
        n_found = int(self._state[kernel.N_FINDINGS])
        for line, kind, code in self._found[:n_found].tolist():
            if kind in _REPAIRS:
                self._repairs.append(Reject(self._name, line, "", _REPAIRS[kind]))
                continue
            reason = _SHORT_V2 if self._version_2 and kind == kernel.WRONG_COUNT else _LOSSES[kind]
            self._rejects.append(Reject(self._name, line, sv_name(code) if code else "", reason))
        if n_found == _MAX_LISTED:
            self._rejects.append(
                Reject(self._name, 0, "", f"more than {_MAX_LISTED} damaged places; no more are listed")
            )
        for number in np.flatnonzero(self._unknown).tolist():
            n_lines, letter = int(self._unknown[number]), chr(number)
            if letter in SYSTEMS:
                note = f"{n_lines} lines of {SYSTEMS[letter].name} satellites, which the header does not announce"
                self._repairs.append(Reject(self._name, 0, "", note))
            else:
                note = f"{n_lines} lines of satellites of {letter!r}, which is not a RINEX system"
                self._rejects.append(Reject(self._name, 0, "", note))

    def _named(self, codes: npt.NDArray[np.int32], masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Give the values of systems that the header does not announce the bit of `UNNAMED_SIGNAL`."""
        unnamed = masks == np.uint64(1) << np.uint64(kernel.UNNAMED)
        for letter in np.unique(codes[unnamed] // kernel.NUMBERS).tolist():
            bit = self._bits.of(chr(letter), UNNAMED_SIGNAL, self._name)
            masks[unnamed & (codes // kernel.NUMBERS == letter)] = np.uint64(1) << np.uint64(bit)
        return masks


def sv_name(code: int) -> str:
    """Return the RINEX name of a satellite's code."""
    return f"{chr(code // kernel.NUMBERS)}{code % kernel.NUMBERS:02d}"


def _runs(
    epoch: npt.NDArray[np.int32], code: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return an order in which the rows of a satellite in an epoch are neighbours, and where such runs start."""
    key = epoch.astype(np.int64) * kernel.N_CODES + code
    order = np.argsort(key, kind="stable")
    return order, np.flatnonzero(np.diff(key[order], prepend=-1))
