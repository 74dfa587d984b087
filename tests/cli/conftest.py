"""Shared by the tests of the command line: sample files, and ways to run a command."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from gnss_coop.cli import main

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_rinex"


def exact_table(text: str) -> pd.DataFrame:
    """Read csv with Python's own float(), which is exact; pandas by default is not in all its versions."""
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    for name in frame.columns:
        words = frame[name].tolist()
        if set(words) <= {"True", "False"}:
            frame[name] = [word == "True" for word in words]
            continue
        with contextlib.suppress(ValueError):
            frame[name] = [float(word or "nan") for word in words]
    return frame


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def table(self) -> pd.DataFrame:
        """The csv on standard output, every float as it was written."""
        return exact_table(self.out)

    def refused(self, *words: str) -> None:
        """Expect exit code 2, nothing on standard output, and one sentence that holds the words."""
        assert self.code == 2, self
        assert self.out == ""
        faults = [line for line in self.err.splitlines() if "error: " in line.lower()]
        assert len(faults) == 1, self.err
        for word in words:
            assert word in faults[0], f"{word!r} is not in: {faults[0]}"


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's own settings, and files in the working directory, out of the tests."""
    for name in [n for n in os.environ if n.startswith("GNSS_COOP_") and n != "GNSS_COOP_TESTDATA"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user-config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command in this process."""

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = main.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        # With a cold cache the kernels are compiled during whichever test comes first.
        kept = [line for line in err.splitlines(keepends=True) if not line.startswith("compiling the numerical")]
        return Result(code, out, "".join(kept))

    return call


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[bytes]]:
    """Start a command as a process of its own; keywords go to Popen."""

    def call(*arguments: object, **settings: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gnss_coop", *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, **{**pipes, **settings})

    return call


@pytest.fixture(scope="session")
def read_exactly() -> Callable[[str], pd.DataFrame]:
    """Read csv without loss."""
    return exact_table


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def day() -> Path:
    """A whole day of all systems, RINEX 3.04, 2024-01-10."""
    return SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


@pytest.fixture(scope="session")
def hours() -> Path:
    """Some hours of one receiver, all systems, RINEX 4.00, 2022-06-08; both R and C are there from 10:00 to 10:45."""
    return SAMPLES / "KMS300DNK_R_20221591000_01H_MN.rnx"


@pytest.fixture(scope="session")
def glonass() -> Path:
    """Two records of R01, RINEX 4.00, tb 2022-10-05T00:15:18 and 00:45:18 GPST; small enough to be damaged by hand."""
    return SAMPLES / "Example_Glonass_Rinex400.n"
