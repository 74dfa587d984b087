"""Shared by the tests of batches: days made from a real one by other dates, ways to run, and trees to compare."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from gnss_coop.batch.engines.executors import Threads
from gnss_coop.batch.request import Request, Summary
from gnss_coop.batch.run import run
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.watch import Watch
from gnss_coop.model.network import stations

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_rinex"
#: The date of an epoch line of RINEX 2: GLONASS states do not depend on it, so any day will do.
EPOCH = re.compile(rb"^([ \d]\d) 24  1 1([01]) ", re.MULTILINE)
FIRST = date(2024, 1, 10)


@pytest.fixture(scope="session")
def glonass_day() -> bytes:
    """GLONASS of 2024-01-10, RINEX 2: the records of a real day, of all satellites: a part would be told."""
    head, _, body = gzip.decompress((SAMPLES / "brdc0100.24g.gz").read_bytes()).partition(b"END OF HEADER       \n")
    records = re.findall(rb"^[ \d]\d 24 .*\n(?: .*\n){3}", body, re.MULTILINE)
    assert len(records) > 1000
    return head + b"END OF HEADER       \n" + b"".join(records)


@pytest.fixture(scope="session")
def on_day(glonass_day: bytes) -> Callable[[int], bytes]:
    """The same records so many days later."""

    def shifted(days: int) -> bytes:
        def of(match: re.Match[bytes]) -> bytes:
            day = FIRST + timedelta(days=days + int(match[2]))
            return b"%s %02d %2d %2d " % (match[1], day.year % 100, day.month, day.day)

        return EPOCH.sub(of, glonass_day)

    return shifted


@pytest.fixture
def days(tmp_path: Path, on_day: Callable[[int], bytes]) -> Path:
    """A folder of four days."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for k in range(4):
        day = FIRST + timedelta(days=k)
        (folder / f"brdc{day:%j}0.{day:%y}g").write_bytes(on_day(k))
    return folder


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Two masks, two stations, every hour."""
    return Settings(("R",), ("per-system",), (5.0, 25.0), stations("Irkutsk,Shanghai"), step_s=3600.0)


@pytest.fixture
def batch(tmp_path: Path, settings: Settings) -> Callable[..., Summary]:
    """Run a batch in this process, in a thread."""

    def call(
        *sources: object, output: Path = tmp_path / "results", engine=lambda n: Threads(1), watch=None, **asked
    ) -> Summary:
        given = {"products": ("compare", "passes"), "settings": settings, **asked}
        request = Request(tuple(map(str, sources)), output, **given)
        return run(request, engine, watch or Watch(io.StringIO()))

    return call


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, str]]:
    """Hashes of all files of an archive but ledger and lock: results, and anything that should not be there."""
    own = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "run.lock")

    def hashes(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in own
        }

    return hashes


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """Start ``gnss-coop batch`` as a process of its own, in a session of its own, with the settings of the tests."""

    def call(*arguments: object, **settings: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gnss_coop", "batch", *map(str, arguments)]
        command += ["--systems", "R", "--stations", "Irkutsk,Shanghai", "--mask", "5,25", "--step", "3600"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, start_new_session=True, text=True, **{**pipes, **settings})

    return call


@pytest.fixture(scope="session")
def children() -> Callable[[int], list[int]]:
    """Find the workers of a process; Python's tracker of resources is none."""

    def of(pid: int) -> list[int]:
        found = []
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(word) for word in task.read_text().split()]
        return [child for child in found if b"spawn_main" in _command_line(child)]

    return of


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
