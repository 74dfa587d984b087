"""One day's work, as a worker does it: read the inputs, make what is missing, write it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from gnss_coop._version import __version__
from gnss_coop.batch.archive.folder import result_path, write_result
from gnss_coop.batch.collected_warnings import collected_warnings
from gnss_coop.batch.inputs.scan import NamedBytes, hashed
from gnss_coop.batch.results import PartResult
from gnss_coop.batch.settings import Part, Settings
from gnss_coop.batch.work.day import Day
from gnss_coop.batch.work.products import PRODUCTS
from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import ArchiveError, GnssCoopError
from gnss_coop.formats.rinex.nav import read_nav

#: What last digits and bytes of results depend on.
_SOFTWARE: Final = ("numpy", "numba", "pandas", "xarray", "netCDF4", "duckdb")


@dataclass(frozen=True, slots=True)
class DayTask:
    """What is to be done for a day.

    Attributes
    ----------
    day : str
        ``2024-01-10``, GPST.
    inputs : tuple of (sha256, path)
        By hash, each content once.
    parts : tuple of (Part, key)
        What is missing.
    settings : Settings
    root : str
        The archive.
    accept_truncated : bool
    """

    day: str
    inputs: tuple[tuple[str, str], ...]
    parts: tuple[tuple[Part, str], ...]
    settings: Settings
    root: str
    accept_truncated: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.day


def run_day(task: DayTask) -> list[PartResult]:
    """Do a day's work.

    Raises
    ------
    ArchiveError
        If the archive cannot be written to, which is no matter of this day alone.
    """
    return run_day_of(task, None)


def run_day_of(task: DayTask, nav: Ephemerides | None, notes: tuple[str, ...] = ()) -> list[PartResult]:
    """Do a day's work with ephemerides that are read already, or None, and what was noted about them.

    Raises
    ------
    ArchiveError
        As `run_day`.
    """
    try:
        with collected_warnings() as words:
            day = Day(task.day, _read(task) if nav is None else nav, task.settings)
        day.notes += dict.fromkeys([*notes, *words])
    except Exception as error:  # one day that cannot be read must not stop the others, whatever is wrong with it
        return all_failed(task, told(error))
    return [_run_part(task, day, part, key) for part, key in task.parts]


def all_failed(task: DayTask, error: str) -> list[PartResult]:
    """Return the results of a day of which nothing could be made."""
    return [_result(task, part, key, 0.0, error=error) for part, key in task.parts]


def _read(task: DayTask) -> Ephemerides:
    sources = []
    for sha256, path in task.inputs:
        now, data = hashed(path)
        if now != sha256:
            raise GnssCoopError(f"{path} was changed while it was worked on: run the same command again")
        sources.append(NamedBytes(data, path))
    return read_nav(sources, accept_truncated=task.accept_truncated)


def _run_part(task: DayTask, day: Day, part: Part, key: str) -> PartResult:
    started = time.perf_counter()
    product = PRODUCTS[part.product]
    try:
        with collected_warnings() as words:
            content = product.compute(day, part)
        day.notes += [word for word in words if word not in day.notes]
        path = result_path(product, task.day, part, key)
        written = write_result(Path(task.root), path, product, content, [sha256 for sha256, _ in task.inputs])
    except ArchiveError:
        raise
    except Exception as error:  # as in `run_day`: the other parts and days go on
        return _result(task, part, key, time.perf_counter() - started, error=told(error))
    return _result(task, part, key, time.perf_counter() - started, written=written, notes=tuple(day.notes))


def _result(task: DayTask, part: Part, key: str, duration_s: float, **outcome: Any) -> PartResult:
    settings = PRODUCTS[part.product].looked_at(task.settings, part)
    return PartResult(task.day, part, key, settings, duration_s, software=software(), **outcome)


def told(error: Exception) -> str:
    """Return an error as one line; of one that nobody foresaw also its kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, GnssCoopError) else f"internal error ({type(error).__name__}: {text})"


@cache
def software() -> dict[str, str]:
    """Return the versions of what results depend on."""
    found = {"gnss-coop": __version__}
    for name in _SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
