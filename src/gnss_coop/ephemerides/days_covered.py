"""Which days navigation records cover, whatever the file is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gnss_coop.constants import NS_PER_S, SECONDS_PER_DAY
from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.model import timescales

_DAY_NS: Final = SECONDS_PER_DAY * NS_PER_S
#: Records on a day that make it covered, as a share of those on the file's fullest day. Receivers that start
#: send up to 8 % of what they kept from the days before; four hours of a day that another file goes on with are 20 %.
_LEAST_SHARE: Final = 0.1
#: Reference times at midnight, and those of the records that a file of the last hour ends with, make no day [ns].
_LEAST_SPAN_NS: Final = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class DayCount:
    """Usable records of one system on one day.

    Attributes
    ----------
    day : str
        Day of GPST, ``2024-01-10``.
    system : str
        RINEX letter.
    n_records : int
        Records whose reference time lies on that day.
    first_ns, last_ns : int
        First and last of those reference times [ns of GPST].
    """

    day: str
    system: str
    n_records: int
    first_ns: int
    last_ns: int


def day_counts(nav: Ephemerides) -> list[DayCount]:
    """Count the records of each day and system.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> [(c.day, c.n_records) for c in day_counts(nav) if c.system == "R"]
    [('2024-01-09', 24), ('2024-01-10', 1182)]
    """
    toe_ns = nav.derived.toe_ns
    keys = toe_ns // _DAY_NS * 256 + nav.table.system
    counts = []
    for key in np.unique(keys).tolist():
        own = toe_ns[keys == key]
        day, letter = divmod(key, 256)
        label = timescales.format_time(day * _DAY_NS)[:10]
        counts.append(DayCount(label, chr(letter), int(own.size), int(own.min()), int(own.max())))
    return counts


def days_covered(counts: Iterable[DayCount], systems: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Tell which days a file really covers.

    The fullest day is covered in any case. Another one is covered where the file has at least a tenth as many
    records on it, with reference times that are an hour or more apart.

    Parameters
    ----------
    counts : iterable of DayCount
        Of one file, as `day_counts` gives them.
    systems : sequence of str
        Only records of these count.

    Returns
    -------
    dict of str to (int, bool)
        By day: its records, and whether it is covered. Empty where there is no record of the systems.

    Examples
    --------
    >>> hour_ns = 3600 * NS_PER_S
    >>> full = DayCount("2024-01-10", "R", 1000, 0, 24 * hour_ns)
    >>> stray = DayCount("2024-01-11", "R", 48, 24 * hour_ns, 24 * hour_ns)
    >>> days_covered([full, stray], "RC")
    {'2024-01-10': (1000, True), '2024-01-11': (48, False)}
    """
    by_day: dict[str, list[DayCount]] = {}
    for count in counts:
        if count.system in systems:
            by_day.setdefault(count.day, []).append(count)
    numbers = {day: sum(c.n_records for c in own) for day, own in sorted(by_day.items())}
    fullest = max(numbers, key=lambda day: numbers[day], default="")
    covered = {}
    for day, n in numbers.items():
        span_ns = max(c.last_ns for c in by_day[day]) - min(c.first_ns for c in by_day[day])
        enough = n >= _LEAST_SHARE * numbers[fullest] and span_ns >= _LEAST_SPAN_NS
        covered[day] = (n, day == fullest or enough)
    return covered
