"""Two-line elements and orbit mean-elements messages (OMM), propagated by the package sgp4."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import GnssCoopError, RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.model.almanac import DAY_NS, Almanac, FloatArray, orbit_class, sidereal_deg, utc_offset_ns
from gnss_coop.model.mean_elements import earth_fixed
from gnss_coop.model.systems import OrbitClass
from gnss_coop.model.time_arithmetic import civil_utc_to_gpst

_JULIAN_DAY_1980: Final = 2_444_244.5  # 1980-01-06T00:00 UTC
_LINE_LENGTH: Final = 69
#: How a satellite's RINEX name stands in the name line of a set, in order of trust; the group is the name.
_NAMED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"^([GRECJIS]\d\d)(?:\s|$)",  # the name itself
        r"\(([GRECJI]\d\d)\)",  # BEIDOU-3 M1 (C19)
        r"PRN[ -]([GRECJI]\d\d)\b",  # GSAT0101 (PRN E11)
    )
)
#: Ranges of pseudo-random noise code numbers: letter, first, last, what to take off.
_PRN: Final = re.compile(r"(?:^|PRN[ -])(\d{1,3})\b")
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
    (C19)``, ``GPS BIIR-2 (PRN 13)``, ``GSAT0101 (PRN E11)``. GLONASS names hold no slot: such satellites keep their
    catalogue number and are listed in `unmatched`. Of several sets of one satellite the newest counts, of
    several satellites with one name the one launched last.

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
        If the file cannot be read or holds no set of elements.
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
    path, data = read_bytes(source)
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    kind = "TLE" if _form(text) is None else "OMM"
    sets = _two_lines(text) if kind == "TLE" else _omm(text, path)
    best: dict[str, TwoLineElements] = {}
    left_out: list[str] = []
    for name, satrec, fault in sets:
        if satrec is None:
            left_out.append(f"{name} ({fault})")
            continue
        orbit = _orbit(name, satrec, kind)
        rival = best.setdefault(orbit.sv, orbit)
        if rival is orbit:
            continue
        loser, winner = sorted((rival, orbit), key=lambda o: (o.satrec.satnum, o.epoch_ns))
        best[orbit.sv] = winner
        if loser.satrec.satnum != winner.satrec.satnum:
            left_out.append(f"{loser.name} (catalogue number {loser.satrec.satnum}: {winner.satrec.satnum} is newer)")
    left_out += [f"{o.name} (catalogue number {o.sv})" for o in best.values() if o.sv.isdigit()]
    if not best:
        raise RinexError("holds no two-line elements or OMM; give a file of them", path)
    return Almanac(tuple(sorted(best.values(), key=lambda o: o.sv)), tuple(left_out), (path,))


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


def _form(text: str) -> str | None:
    """Return the form of an OMM file; None where the text is something else."""
    head = text.lstrip()[:400]
    forms = (("xml", "<"), ("json", "["), ("json", "{"))
    known = next((form for form, sign in forms if head.startswith(sign)), None)
    return known or ("csv" if head.upper().startswith("OBJECT_NAME") else None)


def looks_like_tle(text: str) -> bool:
    """Tell whether text may be two-line elements or OMM."""
    return _form(text) is not None or re.search(r"^1 [ \d]{5}[A-Z ] ", text, re.MULTILINE) is not None


_Set = tuple[str, Any, str]


def _satrec_class() -> Any:
    try:
        from sgp4.api import Satrec
    except ImportError:
        raise GnssCoopError("two-line elements need the package sgp4: pip install 'gnss-coop[forecast]'") from None
    return Satrec


def _two_lines(text: str) -> Iterator[_Set]:
    """Yield name, elements (None where damaged) and what is wrong with them."""
    satrec = _satrec_class()
    name, first = "", ""
    for line in map(str.rstrip, text.splitlines()):
        if line.startswith("1 ") and len(line) >= _LINE_LENGTH - 1:
            first = line
        elif line.startswith("2 ") and first:
            label = name or first[2:7].strip()
            fault = _fault(first, line)
            yield (label, None, fault) if fault else (label, satrec.twoline2rv(first, line), "")
            name = first = ""
        elif line.strip() and not line.startswith("#"):
            name, first = line.removeprefix("0 ").split("#")[0].strip(), ""


def _fault(first: str, second: str) -> str:
    if first[2:7] != second[2:7]:
        return "its two lines are of different satellites"
    for line in (first, second):
        if len(line) < _LINE_LENGTH:
            return "a line is cut short"
        digits = sum(int(c) if c.isdigit() else c == "-" for c in line[: _LINE_LENGTH - 1])
        if line[_LINE_LENGTH - 1] != str(digits % 10):
            return "the checksum of a line is wrong"
    return ""


def _omm(text: str, path: str) -> Iterator[_Set]:
    _satrec_class()
    from sgp4 import omm
    from sgp4.api import Satrec

    readers: dict[str, Callable[[str], Iterable[dict[str, Any]]]] = {
        "json": _json_messages,
        "csv": lambda content: csv.DictReader(io.StringIO(content)),
        "xml": _xml_messages,
    }
    try:
        messages = list(readers[str(_form(text))](text))
    except (ValueError, SyntaxError) as error:
        raise RinexError(f"cannot be read as OMM ({error}); fetch it again", path) from None
    for fields in messages:
        label = str(fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "a message without a name")
        satrec = Satrec()
        try:
            omm.initialize(satrec, {key: str(value) for key, value in fields.items()})
        except (KeyError, ValueError) as error:
            yield label, None, f"its message lacks or garbles {error}"
            continue
        yield label, satrec, ""


def _xml_messages(text: str) -> list[dict[str, Any]]:
    segments = ElementTree.fromstring(text.encode()).iter("segment")
    return [{part.tag: part.text for part in segment.iter() if len(part) == 0} for segment in segments]


def _json_messages(text: str) -> list[dict[str, Any]]:
    content = json.loads(text)
    messages = content if isinstance(content, list) else [content]
    return [message for message in messages if isinstance(message, dict)]


def _orbit(name: str, satrec: Any, source: str) -> TwoLineElements:
    days = satrec.jdsatepoch - _JULIAN_DAY_1980
    utc_ns = round(days) * DAY_NS + round((days - round(days) + satrec.jdsatepochF) * DAY_NS)
    gpst_ns = int(civil_utc_to_gpst(np.asarray(utc_ns, dtype=np.int64)))
    return TwoLineElements(rinex_name(name) or f"{satrec.satnum}", name, gpst_ns, satrec, source)
