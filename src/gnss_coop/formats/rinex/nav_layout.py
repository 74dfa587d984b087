"""Lines and frames of RINEX navigation files: where they are, what they hold, and where bytes are missing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.formats.rinex.nav_header import NavHeader
from gnss_coop.kernels import rinex_nav as kernel
from gnss_coop.model.rejects import Reject

_REASONS: Final = {
    kernel.STRAY_LINES: "lines that belong to no record",
    kernel.UNKNOWN_FRAME: "frame of an unknown kind",
    kernel.NO_RECORD: "line opens no record: no satellite in its first columns",
    kernel.EMPTY_FRAME: "frame without a record",
}
#: Most frames, holes and lines of one file that name no satellite and are listed one by one.
MAX_LISTED: Final = 10_000
# Pages of a disk that were never written read as zeros; fewer bytes spoil fields, which tell it themselves.
_LEAST_HOLE: Final = bytes(8)
_HOLE: Final = re.compile(_LEAST_HOLE + rb"\0*")
_LINE_BYTES: Final = 80
_NEIGHBOURS: Final = 8  # records on each side that tell how large those in a hole were


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines and frames of a file's body; lines that are blank or comments are not among them."""

    name: str
    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    stops: npt.NDArray[np.int32]
    numbers: npt.NDArray[np.int32]
    first_line: int
    first: npt.NDArray[np.int32]
    count: npt.NDArray[np.int32]
    header: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]

    def text(self, line: int) -> str:
        """Return a line of the body."""
        return self.data[self.starts[line] : self.stops[line]].tobytes().decode("latin-1")

    def line_number(self, line: int) -> int:
        """Return the number of a line in the file, from 1."""
        return int(self.numbers[line]) + self.first_line

    def opening_line(self, frame: int) -> int:
        """Return the number of a frame's first line in the file, its ``>`` where it has one."""
        return self.line_number(self.first[frame] if self.header[frame] < 0 else self.header[frame])

    def lines(self, frame: int) -> range:
        """Return the lines of a frame behind its ``>``."""
        return range(int(self.first[frame]), int(self.first[frame] + self.count[frame]))


def scan(name: str, data: bytes, header: NavHeader) -> Layout:
    """Find lines and frames in the body of a file."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    # Of these only what is filled takes memory.
    n_max = data.count(b"\n", header.body_offset) + 1
    starts, stops, numbers = (np.empty(n_max, np.int32) for _ in range(3))
    n_lines = kernel.index_lines(buffer, header.body_offset, starts, stops, numbers)
    starts, stops, numbers = starts[:n_lines], stops[:n_lines], numbers[:n_lines]
    first, count, mark = (np.empty(n_lines + 1, np.int32) for _ in range(3))
    kind = np.empty(n_lines + 1, np.uint8)
    n = kernel.index_records(buffer, starts, stops, first, count, mark, kind)
    return Layout(name, buffer, starts, stops, numbers, header.body_line, first[:n], count[:n], mark[:n], kind[:n])


def stray(layout: Layout) -> list[Reject]:
    """List lines and frames that hold no record."""
    odd = np.flatnonzero(np.isin(layout.kind, list(_REASONS)))
    return capped(layout, odd, (_stray(layout, i) for i in odd[:MAX_LISTED].tolist()))


def _stray(layout: Layout, frame: int) -> Reject:
    kind, n_more = int(layout.kind[frame]), int(layout.count[frame]) - (layout.header[frame] < 0)
    more = f" (and {n_more} more lines)" if n_more and kind == kernel.NO_RECORD else ""
    if layout.header[frame] >= 0 and n_more:
        lines = layout.lines(frame)
        n_frames = int((layout.data[layout.starts[lines.start : lines.stop]] == ord(">")).sum())
        more = f" (and {n_frames} more behind it)" if n_frames else ""
    return Reject(layout.name, layout.opening_line(frame), "", _REASONS[kind] + more)


def capped(layout: Layout, frames: npt.NDArray[Any], listed: Iterator[Reject]) -> list[Reject]:
    """Return the rejects of the first frames, and one for all others: files of garbage have millions."""
    rejects = list(listed)
    if len(frames) > MAX_LISTED:
        first, last = (layout.opening_line(frames[i]) for i in (MAX_LISTED, -1))
        n_more = len(frames) - MAX_LISTED
        rejects.append(Reject(layout.name, first, "", f"{n_more} more such lines or frames, the last in line {last}"))
    return rejects


def holes(layout: Layout, data: bytes, body_offset: int) -> list[Reject]:
    """List runs of zero bytes, and end the frames that they interrupt: what follows is of another record."""
    begin = data.find(b"\0", body_offset)  # a single one is found ten times faster than several
    begin = begin if begin < 0 else data.find(_LEAST_HOLE, begin)
    if begin < 0:
        return []
    rejects: list[Reject] = []
    number, counted, n_more = layout.first_line, body_offset, 0
    for found in _HOLE.finditer(data, begin):
        start, n_bytes = found.start(), found.end() - found.start()
        if found.end() == len(data) and n_bytes < _LINE_BYTES:
            break  # some writers pad their last block
        n_records = round(n_bytes / _bytes_per_record(layout, start, n_bytes))
        _end_frame(layout, start)
        if len(rejects) == MAX_LISTED:
            n_more += 1
            continue
        number += data.count(b"\n", counted, start)
        counted = start
        about = f", where about {n_records} records would be" if n_records else ""
        rejects.append(
            Reject(layout.name, number, "", f"{n_bytes} bytes are missing from here on: they are zero{about}")
        )
    if n_more:
        rejects.append(Reject(layout.name, number, "", f"{n_more} more holes of zero bytes behind this line"))
    return rejects


def _bytes_per_record(layout: Layout, place: int, n_bytes: int) -> float:
    """Return the mean size of some records before and behind a hole [byte]."""
    line = int(np.searchsorted(layout.starts, np.int32(place), side="right")) - 1
    frame = int(np.searchsorted(layout.first, np.int32(line), side="right")) - 1
    low, high = max(0, frame - _NEIGHBOURS), min(len(layout.first) - 1, frame + _NEIGHBOURS)
    if high <= low:
        return math.inf
    size = layout.starts[layout.first[high]] - layout.starts[layout.first[low]]
    inside = place < layout.starts[layout.first[high]]
    return max(1.0, float(size - n_bytes * inside) / (high - low))


def _end_frame(layout: Layout, place: int) -> None:
    """End the frame that a hole at `place` interrupts with the line in which it begins."""
    # With a number of another type the whole array would be converted, for each of the holes.
    line = int(np.searchsorted(layout.starts, np.int32(place), side="right")) - 1
    frame = int(np.searchsorted(layout.first, np.int32(line), side="right")) - 1
    if frame >= 0 and line >= 0:
        layout.count[frame] = min(layout.count[frame], line - layout.first[frame] + 1)


def drop_cut_field(layout: Layout, version: float) -> int | None:
    """Take a field that the end of the file cuts off its last line; return the line's number.

    Half a number looks like a whole one, but for the missing end of the line.
    """
    if layout.kind.size == 0:
        return None
    start, stop = int(layout.starts[-1]), int(layout.stops[-1])
    if (layout.data[stop:] == ord("\n")).any():
        return None
    while stop > start + 1 and layout.data[stop - 1] <= ord(" "):
        stop -= 1
    indent = 4 if version >= 3 else 3 + int(layout.data[layout.starts[layout.first[-1]]] > ord("9"))
    excess = (stop - start - indent) % kernel.FIELD_WIDTH
    layout.stops[-1] = stop - min(excess, stop - start - 1)
    return layout.line_number(len(layout.stops) - 1) if excess else None
