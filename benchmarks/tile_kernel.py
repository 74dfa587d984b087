"""The tile kernel of the maps against plain loops and against RTKLIB."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyrtklib  # type: ignore[import-untyped]
import xarray as xr

from common import Row, time_by_turns
from gnss_coop.kernels import geometry, tiles
from gnss_coop.kernels._jit import kernel
from gnss_coop.maps.tiling import arrange, cell_geometry
from gnss_coop.model.grid import GeoGrid

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MASK_RAD = math.radians(5.0)
LETTERS = "RC"
#: R, C and R+C.
MEMBERS = np.array([[True, False], [False, True], [True, True]])
JOINT = 2
#: Median, 95 % and worst.
SHARES = np.array([0.5, 0.95, 1.0])
SIDE = math.isqrt(tiles.LANES)
#: South-western corners of the 1 degree tiles that are timed: all latitudes, so the cone test is fairly met.
CORNERS_DEG = tuple((latitude, longitude) for latitude in range(-88, 81, 24) for longitude in range(-180, 180, 60))
REPEATS = 5
#: Every n-th epoch goes to RTKLIB, for the cells of one tile.
SAMPLE_EVERY = 24
#: Relative difference to RTKLIB: the kernel's series is in single precision.
AGREEMENT = 1e-6


@dataclass(frozen=True)
class Sky:
    """Satellites as the tile kernel takes them: by system, and a row of zeros, which nobody sees, at the end."""

    satellites_m: Floats
    cones: Floats
    system_start: Ints

    @classmethod
    def of(cls, positions: xr.Dataset) -> Sky:
        """Order the positions (time, sv, ecef) of a Dataset."""
        names = positions["sv"].values.astype(str)
        order = [i for letter in LETTERS for i, name in enumerate(names) if name[0] == letter]
        known_m = positions["positions"].values[:, order]
        cones = np.empty((1, *known_m.shape[:2], 5))
        tiles.fill_cones(known_m, MASK_RAD, cones[0])
        sizes = [sum(name[0] == letter for name in names) for letter in LETTERS]
        satellites_m = np.concatenate([known_m, np.zeros((len(known_m), 1, 3))], axis=1)
        return cls(satellites_m, cones, np.cumsum([0, *sizes]))

    @property
    def n_known(self) -> int:
        """Satellites with a position, over all epochs."""
        return int(np.isfinite(self.satellites_m[:, :-1, 0]).sum())


@dataclass(frozen=True)
class Tile:
    """Cells of a tile, as rows of the kernel's array and as places."""

    cell: Floats
    axis: Floats
    radius_rad: float
    latitude_rad: Floats
    longitude_rad: Floats

    @classmethod
    def at(cls, south_deg: float, west_deg: float) -> Tile:
        """Return the tile of 1 degree cells with this corner."""
        places = arrange(GeoGrid(1.0, (south_deg, south_deg + SIDE, west_deg, west_deg + SIDE)))
        cells, axes, radii_rad = cell_geometry(places, places.tile_cells)
        return cls(cells[0], axes[0], radii_rad[0], np.radians(places.latitude_deg), np.radians(places.longitude_deg))

    @property
    def position_m(self) -> Floats:
        """Positions (cell, 3)."""
        return np.ascontiguousarray(self.cell.reshape(-1, tiles.LANES)[:3].T)

    @property
    def enu(self) -> Floats:
        """East, north and up (cell, 3, 3)."""
        return np.ascontiguousarray(self.cell.reshape(-1, tiles.LANES)[3:].T).reshape(-1, 3, 3)

    def statistics(self, sky: Sky, members: npt.NDArray[np.bool_], variance_m2: float, shares: Floats) -> Singles:
        """Run the kernel for PDOP; return its squared series (scenario, time, cell), sorted if `shares` are given."""
        n_times, n = len(sky.satellites_m), len(members)
        series = np.empty((n, 1, 1, n_times * tiles.LANES), np.float32)
        tiles.tile_statistics(
            self.cell, sky.satellites_m, sky.cones, sky.system_start, self.axis, self.radius_rad,
            np.array([math.sin(MASK_RAD - geometry.EDGE_RAD)]), members, np.full(n, variance_m2),
            np.array([tiles.POSITION]), 36.0, shares, series, np.empty((n, 1, 3 * tiles.LANES)),
            np.empty((n, 1, 1, shares.size, tiles.LANES), np.float32),
        )  # fmt: skip
        return series[:, 0, 0].reshape(n, n_times, tiles.LANES)

    def candidates(self, sky: Sky) -> int:
        """Count the satellites that pass the cone test, padding included, over all epochs."""
        chosen = np.empty(sky.satellites_m.shape[1] + tiles.GROUP, np.int64)
        cosine, sine = math.cos(self.radius_rad), math.sin(self.radius_rad)
        return sum(
            tiles._choose(satellites_m, cones, start, stop, self.axis, cosine, sine, chosen)
            for satellites_m, cones in zip(sky.satellites_m, sky.cones[0], strict=True)
            for start, stop in zip(sky.system_start[:-1], sky.system_start[1:], strict=True)
        )


@kernel
def plain_pdop(satellites_m: Floats, system_start: Ints, cells_m: Floats, up: Floats, out: Floats) -> None:
    """PDOP of all systems together as a textbook has it: rows, normal matrix and inverse, cell by cell."""
    n_unknowns = 2 + system_start.size
    row, normal = np.zeros(n_unknowns), np.empty((n_unknowns, n_unknowns))
    sine_mask = math.sin(MASK_RAD)
    for c in range(cells_m.shape[0]):
        for t in range(satellites_m.shape[0]):
            normal[:] = 0.0
            for system in range(system_start.size - 1):
                for s in range(system_start[system], system_start[system + 1]):
                    dx = satellites_m[t, s, 0] - cells_m[c, 0]
                    dy = satellites_m[t, s, 1] - cells_m[c, 1]
                    dz = satellites_m[t, s, 2] - cells_m[c, 2]
                    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
                    if (dx * up[c, 0] + dy * up[c, 1] + dz * up[c, 2]) / distance >= sine_mask:
                        row[:] = 0.0
                        row[0], row[1], row[2] = dx / distance, dy / distance, dz / distance
                        row[3 + system] = 1.0
                        for i in range(n_unknowns):
                            for j in range(n_unknowns):
                                normal[i, j] += row[i] * row[j]
            cofactor = np.linalg.inv(normal)
            out[c, t] = math.sqrt(cofactor[0, 0] + cofactor[1, 1] + cofactor[2, 2])


def _dop_series(sky: Sky, tile: Tile, out: Floats, counts: Ints) -> None:
    """Solve the scenarios R, C and R+C with the kernel for stations."""
    system = np.repeat(np.arange(len(LETTERS)), np.diff(sky.system_start))
    no_horizon = np.empty(0), np.empty(0), np.zeros(len(tile.position_m) + 1, np.int64)
    geometry.dop_series(
        sky.satellites_m[:, :-1], system, tile.position_m, tile.enu, np.array([MASK_RAD]), *no_horizon,
        MEMBERS, np.full(len(MEMBERS), math.inf), out, counts,
    )  # fmt: skip


class _Rtklib:
    """RTKLIB's look angles and DOP for the cells of a tile, called from Python."""

    def __init__(self, sky: Sky, tile: Tile) -> None:
        self.places = [
            (_doubles([latitude, longitude, 0.0]), _doubles(position_m.tolist()))
            for latitude, longitude, position_m in zip(
                tile.latitude_rad.tolist(), tile.longitude_rad.tolist(), tile.position_m, strict=True
            )
        ]
        self.skies = [
            [_doubles([*xyz_m, 0.0, 0.0, 0.0]) for xyz_m in epoch.tolist() if xyz_m[0] == xyz_m[0]]
            for epoch in sky.satellites_m[::SAMPLE_EVERY, :-1]
        ]
        self.line, self.look = _doubles([0.0] * 3), _doubles([0.0] * 2)
        self.dops = _doubles([0.0] * 4)

        self.azels = [[_doubles([0.0] * (2 * len(satellites))) for _ in self.places] for satellites in self.skies]

    @property
    def n_looks(self) -> int:
        """Look angles of one round."""
        return len(self.places) * sum(map(len, self.skies))

    def pdop(self) -> Floats:
        """PDOP with one clock (time, cell); look angles are kept for `work`."""
        out = np.empty((len(self.skies), len(self.places)))
        for t, (satellites, azels) in enumerate(zip(self.skies, self.azels, strict=True)):
            for c, ((place, position_m), azel) in enumerate(zip(self.places, azels, strict=True)):
                for s, satellite_m in enumerate(satellites):
                    pyrtklib.geodist(satellite_m, position_m, self.line)
                    pyrtklib.satazel(place, self.line, self.look)
                    azel[2 * s], azel[2 * s + 1] = self.look[0], self.look[1]
                pyrtklib.dops(len(satellites), azel, MASK_RAD, self.dops)
                out[t, c] = self.dops[1]
        return out

    def work(self) -> None:
        """Look angles and DOP as in `pdop`, without copying angles from Python."""
        for satellites, azels in zip(self.skies, self.azels, strict=True):
            for (place, position_m), azel in zip(self.places, azels, strict=True):
                for satellite_m in satellites:
                    pyrtklib.geodist(satellite_m, position_m, self.line)
                    pyrtklib.satazel(place, self.line, self.look)
                pyrtklib.dops(len(satellites), azel, MASK_RAD, self.dops)

    def call(self) -> None:
        """As many calls as `work` makes, of a function that does next to nothing."""
        now = pyrtklib.gtime_t()
        for _ in range(2 * self.n_looks + len(self.skies) * len(self.places)):
            pyrtklib.timediff(now, now)


def _doubles(values: list[float]) -> Any:
    array = pyrtklib.Arr1Ddouble(len(values))
    for i, value in enumerate(values):
        array[i] = value
    return array


def rows(positions: xr.Dataset) -> list[Row]:
    """Time of the tile kernel over a day against everything else that can do its work."""
    sky, places = Sky.of(positions), [Tile.at(*corner) for corner in CORNERS_DEG]
    one = places[len(places) // 2]
    position_m, up = one.position_m, np.ascontiguousarray(one.enu[:, 2])
    n_times, n_cells = len(sky.satellites_m), tiles.LANES
    plain = np.empty((n_cells, n_times))
    dops, counts = np.empty((5, 3, 1, n_cells, n_times)), np.empty((2, 3, 1, n_cells, n_times), np.int64)
    rtklib = _Rtklib(sky, one)
    _check(one, sky, plain, rtklib)

    def all_tiles(pool_map: Callable[..., Any]) -> None:
        list(pool_map(lambda tile: tile.statistics(sky, MEMBERS, math.inf, SHARES), places))

    with ThreadPoolExecutor(2) as pool:
        alone, two, joint, textbook, station, looks, calls = time_by_turns(
            lambda: all_tiles(map),
            lambda: all_tiles(pool.map),
            lambda: one.statistics(sky, MEMBERS[JOINT:], math.inf, np.empty(0)),
            lambda: plain_pdop(sky.satellites_m, sky.system_start, position_m, up, plain),
            lambda: _dop_series(sky, one, dops, counts),
            rtklib.work,
            rtklib.call,
            repeats=REPEATS,
            clock=time.perf_counter,
        )
    per_cell = 1e9 / (sky.n_known * n_cells)
    own_ns = alone.median_s * per_cell / len(places)
    net_ns = 1e9 * (looks.median_s - calls.median_s) / rtklib.n_looks
    looks_ns = 1e9 * looks.median_s / rtklib.n_looks
    name = "tile kernel, R, C and R+C with percentiles, one thread"
    return [
        Row(job, f"{own:.2f} ns a satellite and cell", f"{reference} {peer:.2f} ns", own / peer)
        for job, own, reference, peer in (
            (name, own_ns, "geometry.dop_series, the three for stations", station.median_s * per_cell),
            (name, own_ns, "pyrtklib geodist, satazel, dops from Python", looks_ns),
            (name, own_ns, "the same less the calls from Python", net_ns),
            ("the same on two threads", two.median_s * per_cell / len(places), "one thread", own_ns),
            ("tile kernel, R+C alone, PDOP only, one thread", joint.median_s * per_cell,
             "numba, a cell at a time, np.linalg.inv", textbook.median_s * per_cell),
        )
    ]  # fmt: skip


def _check(tile: Tile, sky: Sky, plain: Floats, rtklib: _Rtklib) -> None:
    """Refuse to time what is wrong."""
    own = np.sqrt(tile.statistics(sky, MEMBERS, 0.0, np.empty(0))[JOINT, ::SAMPLE_EVERY])
    if not np.allclose(own, rtklib.pdop(), rtol=AGREEMENT, atol=0.0):
        raise RuntimeError("PDOP with one clock differs from RTKLIB's: mend that first")
    plain_pdop(sky.satellites_m, sky.system_start, tile.position_m, np.ascontiguousarray(tile.enu[:, 2]), plain)
    own = np.sqrt(tile.statistics(sky, MEMBERS, math.inf, np.empty(0))[JOINT])
    if not np.allclose(own, plain.T, rtol=AGREEMENT, atol=0.0):
        raise RuntimeError("PDOP with a clock per system differs from the plain loop's: mend that first")
