"""The whole `gnss-coop compare` as a process of its own, with kernels compiled before."""

from __future__ import annotations

import subprocess
import sys
import time

from common import SAMPLE, Row, time_by_turns

REPEATS = 5
COMPARE = (sys.executable, "-m", "gnss_coop", "compare", str(SAMPLE))
IMPORTS = (sys.executable, "-c", "import numpy, pandas, xarray, numba")


def _run(command: tuple[str, ...]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def rows() -> list[Row]:
    """Elapsed time of the main job, against a process that only imports the libraries behind it."""
    try:
        _run(COMPARE)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"`gnss-coop compare` did not run, so it is not measured: {reason}", file=sys.stderr)
        return []
    ours, imports = time_by_turns(
        lambda: _run(COMPARE), lambda: _run(IMPORTS), repeats=REPEATS, clock=time.perf_counter
    )
    return [
        Row(
            f"gnss-coop compare, process, median of {REPEATS}",
            f"{ours.median_s:.2f} s",
            f"importing numpy, pandas, xarray, numba {imports.median_s:.2f} s",
            ours.median_s / imports.median_s,
        )
    ]
