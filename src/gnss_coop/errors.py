"""Errors that carry their data and say what to do.

Every error of the toolkit is a `GnssCoopError`; the command line prints its one sentence and
exits with code 2.
"""

from __future__ import annotations

from pathlib import Path


class GnssCoopError(Exception):
    """Base of all errors that the toolkit raises on purpose."""


class GnssCoopWarning(UserWarning):
    """Base of all warnings that the toolkit issues."""


class RinexError(GnssCoopError):
    """A file that cannot be read as what it was given for.

    Attributes
    ----------
    path : str
        The file, or ``<stream>``.
    line : int or None
        Line number, counted from 1, where one line is at fault.
    """

    def __init__(self, message: str, path: str | Path = "<stream>", line: int | None = None) -> None:
        self.path = str(path)
        self.line = line
        place = self.path if line is None else f"{self.path}, line {line}"
        super().__init__(f"{place}: {message}")


class EphemerisGapError(GnssCoopError):
    """No usable ephemeris where one was asked for.

    Attributes
    ----------
    start, end : str
        The span that the data cover, ISO 8601 on GPST.
    """

    def __init__(self, message: str, start: str = "", end: str = "") -> None:
        self.start = start
        self.end = end
        super().__init__(message)


class StationError(GnssCoopError):
    """A station that is unknown, or a station file with faults (all of them are listed)."""


class CoordinateError(GnssCoopError):
    """A latitude, longitude, height or position that does not exist."""


class TimeError(GnssCoopError):
    """A time that cannot be understood, or a span that makes no sense."""


class ScenarioError(GnssCoopError):
    """An unknown system letter, clock mode or satellite name."""


class GridError(GnssCoopError):
    """A grid, region or list of points that makes no sense, or is too large."""


class OutputError(GnssCoopError):
    """An output that cannot be written: it exists, the folder does not, or its kind is unknown."""


class StudyError(GnssCoopError):
    """A study that asks for what does not exist, or holds faults (all of them are listed)."""


class ArchiveError(GnssCoopError):
    """An archive of results that cannot be written to, is in use, or is none."""


class LeapSecondWarning(GnssCoopWarning):
    """A date beyond the expiry of the shipped leap-second table."""
