"""Dilution of precision: six stations over a day, against RTKLIB's function called per station and epoch."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pyrtklib  # type: ignore[import-untyped]
import xarray as xr

import gnss_coop as gc
from common import Row, time_by_turns

MASK_DEG = 15.0
REPEATS = 5
#: Every n-th epoch goes to RTKLIB.
SAMPLE_EVERY = 120
#: Relative difference to RTKLIB that rounding explains: conditions of some hundreds squared.
AGREEMENT = 1e-8


def rows(path: Path) -> list[Row]:
    """Time per DOP from positions, and of RTKLIB's from look angles that are handed to it."""
    nav = gc.read_nav(path).select("RC")
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=30))
    stations = gc.stations()
    sample = sky.isel(time=slice(None, None, SAMPLE_EVERY))
    expected = gc.dilution_of_precision(sample, stations, ["R+C"], mask_deg=MASK_DEG, clocks="common")
    skies = _look_angles(gc.visibility(sample, stations, mask_deg=MASK_DEG))
    out = pyrtklib.Arr1Ddouble(4)
    theirs = []
    for n, azel in skies:
        pyrtklib.dops(n, azel, math.radians(MASK_DEG), out)
        theirs.append(out[1])
    if not np.allclose(expected["pdop"].values.ravel(), theirs, rtol=AGREEMENT, atol=0.0):
        raise RuntimeError("PDOP differs from RTKLIB's: mend that first")

    def dops() -> None:
        for n, azel in skies:
            pyrtklib.dops(n, azel, math.radians(MASK_DEG), out)

    alone, three, rtklib = time_by_turns(
        lambda: gc.dilution_of_precision(sky, stations, ["R+C"], mask_deg=MASK_DEG, clocks="common"),
        lambda: gc.dilution_of_precision(sky, stations, ["R", "C", "R+C"], mask_deg=MASK_DEG),
        dops,
        repeats=REPEATS,
        clock=time.perf_counter,
    )
    peer_ns = 1e9 * rtklib.median_s / len(skies)
    n_skies = sky.sizes["time"] * expected.sizes["station"]
    return [
        Row(
            f"dilution_of_precision from positions, {job}",
            f"{(own_ns := 1e9 * timing.median_s / n_skies / n_scenarios):.0f} ns a DOP",
            f"pyrtklib.dops from look angles {peer_ns:.0f} ns",
            own_ns / peer_ns,
        )
        for job, timing, n_scenarios in (("R+C, one clock", alone, 1), ("R, C and R+C", three, 3))
    ]


def _look_angles(seen: xr.Dataset) -> list[tuple[int, pyrtklib.Arr1Ddouble]]:
    """Return per station and epoch how many satellites are visible, and their look angles [rad]."""
    azimuth, elevation, visible = (seen[name].values for name in ("azimuth", "elevation", "visible"))
    skies = []
    for place in np.ndindex(visible.shape[:2]):
        up = visible[place]
        angles = np.radians(np.column_stack([azimuth[place][up], elevation[place][up]])).ravel()
        azel = pyrtklib.Arr1Ddouble(len(angles))
        for i, angle in enumerate(angles.tolist()):
            azel[i] = angle
        skies.append((len(angles) // 2, azel))
    return skies
