"""The native reader: the bytes of RINEX navigation files of versions 2, 3 and 4 to `Ephemerides`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from gnss_coop.ephemerides.ephemerides import Ephemerides, NavFrame
from gnss_coop.ephemerides.records import RecordTable
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav_frames import read_frames, without_repeats
from gnss_coop.formats.rinex.nav_header import NavHeader, read_header
from gnss_coop.formats.rinex.nav_layout import Layout, drop_cut_field, holes, scan, stray
from gnss_coop.formats.rinex.nav_records import parse
from gnss_coop.formats.rinex.nav_sections import Section, split
from gnss_coop.kernels import rinex_nav as kernel
from gnss_coop.model.rejects import Reject

Source: TypeAlias = str | PathLike[str] | BinaryIO


def read_native(
    sources: Sequence[Source], *, accept_truncated: bool = False, failures: list[RinexError] | None = None
) -> Ephemerides:
    """Read files into one set of ephemerides; arguments and errors as for `gnss_coop.read_nav`."""
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
        repairs=[r for p in parts for r in p.repairs],
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
    repairs: list[Reject]
    frames: list[NavFrame]


def _read_one(source: Source, index: int, accept_truncated: bool) -> _Part:
    name, data = read_bytes(fspath(source) if isinstance(source, PathLike) else source)
    header = read_header(data, name)
    sections, rejects = split(data, header, name)
    parts = [
        _read_section(section, name, index, accept_truncated or i < len(sections) - 1)
        for i, section in enumerate(sections)
    ]
    joined = [
        Reject(name, s.first_line, "", f"another file is joined on here (RINEX {s.header.version:.2f}): read as well")
        for s in sections[1:]
    ]
    return _Part(
        name,
        header,
        RecordTable.concatenate(p.table for p in parts),
        np.concatenate([p.n_lines for p in parts]),
        rejects + [r for p in parts for r in p.rejects],
        joined + [r for p in parts for r in p.repairs],
        [f for p in parts for f in p.frames],
    )


def _read_section(section: Section, name: str, index: int, accept_truncated: bool) -> _Part:
    header = section.header
    layout = scan(name, section.data, header)
    rejects = holes(layout, section.data, header.body_offset)
    cut_line = drop_cut_field(layout, header.version)
    parsed = parse(layout, header, index)
    if not accept_truncated:
        _refuse_truncated(layout, cut_line, parsed.ends_early)
    frames, unreadable = read_frames(layout)
    before = [Reject(name, section.first_line - 1 + line, "", text) for line, text in header.repairs]
    return _Part(
        name,
        header,
        parsed.table,
        parsed.n_lines,
        rejects + parsed.rejects + stray(layout) + unreadable,
        before + parsed.repairs,
        frames,
    )


def _refuse_truncated(layout: Layout, cut_line: int | None, ends_early: bool) -> None:
    """Refuse a file that ends within a field, or whose last frame is a record without the lines it must have."""
    line = cut_line
    if line is None and ends_early and layout.kind[-1] == kernel.EPHEMERIS:
        at_the_end = layout.count[-1] == 0 or layout.lines(-1).stop == layout.starts.size  # not where a hole begins
        line = layout.line_number(layout.first[-1]) if at_the_end else None
    if line is not None:
        raise RinexError(
            "the file is truncated: it ends in the middle of a record; fetch it again, or take what is there "
            "with accept_truncated (--accept-truncated)",
            layout.name,
            line,
        )
