"""Headers of RINEX navigation files, versions 2, 3 and 4.

What decides how the body is read - version, type, end of the header - must be right, or the file is refused
with a sentence that says what it is instead. Everything else is optional, and damage to it is no reason to
lose a day of ephemerides.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Final

from gnss_coop.errors import RinexError
from gnss_coop.formats.file_kinds import check_version, first_line, told_before
from gnss_coop.model.systems import SYSTEMS

_MAX_LINES: Final = 2000  # long merged files carry hundreds of comments; nobody writes thousands
_MAX_LINE_BYTES: Final = 1000  # of a longer line only this much is looked at
_LABEL: Final = slice(60, 80)

#: RINEX 2 tells the system by the file type; type N may name another one in column 41.
_SYSTEM_OF_V2_TYPE: Final = {"N": "G", "G": "R", "H": "S", "E": "E", "L": "E"}

_OTHER_TYPES: Final = {
    "O": "an observation file",
    "M": "a meteorological file",
    "C": "a clock file",
    "B": "a file of SBAS broadcast data",
}

#: Labels whose numbers are kept, and the width of the key before them (0: the label itself is the key).
_IONOSPHERE: Final = {"IONOSPHERIC CORR": 4, "ION ALPHA": 0, "ION BETA": 0}
_TIME_CORRECTIONS: Final = {"TIME SYSTEM CORR": 4, "CORR TO SYSTEM TIME": 0, "DELTA-UTC": 0, "D-UTC": 0}
_NUMBERS_PER_LINE: Final = 4

# Some writers fill their fields and leave no blank between; a sign behind a digit starts the next number.
_GLUE: Final = re.compile(r"(?<=[0-9.])(?=[+-])")


@dataclass(frozen=True, slots=True)
class NavHeader:
    """Header of a RINEX navigation file.

    Attributes
    ----------
    version : float
        RINEX version, such as 3.04.
    file_type : str
        Type letter as written: N, and in version 2 also G (GLONASS), H (SBAS), E or L (Galileo).
    system : str
        RINEX letter of the only system, ``M`` for mixed, empty where a version 3 or 4 file does not say.
    program, run_by, date : str
        Who wrote the file, and when, as written.
    leap_seconds : int or None
        GPST - UTC [s] as the header has it. Only a check: the count starts in 2006 in some BeiDou files.
    comments : tuple of str
        Comment lines.
    ionosphere : dict of str to tuple of float
        Four coefficients as written, under ``GPSA``, ``BDSB``, ... or, in version 2, ``ION ALPHA`` and
        ``ION BETA``. NaN where a number is missing or cannot be read; of a key that repeats, the first line
        counts.
    time_corrections : dict of str to tuple of float
        In the same way: ``GLUT``, ``BDUT``, ... with a0 [s], a1 [s/s], reference time [s] and week; version 2
        has ``CORR TO SYSTEM TIME`` with year, month, day, -tau_c [s], and ``DELTA-UTC`` or ``D-UTC`` with a0,
        a1, time and week.
    body_offset : int
        Offset of the first line after the header [byte].
    body_line : int
        Number of that line, counted from 1.
    repairs : tuple of (int, str)
        What was read otherwise than it is written: line and description.
    """

    version: float
    file_type: str
    system: str
    program: str = ""
    run_by: str = ""
    date: str = ""
    leap_seconds: int | None = None
    comments: tuple[str, ...] = ()
    ionosphere: dict[str, tuple[float, ...]] = field(default_factory=dict)
    time_corrections: dict[str, tuple[float, ...]] = field(default_factory=dict)
    body_offset: int = 0
    body_line: int = 1
    repairs: tuple[tuple[int, str], ...] = ()


def read_header(data: bytes, path: str) -> NavHeader:
    r"""Read the header of a RINEX navigation file.

    Parameters
    ----------
    data : bytes
        Content of the file, unpacked.
    path : str
        Name of the file for messages.

    Returns
    -------
    NavHeader
        What the header says. Lines with unknown labels are passed over.

    Raises
    ------
    RinexError
        If this is not a RINEX navigation file of version 2, 3 or 4 (the message says what it looks like
        instead), or if its header does not end.

    Warns
    -----
    GnssCoopWarning
        Of a minor version beyond 2.12, 3.05 and 4.02, which is read like these.

    Notes
    -----
    Columns are those of the RINEX 2.11, 2.12, 3.05 and 4.02 documents.

    Examples
    --------
    >>> first = "     3.04           N: GNSS NAV DATA    C: BEIDOU           RINEX VERSION / TYPE"
    >>> header = read_header(f"{first}\n{'END OF HEADER':>73}\n".encode(), "example.rnx")
    >>> header.version, header.system, header.body_line
    (3.04, 'C', 3)
    """
    line_1 = first_line(data, path, "a RINEX navigation file")
    version, file_type, system = _first_line(line_1.text, line_1.number, path)
    lines, body_offset = header_lines(data, path)
    texts: dict[str, str] = {}
    comments: list[str] = []
    ionosphere: dict[str, tuple[float, ...]] = {}
    time_corrections: dict[str, tuple[float, ...]] = {}
    for line in lines:
        label = _label(line)
        if label == "COMMENT":
            comments.append(line[:60].rstrip())
        elif label in _IONOSPHERE:
            _keep_numbers(ionosphere, line, label, _IONOSPHERE[label])
        elif label in _TIME_CORRECTIONS:
            _keep_numbers(time_corrections, line, label, _TIME_CORRECTIONS[label])
        else:
            texts.setdefault(label, line)
    origin = texts.get("PGM / RUN BY / DATE", "")
    return NavHeader(
        version=version,
        file_type=file_type,
        system=system,
        program=origin[:20].strip(),
        run_by=origin[20:40].strip(),
        date=origin[40:60].strip(),
        leap_seconds=_leap_seconds(texts.get("LEAP SECONDS", "")),
        comments=tuple(comments),
        ionosphere=ionosphere,
        time_corrections=time_corrections,
        body_offset=body_offset,
        body_line=len(lines) + 1,
        repairs=((1, told_before(line_1.before)),) if line_1.before else (),
    )


def header_lines(data: bytes, path: str) -> tuple[list[str], int]:
    """All lines up to END OF HEADER, and the offset of the line that follows."""
    lines: list[str] = []
    start = 0
    while start < len(data) and len(lines) < _MAX_LINES:
        newline = data.find(b"\n", start)
        end = len(data) if newline < 0 else newline
        lines.append(data[start : min(end, start + _MAX_LINE_BYTES)].decode("latin-1").rstrip("\r"))
        start = min(end + 1, len(data))
        if "END OF HEADER" in (_label(lines[-1]), lines[-1].strip().upper()):
            return lines, start
    raise RinexError(
        f"no END OF HEADER in the first {len(lines)} lines; the file is cut or damaged, fetch it again", path
    )


def _label(line: str) -> str:
    return line[_LABEL].upper().partition(":")[0].strip()  # of "DELTA-UTC: A0,A1,T,W" the first word


def _first_line(line: str, number: int, path: str) -> tuple[float, str, str]:
    """Version, type and system of a file that can be read; anything else is refused by name."""
    try:
        version = round(float(line[:20].split()[0]), 2)
    except (IndexError, ValueError):
        raise RinexError(f"the RINEX version {line[:20].strip()!r} is not a number; correct it", path, number) from None
    file_type = line[20:21].upper()
    if file_type in _OTHER_TYPES:
        raise RinexError(
            f"this is {_OTHER_TYPES[file_type]} (RINEX {version:.2f}); give the navigation file", path, number
        )
    check_version(version, path, number)
    if file_type != "N" and not (version < 3 and file_type in _SYSTEM_OF_V2_TYPE):
        raise RinexError(
            f"file type {file_type!r} of RINEX {version:.2f} is unknown; give a navigation file", path, number
        )
    letter = line[40:41].upper()
    if letter not in (*SYSTEMS, "M"):
        letter = ""
    if version < 3 and not (file_type == "N" and letter):
        letter = _SYSTEM_OF_V2_TYPE[file_type]
    return version, file_type, letter


def _keep_numbers(kept: dict[str, tuple[float, ...]], line: str, label: str, key_width: int) -> None:
    key = line[:key_width].strip() or label
    fields = _GLUE.sub(" ", line[key_width:60]).split()[:_NUMBERS_PER_LINE]
    missing = [math.nan] * (_NUMBERS_PER_LINE - len(fields))
    kept.setdefault(key, (*map(_number, fields), *missing))


def _number(text: str) -> float:
    try:
        return float(text.upper().replace("D", "E"))
    except ValueError:
        return math.nan


def _leap_seconds(line: str) -> int | None:
    try:
        return int(line[:6])
    except ValueError:
        return None
