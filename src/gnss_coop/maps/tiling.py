"""The tile kernel over many cells: tiles, threads, scratch, and what the kernel takes besides."""

from __future__ import annotations

import math
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import GridError, ScenarioError
from gnss_coop.geometry.visibility import positions_m
from gnss_coop.kernels import tiles
from gnss_coop.kernels.geometry import EDGE_RAD
from gnss_coop.model import frames
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import Scenario
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import xarray as xr

Floats: TypeAlias = npt.NDArray[np.float64]
Singles: TypeAlias = npt.NDArray[np.float32]
Integers: TypeAlias = npt.NDArray[np.int64]
Progress: TypeAlias = Callable[[int, int], None]
#: Part of a map: rows and columns of a grid, or a run of points.
Where: TypeAlias = tuple[slice, ...]

_SQUARES: Final = {
    "gdop": tiles.GEOMETRIC, "pdop": tiles.POSITION, "hdop": tiles.HORIZONTAL, "vdop": tiles.VERTICAL,
    "tdop": tiles.CLOCKS,
}  # fmt: skip
_TILE_SIDE: Final = 8
#: Masks below -89.74 deg are as this one. The kernel's filling, the Earth's middle, stands straight below at the
#: equator and the poles only: elsewhere it is up to 0.193 deg off, and no mask may let it in.
_LEAST_SINE: Final = -0.99999
#: Tiles that one task takes: long enough that threads seldom wait for each other.
_CHUNK_TILES: Final = 16
#: Tasks that each thread may be ahead of what is taken: it has work while a part is stored, and results do not pile up.
_TASKS_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Places:
    """Cells of a map in the order of the kernel's tiles.

    Attributes
    ----------
    latitude_deg, longitude_deg, height_m : float64 (cell,)
    tile_cells : int64 (tile, LANES)
        The cells of each tile; some stand twice where a tile reaches over the edge.
    """

    latitude_deg: Floats
    longitude_deg: Floats
    height_m: Floats
    tile_cells: Integers


def check_memory(n_bytes: int) -> None:
    """Refuse to start what takes more memory than the machine has.

    Raises
    ------
    GridError
        Saying how much is needed and there.
    """
    if not hasattr(os, "sysconf"):
        return
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if n_bytes > there:
        raise GridError(
            f"this takes about {n_bytes / 1e9:.1f} GB of memory, and the machine has {there / 1e9:.1f} GB; take fewer "
            "cells, epochs, masks, percentiles or scenarios, or one region after the other"
        )


def kept_dops(dops: Sequence[str]) -> list[str]:
    """Return the DOPs asked for, pdop among them, each once."""
    kept = list(dict.fromkeys(["pdop", *dops]))
    unknown = [name for name in kept if name not in _SQUARES]
    if unknown:
        raise ScenarioError(f"unknown DOP {unknown[0]!r}: known are {', '.join(_SQUARES)}")
    return kept


def thread_count(threads: int | None) -> int:
    """Return the number of threads asked for, or that of the processors this process may use."""
    if threads is not None and threads < 1:
        raise ScenarioError(f"at least one thread is needed, not {threads}")
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parts_of(places: GeoGrid | GeoPoints, n_cells: int) -> list[Where]:
    """Divide places into parts of about so many cells, which have the same tiles as the whole.

    Examples
    --------
    >>> for rows, columns in parts_of(GeoGrid(10), 300):
    ...     print(rows, columns)
    slice(0, 8, None) slice(0, 36, None)
    slice(8, 16, None) slice(0, 36, None)
    slice(16, 18, None) slice(0, 36, None)
    """
    if isinstance(places, GeoPoints):
        return [(run,) for run in _runs(len(places), n_cells, tiles.LANES)]
    n_rows, n_columns = places.shape
    columns = _runs(n_columns, n_cells // _TILE_SIDE, _TILE_SIDE)
    rows = _runs(n_rows, n_cells // n_columns, _TILE_SIDE)
    return [(row_run, column_run) for row_run in rows for column_run in columns]


def _runs(n: int, length: int, unit: int) -> list[slice]:
    """Divide n into runs of at most a length, or of one unit; whole units each but the last."""
    step = n if length >= n else max(length // unit, 1) * unit
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def tile_count(where: Where) -> int:
    """Return the number of tiles of a part."""
    side = _TILE_SIDE if len(where) > 1 else tiles.LANES
    return math.prod(-(-(run.stop - run.start) // side) for run in where)


def arrange(places: GeoGrid | GeoPoints, where: Where | None = None) -> Places:
    """Put cells into tiles: squares of 8 by 8 cells of a grid, runs of 64 of a list; of a part, or of all."""
    if where is None:
        (where,) = parts_of(places, sys.maxsize)
    if isinstance(places, GeoPoints):
        (run,) = where
        n = run.stop - run.start
        cells = np.minimum(np.arange(-(-n // tiles.LANES) * tiles.LANES), n - 1).reshape(-1, tiles.LANES)
        return Places(places.latitude_deg[run], places.longitude_deg[run], places.height_m[run], cells)
    latitude, longitude = np.meshgrid(places.latitude_deg[where[0]], places.longitude_deg[where[1]], indexing="ij")
    rows, columns = (_blocks(n) for n in latitude.shape)
    cells = rows[:, None, :, None] * latitude.shape[1] + columns[None, :, None, :]
    return Places(latitude.ravel(), longitude.ravel(), np.zeros(latitude.size), cells.reshape(-1, tiles.LANES))


def _blocks(n: int) -> Integers:
    """Return indices below n in rows of a tile's side, the last one repeated to fill its row."""
    return np.minimum(np.arange(-(-n // _TILE_SIDE) * _TILE_SIDE), n - 1).reshape(-1, _TILE_SIDE)


@dataclass(frozen=True, slots=True, eq=False)
class MapWork:
    """What the kernel takes besides the cells, and how it is run over them."""

    satellites_m: Floats
    system_start: Integers
    cones: Floats
    sine_mask: Floats
    members: npt.NDArray[np.bool_]
    offset_variance_m2: Floats
    kept: Integers
    limit_square: float
    shares: Floats

    @classmethod
    def of(
        cls, sky: xr.Dataset, scenarios: Sequence[Scenario], mask_rad: Floats, kept: Sequence[str], limit: float,
        shares: Floats, and_used: bool = False,
    ) -> MapWork:  # fmt: skip
        """Order the satellites by system and prepare the cone test."""
        letters = [s for s in SYSTEMS if any(s in scenario.systems for scenario in scenarios)]
        names = sky["sv"].values.astype(str)
        columns = [np.flatnonzero([name[0] == letter for name in names]) for letter in letters]
        chosen_m = positions_m(sky)[:, np.concatenate(columns)]
        # The kernel fills groups of satellites up with one that nobody sees: the Earth's middle.
        unseen = np.zeros((len(chosen_m), 1, 3))
        cones = np.empty((mask_rad.size, *chosen_m.shape[:2], 5))
        for k, mask in enumerate(mask_rad):
            tiles.fill_cones(np.ascontiguousarray(chosen_m), mask, cones[k])
        return cls(
            np.ascontiguousarray(np.concatenate([chosen_m, unseen], axis=1)),  # else its layout follows that of the sky
            np.cumsum([0, *map(len, columns)], dtype=np.int64),
            cones,
            np.maximum(np.sin(mask_rad - EDGE_RAD), _LEAST_SINE),
            np.array([[letter in scenario.systems for letter in letters] for scenario in scenarios]),
            np.array([scenario.offset_variance_m2 for scenario in scenarios]),
            np.array([_SQUARES[name] for name in kept] + [tiles.USED] * and_used, dtype=np.int64),
            min(limit * limit, np.finfo(np.float64).max),  # no limit at all still asks for a solution
            shares,
        )

    def run(
        self, parts: Iterable[Places], n_tiles: int, threads: int, progress: Progress | None
    ) -> Generator[tuple[Singles, Singles]]:
        """Yield counts (scenario, mask, 3, cell) and quantiles (scenario, mask, dop, quantile, cell) of each part.

        The threads go on with the next part while one is taken away.
        """
        pool = ThreadPoolExecutor(threads)
        tasks = ((places, start) for places in parts for start in range(0, len(places.tile_cells), _CHUNK_TILES))
        waiting: deque[tuple[Places, Future[tuple[Integers, Floats, Singles]]]] = deque()
        counts, quantiles = self._room(0)
        left = done = 0
        try:
            while True:
                for places, start in islice(tasks, threads * _TASKS_AHEAD - len(waiting)):
                    waiting.append((places, pool.submit(self.chunk, places, start)))
                if not waiting:
                    return
                places, task = waiting.popleft()
                if not left:  # the first of a part
                    counts, quantiles = self._room(places.latitude_deg.size)
                    left = len(places.tile_cells)
                chunk, some_counts, some_quantiles = task.result()
                cells = chunk.ravel()
                counts[..., cells] = np.moveaxis(some_counts, 0, 3).reshape(*counts.shape[:-1], -1)
                quantiles[..., cells] = np.moveaxis(some_quantiles, 0, 4).reshape(*quantiles.shape[:-1], -1)
                left, done = left - len(chunk), done + len(chunk)
                if progress is not None:
                    progress(done, n_tiles)
                if not left:
                    yield counts, quantiles
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupt must not wait for what is compiling

    def _room(self, n_cells: int) -> tuple[Singles, Singles]:
        shape = (len(self.members), self.sine_mask.size)
        counts = np.empty((*shape, 3, n_cells), np.float32)
        return counts, np.empty((*shape, self.kept.size, self.shares.size, n_cells), np.float32)

    def chunk(self, places: Places, start: int) -> tuple[Integers, Floats, Singles]:
        """Compute some tiles; return their cells, counts (tile, ..., 3, LANES) and quantiles (tile, ..., LANES)."""
        chosen = places.tile_cells[start : start + _CHUNK_TILES]
        cells, axes, radii_rad = cell_geometry(places, chosen)
        shape = (len(self.members), self.sine_mask.size)
        series = self.scratch()
        counts = np.empty((len(chosen), *shape, 3 * tiles.LANES))
        quantiles = np.empty((len(chosen), *shape, self.kept.size, self.shares.size, tiles.LANES), np.float32)
        tiles.chunk_statistics(
            cells, self.satellites_m, self.cones, self.system_start, axes, radii_rad, self.sine_mask, self.members,
            self.offset_variance_m2, self.kept, self.limit_square, self.shares, series, counts, quantiles,
        )  # fmt: skip
        return chosen, counts.reshape(len(chosen), *shape, 3, tiles.LANES), quantiles

    def series(self, cell: Floats, axis: Floats, radius_rad: float) -> Singles:
        """Return what is kept of one tile: (kept, scenario, mask, time, LANES)."""
        series = self.scratch()
        shape = (len(self.members), self.sine_mask.size)
        tiles.tile_statistics(
            cell, self.satellites_m, self.cones, self.system_start, axis, radius_rad, self.sine_mask, self.members,
            self.offset_variance_m2, self.kept, self.limit_square, self.shares, series,
            np.empty((*shape, 3 * tiles.LANES)), np.empty((*shape, self.kept.size, 0, tiles.LANES), np.float32),
        )  # fmt: skip
        return np.moveaxis(series.reshape(*shape, self.kept.size, -1, tiles.LANES), 2, 0)

    def scratch(self) -> Singles:
        """Return room for the time series of one tile."""
        n_times = len(self.satellites_m)
        shape = (len(self.members), self.sine_mask.size, self.kept.size, n_times * tiles.LANES)
        return np.empty(shape, np.float32)


def cell_geometry(places: Places, chosen: Integers) -> tuple[Floats, Floats, Floats]:
    """Return the cell arrays of tiles (tile, CELL_ROWS * LANES), their middles (tile, 3) and reaches [rad]."""
    flat = chosen.ravel()
    latitude, longitude = places.latitude_deg[flat], places.longitude_deg[flat]
    xyz = frames.geodetic_to_ecef(latitude, _wrapped(longitude), places.height_m[flat])
    enu = frames.enu_basis(np.radians(latitude), np.radians(longitude))
    rows = np.concatenate([xyz, enu.reshape(-1, 9)], axis=1).reshape(len(chosen), tiles.LANES, tiles.CELL_ROWS)
    outward = rows[..., :3] / np.linalg.norm(rows[..., :3], axis=-1, keepdims=True)
    axes = outward.mean(axis=1)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    # The chord, not the cosine, keeps small reaches exact; all round the Earth when the middle is nowhere.
    chord = np.linalg.norm(outward - axes[:, None], axis=-1).max(axis=1)
    radii_rad = np.where(np.isfinite(chord), 2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)), np.pi)
    return np.ascontiguousarray(rows.transpose(0, 2, 1)).reshape(len(chosen), -1), np.nan_to_num(axes), radii_rad


def _wrapped(longitude_deg: Floats) -> Floats:
    return (longitude_deg + 180.0) % 360.0 - 180.0
