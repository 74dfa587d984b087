"""Looking at files as workers do it; where names promise the day, its work is done without a second reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from gnss_coop.batch.inputs.days import DayIndex
from gnss_coop.batch.inputs.scan import FileScan, scan_file
from gnss_coop.batch.results import PartResult
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.work.jobs import DayTask, run_day_of
from gnss_coop.batch.work.products import PRODUCTS

#: Year and day of the year in long and in short names. A guess: it saves time and decides nothing.
_LONG_NAME: Final = re.compile(r"_(?P<year>\d{4})(?P<day>\d{3})\d{4}_")
_SHORT_NAME: Final = re.compile(r"^.{4}(?P<day>\d{3})[0-9a-x]\.(?P<year>\d\d)[a-z]", re.IGNORECASE)
_CENTURY_TURNS: Final = 80
#: More files of one day than this are read by several workers instead.
_MOST_FILES: Final = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make of days: products, settings, and where to."""

    products: tuple[str, ...]
    settings: Settings
    root: str
    accept_truncated: bool = False

    def task(self, day: str, inputs: Iterable[tuple[str, str]], done: frozenset[str] = frozenset()) -> DayTask:
        """Return the work on a day, without parts whose keys are done."""
        by_hash = tuple(sorted(inputs))
        hashes = [sha256 for sha256, _ in by_hash]
        parts = [
            (part, key)
            for product in map(PRODUCTS.__getitem__, self.products)
            for keys in [product.keys(self.settings)]
            for part in product.parts(self.settings)
            if (key := keys.of(day, part, hashes)) not in done
        ]
        return DayTask(day, by_hash, tuple(parts), self.settings, self.root, self.accept_truncated)


@dataclass(frozen=True, slots=True)
class ScanTask:
    """Files to be looked at together.

    Attributes
    ----------
    paths : tuple of str
    accept_truncated : bool
    day : str
        The day that their names promise; empty where nothing is to be done but to look.
    done : frozenset of str
        Keys of that day that need not be made again.
    wanted : Wanted or None
    """

    paths: tuple[str, ...]
    accept_truncated: bool
    day: str = ""
    done: frozenset[str] = frozenset()
    wanted: Wanted | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.paths[0]


def scan_tasks(
    paths: Iterable[str], wanted: Wanted, done: Mapping[str, frozenset[str]], known_days: frozenset[str]
) -> list[ScanTask]:
    """Divide files into tasks.

    Parameters
    ----------
    paths : iterable of str
        Files that nothing is known of.
    wanted : Wanted
    done : mapping of str to frozenset of str
        Keys that need not be made again, by day.
    known_days : frozenset of str
        Days that files which are known already cover, or that are not asked for: no guessing there.
    """
    accept = wanted.accept_truncated
    by_day: dict[str, list[str]] = {}
    for path in paths:
        by_day.setdefault(guessed_day(path), []).append(path)
    tasks = []
    for day, own in sorted(by_day.items()):
        if day and day not in known_days and len(own) <= _MOST_FILES:
            tasks.append(ScanTask(tuple(own), accept, day, done.get(day, frozenset()), wanted))
        else:
            tasks += [ScanTask((path,), accept) for path in own]
    return tasks


def run_scan(task: ScanTask) -> tuple[list[FileScan], list[PartResult]]:
    """Look at files; where they hold the promised day and no other, do its work too."""
    read = [scan_file(path, accept_truncated=task.accept_truncated) for path in task.paths]
    scans = [scan for scan, _ in read]
    if task.wanted is None:
        return scans, []
    days = DayIndex(task.wanted.settings.letters)
    for content in {s.content.sha256: s.content for s in scans if s.content is not None}.values():
        days.add(content.sha256, content.counts)
    if [day for day, inputs in days.items() if inputs.used] != [task.day]:
        return scans, []
    used = days.of(task.day).used
    navs = {s.content.sha256: (s.path, nav) for s, nav in read if s.content is not None and s.content.sha256 in used}
    work = task.wanted.task(task.day, [(sha256, path) for sha256, (path, _) in navs.items()], task.done)
    if not work.parts:
        return scans, []
    notes = tuple(dict.fromkeys(note for scan in scans for note in scan.notes))
    return scans, run_day_of(work, next(iter(navs.values()))[1] if len(navs) == 1 else None, notes)


def guessed_day(path: str) -> str:
    """Return the day that a file's name promises, empty where it promises none.

    Examples
    --------
    >>> guessed_day("a/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"), guessed_day("brdc0100.24g.Z"), guessed_day("x.nav")
    ('2024-01-10', '2024-01-10', '')
    """
    name = Path(path).name
    found = _LONG_NAME.search(name) or _SHORT_NAME.match(name)
    if found is None:
        return ""
    year, day = int(found["year"]), int(found["day"])
    if year < 100:
        year += 1900 if year >= _CENTURY_TURNS else 2000
    if not 1 <= day <= 366 or not 1980 <= year <= 2200:
        return ""
    return (date(year, 1, 1) + timedelta(days=day - 1)).isoformat()
