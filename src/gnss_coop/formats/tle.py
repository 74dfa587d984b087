"""Two-line elements and orbit mean-elements messages (OMM), propagated by the package sgp4."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.elements.almanac import (
    DAY_NS,
    MAX_ALMANAC_BYTES,
    Almanac,
    FloatArray,
    orbit_class,
    sidereal_deg,
    utc_offset_ns,
)
from gnss_coop.elements.mean_elements import earth_fixed
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.omm import ElementSet, omm_form, omm_sets, satrec_class
from gnss_coop.model import identity
from gnss_coop.model.systems import OrbitClass
from gnss_coop.model.time_arithmetic import civil_utc_to_gpst
from gnss_coop.model.timescales import format_time

_JULIAN_DAY_1980: Final = 2_444_244.5  # 1980-01-06T00:00 UTC
_LINE_LENGTH: Final = 69
#: How a satellite's RINEX name stands in the name line of a set, in order of trust; the group is the name.
_NAMED: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"^([GRECJIS]\d\d)(?:\s|$)",  # the name itself
        r"\(([GRECJI]\d\d)\)",  # BEIDOU-3 M1 (C19)
        r"PRN[ -]([GRECJI]\d\d)\b",  # GSAT0101 (PRN E11)
    )
)
#: Ranges of pseudo-random noise code numbers: letter, first, last, what to take off.
_PRN: Final = re.compile(r"(?:^|PRN[ -])(\d{1,3})\b", re.ASCII)
#: Beginning of a first line, damaged or not.
_FIRST_LINE: Final = re.compile(r"1 [ 0-9A-Z]{5}[A-Z ] ")
#: The columns of the two lines that say which satellite, when and where.
_D3: Final = r"(?:[0-9]{3}| [0-9]{2}|  [0-9])"
_NUMBER: Final = r"(?:[0-9A-HJ-NP-Z][0-9]{4}| {0,4}[0-9]{1,5})"
_LINES: Final = (
    re.compile(rf"1 (?={_NUMBER}).{{5}}[A-Z ] .{{8}} [0-9]{{2}}{_D3}\.[0-9]{{8}}[ 0-9A-Z.+-]{{36}}[0-9]?"),
    re.compile(
        rf"2 (?={_NUMBER}).{{5}} {_D3}\.[0-9]{{4}} {_D3}\.[0-9]{{4}} [0-9]{{7}} {_D3}\.[0-9]{{4}} {_D3}\.[0-9]{{4}} "
        r"[ 0-9][0-9]\.[0-9]{8}[ 0-9]{5}[0-9]?"
    ),
)
#: Alpha-5: the first digit of a catalogue number from 100,000 on, without I and O.
_ALPHA5: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_FIRST_EPOCH_NS, _LAST_EPOCH_NS = 0, 121 * 366 * DAY_NS
_PRN_RANGES: Final = (("G", 1, 32, 0), ("S", 120, 158, 100), ("J", 193, 202, 192))


@dataclass(frozen=True, slots=True, eq=False)
class TwoLineElements:
    """One satellite's two-line elements, ready for SGP4 and SDP4.

    Attributes
    ----------
    sv : str
        RINEX name, or the catalogue number where the name line does not tell it.
    name : str
        Name line as written.
    epoch_ns : int
        Reference time [ns of GPST].
    norad : int
        Catalogue number.
    satrec : sgp4.api.Satrec
        The elements in the form of the package sgp4.
    source : str
        ``TLE`` or ``OMM``.
    healthy : bool
        Always true: such elements do not tell.
    """

    sv: str
    name: str
    epoch_ns: int
    norad: int
    satrec: Any
    source: str
    healthy: bool = True

    @property
    def orbit_class(self) -> OrbitClass:
        """Kind of the orbit."""
        rate_radps = self.satrec.no_kozai / 60.0
        a_m = (const.GM_BEIDOU_M3S2 / rate_radps**2) ** (1.0 / 3.0)
        return orbit_class(a_m, math.degrees(self.satrec.inclo))

    def positions_m(self, epoch_ns: npt.NDArray[np.int64]) -> FloatArray:
        """Return Earth-fixed positions (n, 3) [m]; NaN where SGP4 reports an error.

        SGP4 gives positions in the frame of true equator and mean equinox; mean sidereal time turns them.
        """
        days = (epoch_ns - utc_offset_ns(self.epoch_ns)) / DAY_NS
        whole = np.floor(days)
        error, xyz_km, _ = self.satrec.sgp4_array(_JULIAN_DAY_1980 + whole, days - whole)
        xyz_km[error != 0] = np.nan
        return earth_fixed(1e3 * xyz_km, np.radians(sidereal_deg(epoch_ns, self.epoch_ns)))


def read_tle(source: str | os.PathLike[str] | BinaryIO) -> Almanac:
    """Read two-line elements (with or without name lines) or OMM (JSON, csv or XML).

    Satellites are told by their names: as RINEX writes them (``C19``), or in brackets as CelesTrak does, ``BEIDOU-3 M1
    (C19)``, ``GPS BIIR-2 (PRN 13)``, ``GSAT0101 (PRN E11)``. GLONASS names such as ``COSMOS 2456 (730)`` hold no slot:
    these satellites, and others whose names do not tell, are found by their catalogue number in the table of
    `gnss_coop.model.identity`, at the epoch of the elements; what is not in it keeps its catalogue number and is listed
    in `unmatched`. Catalogue numbers may have up to nine digits, in two-line elements as Alpha-5 (``A0123`` is
    100123). The checksum may be missing, but not wrong. Of several sets of one satellite the newest counts, of several
    satellites with one name the one launched last.

    Parameters
    ----------
    source : str, path or binary file-like
        The file, packed or not.

    Returns
    -------
    Almanac
        `TwoLineElements`, in the order of their names.

    Raises
    ------
    RinexError
        If the file cannot be read or holds no usable set of elements; the reason of the first is told.
    GnssCoopError
        If the package sgp4 is not installed.

    Notes
    -----
    D. A. Vallado and others, Revisiting Spacetrack Report #3, AIAA 2006-6753; CCSDS 502.0-B-3 for OMM.

    Examples
    --------
    >>> import io
    >>> text = '''GPS BIIA-10 (PRN 32)
    ... 1 20959U 90103A   12305.07451262 -.00000021  00000-0  10000-3 0  7565
    ... 2 20959  54.4624 233.1521 0118917 330.7963  28.5681  2.00577377160619
    ... '''
    >>> read_tle(io.BytesIO(text.encode())).satellites
    ('G32',)
    """
    path, data = read_bytes(source, max_bytes=MAX_ALMANAC_BYTES)
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    kind = "TLE" if omm_form(text) is None else "OMM"
    sets = _two_lines(text) if kind == "TLE" else omm_sets(text, path)
    best: dict[str, TwoLineElements] = {}
    left_out: list[str] = []
    dated: list[str] = []
    for name, norad, satrec, fault in sets:
        orbit = None
        if not fault:
            orbit, fault = _orbit(name, norad, satrec, kind, dated)
        if orbit is None:
            left_out.append(f"{name} ({fault})")
            continue
        rival = best.setdefault(orbit.sv, orbit)
        if rival is orbit:
            continue
        loser, winner = sorted((rival, orbit), key=lambda o: (o.norad, o.epoch_ns))
        best[orbit.sv] = winner
        if loser.norad != winner.norad:
            left_out.append(f"{loser.name} (catalogue number {loser.norad}: {winner.norad} is newer)")
    if not best:
        why = f"; the first is {left_out[0]}" if left_out else ""
        raise RinexError(f"holds no usable two-line elements or OMM{why}; give a file of them", path)
    left_out += [f"{o.name} (catalogue number {o.sv})" for o in best.values() if o.sv.isdigit()]
    orbits = tuple(sorted(best.values(), key=lambda o: o.sv))
    return Almanac(orbits, tuple(left_out), (path,), _notes(dated))


def rinex_name(name: str) -> str | None:
    """Return the RINEX name that a name line tells, or None.

    Examples
    --------
    >>> names = "BEIDOU-3 M1 (C19)", "GPS BIIR-2  (PRN 13)", "QZS-2 (QZSS/PRN 194)", "COSMOS 2456 (730)"
    >>> [rinex_name(name) for name in names]
    ['C19', 'G13', 'J02', None]
    """
    text = name.strip().upper()
    for pattern in _NAMED:
        if match := pattern.search(text):
            return match[1]
    if match := _PRN.search(text):
        number = int(match[1])
        for letter, first, last, less in _PRN_RANGES:
            if first <= number <= last:
                return f"{letter}{number - less:02d}"
    return None


def looks_like_tle(text: str) -> bool:
    """Tell whether text may be two-line elements or OMM."""
    return omm_form(text) is not None or any(_FIRST_LINE.match(line) for line in text.splitlines())


def catalogue_number(text: str) -> int:
    """Return the catalogue number of five columns, which may be Alpha-5.

    Examples
    --------
    >>> [catalogue_number(text) for text in ("25544", "A0000", "Z9999", "    5")]
    [25544, 100000, 339999, 5]
    """
    first = _ALPHA5.find(text[0])
    return int(text) if first < 0 else (first + 10) * 10_000 + int(text[1:])


def _two_lines(text: str) -> Iterator[ElementSet]:
    """Yield the sets of two-line elements."""
    satrec = satrec_class()
    name, first = "", ""
    for line in map(str.rstrip, text.split("\n")):
        if _FIRST_LINE.match(line):
            first = line
        elif line.startswith("2 ") and first:
            label = (name or first[2:7]).strip()
            yield _set(label, first, line, satrec)
            name = first = ""
        elif line.strip() and not line.startswith("#"):
            name, first = line.removeprefix("0 ").split("#")[0].strip()[:_LINE_LENGTH], ""


def _set(label: str, first: str, second: str, satrec: Any) -> ElementSet:
    fault = _fault(first, second)
    if fault:
        return label, 0, None, fault
    try:
        elements = satrec.twoline2rv(first[:_LINE_LENGTH], second[:_LINE_LENGTH])
    except ValueError as error:
        return label, 0, None, f"its lines cannot be read: {error}"
    return label, catalogue_number(first[2:7]), elements, ""


def _fault(first: str, second: str) -> str:
    if first[2:7] != second[2:7]:
        return "its two lines are of different satellites"
    for line, pattern in zip((first, second), _LINES, strict=True):
        whole = line[:_LINE_LENGTH]
        if len(whole) < _LINE_LENGTH - 1:
            return "a line is cut short"
        if not pattern.fullmatch(whole):
            return "a line holds something else than numbers in its columns"
        digits = sum(int(c) if c.isdigit() else c == "-" for c in whole[: _LINE_LENGTH - 1])
        if whole[_LINE_LENGTH - 1 :] not in ("", str(digits % 10)):
            return "the checksum of a line is wrong"
    return ""


def _orbit(name: str, norad: int, satrec: Any, source: str, dated: list[str]) -> tuple[TwoLineElements | None, str]:
    """Return a set under its RINEX name, or why it cannot be used; `dated` takes names that may have moved since."""
    if satrec.error:
        return None, f"SGP4 cannot start from its elements: error {satrec.error}"
    days = satrec.jdsatepoch - _JULIAN_DAY_1980
    utc_ns = round(days) * DAY_NS + round((days - round(days) + satrec.jdsatepochF) * DAY_NS)
    if not _FIRST_EPOCH_NS <= utc_ns <= _LAST_EPOCH_NS:
        return None, "its epoch is not of the years 1980 to 2100"
    gpst_ns = int(civil_utc_to_gpst(np.asarray(utc_ns, dtype=np.int64)))
    sv = rinex_name(name)
    if sv is None and (known := identity.by_norad(norad, gpst_ns)) is not None:
        sv = known.sv
        if known.past_table:
            dated.append(sv)
    return TwoLineElements(sv or f"{norad}", name, gpst_ns, norad, satrec, source), ""


def _notes(dated: list[str]) -> tuple[str, ...]:
    if not dated:
        return ()
    end = format_time(identity.TABLE_END_NS).partition("T")[0]
    return (f"{len(dated)} satellites are named by their catalogue numbers as of {end}; names may have moved since",)
