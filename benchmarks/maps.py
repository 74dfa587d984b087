"""Measure DOP maps and print one table: ``python benchmarks/maps.py``; it takes some five minutes."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import kshana
import numpy as np
import xarray as xr

import gnss_coop as gc
import peak
import tile_kernel
from common import SAMPLE, Row, print_table, time_by_turns

DAY = "2024-01-10"
HOURS = 24
STEP_S = 240
MASK_DEG = 5.0
THREE = ["R", "C", "R+C"]
REPEATS = 3
MIB = 2**20
#: Relative difference to kshana's DOP of one sky: its mask and frames round otherwise than ours.
AGREEMENT = 1e-6
#: Cells of 30 degrees and epochs whose DOP is compared with kshana's before anything is timed.
COMPARED_STEP_DEG = 30.0
COMPARED_EVERY = 45

_KSHANA_TOML = f"""
kind = "constellation-design"
body = "earth"
duration_s = {HOURS * 3600}.0
step_s = {STEP_S}.0
mask_deg = {MASK_DEG}
pdop_threshold = 6.0
grid_step_deg = 1.0
clock = "per-constellation"
track_points = 2
max_tracks = 0
[[constellation]]
name = "GLONASS"
preset = "glonass"
[[constellation]]
name = "BeiDou"
preset = "beidou"
"""
_KSHANA_PROCESS = """
import sys
from pathlib import Path
import kshana
Path(sys.argv[2]).write_text(kshana.run(sys.argv[1]))
"""
# Both run in a process of their own. The peak comes from VmHWM: ru_maxrss starts with that of the parent.
_MEMORY = """
import re, sys
from pathlib import Path
import gnss_coop as gc

def status_kib(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

sky = gc.satellite_positions(gc.read_nav(sys.argv[1]), gc.epochs(sys.argv[2], hours=24, step_s=240), systems="RC")
gc.dop_map(sky, gc.GeoGrid(step_deg=10))
before = status_kib("VmRSS")
world = gc.dop_map(sky, gc.GeoGrid(step_deg=float(sys.argv[3])))
print(status_kib("VmHWM"), before, world.nbytes)
"""
_COMMAND_MEMORY = """
import re, sys
from pathlib import Path
from gnss_coop.cli import main
code = main.run(sys.argv[1:])
print("peak", re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""
#: What `gnss-coop map` may take for any grid without --keep-time [bytes].
_MOST_BYTES = 800e6
#: Grids, masks and endings of files whose memory is measured; the epochs do not matter, so they are few.
_LARGE_MAPS = (("0.25", "5,15,25", "nc"), ("0.1", "5", "nc"), ("0.1", "5", "png"), ("0.1", "5,15,25", "tif"))


def main() -> None:
    """Run all benchmarks of the maps on the sample day."""
    nav = gc.read_nav(SAMPLE)
    every = gc.satellite_positions(nav, gc.epochs(DAY, hours=HOURS, step_s=STEP_S), systems="GRCE")
    sky = _of(every, "R+C")
    _check_against_kshana(sky)
    print_table(
        [
            *_process_rows(),
            *_call_rows(sky),
            *_growth_rows(every),
            *_memory_rows(),
            *_command_memory_rows(),
            *tile_kernel.rows(sky),
            *peak.rows(sky),
        ]
    )


def _of(sky: xr.Dataset, scenario: str) -> xr.Dataset:
    """Keep the satellites of a scenario."""
    return sky.isel(sv=[name[0] in scenario.split("+") for name in sky["sv"].values])


def _elapsed(*calls: Callable[[], object]) -> list[float]:
    """Median elapsed times of calls by turns [s]."""
    return [timing.median_s for timing in time_by_turns(*calls, repeats=REPEATS, clock=time.perf_counter)]


def _check_against_kshana(sky: xr.Dataset) -> None:
    """Refuse to time what disagrees: kshana solves the same skies, satellite positions handed over."""
    few = sky.isel(time=slice(None, None, COMPARED_EVERY))
    grid = gc.GeoGrid(step_deg=COMPARED_STEP_DEG)
    names = ("pdop", "hdop", "vdop")
    for t in range(few.sizes["time"]):
        instant = few.isel(time=[t])
        own = gc.dop_map(instant, grid, ["R+C"], mask_deg=MASK_DEG, dops=names)
        for place in np.ndindex(grid.shape):
            theirs = _kshana_dop(instant, float(grid.latitude_deg[place[0]]), float(grid.longitude_deg[place[1]]))
            for name in names:
                value = float(own[f"{name}_median"].values[0][place])
                if not math.isclose(value, theirs[name], rel_tol=AGREEMENT):
                    raise RuntimeError(f"{name} differs from kshana's, {value} against {theirs[name]}: mend that first")


def _kshana_dop(instant: xr.Dataset, latitude_deg: float, longitude_deg: float) -> dict[str, float]:
    satellites = [
        {"id": str(name), "system": str(name)[0], "ecef_m": xyz_m}
        for name, xyz_m in zip(instant["sv"].values, instant["positions"].values[0].tolist(), strict=True)
        if math.isfinite(xyz_m[0])
    ]
    site = {"lat_deg": latitude_deg, "lon_deg": longitude_deg, "height_m": 0.0}
    request = {"site": site, "time_s": 0.0, "satellites": satellites, "mask_deg": MASK_DEG, "clock": "per-system"}
    return dict(kshana.sky_geometry(request)["dop"])


def _process_rows() -> list[Row]:
    """Elapsed time of `gnss-coop map` and of kshana, each a process that writes its result."""
    with tempfile.TemporaryDirectory() as folder:
        ours = (
            sys.executable, "-m", "gnss_coop", "map", str(SAMPLE), "--systems", ",".join(THREE), "--grid", "1",
            "--step", str(STEP_S), "--mask", f"{MASK_DEG:g}", "-o", str(Path(folder, "dop.nc")), "--overwrite",
        )  # fmt: skip
        theirs = (sys.executable, "-c", _KSHANA_PROCESS, _KSHANA_TOML, str(Path(folder, "dop.json")))
        try:
            _run(ours)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no message"])[-1]
            print(f"`gnss-coop map` did not run, so it is not measured: {reason}", file=sys.stderr)
            return []
        own_s, peer_s = _elapsed(lambda: _run(ours), lambda: _run(theirs))
    job = "gnss-coop map, process, R, C and R+C, 1 deg, a day at 240 s"
    return [Row(job, f"{own_s:.2f} s", f"kshana, process, R+C alone {peer_s:.2f} s", own_s / peer_s)]


def _run(command: tuple[str, ...]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _call_rows(sky: xr.Dataset) -> list[Row]:
    """Elapsed time of `dop_map` and of `kshana.run`, and of each per satellite."""
    grid = gc.GeoGrid(step_deg=1.0)
    three_s, five_dops_s, one_thread_s, joint_s, peer_s = _elapsed(
        lambda: gc.dop_map(sky, grid, THREE, mask_deg=MASK_DEG),
        lambda: gc.dop_map(sky, grid, THREE, mask_deg=MASK_DEG, dops=("gdop", "hdop", "vdop", "tdop")),
        lambda: gc.dop_map(sky, grid, THREE, mask_deg=MASK_DEG, threads=1),
        lambda: gc.dop_map(sky, grid, ["R+C"], mask_deg=MASK_DEG, threads=1),
        lambda: kshana.run(_KSHANA_TOML),
    )
    theirs = json.loads(kshana.run(_KSHANA_TOML))["work"]
    peer_ns = 1e9 * peer_s / theirs["pair_tests_brute_force"]
    own_ns, five_ns = (1e9 * s / _n_pairs(sky, grid) for s in (joint_s, five_dops_s))
    reference = f"kshana.run, R+C alone, one thread {peer_s:.2f} s"
    return [
        Row("dop_map, R, C and R+C, 1 deg, all threads", f"{three_s:.2f} s", reference, three_s / peer_s),
        Row(
            f"the same with all five DOPs, {five_ns:.2f} ns a satellite, cell and epoch",
            f"{five_dops_s:.2f} s",
            reference,
            five_dops_s / peer_s,
        ),
        Row("dop_map, R, C and R+C, 1 deg, one thread", f"{one_thread_s:.2f} s", reference, one_thread_s / peer_s),
        Row("dop_map, R+C alone, 1 deg, one thread", f"{joint_s:.2f} s", reference, joint_s / peer_s),
        Row(
            "the same a satellite, cell and epoch", f"{own_ns:.2f} ns", f"kshana.run {peer_ns:.2f} ns", own_ns / peer_ns
        ),
    ]


def _n_pairs(sky: xr.Dataset, grid: gc.GeoGrid) -> int:
    """Count satellite, cell and epoch triples of a map."""
    return int(np.isfinite(sky["positions"].values[..., 0]).sum()) * math.prod(grid.shape)


def _growth_rows(every: xr.Dataset) -> list[Row]:
    """Time per satellite, cell and epoch, which no size of the job should change; one thread, best of the turns."""
    sky = _of(every, "R+C")
    by_size = [(f"grid {step:g} deg", sky, step, THREE) for step in (1.0, 5.0, 2.0, 0.5)]
    by_size += [(f"{hours} h", sky.isel(time=slice(hours * 3600 // STEP_S)), 1.0, THREE) for hours in (6, 12)]
    by_system = [(scenario, _of(every, scenario), 1.0, [scenario]) for scenario in ("R+C", "R", "C", "G+R+C+E")]
    return [*_growth(by_size), *_growth(by_system)]


def _growth(jobs: list[tuple[str, xr.Dataset, float, list[str]]]) -> list[Row]:
    """Compare jobs (name, sky, step, scenarios) with the first of them."""
    spent = time_by_turns(
        *(
            partial(gc.dop_map, sky, gc.GeoGrid(step_deg=step), systems, mask_deg=MASK_DEG, threads=1)
            for _, sky, step, systems in jobs
        ),
        repeats=REPEATS,
        clock=time.perf_counter,
    )
    costs_ns = [
        1e9 * timing.best_s / _n_pairs(sky, gc.GeoGrid(step_deg=step))
        for timing, (_, sky, step, _) in zip(spent, jobs, strict=True)
    ]
    reference = f"{jobs[0][0]}, scenarios {', '.join(jobs[0][3])}, {HOURS} h: {costs_ns[0]:.2f} ns"
    return [
        Row(
            f"growth: {name} in {timing.best_s:.2f} s",
            f"{ns:.2f} ns a satellite, cell and epoch",
            reference,
            ns / costs_ns[0],
        )
        for (name, *_), timing, ns in zip(jobs[1:], spent[1:], costs_ns[1:], strict=True)
    ]


def _memory_rows() -> list[Row]:
    """Peak memory of a process that reads the day and computes a map."""
    if not Path("/proc/self/status").exists():
        print("The memory of the maps is measured on Linux only: left out.", file=sys.stderr)
        return []
    rows = []
    for step_deg in ("1", "0.5", "0.25"):
        command = [sys.executable, "-c", _MEMORY, str(SAMPLE), DAY, step_deg]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        high_kib, before_kib, result = (int(number) for number in re.findall(r"\d+", printed))
        rise, high = (high_kib - before_kib) * 1024 / MIB, high_kib * 1024 / MIB
        size = result / MIB
        rows.append(
            Row(f"dop_map, {step_deg} deg, rise of the peak", f"{rise:.0f} MiB (process {high:.0f} MiB)",
                f"its result {size:.0f} MiB", rise / size)
        )  # fmt: skip
    return rows


def _command_memory_rows() -> list[Row]:
    """Peak memory of `gnss-coop map` with maps that do not fit it."""
    rows = []
    for step_deg, masks, ending in _LARGE_MAPS if Path("/proc/self/status").exists() else ():
        with tempfile.TemporaryDirectory() as folder:
            command = (
                sys.executable, "-c", _COMMAND_MEMORY, "map", str(SAMPLE), "--systems", ",".join(THREE), "--grid",
                step_deg, "--step", "14400", "--mask", masks, "-o", str(Path(folder, f"dop.{ending}")), "--quiet",
            )  # fmt: skip
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peak_bytes = int(printed.rsplit(maxsplit=1)[1]) * 1024
        job = f"gnss-coop map, {step_deg} deg, {masks.count(',') + 1} masks, {ending}: peak of the process"
        rows.append(
            Row(job, f"{peak_bytes / 1e6:.0f} MB", f"wanted {_MOST_BYTES / 1e6:.0f} MB", peak_bytes / _MOST_BYTES)
        )
    return rows


if __name__ == "__main__":
    main()
