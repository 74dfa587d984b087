"""Time: int64 nanoseconds of GPST inside, other scales and calendar text at the edges.

The arithmetic is in `time_arithmetic`, whose functions are part of this module too; here are the forms in
which times come in and go out: ISO 8601 text, ``datetime64``, ``datetime`` and pandas.

Between 1980 and 2100, the years that the toolkit accepts, nanoseconds fit into int64 with room to spare.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnss_coop.constants import DEFAULT_STEP_S, NS_PER_S
from gnss_coop.errors import TimeError
from gnss_coop.model.time_arithmetic import (
    FIRST_YEAR,
    GPS_EPOCH,
    LAST_YEAR,
    LEAP_SECONDS,
    LEAP_SECONDS_EXPIRY,
    Int64Array,
    bdt_to_gpst_ns,
    calendar_to_ns,
    civil_utc_to_gpst,
    glonasst_to_gpst_ns,
    gps_week_and_seconds,
    gpst_to_bdt_ns,
    gpst_to_utc_ns,
    utc_to_gpst_ns,
    warn_past_expiry,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LEAP_SECONDS",
    "LEAP_SECONDS_EXPIRY",
    "MAX_EPOCHS",
    "Datetime64Array",
    "Int64Array",
    "TimeLike",
    "as_gpst_ns",
    "bdt_to_gpst_ns",
    "calendar_to_ns",
    "epochs",
    "format_time",
    "format_times",
    "from_datetime64",
    "glonasst_to_gpst_ns",
    "gps_week_and_seconds",
    "gpst_to_bdt_ns",
    "gpst_to_utc_ns",
    "parse_time",
    "to_datetime64",
    "utc_to_gpst_ns",
]

Datetime64Array: TypeAlias = NDArray[np.datetime64]
TimeLike: TypeAlias = str | np.datetime64 | date
"""One instant as users give it: ISO 8601 text, datetime64, datetime (a pandas Timestamp is one) or date."""

MAX_EPOCHS: Final = 50_000_000  # 400 MB of time stamps: more is a slip of the pen

_FIRST: Final = np.datetime64(f"{FIRST_YEAR}-01-01", "s")
_PAST_LAST: Final = np.datetime64(f"{LAST_YEAR + 1}-01-01", "s")

_ISO_8601: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-](?:[01]\d|2[0-3]):?(?:[0-5]\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def to_datetime64(gpst_ns: ArrayLike) -> Datetime64Array:
    """Turn GPST [ns, any shape] into ``datetime64[ns]`` on GPST of the same shape.

    Example
    -------
    >>> to_datetime64([0])
    array(['1980-01-06T00:00:00.000000000'], dtype='datetime64[ns]')
    """
    return GPS_EPOCH + np.asarray(gpst_ns, dtype=np.int64).astype("timedelta64[ns]")


def _civil_ns(values: Datetime64Array) -> Int64Array:
    """Nanoseconds since 1980-01-06 of datetime64 in any unit."""
    seconds = values.astype("datetime64[s]")  # coarse first: far years overflow nanoseconds silently
    if np.isnat(seconds).any():
        raise TimeError("A time is missing (NaT); drop or fill missing times first.")
    if ((seconds < _FIRST) | (seconds >= _PAST_LAST)).any():
        raise TimeError(f"A time lies outside the years {FIRST_YEAR} to {LAST_YEAR}; correct it.")
    return (values.astype("datetime64[ns]") - GPS_EPOCH).astype(np.int64)


_END_NS: Final = int(_civil_ns(np.asarray(_PAST_LAST - 1))) + NS_PER_S


def _parse(text: str) -> tuple[int, bool]:
    """GPST of ISO 8601 text, and whether it was given in UTC."""
    match = _ISO_8601.fullmatch(text.strip())
    if match is None:
        raise TimeError(
            f"Cannot read {text!r} as a time; write it like 2024-01-10T00:00:30 (GPST) or 2024-01-10T00:00:30Z (UTC)."
        )
    *fields, fraction, offset = match.groups(default="")
    year, month, day, hour, minute, second = (int(field or 0) for field in fields)
    leap = second == 60
    base_ns, valid = calendar_to_ns(year, month, day, hour, minute, second - leap)
    if not valid:
        raise TimeError(
            f"There is no time {text!r} in the years {FIRST_YEAR} to {LAST_YEAR}; correct its date or hour."
        )
    nanos = int(fraction.ljust(9, "0")) + leap * NS_PER_S
    if not offset:
        if leap:
            raise TimeError(f"{text!r} is a leap second, which GPST does not have; add a Z if it is UTC.")
        return int(base_ns) + nanos, False
    if offset not in "Zz":
        sign, digits = (-1 if offset[0] == "-" else 1), offset[1:].replace(":", "").ljust(4, "0")
        base_ns = base_ns - sign * (int(digits[:2]) * 60 + int(digits[2:])) * 60 * NS_PER_S
    gpst_ns = int(civil_utc_to_gpst(base_ns))
    if leap and int(civil_utc_to_gpst(base_ns + NS_PER_S)) - gpst_ns != 2 * NS_PER_S:
        raise TimeError(f"There was no leap second at {text!r}; correct its seconds.")
    return gpst_ns + nanos, True


def _instant(value: TimeLike) -> tuple[int, bool]:
    """GPST of one instant, and whether it was given in UTC."""
    if isinstance(value, str):
        return _parse(value)
    in_utc = isinstance(value, datetime) and value.tzinfo is not None
    plain: Any = value
    if isinstance(value, datetime) and in_utc:
        plain = value.astimezone(UTC).replace(tzinfo=None)
    if hasattr(plain, "to_datetime64"):  # a pandas Timestamp has nanoseconds that numpy would drop
        plain = plain.to_datetime64()
    if not isinstance(plain, np.datetime64 | date):
        raise TimeError(f"Cannot read {value!r} as a time; give ISO 8601 text, a datetime64 or a datetime.")
    civil_ns = _civil_ns(np.asarray(np.datetime64(plain)))
    return int(civil_utc_to_gpst(civil_ns) if in_utc else civil_ns), in_utc


def as_gpst_ns(value: TimeLike) -> int:
    """Read one instant in any form that users may give: text, datetime64, datetime or date.

    Text is read as by `parse_time`; a datetime with a time zone is converted from UTC, all else is GPST.

    Parameters
    ----------
    value : str, numpy.datetime64, datetime.datetime or datetime.date
        The instant.

    Returns
    -------
    int
        Nanoseconds [ns] since 1980-01-06 GPST.

    Raises
    ------
    TimeError
        When it is no time, missing (NaT) or outside the years 1980 to 2100.

    Example
    -------
    >>> as_gpst_ns(np.datetime64("1980-01-06T00:00:01"))
    1000000000
    """
    gpst_ns, in_utc = _instant(value)
    if in_utc:
        warn_past_expiry(np.asarray(gpst_ns))
    return gpst_ns


def from_datetime64(values: Datetime64Array | Sequence[TimeLike] | pd.DatetimeIndex) -> Int64Array:
    """Turn many times into GPST.

    Parameters
    ----------
    values : datetime64 array of any unit and shape, pandas DatetimeIndex or Series, or sequence of instants
        Without a time zone they are GPST; with one they are UTC and converted. See `as_gpst_ns`.

    Returns
    -------
    int64 array of the same shape
        Nanoseconds [ns] since 1980-01-06 GPST.

    Raises
    ------
    TimeError
        When one is no time, missing (NaT) or outside the years 1980 to 2100.

    Example
    -------
    >>> from_datetime64(np.array(["1980-01-06T00:01"], dtype="datetime64[m]")).tolist()
    [60000000000]
    """
    if getattr(getattr(values, "dtype", None), "tz", None) is not None:
        gpst_ns = civil_utc_to_gpst(_civil_ns(np.asarray(values, dtype="datetime64[ns]")))
        warn_past_expiry(gpst_ns)
        return gpst_ns
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return _civil_ns(array)
    read = [_instant(value) for value in array.ravel().tolist()]
    warn_past_expiry(np.array([ns for ns, in_utc in read if in_utc], dtype=np.int64))
    return np.array([ns for ns, _ in read], dtype=np.int64).reshape(array.shape)


def parse_time(text: str) -> int:
    """Read ISO 8601 text: with ``Z`` or an offset it is UTC and converted, without one it is GPST.

    Parameters
    ----------
    text : str
        Such as ``2024-01-10``, ``2024-01-10T00:00:30.5``, ``2016-12-31T23:59:60Z``,
        ``2024-01-10T03:00+03:00``.

    Returns
    -------
    int
        Nanoseconds [ns] since 1980-01-06 GPST.

    Raises
    ------
    TimeError
        When the text has another form, or no such time exists in the years 1980 to 2100.

    Example
    -------
    >>> parse_time("1980-01-07"), parse_time("2017-01-01T00:00:00Z") - parse_time("2017-01-01")
    (86400000000000, 18000000000)
    """
    gpst_ns, in_utc = _parse(text)
    if in_utc:
        warn_past_expiry(np.asarray(gpst_ns))
    return gpst_ns


def format_times(gpst_ns: ArrayLike) -> NDArray[np.str_]:
    """Write GPST [ns, any shape] as ISO 8601 text, with a fraction of a second only where there is one.

    Example
    -------
    >>> format_times([0, 1_500_000_000]).tolist()
    ['1980-01-06T00:00:00', '1980-01-06T00:00:01.5']
    """
    ns = np.asarray(gpst_ns, dtype=np.int64)
    times = to_datetime64(ns)
    text = np.datetime_as_string(times, unit="s")
    broken = ns % NS_PER_S != 0
    if not broken.any():
        return np.asarray(text)
    return np.where(broken, np.char.rstrip(np.datetime_as_string(times, unit="ns"), "0"), text)


def format_time(gpst_ns: int | np.integer[Any] | Int64Array) -> str:
    """Write one GPST [ns] as ISO 8601 text, with a fraction of a second only where there is one.

    Example
    -------
    >>> format_time(30_000_000_000)
    '1980-01-06T00:00:30'
    """
    return str(format_times(gpst_ns))


def _length_ns(what: str, value: float | None, unit_s: int, least_ns: int) -> int:
    """Nanoseconds of a length of time that a user gave."""
    ns = float("nan") if value is None else value * unit_s * NS_PER_S
    if not least_ns <= ns <= _END_NS:
        raise TimeError(f"{what} cannot be {value}; give a positive number.")
    return round(ns)


def epochs(
    start: TimeLike, end: TimeLike | float | None = None, *, hours: float | None = None, step_s: float = DEFAULT_STEP_S
) -> Datetime64Array:
    """List evenly spaced epochs from `start` up to, but not including, the end.

    Parameters
    ----------
    start : str, numpy.datetime64 or datetime.datetime
        First epoch; text with ``Z`` is UTC, without it GPST.
    end : str, numpy.datetime64, datetime.datetime or float
        End of the span; a number is its length [h].
    hours : float
        Length of the span [h]; give either this or `end`.
    step_s : float
        Step [s], rounded to nanoseconds.

    Returns
    -------
    datetime64[ns] array, shape (n,)
        On GPST; empty when the span is.

    Raises
    ------
    TimeError
        When the end is before the start or given twice or not at all, the step is not positive, or there
        would be more than 50 million epochs.

    Example
    -------
    >>> times = epochs("2024-01-10", hours=24, step_s=300)
    >>> len(times), str(times[-1])
    (288, '2024-01-10T23:55:00.000000000')
    >>> len(epochs("2024-01-10", "2024-01-11", step_s=300)), len(epochs("2024-01-10", 24.0, step_s=300))
    (288, 288)
    """
    if isinstance(end, (int, float, np.integer, np.floating)):
        if hours is not None:
            raise TimeError(f"The length of the span is given twice, as {end:g} and {hours:g} hours; give one.")
        hours, end = float(end), None
    if (hours is None) == (end is None):
        raise TimeError("Give the length of the span either as hours or by its end, not both or neither.")
    step_ns = _length_ns("The step in seconds", step_s, 1, least_ns=1)
    start_ns = as_gpst_ns(start)
    if end is not None:
        span_ns = as_gpst_ns(end) - start_ns
    else:
        span_ns = _length_ns("The span in hours", hours, 3600, least_ns=0)
    if span_ns < 0:
        raise TimeError(f"The end {end} is before the start {start}; exchange them.")
    count = -(-span_ns // step_ns)
    if count > MAX_EPOCHS:
        raise TimeError(f"This would be {count:,} epochs; take a longer step or a shorter span.")
    if start_ns + span_ns > _END_NS:
        raise TimeError(f"The span runs past the year {LAST_YEAR}; make it shorter.")
    return to_datetime64(start_ns + np.arange(count, dtype=np.int64) * step_ns)
