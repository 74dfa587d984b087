"""Timing by turns, the sample day, and the table of results."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, in its unit, and as a multiple of something else."""

    job: str
    measured: str
    reference: str
    ratio: float


@dataclass(frozen=True)
class Timing:
    """Durations of repeated calls [s]."""

    durations_s: tuple[float, ...]

    @property
    def best_s(self) -> float:
        """Shortest duration: the one that the rest of the machine disturbed least."""
        return min(self.durations_s)

    @property
    def median_s(self) -> float:
        """Median duration: what one meets in practice."""
        return statistics.median(self.durations_s)


def time_by_turns(
    *calls: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time
) -> list[Timing]:
    """Time calls in turns, so that a slow spell of the machine falls on all of them; one round warms up.

    Parameters
    ----------
    *calls : callables
        What to time.
    repeats : int
        Timed rounds.
    clock : callable
        ``time.process_time`` (CPU time of this process) or ``time.perf_counter`` (elapsed time).

    Returns
    -------
    list of Timing
        One per call.
    """
    durations: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + 1):
        for call, spent in zip(calls, durations, strict=True):
            start = clock()
            call()
            if turn:
                spent.append(clock() - start)
    return [Timing(tuple(spent)) for spent in durations]


def unpack_sample(folder: Path) -> Path:
    """Decompress the sample day into `folder`: readers are compared on reading, not on gunzip."""
    path = folder / SAMPLE.stem
    path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    return path


def print_table(rows: list[Row]) -> None:
    """Print rows as a Markdown table."""
    table = [("job", "measured", "reference", "ratio")]
    table += [(row.job, row.measured, row.reference, f"{row.ratio:.3g}") for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    table.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * widths[3]))
    for cells in table:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |")
