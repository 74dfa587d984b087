"""Arithmetic on time: the calendar, the leap seconds and the offsets between the scales.

Two kinds of number occur, both counted in nanoseconds from 1980-01-06T00:00:00 of their own scale:

* ``gpst_ns``, ``bdt_ns``: a continuous scale, every second counts.
* ``utc_ns``, ``glonasst_ns``: civil calendar arithmetic, every day has 86,400 s. A leap second has no number
  of its own there and shares that of the second after it.
"""

from __future__ import annotations

import warnings
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnss_coop.constants import (
    BDT_MINUS_GPST_S,
    GLONASST_MINUS_UTC_S,
    NS_PER_S,
    SECONDS_PER_DAY,
    SECONDS_PER_WEEK,
)
from gnss_coop.errors import LeapSecondWarning

Int64Array: TypeAlias = NDArray[np.int64]

FIRST_YEAR: Final = 1980
LAST_YEAR: Final = 2100
GPS_EPOCH: Final = np.datetime64("1980-01-06", "ns")

#: UTC date from which GPST - UTC has the value [s]. IERS Bulletin C; none was announced up to the expiry.
LEAP_SECONDS: Final = (
    ("1981-07-01", 1), ("1982-07-01", 2), ("1983-07-01", 3), ("1985-07-01", 4), ("1988-01-01", 5),
    ("1990-01-01", 6), ("1991-01-01", 7), ("1992-07-01", 8), ("1993-07-01", 9), ("1994-07-01", 10),
    ("1996-01-01", 11), ("1997-07-01", 12), ("1999-01-01", 13), ("2006-01-01", 14), ("2009-01-01", 15),
    ("2012-07-01", 16), ("2015-07-01", 17), ("2017-01-01", 18),
)  # fmt: skip
#: UTC date up to which the table is known to be complete. IERS Bulletin C 72 (July 2026).
LEAP_SECONDS_EXPIRY: Final = "2027-06-28"

_OFFSETS_NS: Final = np.array([0] + [offset for _, offset in LEAP_SECONDS], dtype=np.int64) * NS_PER_S
_DATES: Final = np.array([day for day, _ in LEAP_SECONDS] + [LEAP_SECONDS_EXPIRY], dtype="datetime64[ns]")
_DATES_NS: Final = (_DATES - GPS_EPOCH).astype(np.int64)
_STEPS_UTC_NS: Final = _DATES_NS[:-1]
_STEPS_GPST_NS: Final = _STEPS_UTC_NS + _OFFSETS_NS[1:]
_EXPIRY_GPST_NS: Final = _DATES_NS[-1] + _OFFSETS_NS[-1]

_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])  # [0] is no month
_DAYS_BEFORE_MONTH: Final = np.concatenate(([0], np.cumsum(_MONTH_DAYS)[:-1]))


def warn_past_expiry(gpst_ns: Int64Array) -> None:
    """Warn once when any instant lies past the table; two frames up is the user of the public function."""
    if gpst_ns.size and gpst_ns.max() > _EXPIRY_GPST_NS:
        warnings.warn(
            f"A date lies past {LEAP_SECONDS_EXPIRY}, to which the leap-second table is known; GPST - UTC = "
            f"{LEAP_SECONDS[-1][1]} s is assumed. Update gnss-coop.",
            LeapSecondWarning,
            stacklevel=3,
        )


def civil_utc_to_gpst(utc_ns: Int64Array) -> Int64Array:
    """Turn civil UTC [ns] into GPST [ns] without a look at the expiry of the table."""
    return utc_ns + _OFFSETS_NS[np.searchsorted(_STEPS_UTC_NS, utc_ns, side="right")]


def utc_to_gpst_ns(utc_ns: ArrayLike) -> Int64Array:
    """Turn civil UTC into GPST.

    Parameters
    ----------
    utc_ns : int or int64 array, any shape
        Nanoseconds [ns] since 1980-01-06 UTC, counted without leap seconds.

    Returns
    -------
    int64 array of the same shape
        Nanoseconds [ns] since 1980-01-06 GPST. Past `LEAP_SECONDS_EXPIRY` with a `LeapSecondWarning`.

    Notes
    -----
    Source: IERS Bulletin C for the leap seconds, IS-GPS-200 for the epoch.

    Example
    -------
    >>> ns, valid = calendar_to_ns(2024, 1, 10, 0, 0, 0.0)
    >>> int(utc_to_gpst_ns(ns) - ns) // NS_PER_S
    18
    """
    gpst_ns = civil_utc_to_gpst(np.asarray(utc_ns, dtype=np.int64))
    warn_past_expiry(gpst_ns)
    return gpst_ns


def gpst_to_utc_ns(gpst_ns: ArrayLike) -> Int64Array:
    """Turn GPST into civil UTC, the inverse of `utc_to_gpst_ns` (same units, shapes, warning and source).

    An instant within a leap second gets the number that the second after it has too.

    Example
    -------
    >>> ns, valid = calendar_to_ns(2024, 1, 10, 0, 0, 18.0)
    >>> int(gpst_to_utc_ns(ns) - ns) // NS_PER_S
    -18
    """
    gpst = np.asarray(gpst_ns, dtype=np.int64)
    warn_past_expiry(gpst)
    return gpst - _OFFSETS_NS[np.searchsorted(_STEPS_GPST_NS, gpst, side="right")]


def glonasst_to_gpst_ns(glonasst_ns: ArrayLike) -> Int64Array:
    """Turn GLONASS system time, UTC + 3 h, into GPST (see `utc_to_gpst_ns`; GLONASS ICD 3.3.3).

    RINEX writes GLONASS epochs in UTC, not in this scale.

    Example
    -------
    >>> ns, valid = calendar_to_ns(2024, 1, 10, 3, 0, 0.0)
    >>> int(glonasst_to_gpst_ns(ns) - ns) // NS_PER_S  # three hours back, 18 s on
    -10782
    """
    gpst_ns = civil_utc_to_gpst(np.asarray(glonasst_ns, dtype=np.int64) - GLONASST_MINUS_UTC_S * NS_PER_S)
    warn_past_expiry(gpst_ns)
    return gpst_ns


def bdt_to_gpst_ns(bdt_ns: ArrayLike) -> Int64Array:
    """Turn BeiDou time [ns since 1980-01-06 BDT, any shape] into GPST [ns] (BDS-SIS-ICD: GPST - BDT = 14 s).

    Example
    -------
    >>> int(bdt_to_gpst_ns(0))
    14000000000
    """
    return np.asarray(bdt_ns, dtype=np.int64) - BDT_MINUS_GPST_S * NS_PER_S


def gpst_to_bdt_ns(gpst_ns: ArrayLike) -> Int64Array:
    """Turn GPST [ns] into BeiDou time [ns], the inverse of `bdt_to_gpst_ns`.

    Example
    -------
    >>> int(gpst_to_bdt_ns(14_000_000_000))
    0
    """
    return np.asarray(gpst_ns, dtype=np.int64) + BDT_MINUS_GPST_S * NS_PER_S


def gps_week_and_seconds(gpst_ns: ArrayLike) -> tuple[Int64Array, NDArray[np.float64]]:
    """Split GPST [ns, any shape] into the continuous GPS week and the seconds [s] of that week.

    Example
    -------
    >>> week, seconds = gps_week_and_seconds([604_800_000_000_000 * 2296 + 500_000_000])
    >>> week.tolist(), seconds.tolist()
    ([2296], [0.5])
    """
    week, ns = np.divmod(np.asarray(gpst_ns, dtype=np.int64), SECONDS_PER_WEEK * NS_PER_S)
    return week, ns / NS_PER_S


def _whole(values: ArrayLike) -> Int64Array:
    """Calendar fields as int64; what is not a whole number becomes -1, which no calendar field may be."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        array = np.where((np.abs(array) < 1e9) & (array == np.floor(array)), array, -1.0)
    return array.astype(np.int64)


def calendar_to_ns(
    year: ArrayLike, month: ArrayLike, day: ArrayLike, hour: ArrayLike, minute: ArrayLike, second: ArrayLike
) -> tuple[Int64Array, NDArray[np.bool_]]:
    """Count nanoseconds from 1980-01-06T00:00:00 to calendar times, every day having 86,400 s.

    Parameters
    ----------
    year, month, day, hour, minute : int or array
        Calendar fields of shapes that broadcast; the year has four digits and lies in 1980 to 2100.
    second : float or array
        Seconds [s], rounded to nanoseconds. 60 to 61 is a leap second and counts as the next minute.

    Returns
    -------
    ns : int64 array
        Nanoseconds [ns] on the scale of the input; 0 where `valid` is false.
    valid : bool array
        False where there is no such calendar time (month 13, 31 February, hour 24, a NaN).

    Example
    -------
    >>> ns, valid = calendar_to_ns(1980, [1, 2], [7, 31], 0, 0, 0.5)
    >>> ns.tolist(), valid.tolist()
    ([86400500000000, 0], [True, False])
    """
    y, m, d, h, mi, s = np.broadcast_arrays(
        *(_whole(field) for field in (year, month, day, hour, minute)), np.asarray(second, dtype=np.float64)
    )
    valid = (y >= FIRST_YEAR) & (y <= LAST_YEAR) & (m >= 1) & (m <= 12)
    y, m = np.where(valid, y, FIRST_YEAR), np.where(valid, m, 1)
    leap_year = (y % 4 == 0) & (y != 2100)  # the only century in range that is no leap year
    valid &= (d >= 1) & (d <= _MONTH_DAYS[m] + (leap_year & (m == 2)))
    valid &= (h >= 0) & (h < 24) & (mi >= 0) & (mi < 60) & (s >= 0.0) & (s < 61.0)
    days = 365 * (y - 1980) + (y - 1977) // 4 + _DAYS_BEFORE_MONTH[m] + (leap_year & (m > 2)) + d - 6
    s = np.where(valid, s, 0.0)
    whole_s = np.floor(s)
    ns = (days * SECONDS_PER_DAY + h * 3600 + mi * 60 + whole_s.astype(np.int64)) * NS_PER_S
    ns += np.rint((s - whole_s) * NS_PER_S).astype(np.int64)
    return np.where(valid, ns, 0), np.asarray(valid)
