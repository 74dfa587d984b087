"""Reading a day of navigation messages: time against RTKLIB's C reader, memory against the file's size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyrtklib  # type: ignore[import-untyped]

import gnss_coop as gc
from common import Row, time_by_turns

REPEATS = 10
N_FILES = 30
MIB = 2**20

# Runs in a process of its own, so that nothing but the reader is measured. The first read, of a small file,
# loads libraries and kernels; writing 5 to clear_refs sets the peak back to what is in use now.
_MEMORY = """
import json, re, sys
from pathlib import Path
import gnss_coop as gc

def status_bytes(field):
    return 1024 * int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

small, path, n_files = sys.argv[1], sys.argv[2], int(sys.argv[3])
gc.read_nav(small)
Path("/proc/self/clear_refs").write_text("5")
start = status_bytes("VmRSS")
peaks = []
for _ in range(n_files):
    gc.read_nav(path)
    peaks.append(status_bytes("VmHWM") - start)
print(json.dumps(peaks))
"""


def read_with_rtklib(path: Path) -> pyrtklib.nav_t:
    """Read a file with RTKLIB; the caller frees what it returns."""
    nav = pyrtklib.nav_t()
    if pyrtklib.readrnx(str(path), 0, "", pyrtklib.obs_t(), nav, pyrtklib.sta_t()) != 1:
        raise RuntimeError(f"RTKLIB could not read {path}")
    return nav


def _read_and_free(path: Path) -> None:
    pyrtklib.freenav(read_with_rtklib(path), 0xFF)


def time_rows(path: Path) -> list[Row]:
    """CPU time of reading the uncompressed day, by turns with RTKLIB."""
    ours, rtklib = time_by_turns(lambda: gc.read_nav(path), lambda: _read_and_free(path), repeats=REPEATS)
    return [
        Row(
            f"read_nav, CPU time, {name} of {REPEATS}",
            f"{1e3 * own_s:.0f} ms",
            f"pyrtklib.readrnx {1e3 * peer_s:.0f} ms",
            own_s / peer_s,
        )
        for name, own_s, peer_s in (
            ("best", ours.best_s, rtklib.best_s),
            ("median", ours.median_s, rtklib.median_s),
        )
    ]


def memory_rows(path: Path, small: Path) -> list[Row]:
    """Peak memory of reading the day once, and how much further it rises over many files."""
    if not Path("/proc/self/clear_refs").exists():
        print("The memory of the reader is measured on Linux only: left out.", file=sys.stderr)
        return []
    command = [sys.executable, "-c", _MEMORY, str(small), str(path), str(N_FILES)]
    peaks = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = path.stat().st_size
    rises = (
        ("read_nav, peak memory", peaks[0]),
        (f"read_nav, further rise of the peak over {N_FILES} files", peaks[-1] - peaks[0]),
    )
    return [
        Row(job, f"{rise / MIB:.0f} MiB", f"size of the file {size / MIB:.0f} MiB", rise / size) for job, rise in rises
    ]
