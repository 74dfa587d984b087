"""Which satellite carries a RINEX name at a time, and which name a satellite of the catalogue carries.

RINEX names are slots and codes, and pass from one satellite to another: C06 was C005 until April 2026 and is C220
since. The table is that of the IGS satellite metadata, with the moves of 2026 (`identity_data/README.md`).
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final, TypeAlias

import numpy as np

from gnss_coop.model.timescales import TimeLike, as_gpst_ns

__all__ = ["TABLE_END_NS", "Satellite", "by_norad", "satellite"]

Time: TypeAlias = TimeLike | int

_TABLE: Final = files("gnss_coop.model") / "identity_data" / "identity.csv"
_BETWEEN: Final = re.compile(r"between (\S+) and (\S+)")


def _ns(day: str) -> int:
    """Return GPST of a date of the table; years before 1980 are negative."""
    return int((np.datetime64(day, "ns") - np.datetime64("1980-01-06", "ns")).astype(np.int64))


#: The last time for which the table was compared with broadcast orbits [ns of GPST]; later names may have moved.
TABLE_END_NS: Final = _ns("2026-06-07")


@dataclass(frozen=True, slots=True)
class Satellite:
    """A satellite, while it carries a name.

    Attributes
    ----------
    sv : str
        RINEX name, such as ``R01``.
    svn : str
        Number of the satellite itself, such as ``R730``; it never changes.
    block : str
        Kind of satellite, such as ``GLO-M`` or ``BDS-3M-CAST``.
    cospar : str
        International designator, such as ``2009-070A``.
    norad : int
        Catalogue number.
    start_ns : int
        Since when it carries the name [ns of GPST].
    end_ns : int or None
        Until when; None while no end is known.
    source : str
        Where this is known from; ``by orbit`` where it was never announced.
    past_table : bool
        Whether the time asked for lies past the table's end: the name may have moved since.
    """

    sv: str
    svn: str
    block: str
    cospar: str
    norad: int
    start_ns: int
    end_ns: int | None
    source: str
    past_table: bool = False


def satellite(sv: str, time: Time) -> Satellite | None:
    """Return the satellite that carries a RINEX name at a time, or None where that is unknown.

    Parameters
    ----------
    sv : str
        RINEX name.
    time : str, numpy.datetime64, datetime.datetime or int
        An instant as users give them, or nanoseconds of GPST.

    Returns
    -------
    Satellite or None

    Examples
    --------
    >>> [satellite("C06", day).svn for day in ("2024-01-10", "2026-05-01")]
    ['C005', 'C220']
    >>> satellite("R01", "2024-01-10").block, satellite("R40", "2024-01-10")
    ('GLO-M', None)
    """
    return _at(_tables()[0].get(sv, ()), time)


def by_norad(norad: int, time: Time) -> Satellite | None:
    """Return a satellite of the catalogue with the RINEX name that it carries at a time; None where it has none.

    Parameters
    ----------
    norad : int
        Catalogue number, as two-line elements and OMM give it.
    time : str, numpy.datetime64, datetime.datetime or int
        An instant as users give them, or nanoseconds of GPST.

    Returns
    -------
    Satellite or None

    Examples
    --------
    >>> found = by_norad(36111, "2024-01-10")  # COSMOS 2456
    >>> found.sv, found.svn
    ('R01', 'R730')
    """
    return _at(_tables()[1].get(norad, ()), time)


def _at(known: Iterable[Satellite], time: Time) -> Satellite | None:
    ns = time if isinstance(time, int) else as_gpst_ns(time)
    for one in known:
        if one.start_ns <= ns and (one.end_ns is None or ns < one.end_ns):
            return replace(one, past_table=True) if ns > TABLE_END_NS else one
    return None


@functools.cache
def _tables() -> tuple[Mapping[str, tuple[Satellite, ...]], Mapping[int, tuple[Satellite, ...]]]:
    """Return what the table holds by RINEX name and by catalogue number."""
    with _TABLE.open(encoding="utf-8") as stream:
        rows = [_row(row) for row in csv.DictReader(stream)]
    by_name: dict[str, list[Satellite]] = {}
    by_number: dict[int, list[Satellite]] = {}
    for one, _ in rows:
        end_ns = _end_ns(one, rows)
        if end_ns is None or end_ns > one.start_ns:
            ended = replace(one, end_ns=end_ns)
            by_name.setdefault(one.sv, []).append(ended)
            by_number.setdefault(one.norad, []).append(ended)
    return {k: tuple(v) for k, v in by_name.items()}, {k: tuple(v) for k, v in by_number.items()}


def _row(row: dict[str, str]) -> tuple[Satellite, int]:
    """Return an entry, and since when the one before it is in doubt [ns]."""
    between = _BETWEEN.fullmatch(row["valid_from"])
    doubt, start = between.groups() if between else (row["valid_from"], row["valid_from"])
    end_ns = _ns(row["valid_to"]) if row["valid_to"] else None
    entry = Satellite(
        row["prn"], row["svn"], row["block"], row["cospar"], int(row["norad"]), _ns(start), end_ns, row["source"]
    )
    return entry, _ns(doubt)


def _end_ns(one: Satellite, rows: list[tuple[Satellite, int]]) -> int | None:
    """Return when an entry ends: as stated, or when its satellite gets another name, or its name another satellite."""
    later = [
        max(doubt_ns, one.start_ns)
        for other, doubt_ns in rows
        if other.start_ns > one.start_ns and (other.sv == one.sv or other.svn == one.svn)
    ]
    ends = [*later, *([] if one.end_ns is None else [one.end_ns])]
    return min(ends, default=None)
