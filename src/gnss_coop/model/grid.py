"""Places that maps are computed for: grids of cells, and lists of points."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import GridError
from gnss_coop.model.numbers import plain_float
from gnss_coop.model.text import name_faults

Floats = npt.NDArray[np.float64]

_TOLERANCE: Final = 1e-9
_MAX_CELLS: Final = 50_000_000
_HEIGHTS_M: Final = (-1000.0, 20_000.0)
_COLUMNS: Final = ("name", "latitude_deg", "longitude_deg")
#: Cells of one layer that are worked on at once: 32 MiB in single precision.
_BLOCK_CELLS: Final = 2**23


@dataclass(frozen=True, slots=True)
class GeoGrid:
    """A grid of equal steps in latitude and longitude; values stand for the middles of its cells.

    Attributes
    ----------
    step_deg : float
        Step in latitude and longitude; it must divide the region.
    region : tuple of four float
        South, north, west and east bounds [deg]. West may lie east of east: the region then crosses the
        antimeridian.

    Raises
    ------
    GridError
        For a step or region that makes no grid.

    Examples
    --------
    >>> GeoGrid(step_deg=30).shape
    (6, 12)
    >>> GeoGrid(step_deg=5, region=(50, 60, 170, -170)).longitude_deg
    array([172.5, 177.5, 182.5, 187.5])
    """

    step_deg: float = 1.0
    region: tuple[float, float, float, float] = (-90.0, 90.0, -180.0, 180.0)

    def __post_init__(self) -> None:
        if len(self.region) != 4:
            raise GridError(f"a region has four bounds (south, north, west, east), not {len(self.region)}")
        south, north, west, east = self.region
        if not 0.0 < self.step_deg <= 90.0:
            raise GridError(f"the grid step must be above 0 and at most 90 deg, not {self.step_deg:g}")
        if not -90.0 <= south < north <= 90.0:
            raise GridError(f"the region's latitudes must rise within -90 to 90 deg, not {south:g} to {north:g}")
        if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and west != east and self._width_deg > 0.0):
            raise GridError(f"the region's longitudes must differ within -180 to 180 deg, not {west:g} and {east:g}")
        if (north - south) / self.step_deg * (self._width_deg / self.step_deg) > _MAX_CELLS * (1.0 + _TOLERANCE):
            raise GridError(f"a step of {self.step_deg:g} deg makes more than {_MAX_CELLS:,} cells; take a larger one")
        for name, span in (("latitude", north - south), ("longitude", self._width_deg)):
            steps = span / self.step_deg
            if abs(steps - round(steps)) > _TOLERANCE * max(1.0, steps) or round(steps) < 1:
                raise GridError(f"a step of {self.step_deg:g} deg does not divide the {span:g} deg of {name}")

    @property
    def _width_deg(self) -> float:
        _, _, west, east = self.region
        return east - west if east > west else east - west + 360.0

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of cells in latitude and longitude."""
        south, north, _, _ = self.region
        return round((north - south) / self.step_deg), round(self._width_deg / self.step_deg)

    @property
    def latitude_deg(self) -> Floats:
        """Latitudes of the middles, rising."""
        return np.asarray(self.region[0] + self.step_deg * (np.arange(self.shape[0]) + 0.5), dtype=np.float64)

    @property
    def longitude_deg(self) -> Floats:
        """Longitudes of the middles, rising; past 180 in a region that crosses the antimeridian."""
        return np.asarray(self.region[2] + self.step_deg * (np.arange(self.shape[1]) + 0.5), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class GeoPoints:
    """A list of places: towns, a route.

    Attributes
    ----------
    names : tuple of str
    latitude_deg, longitude_deg, height_m : float64 (n,)

    Raises
    ------
    GridError
        For coordinates out of range, all of them at once, or not as many of them as names.

    Examples
    --------
    >>> towns = GeoPoints.of(["Harbin", "Chita"], [45.75, 52.03], [126.64, 113.5])
    >>> len(towns)
    2
    """

    names: tuple[str, ...]
    latitude_deg: Floats
    longitude_deg: Floats
    height_m: Floats

    @classmethod
    def of(cls, names: Any, latitude_deg: Any, longitude_deg: Any, height_m: Any = 0.0) -> GeoPoints:
        """Check and take coordinates as arrays; a height counts for all where it is one number."""
        labels = tuple(str(name) for name in names)
        if not labels:
            raise GridError("there are no points")
        try:
            latitude, longitude, height = (np.array(c, np.float64) for c in (latitude_deg, longitude_deg, height_m))
        except (TypeError, ValueError) as error:
            raise GridError(f"coordinates must be numbers ({error})") from None
        if height.ndim == 0:
            height = np.full(len(labels), height)
        shapes = [coordinate.shape for coordinate in (latitude, longitude, height)]
        if shapes != [(len(labels),)] * 3:
            raise GridError(f"{len(labels)} names need as many latitudes, longitudes and heights, not {shapes}")
        bad = ~((np.abs(latitude) <= 90) & (np.abs(longitude) <= 360))
        bad |= ~((height >= _HEIGHTS_M[0]) & (height <= _HEIGHTS_M[1]))
        if bad.any():
            faults = ", ".join(
                f"{labels[i]} ({latitude[i]:g}, {longitude[i]:g}, {height[i]:g} m)" for i in np.flatnonzero(bad)
            )
            raise GridError(f"no places on Earth: {faults}; latitude, longitude [deg] and height [m] are wanted")
        return cls(labels, latitude, longitude, height)

    def __len__(self) -> int:
        return len(self.names)


def row_blocks(shape: tuple[int, ...], unit: int = 1) -> Iterator[slice]:
    """Yield the rows of a layer in blocks that fit into memory, whatever the grid.

    Parameters
    ----------
    shape : tuple of int
        Of the layer: rows and columns, or the number of points.
    unit : int
        Blocks begin at multiples of so many rows.

    Examples
    --------
    >>> list(row_blocks((1800, 3600))), list(row_blocks((5000, 10_000)))[-1]
    ([slice(0, 1800, None)], slice(4190, 5000, None))
    """
    rows = max(_BLOCK_CELLS // math.prod(shape[1:]) // unit, 1) * unit
    for start in range(0, shape[0], rows):
        yield slice(start, min(start + rows, shape[0]))


def read_points(path: str | Path) -> GeoPoints:
    r"""Read places from a CSV file.

    Parameters
    ----------
    path : str or Path
        File with the columns ``name``, ``latitude_deg``, ``longitude_deg`` and, if wanted, ``height_m``.

    Returns
    -------
    GeoPoints

    Raises
    ------
    GridError
        If the file cannot be read, lacks a column, holds no or impossible coordinates, or names that would act on a
        terminal or in a spreadsheet.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "towns.csv")
    ...     _ = path.write_text("name,latitude_deg,longitude_deg\nHarbin,45.75,126.64\n")
    ...     read_points(path).names
    ('Harbin',)
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            columns = _columns(csv.reader(stream, skipinitialspace=True, strict=True))
        missing = [name for name in _COLUMNS if name not in columns]
        if missing:
            raise GridError(f"column {missing[0]} is missing; wanted are {', '.join(_COLUMNS)} and perhaps height_m")
        latitude, longitude = map(_numbers, (columns["latitude_deg"], columns["longitude_deg"]))
        height = _numbers(columns["height_m"]) if "height_m" in columns else 0.0
        odd = next((f"{name!r} {fault}" for name in columns["name"] if (fault := name_faults(name))), None)
        if odd is not None:
            raise GridError(f"the name {odd}")
        return GeoPoints.of(columns["name"], latitude, longitude, height)
    except GridError as error:
        raise GridError(f"{path}: {error}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise GridError(f"{path}: cannot be read as CSV ({getattr(error, 'strerror', None) or error})") from None


def _columns(reader: Any) -> dict[str, list[str]]:
    """Return the columns of a CSV file by the names in its head."""
    head = [name.strip() for name in next(reader, [])]
    rows = []
    for row in filter(None, reader):
        if len(row) != len(head):
            raise GridError(
                f"line {reader.line_num} has {len(row)} fields, but the head has {len(head)}; divide fields by a comma "
                "and write decimals with a point"
            )
        rows.append(row)
    return {name: [row[i] for row in rows] for i, name in enumerate(head)}


def _numbers(texts: list[str]) -> list[float]:
    """Return numbers, NaN for what is none: it is told with the other faults."""
    numbers = []
    for text in texts:
        try:
            numbers.append(plain_float(text))
        except ValueError:
            numbers.append(math.nan)
    return numbers
