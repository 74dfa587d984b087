"""A run: find inputs, look at them, group them by day, do what is missing, enter it, sum up."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import Any, BinaryIO, Final

from gnss_coop._version import __version__
from gnss_coop.batch.archive import folder as archive
from gnss_coop.batch.archive.catalog import Ledger
from gnss_coop.batch.archive.lock import RunLock
from gnss_coop.batch.engines.drive import drive
from gnss_coop.batch.engines.executors import Engine
from gnss_coop.batch.files import write_archive_file
from gnss_coop.batch.inputs.days import DayIndex
from gnss_coop.batch.inputs.find import find_inputs, ledger_text
from gnss_coop.batch.inputs.scan import FileScan, stat_of
from gnss_coop.batch.request import Request, Summary
from gnss_coop.batch.results import PartResult
from gnss_coop.batch.watch import Watch
from gnss_coop.batch.words import metrics_text
from gnss_coop.batch.work.jobs import DayTask, all_failed, run_day
from gnss_coop.batch.work.scan_task import ScanTask, guessed_day, run_scan, scan_tasks
from gnss_coop.batch.work.warm import warm
from gnss_coop.ephemerides.days_covered import DayCount
from gnss_coop.errors import ArchiveError, StudyError
from gnss_coop.orbits.completeness import is_incomplete_text

_LOST: Final = "its worker was killed twice, perhaps for lack of memory: use fewer workers, or see the system's log"
_SLOW_START_S: Final = 5.0
_STOPPED, _INTERRUPTED = 2, 130


def run(
    request: Request, start_engine: Callable[[int], Engine], watch: Watch, *, stdin: BinaryIO | None = None
) -> Summary:
    """Run a batch.

    Parameters
    ----------
    request : Request
    start_engine : callable
        Makes the engine, once there is work; gets the most tasks that there can be at once.
    watch : Watch
        Is told how it goes.
    stdin : binary stream, optional
        What the source ``-`` stands for.

    Returns
    -------
    Summary

    Raises
    ------
    StudyError
        If sources do not exist or hold nothing that is asked for.
    ArchiveError
        If the archive is in use or cannot be written. What is in its ledger is whole all the same.
    KeyboardInterrupt
        When interrupted, after workers were ended and their drafts removed.
    """
    try:
        request.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError(f"cannot make the folder {request.root}: {error.strerror}") from None
    with RunLock(request.root):
        return _Run(request, start_engine, watch).all(stdin)


class _Run:
    def __init__(self, request: Request, start_engine: Callable[[int], Engine], watch: Watch) -> None:
        self._request, self._start_engine, self._watch = request, start_engine, watch
        self._wanted = request.wanted
        self._ledger = Ledger(request.root, write=True)
        self._engine: Engine | None = None
        self._summary = Summary()
        self._run = 0
        self._n_workers: int | None = None
        self._paths: dict[str, str] = {}  # of each content, the first in order
        self._days = DayIndex(request.settings.letters)
        self._outcome: dict[str, Counter[bool]] = {}  # of each day worked on: parts that came out, and not
        self._fresh: dict[str, frozenset[str]] = {}  # keys that this run has tried
        self._incomplete: set[str] = set()

    def all(self, stdin: BinaryIO | None) -> Summary:
        started = time.monotonic()
        state = "stopped"
        try:
            self._begin()
            self._look(stdin)
            self._compute()
            state = "finished"
        except KeyboardInterrupt:
            state = "interrupted"
            raise
        finally:
            self._end(state, time.monotonic() - started)
        return self._summary

    def _begin(self) -> None:
        request = self._request
        gone = [
            place
            for place, job in self._ledger.jobs().items()
            if job["path"] and not _is_there(request.root, job, thoroughly=request.recheck)
        ]
        if gone:
            self._ledger.forget(gone)
            self._watch.note(f"{len(gone)} results of the ledger are gone or changed and will be made again")
        self._sweep()
        self._run = self._ledger.begin_run(
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            engine="",
            study_json=json.dumps(request.study),
        )

    def _sweep(self) -> None:
        known = {job["path"] for job in self._ledger.jobs().values() if job["path"]}
        n_removed = archive.sweep(self._request.root, known)
        if n_removed:
            self._watch.note(f"removed {n_removed} files that are not in the ledger: unfinished or damaged")

    def _end(self, state: str, duration_s: float) -> None:
        summary, engine = self._summary, self._engine
        summary.duration_s = duration_s
        if engine is not None:
            engine.close() if state == "finished" else engine.kill()
        codes = {"finished": summary.exit_code, "interrupted": _INTERRUPTED}
        try:
            if state != "finished":
                self._sweep()
            if self._run:
                self._ledger.end_run(
                    self._run, state, engine=engine.name if engine else "", n_workers=self._n_workers,
                    n_days=summary.n_days, n_done=summary.n_done, n_skipped=summary.n_skipped,
                    n_failed=summary.n_failed, n_bad_files=summary.n_bad_files, exit_code=codes.get(state, _STOPPED),
                    worker_peak_bytes=summary.effort.peak_bytes,
                )  # fmt: skip
                self._write_metrics(codes.get(state, _STOPPED))
        except (ArchiveError, OSError):
            if state == "finished":  # else what ended the run is on its way, and says more
                raise
        finally:
            self._ledger.close()

    def _write_metrics(self, exit_code: int) -> None:
        path = self._request.metrics
        if path is not None:
            text = metrics_text(self._summary, self._ledger, exit_code)
            write_archive_file(path, lambda draft: draft.write_text(text, "utf-8"))

    # --- Inputs -----------------------------------------------------------------------------------------

    def _look(self, stdin: BinaryIO | None) -> None:
        """Find the inputs, and read those that nothing is known of."""
        request, summary = self._request, self._summary
        found = find_inputs(request.sources, stdin=stdin, spool=request.root)
        if found.others:
            self._watch.note(found.tell_others())
        if not found.paths:
            raise StudyError("there is no navigation file in what was named; check the folders and patterns")
        summary.n_files, summary.n_other_files = len(found.paths), len(found.others)
        known = {} if request.recheck else self._ledger.known_files()
        unchanged: list[str] = []
        new: list[str] = []
        for path in found.paths:
            row = known.get(ledger_text(path))
            same = row is not None and (row["size"], row["mtime_ns"]) == stat_of(path)
            same = same and bool(row and row["accept_truncated"] == request.accept_truncated)
            (unchanged if same else new).append(path)
        self._know(unchanged, known)
        tasks = scan_tasks(new, self._wanted, self._keys_done(), self._days_of_no_guess(new))
        if tasks:
            self._drive("files", len(new), run_scan, tasks, self._scanned, self._scan_lost)

    def _know(self, paths: list[str], known: Mapping[str, Mapping[str, Any]]) -> None:
        counts = self._ledger.day_counts()
        for path in paths:
            sha256 = known[ledger_text(path)]["sha256"]
            self._add_content(sha256, path, counts.get(sha256, ()))
        self._ledger.use_files([ledger_text(path) for path in paths], self._run)

    def _keys_done(self) -> dict[str, frozenset[str]]:
        if self._request.force:
            return {}
        keys: dict[str, set[str]] = {}
        for (day, _, _), job in self._ledger.jobs().items():
            if job["status"] == "done":
                keys.setdefault(day, set()).add(job["key"])
        return {day: frozenset(own) for day, own in keys.items()}

    def _days_of_no_guess(self, paths: list[str]) -> frozenset[str]:
        return frozenset(day for day in map(guessed_day, paths) if day in self._days or not self._request.asks_for(day))

    def _scanned(self, task: ScanTask, outcome: tuple[list[FileScan], list[PartResult]]) -> None:
        scans, results = outcome
        self._ledger.put_scans(scans, self._run)
        for scan in scans:
            if scan.content is None:
                self._summary.n_bad_files += 1
                self._fail(ledger_text(scan.path), scan.error or "")
            else:
                self._add_content(scan.content.sha256, scan.path, scan.content.counts)
        self._watch.advance(len(scans))
        if results:
            self._keep_if_still_right(task, results)

    def _keep_if_still_right(self, task: ScanTask, results: list[PartResult]) -> None:
        """Enter the results of a day that was done at once, unless other files turned out to be of that day too."""
        inputs = self._days.of(task.day)
        work = self._wanted.task(task.day, [(sha256, self._paths[sha256]) for sha256 in inputs.used])
        keys = {key for _, key in work.parts}
        right = [result for result in results if result.key in keys]
        for result in results:
            if result.key not in keys and result.written is not None:
                archive.remove_result(self._request.root, result.written.path)
        if right:
            self._enter(task.day, right)

    def _add_content(self, sha256: str, path: str, counts: tuple[DayCount, ...]) -> None:
        if sha256 not in self._paths:
            self._days.add(sha256, counts)
        self._paths[sha256] = min(path, self._paths.get(sha256, path))

    def _scan_lost(self, task: ScanTask) -> None:
        for path in task.paths:
            self._ledger.put_scans([FileScan(path, *stat_of(path), task.accept_truncated, error=_LOST)], self._run)
            self._summary.n_bad_files += 1
            self._fail(ledger_text(path), _LOST)

    # --- Days -------------------------------------------------------------------------------------------

    def _compute(self) -> None:
        """Do what is missing of each day."""
        request, summary = self._request, self._summary
        days = {day: inputs for day, inputs in self._days.items() if request.asks_for(day)}
        self._ledger.put_day_inputs({day: inputs.rows() for day, inputs in days.items()})
        covered = {day: inputs for day, inputs in days.items() if inputs.used}
        summary.n_days = len(covered)
        if not covered and not summary.n_bad_files:
            letters = ", ".join(request.settings.letters)
            raise StudyError(
                f"none of {summary.n_files} files holds usable records of {letters} for the days asked for"
            )
        if n_idle := len(self._paths) - len({sha256 for _, inputs in self._days.items() for sha256 in inputs.used}):
            self._watch.note(
                f"{n_idle} of {len(self._paths)} contents make no day of {', '.join(request.settings.letters)}: the "
                "ledger lists them (contents, rejects, day_inputs)"
            )
        done, none = self._keys_done(), frozenset[str]()
        tasks = []
        for day, inputs in covered.items():
            finished = self._fresh.get(day, none) | done.get(day, none)
            task = self._wanted.task(day, [(sha256, self._paths[sha256]) for sha256 in inputs.used], finished)
            if task.parts:
                tasks.append(task)
        if tasks:
            self._drive("days", len(tasks), run_day, tasks, self._day_done, self._day_lost)
        if self._incomplete:
            self._watch.note(
                f"warning: the files of {len(self._incomplete)} of {summary.n_days} days, such as "
                f"{min(self._incomplete)}, hold too little of the satellites, as those of one receiver do: "
                "completeness_pct says how much, and trend leaves them out where it is little; add merged files"
            )
        summary.n_failed = sum(1 for day in covered if self._outcome.get(day, Counter())[False])
        summary.n_done = sum(1 for day in covered if self._outcome.get(day, Counter())[True])
        summary.n_skipped = summary.n_days - len([day for day in covered if day in self._outcome])

    def _day_done(self, task: DayTask, results: list[PartResult]) -> None:
        self._enter(task.day, results)
        self._watch.advance(1)

    def _day_lost(self, task: DayTask) -> None:
        self._enter(task.day, all_failed(task, _LOST))
        self._watch.advance(1)

    def _enter(self, day: str, results: list[PartResult]) -> None:
        for path in self._ledger.put_results(results, self._run):
            archive.remove_result(self._request.root, path)
        errors = list(dict.fromkeys(result.error for result in results if result.error))
        self._outcome.setdefault(day, Counter()).update(result.error is None for result in results)
        if any(is_incomplete_text(note) for result in results for note in result.notes):
            self._incomplete.add(day)
        self._fresh[day] = self._fresh.get(day, frozenset()) | {result.key for result in results}
        if errors:
            self._fail(day, "; ".join(errors))
        self._watch.event("day", day=day, n_results=len(results) - len(errors), errors=errors,
                          duration_s=round(sum(r.duration_s for r in results), 3))  # fmt: skip

    def _fail(self, what: str, why: str) -> None:
        self._summary.failures[what] = why
        self._watch.failure(what, why)

    # --- Engine -----------------------------------------------------------------------------------------

    def _drive(
        self, what: str, total: int, function: Callable[[Any], Any], tasks: list[Any], done: Any, lost: Any
    ) -> None:
        if self._engine is None:
            self._engine = self._start_engine(self._summary.n_files)
            self._n_workers = self._engine.n_workers
            self._warm(self._engine)
        self._watch.begin(what, total)
        self._summary.effort += drive(self._engine, function, tasks, done, lost)

    def _warm(self, engine: Engine) -> None:
        """Let one worker compile the kernels, if they are not, before all of them would."""
        future = engine.submit(warm, self._request.products)
        if not wait([future], timeout=_SLOW_START_S).done:
            self._watch.note("starting; where a first run compiles the numerical kernels this takes a while ...")
        try:
            future.result()
        except engine.lost:
            engine.renew()


def _is_there(root: Path, job: Mapping[str, Any], *, thoroughly: bool) -> bool:
    path = root / job["path"]
    try:
        if path.stat().st_size != job["n_bytes"]:
            return False
        return not thoroughly or hashlib.sha256(path.read_bytes()).hexdigest() == job["sha256"]
    except OSError:
        return False
