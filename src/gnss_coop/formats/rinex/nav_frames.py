"""RINEX 4 frames that are no ephemerides: system time offsets, Earth orientation, ionosphere."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import Final

import numpy as np

from gnss_coop.ephemerides.ephemerides import NavFrame
from gnss_coop.formats.rinex.nav_layout import MAX_LISTED, Layout
from gnss_coop.kernels import rinex_nav as kernel
from gnss_coop.model import timescales
from gnss_coop.model.rejects import Reject

_KINDS: Final = {
    kernel.SYSTEM_TIME_OFFSET: "STO",
    kernel.EARTH_ORIENTATION: "EOP",
    kernel.IONOSPHERE: "ION",
}
_VALUES_AT: Final = 23  # column behind the epoch
_INDENT: Final = 4
_CHUNK: Final = 4096  # frames whose text is held at a time


def read_frames(layout: Layout) -> tuple[list[NavFrame], list[Reject]]:
    """Read all frames of these kinds (RINEX 4.02, tables A32 to A38), and list those that cannot be read."""
    rows = np.flatnonzero(np.isin(layout.kind, list(_KINDS)))
    frames: list[NavFrame] = []
    rejects: list[Reject] = []
    for start in range(0, rows.size, _CHUNK):
        found, damaged = _read_some(layout, rows[start : start + _CHUNK].tolist())
        frames += found
        if len(rejects) < MAX_LISTED:
            rejects += damaged
        elif damaged:  # files of garbage have millions
            more = "; frames behind it cannot be read either, and are not listed"
            rejects[-1] = replace(rejects[-1], reason=rejects[-1].reason.removesuffix(more) + more)
    return frames, rejects


def _read_some(layout: Layout, rows: list[int]) -> tuple[list[NavFrame], list[Reject]]:
    frames: list[NavFrame] = []
    rejects: list[Reject] = []
    texts = [[layout.text(line) for line in layout.lines(i)] for i in rows]
    calendar = np.array([_calendar(lines) for lines in texts])
    for i, lines, epoch_ns, dated in zip(rows, texts, *timescales.calendar_to_ns(*calendar.T), strict=True):
        mark = layout.text(int(layout.header[i])).ljust(14)
        kind, sv = _KINDS[int(layout.kind[i])], sys.intern(mark[6:9].strip())
        try:
            if not dated:
                raise ValueError("its epoch cannot be read")
            label, values = _content(kind, lines)
        except ValueError as error:
            rejects.append(Reject(layout.name, layout.opening_line(i), sv, sys.intern(f"{kind} frame: {error}"), kind))
        else:
            origin = (layout.name, layout.opening_line(i))
            message = sys.intern(mark[10:14].strip())
            frames.append(NavFrame(kind, sv, message, int(epoch_ns), sys.intern(label), tuple(values), *origin))
    return frames, rejects


def without_repeats(frames: Iterable[NavFrame]) -> list[NavFrame]:
    """Return each frame once, wherever it stands; of equal ones the first."""
    seen: set[bytes] = set()
    kept = []
    for f in frames:  # values as text, in which NaN equals NaN; a digest of it, since files may hold millions
        said = repr((f.kind, f.sv, f.message, f.epoch_ns, f.label, f.values))
        digest = blake2b(said.encode(), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            kept.append(f)
    return kept


def _content(kind: str, lines: list[str]) -> tuple[str, list[float]]:
    """Return label and numbers of a frame."""
    label = " ".join(lines[0][_VALUES_AT:].split()) if kind == "STO" else ""
    values = [] if kind == "STO" else _numbers(lines[0], _VALUES_AT, 3)
    for line in lines[1:]:
        values += _numbers(line, _INDENT, 4)
    return label, values


def _calendar(lines: list[str]) -> list[float]:
    """Return year to second; NaN, which no calendar has, where they cannot be read."""
    try:
        return [float(lines[0][a:b]) for a, b in ((4, 8), (9, 11), (12, 14), (15, 17), (18, 20), (21, 23))]
    except (IndexError, ValueError):
        return [math.nan] * 6


def _numbers(line: str, start: int, count: int) -> list[float]:
    return [
        _number(line[a : a + kernel.FIELD_WIDTH])
        for a in range(start, start + count * kernel.FIELD_WIDTH, kernel.FIELD_WIDTH)
    ]


def _number(text: str) -> float:
    if not text.strip():
        return math.nan
    try:
        return float(text.lower().replace("d", "e"))
    except ValueError:
        raise ValueError(f"{text.strip()!r} is not a number") from None
