"""DOP maps: statistics of the dilution of precision over time, for grids and lists of places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.analysis.visibility import mask_radians, positions_m, time_scale
from gnss_coop.errors import GridError, ScenarioError, TimeError
from gnss_coop.kernels import tiles
from gnss_coop.kernels.geometry import EDGE_RAD
from gnss_coop.model import frames
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import PER_SYSTEM, Scenario, parse_scenarios
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_SQUARES: Final = {
    "gdop": tiles.GEOMETRIC, "pdop": tiles.POSITION, "hdop": tiles.HORIZONTAL, "vdop": tiles.VERTICAL,
    "tdop": tiles.CLOCKS,
}  # fmt: skip
_LONG_NAMES: Final = {
    "gdop": "geometric", "pdop": "position", "hdop": "horizontal", "vdop": "vertical", "tdop": "time",
}  # fmt: skip
_TILE_SIDE: Final = 8
#: Masks below -89.74 deg are as this one. The kernel's filling, the Earth's middle, stands straight below at the
#: equator and the poles only: elsewhere it is up to 0.193 deg off, and no mask may let it in.
_LEAST_SINE: Final = -0.99999
#: Tiles that one task takes: long enough that threads seldom wait for each other.
_CHUNK_TILES: Final = 16
#: Memory that a map takes from the kernel to its file, as a multiple of the result.
_COPIES: Final = 3
_VARIABLES_BESIDES: Final = 5  # availability, two numbers of satellites, two gains


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


def dop_map(
    sky: xr.Dataset,
    places: GeoGrid | GeoPoints,
    systems: str | Sequence[str] = ("R", "C", "R+C"),
    *,
    mask_deg: float | Sequence[float] = 5.0,
    clocks: str = PER_SYSTEM,
    limit: float = 6.0,
    percentiles: Sequence[float] = (50.0, 95.0, 100.0),
    dops: Sequence[str] = ("pdop", "hdop", "vdop"),
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute maps of DOP percentiles, availability and gain over all epochs.

    An epoch without a solution counts as unavailable and as the worst: percentiles that fall among such
    epochs are infinite. Percentiles are exact (linear between neighbours); DOPs are computed in double
    precision and kept in single precision.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) [m], as `satellite_positions` or `nominal_constellation` gives them.
    places : GeoGrid or GeoPoints
        Where; cells of a grid lie on the ellipsoid.
    systems : str or sequence of str
        Scenarios such as ``"R"``, ``"C"``, ``"R+C"``.
    mask_deg : float or sequence of float
        Elevation mask or masks.
    clocks : str
        ``"per-system"``, ``"common"`` or ``"prior:NS"``, as for `dilution_of_precision`.
    limit : float
        Largest PDOP with which a position counts as available.
    percentiles : sequence of float
        Percentiles over time [%]; 50 is called median, 100 worst. The median is always there.
    dops : sequence of str
        Which of gdop, pdop, hdop, vdop, tdop; pdop is always there.
    threads : int, optional
        All processors by default.
    progress : callable, optional
        Called with the number of tiles done and of all tiles.

    Returns
    -------
    xarray.Dataset
        float32 (systems, [mask_deg,] lat, lon), or (..., point): ``pdop_median``, ``pdop_p95``,
        ``pdop_worst`` and so on; ``availability_pct``, ``n_used_mean``, ``n_used_min``; for scenarios that
        another one supplements (coordinate ``supplemented_by``) ``pdop_ratio``, the median with the
        supplement over that without, and ``availability_gain_points``, NaN for the others.

    Raises
    ------
    ScenarioError, TimeError
        For systems, masks, percentiles or a limit that make no sense, or a sky without epochs.
    GridError
        For a map that takes more memory than the machine has.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=3600), systems="RC")
    >>> world = gc.dop_map(sky, gc.GeoGrid(step_deg=15), ["R", "C", "R+C"], mask_deg=15)
    >>> world.pdop_median.dims, world.sizes["lat"]
    (('systems', 'lat', 'lon'), 12)
    """
    scenarios, shares, kept = check_settings(systems, mask_deg, clocks, limit, percentiles, dops)
    n_times = sky.sizes["time"]
    if n_times == 0:
        raise TimeError("there are no epochs to map; ask for a longer span or a shorter step")
    n_threads, n_layers = thread_count(threads), len(scenarios) * np.size(mask_deg)
    n_cells = len(places) if isinstance(places, GeoPoints) else places.shape[0] * places.shape[1]
    result_values = n_cells * n_layers * (len(kept) * shares.size + _VARIABLES_BESIDES)
    check_memory(4 * (_COPIES * result_values + n_threads * n_layers * len(kept) * n_times * tiles.LANES))
    work = MapWork.of(sky, scenarios, mask_radians(mask_deg), kept, limit, shares)
    counts, quantiles = work.run(arrange(places), n_threads, progress)
    result = _dataset(sky, places, scenarios, mask_deg, kept, shares, counts, quantiles)
    result.attrs |= {"clocks": clocks, "max_pdop": limit}
    return result.isel(mask_deg=0) if np.ndim(mask_deg) == 0 else result


def check_settings(
    systems: str | Sequence[str], mask_deg: float | Sequence[float], clocks: str, limit: float,
    percentiles: Sequence[float], dops: Sequence[str] = ("pdop", "hdop", "vdop"),
) -> tuple[tuple[Scenario, ...], Floats, list[str]]:  # fmt: skip
    """Return scenarios, percentiles as shares, and DOPs; refuse what makes no sense, before anything is computed."""
    scenarios = parse_scenarios(systems, clocks)
    mask_radians(mask_deg)
    if not limit > 0.0:
        raise ScenarioError(f"the largest PDOP must be a positive number, such as 6, not {limit:g}")
    return scenarios, _shares(percentiles), kept_dops(dops)


def variable_names(kept: Sequence[str], shares: Floats) -> list[str]:
    """Return the names of a map's variables."""
    percentiles = [f"{dop}_{_percentile_name(float(share))}" for dop in kept for share in shares]
    return [*percentiles, "availability_pct", "n_used_mean", "n_used_min", "pdop_ratio", "availability_gain_points"]


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


def _shares(percentiles: Sequence[float]) -> Floats:
    bad = [p for p in percentiles if not 0.0 <= p <= 100.0]
    if bad:
        raise ScenarioError(f"percentiles lie between 0 and 100, not {', '.join(f'{p:g}' for p in bad)}")
    wanted = np.unique([50.0, *percentiles])
    return np.asarray(wanted / 100.0, dtype=np.float64)


def arrange(places: GeoGrid | GeoPoints) -> Places:
    """Put cells into tiles: squares of 8 by 8 cells of a grid, runs of 64 of a list."""
    if isinstance(places, GeoPoints):
        n = len(places)
        cells = np.minimum(np.arange(-(-n // tiles.LANES) * tiles.LANES), n - 1).reshape(-1, tiles.LANES)
        return Places(places.latitude_deg, places.longitude_deg, places.height_m, cells)
    latitude, longitude = np.meshgrid(places.latitude_deg, places.longitude_deg, indexing="ij")
    rows, columns = (_blocks(n) for n in places.shape)
    cells = rows[:, None, :, None] * places.shape[1] + columns[None, :, None, :]
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
            np.concatenate([chosen_m, unseen], axis=1),
            np.cumsum([0, *map(len, columns)], dtype=np.int64),
            cones,
            np.maximum(np.sin(mask_rad - EDGE_RAD), _LEAST_SINE),
            np.array([[letter in scenario.systems for letter in letters] for scenario in scenarios]),
            np.array([scenario.offset_variance_m2 for scenario in scenarios]),
            np.array([_SQUARES[name] for name in kept] + [tiles.USED] * and_used, dtype=np.int64),
            min(limit * limit, np.finfo(np.float64).max),  # no limit at all still asks for a solution
            shares,
        )

    def run(self, places: Places, threads: int, progress: Progress | None) -> tuple[Singles, Singles]:
        """Return counts (scenario, mask, 3, cell) and quantiles (scenario, mask, dop, quantile, cell)."""
        shape = (len(self.members), self.sine_mask.size)
        n_cells = places.latitude_deg.size
        counts = np.empty((*shape, 3, n_cells), np.float32)
        quantiles = np.empty((*shape, self.kept.size, self.shares.size, n_cells), np.float32)
        n_tiles = len(places.tile_cells)
        starts = range(0, n_tiles, _CHUNK_TILES)
        done = 0
        pool = ThreadPoolExecutor(threads)
        try:
            for chunk, some_counts, some_quantiles in pool.map(lambda start: self.chunk(places, start), starts):
                cells = chunk.ravel()
                counts[..., cells] = np.moveaxis(some_counts, 0, 3).reshape(*shape, 3, -1)
                quantiles[..., cells] = np.moveaxis(some_quantiles, 0, 4).reshape(*quantiles.shape[:-1], -1)
                done += len(chunk)
                if progress is not None:
                    progress(done, n_tiles)
        finally:
            pool.shutdown(cancel_futures=True)
        return counts, quantiles

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


def _percentile_name(share: float) -> str:
    return {0.5: "median", 1.0: "worst"}.get(share, f"p{share * 100:g}".replace(".", "_"))


def _variables(kept: Sequence[str], shares: Floats, counts: Singles, quantiles: Singles, n_times: int) -> Iterator[Any]:
    """Yield name, values (systems, mask_deg, cell), units and description of the variables."""
    for d, dop in enumerate(kept):
        for q, share in enumerate(shares):
            name = _percentile_name(float(share))
            words = f"{_LONG_NAMES[dop]} dilution of precision, {name if name[0] != 'p' else f'{share:.4g} quantile'}"
            yield f"{dop}_{name}", quantiles[:, :, d, q], "1", words
    available_pct = (counts[:, :, 0].astype(np.float64) * 100.0 / n_times).astype(np.float32)
    yield "availability_pct", available_pct, "percent", "share of epochs available"
    yield "n_used_mean", counts[:, :, 1] / np.float32(n_times), "1", "mean number of satellites used"
    yield "n_used_min", counts[:, :, 2], "1", "least number of satellites used"


def _dataset(
    sky: xr.Dataset, places: GeoGrid | GeoPoints, scenarios: Sequence[Scenario], mask_deg: Any,
    kept: Sequence[str], shares: Floats, counts: Singles, quantiles: Singles,
) -> xr.Dataset:  # fmt: skip
    import xarray as xr

    from gnss_coop.analysis.comparison import supplement_of

    labels = [str(s) for s in scenarios]
    times = sky["time"].values
    if isinstance(places, GeoGrid):
        where: tuple[str, ...] = ("lat", "lon")
        shape: tuple[int, ...] = places.shape
        coords: dict[str, Any] = {
            "lat": ("lat", places.latitude_deg, {"units": "degrees_north"}),
            "lon": ("lon", places.longitude_deg, {"units": "degrees_east"}),
        }
    else:
        where, shape = ("point",), (len(places),)
        coords = {
            "point": ("point", list(places.names)),
            "latitude": ("point", places.latitude_deg, {"units": "degrees_north"}),
            "longitude": ("point", places.longitude_deg, {"units": "degrees_east"}),
        }
    dims = ("systems", "mask_deg", *where)
    variables = {
        name: (dims, values.reshape(*values.shape[:2], *shape), {"units": units, "long_name": words})
        for name, values, units, words in _variables(kept, shares, counts, quantiles, len(times))
    }
    result = xr.Dataset(
        variables,
        coords={
            "systems": labels,
            "mask_deg": ("mask_deg", np.atleast_1d(np.asarray(mask_deg, float)), {"units": "degree"}),
            "supplemented_by": ("systems", [supplement_of(label, labels) for label in labels]),
            **coords,
        },
        attrs={
            "title": "Dilution of precision over time",
            "time_start": str(times[0].astype("datetime64[s]")),
            "time_end": str(times[-1].astype("datetime64[s]")),
            "n_epochs": len(times),
            "step_s": float((times[1] - times[0]) / np.timedelta64(1, "s")) if len(times) > 1 else 0.0,
            "time_scale": time_scale(sky),
            "files": list(sky.attrs.get("files", [])),
            "frame": str(sky.attrs.get("frame", "")),
        },
    )
    if result.attrs["frame"] == "nominal":
        result.attrs["constellation"] = sky.attrs["title"]
    return _with_gains(result)


def _with_gains(result: xr.Dataset) -> xr.Dataset:
    """Add what the supplement of each scenario brings; NaN where there is none or no median to compare."""
    import xarray as xr

    labels = list(result["systems"].values)
    ratio, points = (xr.full_like(result["pdop_median"], np.nan) for _ in range(2))
    for i, joint in enumerate(result["supplemented_by"].values):
        if joint:
            j = labels.index(joint)
            alone, both = result["pdop_median"][i], result["pdop_median"][j]
            ratio[i] = (both / alone).where(np.isfinite(alone) & np.isfinite(both))
            points[i] = result["availability_pct"][j] - result["availability_pct"][i]
    ratio.attrs = {"units": "1", "long_name": "median PDOP with the supplement over that without"}
    points.attrs = {"units": "percent", "long_name": "availability gained by the supplement, percentage points"}
    return result.assign(pdop_ratio=ratio, availability_gain_points=points)
