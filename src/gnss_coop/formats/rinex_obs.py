"""RINEX observation files of versions 2, 3 and 4 to `Observations`, as far as tracking is concerned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import RinexError
from gnss_coop.formats import compact_rinex
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.obs_header import ObsHeader, read_obs_header, read_position, read_types
from gnss_coop.kernels import observations as kernel
from gnss_coop.model import timescales
from gnss_coop.model.observations import Observations, ObsEvent
from gnss_coop.model.records import Reject
from gnss_coop.model.systems import SYSTEMS, TimeScale

Source: TypeAlias = str | PathLike[str] | BinaryIO

_MAX_TYPES: Final = 999
_LINE_BYTES: Final = 100  # of a header line within the body
_MAX_SIGNALS: Final = 64  # bits of a mask
_SIGNAL_KINDS: Final = "CPL"  # pseudoranges (P: code in version 2) and phases; not Doppler and strength
_REASONS: Final = {
    kernel.BAD_EPOCH: "epoch line cannot be read",
    kernel.BAD_SATELLITE: "a satellite of the epoch has no valid name",
    kernel.BAD_FIELD: "an observation of the epoch is no number",
    kernel.WRONG_COUNT: "epoch has fewer lines than it announces",
    kernel.TWICE: "a satellite stands twice in the epoch",
    kernel.STRAY: "lines that belong to no epoch",
}
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


def read_obs(source: Source | Iterable[Source], *, accept_truncated: bool = False) -> Observations:
    """Read RINEX observation files of one receiver: which satellites and signals it tracked at which epoch.

    Versions 2.00-2.12, 3.00-3.05 and 4.00-4.02, plain or compact (Hatanaka), packed or not (gzip, compress, zip,
    bzip2, xz). Of the observations it is only looked at whether a value is there.

    Parameters
    ----------
    source : path, binary file-like, or iterable of them
        The files; several are put together in time.
    accept_truncated : bool
        Take what is there of a file that ends in the middle of an epoch.

    Returns
    -------
    Observations
        The epochs that can be read, and the list of those that cannot (`Observations.rejected`).

    Raises
    ------
    RinexError
        If a file cannot be read, is no RINEX observation file, is cut, or holds no usable epoch, or if the files are
        of different markers.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> obs.systems, obs.headers[0].receiver
    (('C', 'E', 'G', 'I', 'J', 'R', 'S'), 'TRIMBLE ALLOY')
    >>> obs.to_dataframe().iloc[0].tolist()[1:]
    ['C01', 'C2I C6I C7I L2I L6I L7I']
    """
    several = isinstance(source, Iterable) and not isinstance(source, (str, PathLike)) and not hasattr(source, "read")
    sources: list[Source] = list(cast("Iterable[Source]", source)) if several else [cast("Source", source)]
    if not sources:
        raise RinexError("no observation file was given", "read_obs")
    bits = _Bits()
    parts = [_read_one(one, bits, accept_truncated) for one in sources]
    markers = {part.header.marker.upper()[:4]: part.name for part in parts if part.header.marker}
    if len(markers) > 1:
        (first, _), (second, name) = list(markers.items())[:2]
        raise RinexError(f"marker {second} is not {first} of the other files; give one station at a time", name)
    return _join(parts, bits)


class _Bits:
    """Which bit of a mask stands for which code, by system."""

    def __init__(self) -> None:
        self.codes: dict[str, list[str]] = {letter: [] for letter in SYSTEMS}

    def of(self, letter: str, code: str, path: str) -> int:
        if code[:1] not in _SIGNAL_KINDS:
            return -1
        known = self.codes[letter]
        if code not in known:
            if len(known) == _MAX_SIGNALS:
                raise RinexError(f"more than {_MAX_SIGNALS} signals of {SYSTEMS[letter].name} are announced", path)
            known.append(code)
        return known.index(code)


@dataclass(frozen=True, slots=True)
class _Part:
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
    events: list[ObsEvent]


def _read_one(source: Source, bits: _Bits, accept_truncated: bool) -> _Part:
    name, data = read_bytes(fspath(source) if isinstance(source, PathLike) else source)
    if compact_rinex.is_compact(data):
        data = compact_rinex.expand(data, name, accept_truncated=accept_truncated)
    header = read_obs_header(data, name)
    scanner = _Scanner(name, data, header, bits)
    scanner.run(accept_truncated)
    part = scanner.part()
    if part.time_ns.size == 0:
        why = f" (line {part.rejects[0].line}: {part.rejects[0].reason})" if part.rejects else ""
        raise RinexError(f"there is no usable epoch in the file{why}; fetch it again", name)
    return part


class _Scanner:
    """Runs the kernel over a file and deals with what it stops at."""

    def __init__(self, name: str, data: bytes, header: ObsHeader, bits: _Bits) -> None:
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
        self._epoch = np.zeros((n, 7), np.int64)
        self._flag, self._line = np.zeros(n, np.int8), np.zeros(n, np.int64)
        rows = n + kernel.MAX_SATELLITES  # the last list of satellites may announce more than there are
        self._row_epoch, self._row_code = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self._row_mask = np.zeros(rows, np.uint64)
        self._reject_line, self._reject_reason = np.zeros(n, np.int64), np.zeros(n, np.int8)
        self._rejects: list[Reject] = []
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
                self._reject_line, self._reject_reason,
            )  # fmt: skip
            if why == kernel.END:
                return
            whole = why != kernel.TRUNCATED and self._special_lines(why == kernel.EVENT)
            if not whole:
                self._cut(accept_truncated)
                return

    def _cut(self, accept_truncated: bool) -> None:
        line = int(self._state[kernel.LINE])
        if not accept_truncated:
            raise RinexError(
                "the file is truncated: it ends in the middle of an epoch; fetch it again, or take what is there "
                "with accept_truncated (--accept-truncated)",
                self._name,
                line,
            )
        self._rejects.append(Reject(self._name, line, "", "the file ends in the middle of the epoch"))

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
        for key, codes in read_types(lines, self._header.version, self._name, first_line).items():
            for letter in key or SYSTEMS:
                self._set_types(letter, codes)
        return True

    def part(self) -> _Part:
        """Return what was found."""
        n_epochs, n_rows, n_rejects = (int(self._state[i]) for i in (kernel.N_EPOCHS, kernel.N_ROWS, kernel.N_REJECTS))
        found = zip(self._reject_line[:n_rejects].tolist(), self._reject_reason[:n_rejects].tolist(), strict=True)
        rejects = self._rejects + [Reject(self._name, line, "", _REASONS[reason]) for line, reason in found]
        ns, valid = timescales.calendar_to_ns(*self._epoch[:n_epochs, :6].T)
        lines, row_epoch = self._line[:n_epochs], self._row_epoch[:n_rows]
        rejects += [Reject(self._name, line, "", "epoch is no calendar date") for line in lines[~valid].tolist()]
        keep = valid[row_epoch]
        time_ns = _TO_GPST_NS[self._header.time_scale]((ns + self._epoch[:n_epochs, 6])[valid])
        return _Part(
            self._name, self._header, time_ns, self._flag[:n_epochs][valid], lines[valid],
            (np.cumsum(valid) - 1)[row_epoch[keep]].astype(np.int32), self._row_code[:n_rows][keep],
            self._row_mask[:n_rows][keep], rejects, self._events,
        )  # fmt: skip


def _join(parts: list[_Part], bits: _Bits) -> Observations:
    """Put files together in the order of time; of epochs that stand twice the first counts."""
    starts = np.cumsum([0, *(p.time_ns.size for p in parts)])
    time_ns = np.concatenate([p.time_ns for p in parts])
    row_epoch = np.concatenate([p.row_epoch + s for p, s in zip(parts, starts, strict=False)])
    _, first, place = np.unique(time_ns, return_index=True, return_inverse=True)
    kept = np.zeros(time_ns.size, dtype=bool)
    kept[first] = True
    rejects = [r for p in parts for r in p.rejects]
    for i in np.flatnonzero(~kept).tolist():
        part = int(np.searchsorted(starts, i, side="right")) - 1
        line = int(parts[part].line[i - starts[part]])
        rejects.append(Reject(parts[part].name, line, "", "epoch stands twice"))
    rows = np.flatnonzero(kept[row_epoch])
    row_code = np.concatenate([p.row_code for p in parts])
    rows = rows[np.argsort(place[row_epoch[rows]] * kernel.N_CODES + row_code[rows])]
    codes, row_sv = np.unique(row_code[rows], return_inverse=True)
    order = {p.name: i for i, p in enumerate(parts)}
    flag = np.concatenate([p.flag for p in parts])[first]
    return Observations(
        files=tuple(p.name for p in parts),
        headers=tuple(p.header for p in parts),
        time_ns=time_ns[first],
        power_failure=flag == 1,
        satellites=tuple(f"{chr(c // kernel.NUMBERS)}{c % kernel.NUMBERS:02d}" for c in codes.tolist()),
        row_epoch=place[row_epoch[rows]].astype(np.int32),
        row_sv=row_sv.astype(np.int32),
        signals=np.concatenate([p.row_mask for p in parts])[rows],
        codes={letter: tuple(known) for letter, known in bits.codes.items() if known},
        interval_s=_interval_s(time_ns[first], parts[0].header),
        rejects=tuple(sorted(rejects, key=lambda r: (order[r.file], r.line))),
        events=tuple(e for p in parts for e in p.events),
    )


def _interval_s(time_ns: npt.NDArray[np.int64], header: ObsHeader) -> float:
    """Return the most frequent step, to a millisecond: receiver clocks wander by less."""
    if time_ns.size < 2:
        return header.interval_s or float("nan")
    steps: Any = np.unique(np.rint(np.diff(time_ns) / 1e6), return_counts=True)
    return float(steps[0][steps[1].argmax()] * 1e6 / const.NS_PER_S)
