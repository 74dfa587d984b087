"""Headers of RINEX observation files, versions 2, 3 and 4, and the header lines within their bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gnss_coop.errors import RinexError
from gnss_coop.formats.file_kinds import check_version, first_line, told_before
from gnss_coop.formats.rinex.nav_header import header_lines
from gnss_coop.model.numbers import plain_float
from gnss_coop.model.systems import SYSTEMS, TimeScale

_ALL: Final = ""  # key of the types that hold for all systems, as in version 2

#: Time systems as TIME OF FIRST OBS names them; Galileo, QZSS and NavIC times agree with GPST to nanoseconds.
TIME_SCALES: Final = {
    "GPS": TimeScale.GPST, "GAL": TimeScale.GPST, "QZS": TimeScale.GPST, "IRN": TimeScale.GPST,
    "BDT": TimeScale.BDT, "BDS": TimeScale.BDT, "GLO": TimeScale.UTC, "UTC": TimeScale.UTC,
}  # fmt: skip
_DEFAULT_TIME: Final = {"R": "GLO", "E": "GAL", "J": "QZS", "C": "BDT", "I": "IRN"}  # where only that system is there
#: Other kinds of file with the same first line, and what to do with them.
_OTHERS: Final = {
    **dict.fromkeys("NGH", "this is a navigation file; give it with --nav (read_nav)"),
    "M": "this is a meteorological file; give the observation file",
    "C": "this is a clock file; give the observation file",
}

Note: TypeAlias = tuple[int, bool, str]


@dataclass(frozen=True, slots=True)
class ObsHeader:
    """Header of a RINEX observation file.

    Attributes
    ----------
    version : float
        RINEX version, such as 3.04.
    system : str
        RINEX letter of the only system, ``M`` for mixed.
    marker, marker_number : str
        Name of the marker and its DOMES number, as written.
    receiver, receiver_number, firmware, antenna, antenna_number : str
        As written.
    position_m : tuple of 3 float, or None
        Approximate position, Earth-fixed [m]; None where it is missing or zero.
    antenna_delta_m : tuple of 3 float
        Antenna above, east and north of the marker [m].
    interval_s : float or None
        Interval as the header states it [s].
    time_system : str
        GPS, GLO, GAL, QZS, BDT or IRN.
    types : dict of str to tuple of str
        Observation codes of each system letter; under the empty letter those of all, as in version 2.
    glonass_channels : dict of str to int
        Frequency channel of each GLONASS satellite.
    notes : tuple of (int, bool, str)
        What is against the format: line, whether something is left out, words.
    body_offset, body_line : int
        Where the body begins [byte], and the number of that line.
    """

    version: float
    system: str
    marker: str = ""
    marker_number: str = ""
    receiver: str = ""
    receiver_number: str = ""
    firmware: str = ""
    antenna: str = ""
    antenna_number: str = ""
    position_m: tuple[float, float, float] | None = None
    antenna_delta_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    interval_s: float | None = None
    time_system: str = "GPS"
    types: dict[str, tuple[str, ...]] = field(default_factory=dict)
    glonass_channels: dict[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    body_offset: int = 0
    body_line: int = 1

    @property
    def time_scale(self) -> TimeScale:
        """Scale of the epochs."""
        return TIME_SCALES[self.time_system]

    def types_of(self, letter: str) -> tuple[str, ...]:
        """Return the observation codes of a system, none where the header has no line of it."""
        return self.types.get(letter, self.types.get(_ALL, ()))


def read_obs_header(data: bytes, path: str) -> ObsHeader:
    r"""Read the header of a RINEX observation file.

    Parameters
    ----------
    data : bytes
        Content of the file, unpacked, no compact RINEX.
    path : str
        Name of the file for messages.

    Returns
    -------
    ObsHeader

    Raises
    ------
    RinexError
        If this is no RINEX observation file of version 2, 3 or 4, or the header does not end, has no observation
        types, or names an unknown time system.

    Notes
    -----
    Columns are those of the RINEX 2.11, 3.05 and 4.02 documents.

    Examples
    --------
    >>> lines = [
    ...     f"{'     3.04           OBSERVATION DATA    C':60}RINEX VERSION / TYPE",
    ...     f"{'C    2 C2I L2I':60}SYS / # / OBS TYPES",
    ...     f"{'':60}END OF HEADER",
    ... ]
    >>> header = read_obs_header("\n".join(lines).encode(), "example.rnx")
    >>> header.types, header.time_system
    ({'C': ('C2I', 'L2I')}, 'BDT')
    """
    version, system, before = _first_line(data, path)
    lines, body_offset = header_lines(data, path)
    texts: dict[str, str] = {}
    for line in lines:
        texts.setdefault(_label(line), line.ljust(60)[:60])
    types, notes = read_types(lines, version, 1)
    notes += [(1, False, told_before(before))] if before else []
    if not types:
        raise RinexError("the header has no observation types; fetch the file again", path)
    receiver, antenna = texts.get("REC # / TYPE / VERS", ""), texts.get("ANT # / TYPE", "")
    position_m = _three(texts.get("APPROX POSITION XYZ", ""))
    interval_s = _number(texts.get("INTERVAL", "")[:10])
    return ObsHeader(
        version=version,
        system=system,
        marker=texts.get("MARKER NAME", "").strip(),
        marker_number=texts.get("MARKER NUMBER", "")[:20].strip(),
        receiver=receiver[20:40].strip(),
        receiver_number=receiver[:20].strip(),
        firmware=receiver[40:60].strip(),
        antenna=" ".join(antenna[20:40].split()),
        antenna_number=antenna[:20].strip(),
        position_m=position_m if position_m is not None and any(position_m) else None,
        antenna_delta_m=_three(texts.get("ANTENNA: DELTA H/E/N", "")) or (0.0, 0.0, 0.0),
        interval_s=interval_s if interval_s > 0 else None,
        time_system=_time_system(texts.get("TIME OF FIRST OBS", ""), system, path),
        types=types,
        notes=tuple(notes),
        glonass_channels=_channels(lines),
        body_offset=body_offset,
        body_line=len(lines) + 1,
    )


def read_types(lines: list[str], version: float, first_line: int) -> tuple[dict[str, tuple[str, ...]], list[Note]]:
    """Return the observation types that header lines list, and what is wrong with them, by line.

    The list counts, whatever number it announces. Lists of systems that RINEX does not know are left out.
    `first_line` is the number of the first line.
    """
    label, first, step, width, per_line = (
        ("# / TYPES OF OBSERV", 10, 6, 2, 9) if version < 3 else ("SYS / # / OBS TYPES", 7, 4, 3, 13)
    )
    announced: dict[str, tuple[str, int]] = {}
    found: dict[str, list[str]] = {}
    notes: list[Note] = []
    letter: str | None = None
    for number, line in enumerate(lines, start=first_line):
        if _label(line) != label:
            continue
        count = (line[:6] if version < 3 else line[3:6]).strip()
        if count:
            letter = _ALL if version < 3 else line[0]
            announced[letter] = (count, number)
            found[letter] = []
        if letter is None:
            notes.append((number, True, "a list of observation types goes on that never began"))
            continue
        codes = (line[first + step * k : first + step * k + width].strip() for k in range(per_line))
        found[letter] += [code.upper() for code in codes if code]
    for key, (count, number) in announced.items():
        n_listed = len(found[key])
        if key not in (_ALL, *SYSTEMS):
            notes.append((number, True, f"the observation types of {key!r}, which is not a RINEX system"))
            del found[key]
        elif not (count.isascii() and count.isdecimal()) or int(count) != n_listed:
            words = f"{count} observation types are announced and {n_listed} are listed; the list counts"
            notes.append((number, False, words))
    return {key: tuple(codes) for key, codes in found.items() if codes or key}, notes


def read_position(lines: list[str]) -> tuple[float, float, float] | None:
    """Return the position that header lines within a body state, if any."""
    for line in lines:
        if _label(line) == "APPROX POSITION XYZ":
            return _three(line[:60])
    return None


def _label(line: str) -> str:
    return line[60:80].strip().upper()


def _first_line(data: bytes, path: str) -> tuple[float, str, tuple[str, ...]]:
    line, number, before = first_line(data, path, "a RINEX observation file")
    version = round(_number(line[:20]), 2)
    kind = line[20:21].upper()
    if kind != "O":
        raise RinexError(_OTHERS.get(kind, f"file type {kind!r} is unknown; give the observation file"), path, number)
    if math.isnan(version):
        raise RinexError(f"the RINEX version {line[:20].strip()!r} is not a number; correct it", path, number)
    check_version(version, path, number)
    letter = line[40:41].upper()
    return version, letter if letter in (*SYSTEMS, "M") else "G", before  # blank means GPS


def _number(text: str) -> float:
    try:
        return plain_float(text)
    except ValueError:
        return math.nan


def _three(text: str) -> tuple[float, float, float] | None:
    """Read three numbers of 14 columns."""
    x, y, z = (_number(text[14 * k : 14 * k + 14]) for k in range(3))
    return None if math.isnan(x + y + z) else (x, y, z)


def _time_system(line: str, system: str, path: str) -> str:
    # Some writers shift the columns: the name is the word behind the seconds.
    name = next((word for word in line[43:60].upper().split() if word.isalpha()), _DEFAULT_TIME.get(system, "GPS"))
    if name not in TIME_SCALES:
        known = ", ".join(sorted(TIME_SCALES))
        raise RinexError(f"the time system {name!r} of TIME OF FIRST OBS is unknown; known are {known}", path)
    return name


def _channels(lines: list[str]) -> dict[str, int]:
    channels: dict[str, int] = {}
    for line in lines:
        if _label(line) != "GLONASS SLOT / FRQ #":
            continue
        for k in range(8):
            sv, channel = line[4 + 7 * k : 7 + 7 * k].replace(" ", "0"), line[7 + 7 * k : 10 + 7 * k].strip()
            number = channel.removeprefix("-")
            if sv[:1] == "R" and sv.isascii() and sv[1:].isdecimal() and number.isascii() and number.isdecimal():
                value = int(channel)
                channels[sv] = value - 256 if value > 128 else value  # a signed byte written without its sign
    return channels
