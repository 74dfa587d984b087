"""RINEX navigation files of versions 2, 3 and 4 to `Ephemerides`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from gnss_coop.ephemerides.ephemerides import Ephemerides, NavFrame
from gnss_coop.ephemerides.records import RecordTable, Reject
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav_frames import read_frames, without_repeats
from gnss_coop.formats.rinex.nav_header import NavHeader, read_header
from gnss_coop.formats.rinex.nav_layout import Layout, drop_cut_field, holes, scan, stray
from gnss_coop.formats.rinex.nav_records import parse
from gnss_coop.formats.rinex.nav_sections import Section, split
from gnss_coop.kernels import rinex_nav as kernel

Source: TypeAlias = str | PathLike[str] | BinaryIO


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
        from gnss_coop.formats.rinex.nav_georinex import read_with_georinex

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
