"""RINEX 4 frames that are no ephemerides: system time offsets, Earth orientation, ionosphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gnss_coop.kernels import records as kernel
from gnss_coop.model import timescales
from gnss_coop.model.ephemerides import NavFrame

if TYPE_CHECKING:
    from gnss_coop.formats.rinex_nav import Layout

_KINDS: Final = {
    kernel.SYSTEM_TIME_OFFSET: "STO",
    kernel.EARTH_ORIENTATION: "EOP",
    kernel.IONOSPHERE: "ION",
}
_VALUES_AT: Final = 23  # column behind the epoch
_INDENT: Final = 4


def read_frames(layout: Layout) -> list[NavFrame]:
    """Read all frames of these kinds (RINEX 4.02, tables A32 to A38)."""
    rows = [i for i, kind in enumerate(layout.kind.tolist()) if kind in _KINDS and layout.count[i] > 0]
    if not rows:
        return []
    texts = [[layout.text(line) for line in layout.lines(i)] for i in rows]
    calendar = [_integers(lines[0]) for lines in texts]
    epoch_ns, _ = timescales.calendar_to_ns(*np.array(calendar, dtype=np.float64).T)
    return [
        _frame(layout, i, lines, int(ns)) for i, lines, ns in zip(rows, texts, epoch_ns, strict=True)
    ]  # fmt: skip


def _frame(layout: Layout, i: int, lines: list[str], epoch_ns: int) -> NavFrame:
    mark = layout.text(int(layout.header[i])).ljust(14)
    label = ""
    values = []
    if layout.kind[i] == kernel.SYSTEM_TIME_OFFSET:
        label = " ".join(lines[0][_VALUES_AT:].split())
    else:
        values += _numbers(lines[0], _VALUES_AT, 3)
    for line in lines[1:]:
        values += _numbers(line, _INDENT, 4)
    return NavFrame(
        _KINDS[int(layout.kind[i])], mark[6:9].strip(), mark[10:14].strip(), epoch_ns, label, tuple(values),
        layout.name, layout.opening_line(i),
    )  # fmt: skip


def _integers(line: str) -> list[float]:
    """Return year to second; NaN, which no calendar has, where they cannot be read."""
    try:
        return [float(line[a:b]) for a, b in ((4, 8), (9, 11), (12, 14), (15, 17), (18, 20), (21, 23))]
    except ValueError:
        return [float("nan")] * 6


def _numbers(line: str, start: int, count: int) -> list[float]:
    return [
        _number(line[a : a + kernel.FIELD_WIDTH])
        for a in range(start, start + count * kernel.FIELD_WIDTH, kernel.FIELD_WIDTH)
    ]


def _number(text: str) -> float:
    try:
        return float(text.lower().replace("d", "e"))
    except ValueError:
        return float("nan")
