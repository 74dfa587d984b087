"""What one input file holds: its hash, its records, the days that it has records of."""

from __future__ import annotations

import hashlib
import io
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gnss_coop.batch.collected_warnings import collected_warnings
from gnss_coop.ephemerides.days_covered import DayCount, day_counts
from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.model import timescales


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, told by its unpacked bytes alone.

    Attributes
    ----------
    sha256 : str
        Of the unpacked bytes.
    n_bytes : int
    version, program, systems : str
        Of the header, and the letters of the systems with records.
    n_records, n_duplicates : int
        Usable ones, and those that say the same as another.
    rejects : tuple of (line, sv, reason)
    counts : tuple of DayCount
    first_gpst, last_gpst : str or None
        Reference times; None without records.
    """

    sha256: str
    n_bytes: int
    version: str
    program: str
    systems: str
    n_records: int
    n_duplicates: int
    rejects: tuple[tuple[int, str, str], ...]
    counts: tuple[DayCount, ...]
    first_gpst: str | None
    last_gpst: str | None

    def coverage_rows(self) -> Iterator[tuple[str, str, str, int, str, str]]:
        """Yield hash, day, system, records, first and last reference time."""
        for c in self.counts:
            span = timescales.format_time(c.first_ns), timescales.format_time(c.last_ns)
            yield self.sha256, c.day, c.system, c.n_records, *span


@dataclass(frozen=True, slots=True)
class FileScan:
    """A file: what it holds, or why it cannot be read."""

    path: str
    size: int
    mtime_ns: int
    accept_truncated: bool
    content: Content | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()


class NamedBytes(io.BytesIO):
    """Bytes in memory that messages call by the name of the file that they come from."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def scan_file(path: str, *, accept_truncated: bool = False) -> tuple[FileScan, Ephemerides | None]:
    """Read a file; return what is to be known of it, and its ephemerides where it can be used."""
    size, mtime_ns = stat_of(path)
    try:
        if _is_special(path):
            raise RinexError("is a pipe, a device or a folder; give a file, or - for standard input", path)
        with collected_warnings() as notes:
            sha256, data = hashed(path)
            nav = read_nav(NamedBytes(data, path), accept_truncated=accept_truncated)
    except RinexError as error:
        return FileScan(path, size, mtime_ns, accept_truncated, error=str(error)), None
    except Exception as error:  # whatever a hostile file brings about, the others are read
        fault = f"{path}: internal error ({type(error).__name__}: {error})"
        return FileScan(path, size, mtime_ns, accept_truncated, error=fault), None
    content = _content(sha256, len(data), nav)
    return FileScan(path, size, mtime_ns, accept_truncated, content, notes=tuple(notes)), nav


def hashed(path: str) -> tuple[str, bytes]:
    """Return the SHA-256 of a file's unpacked content, and the content."""
    _, data = read_bytes(path)
    return hashlib.sha256(data).hexdigest(), data


def stat_of(path: str) -> tuple[int, int]:
    """Return size and time of change [ns] of a file; -1 where they cannot be had."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _is_special(path: str) -> bool:
    """Tell whether a path is there and no plain file: a pipe without a writer would be waited for without end."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def _content(sha256: str, n_bytes: int, nav: Ephemerides) -> Content:
    header = nav.headers[0]
    counts = tuple(day_counts(nav))
    span = [timescales.format_time(t) for t in nav.span_ns] if len(nav) else [None, None]
    rejects = tuple((r.line, r.sv, r.reason) for r in nav.rejects)
    return Content(
        sha256, n_bytes, f"{header.version:.2f}", header.program, "".join(nav.systems), len(nav), nav.n_duplicates,
        rejects, counts, span[0], span[1],
    )  # fmt: skip
