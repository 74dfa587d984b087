"""Forecasts against later ephemerides and precise orbits: ``python benchmarks/forecast_accuracy.py``.

Fits mean elements to one file, and compares them with what another file says days later, or the same file after
its first hours. Needs the files that GNSS_COOP_TESTDATA names; without it only the sample day is measured.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

import gnss_coop as gc
from common import SAMPLE
from gnss_coop.model import timescales

DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", "/nowhere"))
SYSTEMS = "RCGEJI"
HOUR_NS = 3600 * 10**9
#: Hours of the sample day to fit; the rest is the truth.
FIRST_HOURS = (1, 6, 12)
#: What to fit, and what tells the truth later.
PAIRS = (
    ("snapshot/2023-008_pair/BRDM00DLR_S_20230081000_01D_MN.rnx",
     "snapshot/2023-008_pair/GFZ0MGXRAP_20230080000_01D_05M_ORB.SP3.gz"),
    ("snapshot/rinex4/BRD400DLR_S_20230710000_01D_MN.rnx.gz", "snapshot/odd/BRDC00WRD_S_20230730000_01D_MN.rnx"),
    ("registry/georinex-1.10.1/VILL00ESP_R_20181700000_01D_MN.rnx.gz", "registry/georinex-1.10.1/14601736.18n"),
    ("snapshot/asia/PTGG00PHL_R_20193500000_01D_MN.rnx.gz", "snapshot/odd/spare_filled_nav3.rnx"),
    ("snapshot/asia/hksc155c.20g", "snapshot/2020-177_pair/Sta21114.sp3.gz"),
    ("snapshot/asia/hksc155c.20b", "snapshot/2020-177_pair/Sta21114.sp3.gz"),
    ("snapshot/asia/hksc155c.20n", "snapshot/2020-177_pair/Sta21114.sp3.gz"),
    ("registry/georinex-1.10.1/BRDC00IGS_R_20191330000_01D_MN.rnx.gz",
     "snapshot/rinex_versions_INSTINCT/v3_05/INS_1580.19P"),
    ("registry/georinex-1.10.1/VILL00ESP_R_20181700000_01D_MN.rnx.gz",
     "registry/georinex-1.10.1/ELKO00USA_R_20182100000_01D_MN.rnx.gz"),
    ("snapshot/2023-008_pair/BRDM00DLR_S_20230081000_01D_MN.rnx",
     "snapshot/rinex4/BRD400DLR_S_20230710000_01D_MN.rnx.gz"),
)  # fmt: skip
TLE = (
    "registry/debian-rtklib-2.4.3.b34+dfsg/TLE_GNSS_20121101.txt",
    "registry/debian-rtklib-2.4.3.b34+dfsg/brdc3050.12g",
)


def until(nav: gc.Ephemerides, end_ns: int) -> gc.Ephemerides:
    """Return the records with reference times up to an instant."""
    keep = nav.derived.toe_ns <= end_ns
    return replace(nav, table=nav.table.take(keep), derived=nav.derived.take(keep))


def truth(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return satellites, epochs [ns] and positions [m] that a file gives."""
    if "sp3" in path.name.lower():
        sky = gc.read_sp3(path)
    else:
        nav = gc.read_nav(path, accept_truncated=True).select(SYSTEMS)
        first, last = nav.span_ns
        sky = gc.satellite_positions(nav, timescales.to_datetime64(np.arange(first, last + 1, HOUR_NS // 4)))
    return sky.sv.values, timescales.from_datetime64(sky.time.values), sky.positions.values


def rows(almanac: gc.Almanac, sv: np.ndarray, epoch_ns: np.ndarray, xyz_m: np.ndarray) -> list[str]:
    """Return lines of the table: per class, how far elements are from the truth."""
    found = defaultdict(list)
    for orbit in almanac.orbits:
        for column in np.flatnonzero(sv == orbit.sv):
            days = (epoch_ns - orbit.epoch_ns) / (24 * HOUR_NS)
            later = np.isfinite(xyz_m[:, column]).all(axis=1) & (np.abs(days) > 0.1)
            if later.any():
                a, b = orbit.positions_m(epoch_ns[later]), xyz_m[later, column]
                angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))
                found[f"{orbit.sv[0]} {orbit.orbit_class}"].append((angle, np.abs(days[later])))
    lines = []
    for kind, parts in sorted(found.items()):
        angle, days = (np.concatenate(values) for values in zip(*parts, strict=True))
        p50, p95 = np.percentile(angle, [50, 95])
        lines.append(f"{kind} | {len(parts)} | {days.mean():.1f} | {p50:.4f} | {p95:.4f} | {angle.max():.4f} | "
                     f"{np.median(angle / days):.4f} | {np.percentile(angle / days, 95):.4f} |")  # fmt: skip
    return lines


def main() -> None:
    """Print the table."""
    print("| fitted to | compared with | orbit | satellites | days | median [deg] | 95 % [deg] | largest [deg] | "
          "median [deg/day] | 95 % [deg/day] |\n" + "| --- " * 10 + "|")  # fmt: skip
    nav = gc.read_nav(SAMPLE).select(SYSTEMS)
    for hours in FIRST_HOURS:
        early = gc.mean_elements(until(nav, gc.parse_time("2024-01-10") + hours * HOUR_NS))
        for line in rows(early, *truth(SAMPLE)):
            print(f"| first {hours} h of 2024-01-10 | rest of it | {line}")
    for fitted, later in PAIRS if DATA.is_dir() else ():
        almanac = gc.mean_elements(gc.read_nav(DATA / fitted, accept_truncated=True).select(SYSTEMS))
        for line in rows(almanac, *truth(DATA / later)):
            print(f"| {Path(fitted).name} | {Path(later).name} | {line}")
    if DATA.is_dir():
        for line in rows(gc.read_almanac(DATA / TLE[0]), *truth(DATA / TLE[1])):
            print(f"| {Path(TLE[0]).name} | {Path(TLE[1]).name} | {line}")


if __name__ == "__main__":
    main()
