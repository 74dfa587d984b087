"""Navigation files that were joined to one: ``cat *.24n *.24g``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from gnss_coop.errors import RinexError
from gnss_coop.formats.rinex.nav_header import NavHeader, read_header
from gnss_coop.model.rejects import Reject

_FIRST_LABEL: Final = b"RINEX VERSION / TYPE"
_LABEL_COLUMN: Final = 60
_VERSION: Final = re.compile(rb"\s*\d+(\.\d*)?\s*")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_MAX_SECTIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Section:
    """One of the files that a file consists of.

    Attributes
    ----------
    header : NavHeader
        Its header: `body_offset` counts from the section's start, `body_line` from the file's.
    data : bytes
        Header and body.
    first_line : int
        Number of its first line in the file.
    """

    header: NavHeader
    data: bytes
    first_line: int


def split(data: bytes, header: NavHeader, name: str) -> tuple[list[Section], list[Reject]]:
    """Return the navigation files that a file consists of, nearly always one, and what else is joined on.

    Raises
    ------
    RinexError
        Where there are more than 1000 of them.
    """
    sections, rejects = [], []
    start, first_line = 0, 1
    current: NavHeader | None = header
    for begin, found in _later_headers(data, header, name):
        if current is not None:
            sections.append(Section(current, data[start:begin], first_line))
        first_line += data.count(b"\n", start, begin)
        start, current = begin, None
        if isinstance(found, RinexError):
            what = str(found).partition(f"line {found.line}: ")[2]
            rejects.append(Reject(name, first_line, "", f"what is joined on here is left out: {what}"))
        else:
            current = replace(found, body_line=found.body_line + first_line - 1)
    if current is not None:
        sections.append(Section(current, data[start:], first_line))
    return sections, rejects


def _later_headers(data: bytes, header: NavHeader, name: str) -> list[tuple[int, NavHeader | RinexError]]:
    """Return where headers begin behind the first one, and what they say."""
    found: list[tuple[int, NavHeader | RinexError]] = []
    # A single character is found ten times faster, and records do not have it.
    label = data.find(b"/", header.body_offset)
    label = label if label < 0 else data.find(_FIRST_LABEL, header.body_offset)
    while label >= 0:
        following = data.find(_FIRST_LABEL, label + 1)
        end = data.find(b"END OF HEADER", label, following if following >= 0 else len(data))
        begin = label - _LABEL_COLUMN
        # A damaged or copied line without the rest of a header is one odd line, and its file goes on.
        if end >= 0 and begin >= header.body_offset and _VERSION.fullmatch(data[begin : begin + 20]):
            if len(found) >= _MAX_SECTIONS:
                raise RinexError(f"more than {_MAX_SECTIONS} files are joined to one; split it", name)
            begin -= len(_UTF8_MARK) if data.endswith(_UTF8_MARK, header.body_offset, begin) else 0
            stop = data.find(b"\n", end)
            try:
                found.append((begin, read_header(data[begin : stop + 1 if stop >= 0 else len(data)], name)))
            except RinexError as error:
                found.append((begin, error))
        label = following
    return found
