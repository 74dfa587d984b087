"""What is said of runs and archives: the summary, the status, the metrics, the study to begin with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.archive.catalog import Ledger
from gnss_coop.batch.archive.lock import is_locked, owner_text
from gnss_coop.batch.watch import length_text, shown

if TYPE_CHECKING:
    from gnss_coop.batch.request import Summary

_SHOWN: Final = 20

STUDY: Final = """\
# A study for `gnss-coop batch --study FILE`. Every key may be left out; options of the command line override it.
# Relative paths start at the folder of this file.

inputs = ["archive/"]            # files, folders, globs ("archive/**/*.rnx.gz"), lists ("@files.txt")
output = "results"               # the archive of results
products = ["compare", "passes"] # also "dop" (every epoch: large), "worst" (worst intervals), "network", "map" (netCDF)

systems = ["R", "C", "R+C"]      # scenarios: RINEX letters, joined by + where systems are used together
clocks = ["per-system"]          # also "common", "prior:5" (known to 5 ns); each is computed
mask = [5, 15, 25]               # elevation masks [deg]; each is computed
stations = ["joint"]             # names, markers, networks (china, russia, joint), station files, folders of them
networks = ["russia", "china", "joint"] # for "network"; one's own: "east=Irkutsk+Changchun"
max-pdop = 6                     # largest PDOP with which a position counts as available
step = 300                       # seconds between epochs

# start = 2024-01-01             # first day (GPST), and the day after the last one; all days without them
# end = 2025-01-01
# exclude-sv = ["R06", "C03"]    # satellites to leave out
# max-age = { R = 1800, C = 3600 } # limit of the age of ephemerides [s], by system or one for all
# accept-truncated = true        # take what is there of files that are cut

[map]                            # only for the product "map"
grid = 1.0                       # step of the grid [deg]
region = [-90, 90, -180, 180]    # south, north, west, east
step = 300                       # seconds between epochs
percentiles = [95]               # besides the median and the worst
"""


def summary_text(summary: Summary) -> str:
    """Return the end of a run in words: days and files, failures with their reasons, the rate."""
    lines = [
        f"{summary.n_days} days: {summary.n_done} computed, {summary.n_skipped} complete before, "
        f"{summary.n_failed} failed; {summary.n_files} files, {summary.n_bad_files} of them unreadable"
    ]
    rate = f", {summary.n_done / summary.duration_s * 3600:.3g} days an hour" if summary.n_done else ""
    effort = summary.effort
    busy = f", workers busy for {100 * effort.busy_s / effort.there_s:.0f} % of it" if effort.there_s else ""
    memory = f"; a worker took up to {effort.peak_bytes / 1e6:.0f} MB" if effort.peak_bytes else ""
    lines.append(f"{length_text(summary.duration_s)}{rate}{busy}{memory}")
    lines += [shown(f"failed: {why if what in why else f'{what}: {why}'}") for what, why in _some(summary.failures)]
    if len(summary.failures) > _SHOWN:
        lines.append(f"and {len(summary.failures) - _SHOWN} more: gnss-coop batch --status tells where to look")
    return "\n".join(lines) + "\n"


def _some(failures: dict[str, str]) -> list[tuple[str, str]]:
    return list(failures.items())[:_SHOWN]


def status(root: Path) -> dict[str, Any]:
    """Return what an archive holds and whether a run is at work.

    Raises
    ------
    ArchiveError
        If the folder is no archive.
    """
    ledger = Ledger(root)
    try:
        runs = ledger.rows("SELECT * FROM runs ORDER BY run DESC LIMIT 1")
        days = ledger.rows(
            "SELECT count(*) AS n_days, coalesce(sum(failed), 0) AS n_failed, min(day) AS first, max(day) AS last "
            "FROM (SELECT day, max(status = 'failed') AS failed FROM jobs GROUP BY day)"
        )[0]
        results = ledger.rows(
            "SELECT product, count(*) AS n_results, sum(n_rows) AS n_rows, sum(n_bytes) AS n_bytes "
            "FROM jobs WHERE status = 'done' GROUP BY product"
        )
        files = ledger.rows("SELECT count(*) AS n_files, coalesce(sum(status = 'bad'), 0) AS n_bad FROM files")[0]
        bad = ledger.rows("SELECT error FROM files WHERE status = 'bad' ORDER BY path LIMIT ?", (_SHOWN,))
        failed = ledger.rows(
            "SELECT DISTINCT day, error FROM jobs WHERE status = 'failed' ORDER BY day LIMIT ?", (_SHOWN,)
        )
    finally:
        ledger.close()
    at_work = is_locked(root)
    failures = [row["error"] for row in bad] + [f"{row['day']}: {row['error']}" for row in failed]
    return {
        "archive": str(root), "at_work": owner_text(root) if at_work else "", "last_run": runs[0] if runs else {},
        "days": days, "files": files, "products": results, "failures": failures,
    }  # fmt: skip


def status_text(found: dict[str, Any]) -> str:
    """Return the status in words."""
    days, files, last = found["days"], found["files"], found["last_run"]
    lines = [f"{found['archive']}: {f'in use by {at}' if (at := found['at_work']) else 'no run is at work'}"]
    if last:
        state = "was killed" if last["state"] == "running" and not found["at_work"] else last["state"]
        ended = f", ended {last['ended_utc']}" if last["ended_utc"] else ""
        lines.append(f"last run: {state}, started {last['started_utc']}{ended}, version {last['version']}")
    span = f", {days['first']} to {days['last']}" if days["n_days"] else ""
    lines.append(f"{days['n_days']} days{span}, {days['n_failed']} of them failed")
    lines.append(f"{files['n_files']} files, {files['n_bad']} of them unreadable")
    for row in found["products"]:
        rows = "" if row["n_rows"] is None else f", {row['n_rows']} rows"
        lines.append(f"{row['product']}: {row['n_results']} results{rows}, {row['n_bytes'] / 1e6:.3g} MB")
    return "\n".join([*lines, *(shown(f"failed: {text}") for text in found["failures"])]) + "\n"


def metrics_text(summary: Summary, ledger: Ledger, exit_code: int) -> str:
    """Return a run and the archive in the text format of Prometheus, for the textfile collector of node_exporter."""
    held = ledger.rows("SELECT count(*) AS n, coalesce(sum(n_bytes), 0) AS n_bytes FROM jobs WHERE status = 'done'")[0]
    success = ledger.rows(
        "SELECT coalesce(max(CAST(strftime('%s', ended_utc) AS INTEGER)), 0) AS at FROM runs WHERE exit_code = 0"
    )[0]["at"]
    now = int(time.time())
    rows: tuple[tuple[str, str, dict[str, float]], ...] = (
        ("days", "Days of the last run by what came of them.", {
            '{result="computed"}': summary.n_done, '{result="complete"}': summary.n_skipped,
            '{result="failed"}': summary.n_failed,
        }),
        ("files", "Input files of the last run.", {
            '{result="read"}': summary.n_files - summary.n_bad_files, '{result="unreadable"}': summary.n_bad_files,
        }),
        ("duration_seconds", "How long the last run took.", {"": round(summary.duration_s, 3)}),
        ("exit_code", "Exit code of the last run.", {"": exit_code}),
        ("end_timestamp_seconds", "When the last run ended.", {"": now}),
        ("success_timestamp_seconds", "When a run last ended without failures; 0 for never.",
         {"": now if exit_code == 0 else success}),
        ("worker_peak_bytes", "Most memory of one worker in the last run.", {"": summary.effort.peak_bytes}),
        ("archive_results", "Result files in the archive.", {"": held["n"]}),
        ("archive_bytes", "Their size.", {"": held["n_bytes"]}),
    )  # fmt: skip
    lines = []
    for name, words, values in rows:
        full = f"gnss_coop_batch_{name}"
        lines += [f"# HELP {full} {words}", f"# TYPE {full} gauge"]
        lines += [f"{full}{labels} {value}" for labels, value in values.items()]
    return "\n".join(lines) + "\n"
