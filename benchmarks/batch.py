"""Measure the batch: rate, speedup, overhead, bytes and memory: ``python benchmarks/batch.py [FOLDER] [--days N]``."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from common import SAMPLE, Row, print_table

_FIRST = date(2024, 1, 10)
_EPOCH = re.compile(rb"^([A-Z]\d\d )(\d{4} \d\d \d\d)", re.MULTILINE)
_LINE = re.compile(r"workers busy for (\d+) % of it; a worker took up to (\d+) MB")

#: One day after the other, the same products and files by the same functions: all but engine, ledger and keys.
_LOOP = """
import resource, sys, time
from pathlib import Path
from gnss_coop.batch.work.products import PRODUCTS
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.work.warm import warm
import gnss_coop as gc
from gnss_coop.batch.work.day import Day
from gnss_coop.batch.archive.folder import write_result
names = sys.argv[1].split(",")
settings = Settings(("R", "C", "R+C"), ("per-system",), (5.0, 15.0, 25.0), gc.stations())
warm(tuple(names))
started = time.perf_counter(), time.process_time()
for file in sorted(Path(sys.argv[2]).iterdir()):
    nav = gc.read_nav(file)
    start, _ = gc.Ephemerides.span_ns.fget(nav.select("R"))
    day = Day(gc.format_time(start + 43_200 * 10**9)[:10], nav, settings)
    for name in names:
        for part in PRODUCTS[name].parts(settings):
            result = PRODUCTS[name].compute(day, part)
            path = f"{day.label}-{name}-{part.name}{PRODUCTS[name].suffix}"
            write_result(Path(sys.argv[3]), path, PRODUCTS[name], result, [])
print(time.perf_counter() - started[0], time.process_time() - started[1])
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="days of one's own instead of the sample day under other dates")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--products", default="compare,passes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(given.folder) if given.folder else make_days(Path(place) / "days", given.days)
        n_days = sum(1 for _ in folder.iterdir())
        loops, ones, manys = [], [], []
        for turn in range(given.repeats):  # by turns, so that a slow spell of the machine falls on all of them
            loops.append(time_loop(folder, given.products, Path(place) / f"loop{turn}"))
            ones.append(time_batch(folder, given.products, 1, Path(place) / f"one{turn}"))
            manys.append(time_batch(folder, given.products, given.workers, Path(place) / f"many{turn}"))
        n_bytes = size_of(Path(place) / "one0")
        started_s = time.perf_counter()
        time_batch(folder, given.products, 1, Path(place) / "one0")
        again_s = time.perf_counter() - started_s
    loop_s, one_s, many_s = (min(t[0] for t in times) for times in (loops, ones, manys))
    loop_cpu_s, one_cpu_s, many_cpu_s = (min(t[1] for t in times) for times in (loops, ones, manys))
    busy_pct = max(t[3] for t in manys)
    print(f"{n_days} days, {given.products}, best of {given.repeats}; {os.cpu_count()} processors")
    print_table(
        [
            Row("one worker, elapsed", f"{one_s:.1f} s", f"loop over the days {loop_s:.1f} s", one_s / loop_s),
            Row("one worker, CPU time", f"{one_cpu_s:.1f} s", f"loop over the days {loop_cpu_s:.1f} s",
                one_cpu_s / loop_cpu_s),
            Row(f"{given.workers} workers, elapsed", f"{many_s:.1f} s", f"one worker {one_s:.1f} s", one_s / many_s),
            Row(f"{given.workers} workers, CPU time", f"{many_cpu_s:.1f} s", f"one worker {one_cpu_s:.1f} s",
                many_cpu_s / one_cpu_s),
            Row(f"{given.workers} workers, busy", f"{busy_pct} % of the time", "all the time", busy_pct / 100),
            Row("rate of one worker", f"{3600 * n_days / one_s:.0f} days an hour", "", n_days / one_s),
            Row("results", f"{n_bytes / n_days / 1e3:.1f} kB a day", "", n_bytes / n_days),
            Row("most memory of a worker", f"{max(t[2] for t in ones)} MB", "", 0),
            Row("nothing to do, whole process", f"{again_s:.1f} s", f"all to do {one_s:.1f} s", again_s / one_s),
        ]
    )  # fmt: skip


def make_days(folder: Path, n_days: int) -> Path:
    """Write the sample day under other dates, whole weeks apart: seconds of the week stay what they are."""
    folder.mkdir()
    data = gzip.decompress(SAMPLE.read_bytes())
    for k in range(n_days):
        apart = timedelta(days=-7 * k)
        known: dict[bytes, bytes] = {}

        def moved(match: re.Match[bytes], apart: timedelta = apart, known: dict[bytes, bytes] = known) -> bytes:
            if match[2] not in known:
                day = date(*map(int, match[2].split())) + apart
                known[match[2]] = f"{day:%Y %m %d}".encode()
            return match[1] + known[match[2]]

        name = f"BRDC00IGS_R_{_FIRST + apart:%Y%j}0000_01D_MN.rnx.gz"
        (folder / name).write_bytes(gzip.compress(_EPOCH.sub(moved, data), 6))
    return folder


def time_loop(folder: Path, products: str, output: Path) -> tuple[float, float]:
    """Return elapsed and CPU time of a plain loop [s], without the start of Python."""
    output.mkdir()
    command = [sys.executable, "-c", _LOOP, products, str(folder), str(output)]
    seconds, cpu_s = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(cpu_s)


def time_batch(folder: Path, products: str, n_workers: int, output: Path) -> tuple[float, float, int, int]:
    """Return elapsed and CPU time of a batch [s] less those of its start, memory of a worker [MB], time busy [%]."""
    command = [sys.executable, "-m", "gnss_coop", "batch", str(folder), "-o", str(output)]
    command += ["--products", products, "--workers", str(n_workers), "--log-json"]
    before = os.times()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stdout is not None
    began = ended = time.perf_counter()
    for line in process.stderr:
        event = json.loads(line)["event"]
        if event == "begin":
            began = time.perf_counter()
        ended = time.perf_counter()
    told = _LINE.search(process.stdout.read())
    if process.wait():
        raise RuntimeError("the batch failed")
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return (
        ended - began,
        cpu_s - START_CPU_S * (n_workers + 1),
        int(told[2]) if told else 0,
        int(told[1]) if told else 0,
    )


def start_cpu_s() -> float:
    """Return the CPU time of starting Python with all that a worker imports [s]."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-c", "from gnss_coop.batch.work.warm import warm; warm(('compare', 'passes'))"], check=True
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def size_of(folder: Path) -> int:
    """Return the size of all results [byte]."""
    return sum(path.stat().st_size for path in folder.glob("product=*/*/*/*"))


if __name__ == "__main__":
    START_CPU_S = start_cpu_s()
    main()
