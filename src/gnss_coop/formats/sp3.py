"""Precise orbits: SP3 files of versions a, b, c and d.

Satellites are taken by the name on each position line, since real files leave lines out, and the order of
the header's list then means nothing.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from gnss_coop.constants import NS_PER_S
from gnss_coop.errors import GnssCoopWarning, RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.model.numbers import plain_float, plain_int
from gnss_coop.model.timescales import (
    Int64Array,
    bdt_to_gpst_ns,
    calendar_to_ns,
    to_datetime64,
    utc_to_gpst_ns,
)

if TYPE_CHECKING:
    import xarray as xr

_NO_CLOCK_US: Final = 999_999.0  # written 999999.999999, by some with fewer digits
_COORDINATES, _FULL_LINE = 46, 60  # columns of a position line up to the coordinates, and to the clock
_MAX_CELLS: Final = 50_000_000  # 1.6 GB of table; a day of 1 s epochs and 130 satellites has 11 million
#: Nearest and farthest that satellites of a system come to the Earth's centre [km], with a margin: E14 and E18 have
#: eccentricity 0.16, QZSS 0.075. Others may be from 100 km above the ground to beyond the Moon.
_RADIUS_KM: Final = {
    "G": (24_500.0, 28_700.0), "R": (24_800.0, 26_200.0), "E": (22_000.0, 33_500.0), "C": (27_000.0, 43_500.0),
    "J": (37_000.0, 47_500.0), "I": (41_000.0, 43_500.0), "S": (41_000.0, 43_500.0),
}  # fmt: skip
_ANY_RADIUS_KM: Final = (6_478.0, 500_000.0)
_MAX_LISTED: Final = 1000
_METRES_PER_KM: Final = 1e3
_SECONDS_PER_US: Final = 1e-6
_TAI_MINUS_GPST_S: Final = 19  # IS-GPS-200: GPST has no leap seconds since 1980, when TAI was 19 s ahead


def _as_gpst(ns: Int64Array) -> Int64Array:
    return ns


def _tai_to_gpst_ns(ns: Int64Array) -> Int64Array:
    return ns - _TAI_MINUS_GPST_S * NS_PER_S


#: Time systems that the first %c line may name. GST, QZSST and NavIC time agree with GPST to nanoseconds, GLO
#: is UTC as in RINEX, and ccc is what versions a and b write, which know GPST only.
_TO_GPST_NS: Final[dict[str, Callable[[Int64Array], Int64Array]]] = {
    **dict.fromkeys(("GPS", "GAL", "QZS", "IRN", "ccc", ""), _as_gpst),
    **dict.fromkeys(("UTC", "GLO"), utc_to_gpst_ns),
    "BDT": bdt_to_gpst_ns,
    "TAI": _tai_to_gpst_ns,
}

#: Beginnings of lines that hold nothing needed here: header, correlations, velocities.
_PASSED_OVER: Final = ("+", "##", "%", "/*", "EP", "EV", "V")


@dataclass(slots=True)
class _Body:
    """Position records as they stand in the file, and what is needed to place them."""

    epochs: list[tuple[float, ...]] = field(default_factory=list)  # year, month, day, hour, minute, second
    epoch_lines: list[int] = field(default_factory=list)
    sv_index: dict[str, int] = field(default_factory=dict)
    places: list[tuple[int, int]] = field(default_factory=list)  # epoch, satellite
    records: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, z [km], clock [us]
    seen: set[str] = field(default_factory=set)  # satellites of the last epoch
    in_epoch: bool = False
    rejects: list[tuple[int, str]] = field(default_factory=list)  # line, what is wrong with it


def read_sp3(source: str | os.PathLike[str] | BinaryIO) -> xr.Dataset:
    r"""Read an SP3 file of precise orbits.

    Parameters
    ----------
    source : str, path or binary file-like
        The file, packed or not, see `read_bytes`.

    Returns
    -------
    xarray.Dataset
        ``positions`` (time, sv, ecef) [m] and ``clock_s`` (time, sv) [s], NaN where the file has no value.
        ``time`` is datetime64[ns] on GPST, whatever the file uses; ``sv`` are RINEX names in order.
        Attributes: ``agency``, ``frame``, ``orbit_type``, ``time_system`` (as in the file), ``version`` and
        ``rejected``, a list of damaged lines that are left out, which a `GnssCoopWarning` tells too.

    Raises
    ------
    RinexError
        If the file cannot be read, is not SP3, is cut, holds no positions, or its times do not go forward.

    Notes
    -----
    Columns are those of the SP3-d document (Hilla, 2016), which contain those of versions a to c.

    Examples
    --------
    >>> import io
    >>> lines = [
    ...     "#cP2024  1 10  0  0  0.00000000       1 ORBIT IGS20 FIT  IGS",
    ...     "*  2024  1 10  0  0  0.00000000",
    ...     "PR02   9675.793281 -17954.197593 -15333.306358     20.890435",
    ...     "EOF",
    ... ]
    >>> orbits = read_sp3(io.BytesIO("\n".join(lines).encode()))
    >>> orbits["positions"].sel(sv="R02", ecef="x").item()
    9675793.281
    """
    path, data = read_bytes(source)
    lines = data.decode("latin-1").rstrip().split("\n")
    first = lines[0]
    if first[:1] != "#" or first[1:2] not in tuple("abcd"):
        raise RinexError("this is not an SP3 file of version a to d (no #a ... #d); give one", path, 1)
    time_system = next((line[9:12].strip() for line in lines if line.startswith("%c")), "")
    if time_system not in _TO_GPST_NS:
        raise RinexError(f"time system {time_system!r} is unknown; use one of {_known_systems()}", path)
    body = _read_body(lines, path)
    dataset = _assemble(body, _gpst_ns(body, time_system, path), path)
    dataset.attrs = {
        "agency": first[56:60].strip(),
        "frame": first[46:51].strip(),
        "orbit_type": first[52:55].strip(),
        "time_system": time_system,
        "version": first[1],
        "rejected": [f"line {line}: {fault}" for line, fault in body.rejects[:_MAX_LISTED]],
    }
    if body.rejects:
        n, (line, fault) = len(body.rejects), body.rejects[0]
        text = f"{path}: {n} damaged lines are left out, the first is line {line} ({fault})"
        warnings.warn(text, GnssCoopWarning, stacklevel=2)
    return dataset


def _known_systems() -> str:
    return ", ".join(name for name in _TO_GPST_NS if name.isupper())


def _read_body(lines: list[str], path: str) -> _Body:
    body = _Body()
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("EOF"):
            _check_rest(lines[number:], path)
            return body
        try:
            if line.startswith("P"):
                _add_position(body, line, number)
            elif line.startswith("*"):
                _add_epoch(body, line, number)
            elif line.strip() and not line.startswith(_PASSED_OVER):
                raise ValueError("unknown kind of line")
        except ValueError as fault:
            if number == len(lines):
                raise _cut(path, number) from fault
            body.rejects.append((number, str(fault)))
    if _ends_early(body, lines):
        raise _cut(path, len(lines))
    return body


def _cut(path: str, number: int) -> RinexError:
    return RinexError("the file is cut here; fetch it again", path, number)


def _check_rest(rest: list[str], path: str) -> None:
    if any(line[:1] == "#" and line[1:2] in tuple("abcd") for line in rest):
        raise RinexError("several SP3 files follow each other in this one; split it", path)


def _add_epoch(body: _Body, line: str, number: int) -> None:
    *calendar, second = line[3:7], line[8:10], line[11:13], line[14:16], line[17:19], line[20:31]
    body.in_epoch = False  # of an epoch that cannot be read, the positions belong to no other
    body.epochs.append((*map(plain_int, calendar), plain_float(second)))
    body.in_epoch = True
    body.epoch_lines.append(number)
    body.seen.clear()


def _add_position(body: _Body, line: str, number: int) -> None:
    if not body.in_epoch:
        raise ValueError("position that belongs to no epoch")
    name = _sv_name(line)
    if name in body.seen:
        raise ValueError(f"{name} stands twice in this epoch")
    if len(line.rstrip()) < _COORDINATES:  # digits that are gone would make it another place
        raise ValueError("line is cut short")
    x, y, z = plain_float(line[4:18]), plain_float(line[18:32]), plain_float(line[32:46])
    radius_km = math.hypot(x, y, z)
    low, high = _RADIUS_KM.get(name[0], _ANY_RADIUS_KM)
    if radius_km and not low <= radius_km <= high:
        raise ValueError(f"{name} {radius_km:.0f} km from the Earth's centre, not within {low:.0f} to {high:.0f} km")
    try:
        clock = plain_float(line[46:60]) if line[46:60].strip() else math.nan
    except ValueError as fault:  # costs the clock, not the place
        clock = math.nan
        body.rejects.append((number, f"clock {fault}"))
    body.seen.add(name)
    body.places.append((len(body.epochs) - 1, body.sv_index.setdefault(name, len(body.sv_index))))
    body.records.append((x, y, z, clock))


def _sv_name(line: str) -> str:
    letter, number = line[1:2], line[2:4].replace(" ", "0")  # "G 1" and, in version a, "  1"
    if letter == " ":
        letter = "G"
    if not (letter.isascii() and letter.isupper() and number.isascii() and number.isdigit()):
        raise ValueError(f"{line[1:4]!r} is not a satellite")
    return letter + number


def _ends_early(body: _Body, lines: list[str]) -> bool:
    """Tell whether a file without EOF lacks more than that."""
    last = lines[-1]
    if len(body.epochs) < _count(lines[0][32:39]) or (last[:1] in "PV" and len(last) < _FULL_LINE):
        return True
    in_last = sum(epoch == len(body.epochs) - 1 for epoch, _ in body.places)
    before = sum(epoch == len(body.epochs) - 2 for epoch, _ in body.places)
    announced = next((_count(line[3:6]) for line in lines if line.startswith("+ ")), 0)
    return in_last < (before or announced)


def _count(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() else 0


def _gpst_ns(body: _Body, time_system: str, path: str) -> Int64Array:
    if not body.records:
        line, fault = body.rejects[0] if body.rejects else (None, "")
        why = f" (damaged line: {fault})" if fault else ""
        raise RinexError(f"holds no positions{why}; fetch the file again", path, line)
    ns, valid = calendar_to_ns(*zip(*body.epochs, strict=True))
    gpst_ns = _TO_GPST_NS[time_system](ns)
    later = np.diff(gpst_ns, prepend=gpst_ns[0] - 1) > 0
    for good, fault in ((valid, "there is no such time"), (later, "this epoch is not after the one before")):
        if not good.all():
            raise RinexError(f"{fault}; fetch the file again", path, body.epoch_lines[int(np.argmin(good))])
    return gpst_ns


def _assemble(body: _Body, gpst_ns: Int64Array, path: str) -> xr.Dataset:
    import xarray as xr

    names = sorted(body.sv_index)
    shape = (gpst_ns.size, len(names))
    if gpst_ns.size * len(names) > _MAX_CELLS:
        raise RinexError(f"{shape[0]} epochs of {shape[1]} satellites are too many for one table; split it", path)
    column = np.empty(len(names), dtype=np.int64)  # in file order -> in order of names
    column[[body.sv_index[name] for name in names]] = np.arange(len(names))
    places = np.array(body.places)
    cells = (places[:, 0], column[places[:, 1]])
    records = np.array(body.records)
    xyz_km, clock_us = records[:, :3], records[:, 3]

    positions = np.full((*shape, 3), np.nan)
    positions[cells] = np.where((xyz_km == 0).all(axis=1, keepdims=True), np.nan, xyz_km * _METRES_PER_KM)
    clock_s = np.full(shape, np.nan)
    clock_s[cells] = np.where(np.abs(clock_us) < _NO_CLOCK_US, clock_us * _SECONDS_PER_US, np.nan)
    return xr.Dataset(
        {
            "positions": (("time", "sv", "ecef"), positions, {"units": "m"}),
            "clock_s": (("time", "sv"), clock_s),
        },
        coords={
            "time": ("time", to_datetime64(gpst_ns), {"time_scale": "GPST"}),
            "sv": names,
            "ecef": ["x", "y", "z"],
        },
    )
