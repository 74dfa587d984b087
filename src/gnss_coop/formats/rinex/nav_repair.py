"""Navigation files written back as valid RINEX: without what is rejected, and with what is repaired written right."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from typing import BinaryIO, Final

import numpy as np

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.ephemerides.records import Floats
from gnss_coop.errors import GnssCoopWarning, RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.file_kinds import first_line
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.formats.rinex.nav_header import header_lines, read_header
from gnss_coop.formats.rinex.nav_layout import Layout, drop_cut_field, holes, scan
from gnss_coop.formats.rinex.nav_records import indent_of
from gnss_coop.formats.rinex.nav_sections import Section, split
from gnss_coop.kernels import rinex_nav as kernel
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS, TimeScale

_MAX_ROUNDS: Final = 8
_BLANK: Final = " " * kernel.FIELD_WIDTH
_VALID_FIELD: Final = re.compile(r" *[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d{1,3})? *")
_ODD_CHARACTERS: Final = re.compile(r"[^ -~]")
_GLONASS_STATUS_VERSION: Final = 3.05  # from it on GLONASS records have a fourth line
#: Header lines of joined files that are not taken over: they say what the first file's own say.
_OWN_LABELS: Final = ("RINEX VERSION", "PGM / RUN BY", "LEAP SECONDS", "END OF HEADER", "COMMENT")


@dataclass(frozen=True, slots=True)
class Repaired:
    """A navigation file as it is written back.

    Attributes
    ----------
    data : bytes
        The file: RINEX of the version that it had, ASCII, 80 columns.
    nav : Ephemerides
        What was read of the original.
    n_lost : int
        Usable records of the original that are missing, because the checks reject them once the others are gone.
    """

    data: bytes
    nav: Ephemerides
    n_lost: int


class _Named(io.BytesIO):
    """A stream that errors call by the name of the file."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def repair_nav(source: str | PathLike[str] | BinaryIO, *, accept_truncated: bool = False) -> Repaired:
    """Write a navigation file back as valid RINEX, for programs that do not survive its faults.

    Records that are rejected, repeated, or belong to no message are left out; words in fields that nothing needs
    become blanks; time tags, exponents and what stands before the header are written right. All other fields are
    those of the original, character for character.

    Parameters
    ----------
    source : path or binary file-like
        The file, packed or not.
    accept_truncated : bool
        Take what is there of a file that ends in the middle of a record.

    Returns
    -------
    Repaired
        `read_nav` reads it without rejecting or repairing anything.

    Raises
    ------
    RinexError
        If the file cannot be read, or joins files that cannot be one.
    """
    name, data = read_bytes(fspath(source) if isinstance(source, PathLike) else source)
    original = nav = read_nav(_Named(data, name), accept_truncated=accept_truncated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GnssCoopWarning)  # they were issued for the original
        for _ in range(_MAX_ROUNDS):
            data = _written(data, name, nav)
            nav = read_nav(_Named(data, name), accept_truncated=True)
            if not nav.rejects and not nav.repairs and not nav.n_duplicates:
                return Repaired(data, original, len(original) - len(nav))
    raise RinexError("no part of the file passes all checks on its own; `gnss-coop info --rejects` says why", name)


def _written(data: bytes, name: str, nav: Ephemerides) -> bytes:
    sections, _ = split(data, read_header(data, name), name)
    version, lines = _header(sections, name)
    rows = {line: row for row, line in enumerate(nav.table.line.tolist())}
    frames = {frame.line for frame in nav.frames}
    calendar = _calendar(nav)
    for section in sections:
        layout = scan(name, section.data, section.header)
        holes(layout, section.data, section.header.body_offset)
        drop_cut_field(layout, section.header.version)
        for i in range(len(layout.first)):
            if layout.kind[i] == kernel.EPHEMERIS and layout.count[i]:
                row = rows.get(layout.line_number(layout.first[i]))
                if row is not None:
                    lines += _record(layout, i, nav, row, calendar[row], version, section.header.system)
            elif layout.opening_line(i) in frames:
                lines += [_ascii(layout.text(int(layout.header[i])))]
                lines += [_ascii(layout.text(line)) for line in layout.lines(i)]
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode("ascii")


def _ascii(line: str) -> str:
    return _ODD_CHARACTERS.sub("?", line)[:80]


# --- Header -----------------------------------------------------------------------------------------------------


def _header(sections: list[Section], name: str) -> tuple[float, list[str]]:
    """Return the version and the header of the file; joined files share one."""
    first = sections[0].header
    kinds = {(int(s.header.version), s.header.file_type, s.header.system) for s in sections}
    if len({kind[:2] for kind in kinds}) > 1 or (first.version < 3 and len(kinds) > 1):
        other = next(s for s in sections if (int(s.header.version), s.header.file_type, s.header.system) != (
            int(first.version), first.file_type, first.system))  # fmt: skip
        raise RinexError(
            "files of different versions or systems are joined, which no single RINEX file can hold: "
            f"split it before line {other.first_line} and repair its parts",
            name,
        )
    texts = [header_lines(s.data, name)[0] for s in sections]
    line_1 = first_line(sections[0].data, name, "a RINEX navigation file")
    head = _ascii(line_1.text).ljust(80)
    version = max(s.header.version for s in sections)
    if len(kinds) > 1:
        head = head[:40] + f"{'M: MIXED':20}" + head[60:]
    if version != first.version:
        head = f"{version:9.2f}{'':11}" + head[20:]
    lines = [head, *map(_ascii, line_1.before), *map(_ascii, texts[0][line_1.number :])]
    lines = [line for line in lines if line.strip() and "END OF HEADER" not in line.upper()]
    more = (_ascii(line) for text in texts[1:] for line in text)
    more = (line for line in more if line.strip() and not line[60:].upper().startswith(_OWN_LABELS))
    lines += dict.fromkeys(line for line in more if line not in lines)
    return version, [*lines, f"{'':60}END OF HEADER"]


# --- Records ----------------------------------------------------------------------------------------------------


def _calendar(nav: Ephemerides) -> list[tuple[int, ...]]:
    """Return year to second and tenth of a second of each record, in the scale that its system writes."""
    ns = nav.table.toc_ns.copy()
    to_scale = {TimeScale.BDT: timescales.gpst_to_bdt_ns, TimeScale.UTC: timescales.gpst_to_utc_ns}
    for letter, system in SYSTEMS.items():
        rows = nav.table.system == ord(letter)
        if system.time_scale in to_scale and rows.any():
            ns[rows] = to_scale[system.time_scale](ns[rows])
    texts = np.datetime_as_string(timescales.to_datetime64(ns), unit="ms")
    return [tuple(map(int, re.split(r"\D", text))) for text in texts.tolist()]


def _record(
    layout: Layout, frame: int, nav: Ephemerides, row: int, calendar: tuple[int, ...], version: float, system: str
) -> Iterator[str]:
    """Yield the lines of a record."""
    sv, message = f"{chr(nav.table.system[row])}{nav.table.number[row]:02d}", MESSAGES[nav.table.message[row]]
    year, month, day, hour, minute, second, milli = calendar
    if version < 3:
        start = f"{sv[1:].lstrip('0'):>2}" if sv[0] == system else sv
        start += f" {year % 100:02d} {month:2d} {day:2d} {hour:2d} {minute:2d}{second + milli / 1000:5.1f}"
    else:
        start = f"{sv} {year:04d} {month:02d} {day:02d} {hour:02d} {minute:02d} {second:02d}"
    if version >= 4:
        yield f"> EPH {sv} {message.name}"
    fields = _fields(layout, frame, nav.table.fields[row], version)
    yield start + "".join(fields[:3])
    optional = message.name == "FDMA" and version < _GLONASS_STATUS_VERSION
    n_lines = min(message.n_lines, len(layout.lines(frame)) - 1) if optional else message.n_lines
    indent = " " * (len(start) - kernel.FIELD_WIDTH)
    for k in range(3, 3 + 4 * n_lines, 4):
        yield indent + "".join(fields[k : k + 4])


def _fields(layout: Layout, frame: int, values: Floats, version: float) -> list[str]:
    """Return the fields of a record: as they are written where that is right."""
    indent = indent_of(layout, frame, version < 3)
    fields = []
    for line in layout.lines(frame):
        text = layout.text(line)[indent:]
        fields += [text[k : k + kernel.FIELD_WIDTH] for k in range(0, 4 * kernel.FIELD_WIDTH, kernel.FIELD_WIDTH)]
    del fields[0]  # satellite and epoch
    fields += [""] * (kernel.N_FIELDS - len(fields))
    return [_field(text, float(value)) for text, value in zip(fields, values, strict=False)]


def _field(text: str, value: float) -> str:
    if not np.isfinite(value):
        return _BLANK
    if _VALID_FIELD.fullmatch(text):
        return text.ljust(kernel.FIELD_WIDTH)
    written = f"{value:.12E}"
    return (written if len(written) <= kernel.FIELD_WIDTH else f"{value:.11E}").rjust(kernel.FIELD_WIDTH)
