"""What the first lines of a file say: where RINEX begins, its version, or what else the file is."""

from __future__ import annotations

import re
import warnings
from typing import Final, NamedTuple

from gnss_coop.errors import GnssCoopWarning, RinexError

_LABEL: Final = slice(60, 80)
_FIRST_LABEL: Final = "RINEX VERSION / TYPE"
_MAX_LINE_BYTES: Final = 1000  # of a longer line only this much is looked at
_MAX_LINES_BEFORE: Final = 100  # blank lines and comments that may stand before the first label
_UTF8_MARK: Final = "\xef\xbb\xbf"  # the byte order mark that some editors put in front, read as Latin-1

#: Last minor version that is known of each version.
_LAST_MINOR: Final = {2: 2.12, 3: 3.05, 4: 4.02}
VERSIONS: Final = ", ".join(f"{major}.00-{last:.2f}" for major, last in _LAST_MINOR.items())

# Other kinds of file that get mistaken for RINEX, told by how they begin or by what their first lines hold.
_WEB_PAGE: Final = "a web page, perhaps the login form that was sent instead of the file"
_BEGINNINGS: Final = (
    ("<!DOCTYPE HTML", _WEB_PAGE),
    ("<HTML", _WEB_PAGE),
    ("<", "an XML document"),
    ("{", "a JSON document"),
    ("%PDF", "a PDF document"),
    ("%=SNX", "a SINEX file"),
    *((f"#{version}", "an SP3 orbit file") for version in "ABCD"),
)
_CONTENTS: Final = (
    ("CRINEX VERS", "a compact RINEX (Hatanaka) observation file"),
    ("IONEX VERSION", "an IONEX map of the ionosphere"),
    ("ANTEX VERSION", "an ANTEX file of antennas"),
)
_HTML_TAG: Final = re.compile(r"<(HTML|HEAD|BODY|TITLE|FORM|SCRIPT)[\s>]")


class FirstLine(NamedTuple):
    """The line RINEX VERSION / TYPE, its number from 1, and what stands before it."""

    text: str
    number: int
    before: tuple[str, ...]


def first_line(data: bytes, path: str, wanted: str) -> FirstLine:
    """Find the line RINEX VERSION / TYPE: the first one but for blank lines and comments.

    Parameters
    ----------
    data : bytes
        Content of the file, unpacked.
    path : str
        Name of the file for messages.
    wanted : str
        What is to be given instead of another kind of file.

    Raises
    ------
    RinexError
        If this is no RINEX file; the message says what it looks like.
    """
    before: list[str] = []
    start, first = 0, ""
    while start < len(data) and len(before) <= _MAX_LINES_BEFORE:
        newline = data.find(b"\n", start)
        end = len(data) if newline < 0 else newline
        line = data[start : min(end, start + _MAX_LINE_BYTES)].decode("latin-1").rstrip("\r")
        line = line.removeprefix(_UTF8_MARK) if start == 0 else line
        if _FIRST_LABEL in line.upper():
            return FirstLine(line, len(before) + 1, tuple(before))
        if line.strip():
            first = first or line
            if line[_LABEL].strip().upper() != "COMMENT":
                break
        before.append(line)
        start = end + 1
    raise RinexError(f"this is not a RINEX file{guess(first, data)}; give {wanted}", path, 1)


def told_before(before: tuple[str, ...]) -> str:
    """Say what lines before the first label are, which is passed over."""
    n_comments = sum(1 for line in before if line.strip())
    return f"{n_comments} comments and {len(before) - n_comments} blank lines before RINEX VERSION / TYPE: passed over"


def check_version(version: float, path: str, line: int) -> None:
    """Refuse versions that are not read, and warn of minor ones that are newer than those known.

    Minor versions add fields and messages; what is there already stays where it is.

    Raises
    ------
    RinexError
        For a version other than 2, 3 and 4.
    """
    last = _LAST_MINOR.get(int(version)) if version == version else None
    if last is None:
        raise RinexError(f"RINEX version {version:.2f} is not supported; these are: {VERSIONS}", path, line)
    if version > last:
        warnings.warn(
            f"{path}: RINEX version {version:.2f} is newer than {last:.2f} and is read like it; "
            "look for what its document changes",
            GnssCoopWarning,
            stacklevel=2,
        )


def guess(line: str, data: bytes) -> str:
    """Say what a file looks like that is not RINEX."""
    start = line.lstrip().upper()
    head = data[:_MAX_LINE_BYTES].decode("latin-1").upper()
    if start.startswith("<") and _HTML_TAG.search(head):
        return f" but {_WEB_PAGE}"
    for beginning, kind in _BEGINNINGS:
        if start.startswith(beginning):
            return f" but {kind}"
    for label, kind in _CONTENTS:
        if label in start:
            return f" but {kind}"
    return " but binary data" if b"\0" in data[:_MAX_LINE_BYTES] else " (its first line lacks RINEX VERSION / TYPE)"
