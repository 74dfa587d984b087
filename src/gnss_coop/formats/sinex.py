"""Positions of markers from SINEX files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Final

from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes

_AXES: Final = ("STAX", "STAY", "STAZ")
_MAX_LISTED: Final = 8
_EARTH_M: Final = (6.3e6, 6.4e6)


@dataclass(frozen=True, slots=True)
class SinexPosition:
    """A marker in a SINEX file.

    Attributes
    ----------
    marker : str
        Four letters.
    position_m : tuple of 3 float
        Earth-fixed [m].
    epoch : str
        Reference epoch as written: year, day of year, second of day.
    path : str
        The file.
    """

    marker: str
    position_m: tuple[float, float, float]
    epoch: str
    path: str


def read_sinex_position(source: str | PathLike[str], marker: str) -> SinexPosition:
    """Return the estimated position of a marker.

    Parameters
    ----------
    source : path
        SINEX file, plain or packed.
    marker : str
        Its first four letters count.

    Returns
    -------
    SinexPosition
        The last solution of the marker (SOLUTION/ESTIMATE; SINEX 2.02, section 4). Velocities are not applied.

    Raises
    ------
    RinexError
        If the file is no SINEX file, or does not hold the marker.
    """
    name, data = read_bytes(fspath(source))
    lines = data.decode("latin-1").splitlines()
    if not lines or not lines[0].startswith("%=SNX"):
        raise RinexError("this is not a SINEX file: its first line does not begin with %=SNX", name, 1)
    wanted = marker.upper()[:4]
    found: dict[str, tuple[float, str]] = {}
    markers: dict[str, None] = {}
    inside = False
    for number, line in enumerate(lines, start=1):
        if line[:1] in "+-":
            inside = line.rstrip() == "+SOLUTION/ESTIMATE"
        elif inside and line[:1] == " " and line[7:11] in _AXES:
            markers[line[14:18].upper()] = None
            if line[14:18].upper() == wanted:
                try:
                    found[line[7:11]] = (float(line[47:68].replace("D", "E")), line[27:39].strip())
                except ValueError:
                    raise RinexError(f"{line[47:68].strip()!r} is no coordinate", name, number) from None
    if set(found) != set(_AXES):
        listed = ", ".join(list(markers)[:_MAX_LISTED]) + (", ..." if len(markers) > _MAX_LISTED else "")
        raise RinexError(f"no position of {wanted or 'a marker without a name'}; the file has {listed or 'none'}", name)
    x, y, z = (found[axis][0] for axis in _AXES)
    if not _EARTH_M[0] < math.hypot(x, y, z) < _EARTH_M[1]:
        raise RinexError(f"{wanted} lies {math.hypot(x, y, z) / 1e3:.0f} km from the Earth's centre, not on it", name)
    return SinexPosition(wanted, (x, y, z), found["STAX"][1], name)
