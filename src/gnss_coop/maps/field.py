"""DOP of every cell at every epoch, block by block: more than fits into memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.geometry.visibility import mask_radians
from gnss_coop.kernels import tiles
from gnss_coop.maps.tiling import MapWork, Places, arrange, cell_geometry, check_memory, kept_dops, thread_count
from gnss_coop.model.grid import GeoGrid
from gnss_coop.model.scenario import PER_SYSTEM, parse_scenarios

if TYPE_CHECKING:
    import xarray as xr

Singles = npt.NDArray[np.float32]

#: Cells on a side of a block, a multiple of the tiles' side.
BLOCK_SIDE: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Part of a field: all epochs of a square of cells.

    Attributes
    ----------
    rows, columns : slice
        Where it lies in the grid.
    values : float32 (variable, systems, mask_deg, time, lat, lon)
        DOPs, infinite without a solution, and last the satellites used.
    """

    rows: slice
    columns: slice
    values: Singles


def field_names(dops: Sequence[str]) -> list[str]:
    """Return the variables of a field in the order of `Block.values`."""
    return [*kept_dops(dops), "n_used"]


def dop_field(
    sky: xr.Dataset,
    grid: GeoGrid,
    systems: str | Sequence[str] = ("R", "C", "R+C"),
    *,
    mask_deg: float | Sequence[float] = 5.0,
    clocks: str = PER_SYSTEM,
    dops: Sequence[str] = ("pdop", "hdop", "vdop"),
    threads: int | None = None,
) -> Iterator[Block]:
    """Compute the DOPs of every cell and epoch, in blocks of 32 by 32 cells.

    Parameters
    ----------
    sky, grid, systems, mask_deg, clocks, dops, threads
        As for `dop_map`.

    Yields
    ------
    Block
        Rows before columns, from the south-west.

    Raises
    ------
    ScenarioError
        For systems, masks or DOPs that make no sense.
    GridError
        For blocks that take more memory than the machine has.
    """
    scenarios = parse_scenarios(systems, clocks)
    names = kept_dops(dops)
    work = MapWork.of(sky, scenarios, mask_radians(mask_deg), names, 6.0, np.zeros(0), and_used=True)
    starts = [(i, j) for i in range(0, grid.shape[0], BLOCK_SIDE) for j in range(0, grid.shape[1], BLOCK_SIDE)]
    places = arrange(grid)
    n_threads = thread_count(threads)
    check_field_memory(grid, len(scenarios) * np.size(mask_deg), len(names) + 1, sky.sizes["time"], n_threads)
    pool = ThreadPoolExecutor(n_threads)
    waiting: deque[Future[Block]] = deque()
    try:
        for start in starts:
            waiting.append(pool.submit(_block, work, grid, places, *start))
            if len(waiting) > n_threads:  # no further ahead: who writes is slower, and blocks would pile up
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupt must not wait for what is compiling


def check_field_memory(grid: GeoGrid, n_layers: int, n_names: int, n_times: int, threads: int | None) -> None:
    """Refuse a field whose blocks take more memory than the machine has.

    Parameters
    ----------
    grid : GeoGrid
    n_layers, n_names, n_times : int
        Scenarios times masks, variables, and epochs.
    threads : int, optional
        As for `dop_map`.

    Raises
    ------
    GridError
        Saying how much is needed and there.
    """
    n_cells = min(BLOCK_SIDE, grid.shape[0]) * min(BLOCK_SIDE, grid.shape[1])
    n_blocks = 2 * thread_count(threads) + 1  # in parts and whole in each thread, and one that is written
    check_memory(4 * n_blocks * n_cells * n_layers * n_names * n_times)


def _block(work: MapWork, grid: GeoGrid, places: Places, row: int, column: int) -> Block:
    """Compute one block from tiles of its own."""
    rows = slice(row, min(row + BLOCK_SIDE, grid.shape[0]))
    columns = slice(column, min(column + BLOCK_SIDE, grid.shape[1]))
    cells = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape)[rows, columns].ravel()
    padded = np.resize(cells, -(-cells.size // tiles.LANES) * tiles.LANES).reshape(-1, tiles.LANES)
    geometry, axes, radii_rad = cell_geometry(places, padded)
    parts = [work.series(geometry[i], axes[i], radii_rad[i]) for i in range(len(padded))]
    values = np.concatenate(parts, axis=-1)[..., : cells.size]
    values[:-1] = np.sqrt(values[:-1])  # the last are satellites, not squares
    shape = (*values.shape[:-1], rows.stop - rows.start, columns.stop - columns.start)
    return Block(rows, columns, values.reshape(shape))
