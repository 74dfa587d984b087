"""The tile kernel of the maps against what the processor can do at its best."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import xarray as xr

from common import Row, time_by_turns
from gnss_coop.kernels import tiles
from gnss_coop.kernels._jit import leaf_kernel
from tile_kernel import CORNERS_DEG, MEMBERS, SHARES, Sky, Tile

Floats = npt.NDArray[np.float64]

REPEATS = 7
#: Of the sums, per candidate and cell: line of sight 3, distance 5, elevation 5 and scaling 1, weight 1 and
#: unit vector 3, compare 1, count and b 4, products and S 10; the root and the division count as one each.
FLOPS = 3 + 5 + 6 + 4 + 1 + 4 + 10 + 2
#: The same as vector instructions with products fused into sums, as compiled with AVX-512; root and division aside.
OPERATIONS = 26.5
#: Numbers that each chain of the peak's loop multiplies and adds before it is stored.
CHAIN = 16
TURNS = 100_000


@leaf_kernel
def _chain(x: Floats, factor: float, addend: float, turns: int) -> None:
    for _ in range(turns):
        for i in range(tiles.LANES):
            v = x[i]
            for _k in range(CHAIN):
                v = v * factor + addend
            x[i] = v


@leaf_kernel
def _inverse_roots(x: Floats, turns: int) -> None:
    for _ in range(turns):
        for i in range(tiles.LANES):
            x[i] = 1.0 / math.sqrt(x[i])


@leaf_kernel
def _load_and_store(x: Floats, addend: float, turns: int) -> None:
    for _ in range(turns):
        for i in range(tiles.SUM_ROWS * tiles.LANES):
            x[i] += addend


def rows(positions: xr.Dataset) -> list[Row]:
    """Compare the sums over satellites, the largest part of the kernel, with the processor at its best."""
    sky, places = Sky.of(positions), [Tile.at(*corner) for corner in CORNERS_DEG]
    x, y, z = np.ones(tiles.LANES), np.ones(tiles.LANES), np.ones(tiles.SUM_ROWS * tiles.LANES)
    n_candidates = sum(tile.candidates(sky) for tile in places)
    full, sums, chain, root, memory = time_by_turns(
        lambda: [tile.statistics(sky, MEMBERS, math.inf, SHARES) for tile in places],
        lambda: [tile.statistics(sky, MEMBERS[:0], math.inf, np.empty(0)) for tile in places],
        lambda: _chain(x, 0.999, 0.001, TURNS),
        lambda: _inverse_roots(y, TURNS),
        lambda: _load_and_store(z, 1e-9, TURNS),
        repeats=REPEATS,
        clock=time.perf_counter,
    )
    sum_ns = 1e9 * sums.best_s / (n_candidates * tiles.LANES)
    chain_ns, root_ns, memory_ns = (
        1e9 * timing.best_s / (TURNS * numbers.size) for timing, numbers in ((chain, x), (root, y), (memory, z))
    )
    rate, peak = FLOPS / sum_ns, 2 * CHAIN / chain_ns
    # Two candidates share one load and one store of each sum.
    floors = (
        ("their root and division, then their other operations", root_ns + OPERATIONS * chain_ns / CHAIN),
        ("their root and division alone", root_ns),
        ("their loads and stores of sums alone", memory_ns * tiles.SUM_ROWS / tiles.GROUP),
    )
    n_chosen, n_known = (n / len(sky.satellites_m) for n in (n_candidates / len(places), sky.n_known))
    return [
        Row(
            "tile kernel: its sums", f"{sums.best_s:.3f} s", f"all of it {full.best_s:.3f} s", sums.best_s / full.best_s
        ),
        Row("satellites after the cone test", f"{n_chosen:.1f} an epoch", f"before {n_known:.1f}", n_chosen / n_known),
        Row("sums, arithmetic", f"{rate:.1f} GFlop/s", f"fused multiply-adds {peak:.1f} GFlop/s", rate / peak),
        *(
            Row("sums, time", f"{sum_ns:.3f} ns a candidate and cell", f"{name} {ns:.3f} ns", sum_ns / ns)
            for name, ns in floors
        ),
    ]
