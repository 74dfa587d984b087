"""Map projections, the part of the Earth that a map shows, and the coastlines in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import OutputError
from gnss_coop.model.coasts import coastline_points

Floats = npt.NDArray[np.float64]
Flat = tuple[Floats, Floats]

#: Robinson's table at latitudes 0, 5 ... 90 deg: length of the parallel and distance from the equator, as
#: shares of those at the equator and at the pole (A. H. Robinson, A New Map Projection, 1974).
_ROBINSON_STEP_DEG: Final = 5.0
_ROBINSON_LENGTH: Final = np.array([
    1.0000, 0.9986, 0.9954, 0.9900, 0.9822, 0.9730, 0.9600, 0.9427, 0.9216, 0.8962,
    0.8679, 0.8350, 0.7986, 0.7597, 0.7186, 0.6732, 0.6213, 0.5722, 0.5322,
])  # fmt: skip
_ROBINSON_DISTANCE: Final = np.array([
    0.0000, 0.0620, 0.1240, 0.1860, 0.2480, 0.3100, 0.3720, 0.4340, 0.4958, 0.5571,
    0.6176, 0.6769, 0.7346, 0.7903, 0.8435, 0.8936, 0.9394, 0.9761, 1.0000,
])  # fmt: skip
#: Scale of the table on a sphere of radius 1, as published: half the equator is 0.8487 pi long, half the
#: central meridian 1.3523.
_ROBINSON_X: Final = 0.8487
_ROBINSON_Y: Final = 1.3523

#: Coasts are kept so far beyond the map's edge that no line ends inside [deg].
_MARGIN_DEG: Final = 5.0
_WHOLE_TURN_DEG: Final = 360.0
_OUTLINE_POINTS: Final = 181
#: Steps of a coast below the width of the view divided by this are too small to be seen.
_COAST_DETAIL: Final = 1000.0


def robinson(longitude_deg: Floats, latitude_deg: Floats) -> Flat:
    """Project by Robinson's table, with cubics between its lines, onto a sphere of radius 1.

    Examples
    --------
    >>> x, y = robinson(np.array([0.0, 180.0]), np.array([90.0, 0.0]))
    >>> x.round(4), y.round(4)
    (array([0.    , 2.6663]), array([1.3523, 0.    ]))
    """
    latitude_deg = np.asarray(latitude_deg, np.float64)
    length = _through_table(np.abs(latitude_deg), _ROBINSON_LENGTH)
    distance = _through_table(np.abs(latitude_deg), _ROBINSON_DISTANCE)
    return _ROBINSON_X * length * np.radians(longitude_deg), np.sign(latitude_deg) * _ROBINSON_Y * distance


def _through_table(latitude_deg: Floats, table: Floats) -> Floats:
    """Interpolate with the cubic through the four nearest lines of the table."""
    place = latitude_deg / _ROBINSON_STEP_DEG
    first = np.clip(np.nan_to_num(np.floor(place)).astype(int) - 1, 0, table.size - 4)
    t = place - first
    a, b, c, d = (table[first + i] for i in range(4))
    outer: Floats = d * t * (t - 1) * (t - 2) / 6 - a * (t - 1) * (t - 2) * (t - 3) / 6
    inner: Floats = b * t * (t - 2) * (t - 3) / 2 - c * t * (t - 1) * (t - 3) / 2
    return outer + inner


def plate_carree(longitude_deg: Floats, latitude_deg: Floats) -> Flat:
    """Take longitude and latitude as they are."""
    return np.asarray(longitude_deg, np.float64), np.asarray(latitude_deg, np.float64)


def north_polar(longitude_deg: Floats, latitude_deg: Floats) -> Flat:
    """Project azimuthally about the north pole, distances from it true; the central meridian points down."""
    angle = np.radians(longitude_deg)
    return (90.0 - latitude_deg) * np.sin(angle), -(90.0 - latitude_deg) * np.cos(angle)


def south_polar(longitude_deg: Floats, latitude_deg: Floats) -> Flat:
    """Project azimuthally about the south pole, distances from it true; the central meridian points up."""
    angle = np.radians(longitude_deg)
    return (90.0 + latitude_deg) * np.sin(angle), (90.0 + latitude_deg) * np.cos(angle)


@dataclass(frozen=True, slots=True)
class Projection:
    """A projection and the latitudes that it shows [deg]; a polar one closes on itself."""

    forward: Callable[[Floats, Floats], Flat]
    south_deg: float = -90.0
    north_deg: float = 90.0
    pole_deg: float | None = None


PROJECTIONS: Final = {
    "robinson": Projection(robinson),
    "platecarree": Projection(plate_carree),
    "north": Projection(north_polar, south_deg=0.0, pole_deg=90.0),
    "south": Projection(south_polar, north_deg=0.0, pole_deg=-90.0),
}


@dataclass(frozen=True, slots=True)
class View:
    """A part of the Earth between two parallels and two meridians, in a projection.

    Attributes
    ----------
    projection : Projection
    south_deg, north_deg, west_deg, east_deg : float
        Bounds; east is above west, past 180 where the view crosses the antimeridian.
    """

    projection: Projection
    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float

    @classmethod
    def of(cls, name: str, bounds_deg: tuple[float, float, float, float]) -> View:
        """Make the view of a region (south, north, west, east), as far as the projection shows it.

        Raises
        ------
        OutputError
            For an unknown projection, or one that shows nothing of the region.
        """
        if name not in PROJECTIONS:
            raise OutputError(f"unknown projection {name!r}; choose one of {', '.join(PROJECTIONS)}")
        projection = PROJECTIONS[name]
        south, north, west, east = bounds_deg
        south, north = max(south, projection.south_deg), min(north, projection.north_deg)
        if south >= north:
            raise OutputError(f"the projection {name!r} shows nothing of this region; take platecarree or robinson")
        return cls(projection, south, north, west, east)

    @property
    def is_round(self) -> bool:
        """Whether meridians go all round, so that the map has no western and eastern edge."""
        return self.east_deg - self.west_deg > _WHOLE_TURN_DEG - 1e-6

    @property
    def is_disc(self) -> bool:
        """Whether the map is a disc about a pole."""
        return self.projection.pole_deg is not None and self.is_round

    @property
    def rim_deg(self) -> float:
        """Latitude of the edge where meridians are labelled."""
        return self.north_deg if self.projection.pole_deg == -90.0 else self.south_deg

    @property
    def centre_deg(self) -> float:
        """Longitude of the central meridian."""
        return (self.west_deg + self.east_deg) / 2.0

    def project(self, longitude_deg: npt.ArrayLike, latitude_deg: npt.ArrayLike) -> Flat:
        """Project longitudes, taken as running from the west to the east bound."""
        longitude, latitude = np.broadcast_arrays(longitude_deg, latitude_deg)
        return self.projection.forward(longitude - self.centre_deg, latitude)

    def wrapped(self, longitude_deg: npt.ArrayLike) -> Floats:
        """Bring longitudes within half a turn of the central meridian."""
        return np.asarray((np.asarray(longitude_deg) - self.centre_deg + 180.0) % 360.0 + self.centre_deg - 180.0)

    def line(self, longitude_deg: Floats, latitude_deg: Floats) -> Flat:
        """Project a line, divided by NaN where it leaves the map on one side and comes back on the other."""
        longitude = self.wrapped(longitude_deg)
        [before] = np.nonzero(np.abs(np.diff(longitude)) > _WHOLE_TURN_DEG / 2)
        # It is drawn up to both sides, at the latitude that it has there.
        side = np.where(longitude[before] > self.centre_deg, 1.0, -1.0) * _WHOLE_TURN_DEG / 2
        first, last = self.centre_deg + side - longitude[before], longitude[before + 1] - self.centre_deg + side
        share = np.divide(first, first + last, out=np.zeros(before.size), where=first + last != 0.0)
        middle = latitude_deg[before] + share * (latitude_deg[before + 1] - latitude_deg[before])
        gap = np.full(before.size, np.nan)
        places = np.repeat(before + 1, 3)
        sides = np.stack([self.centre_deg + side, gap, self.centre_deg - side], axis=-1).ravel()
        return self.project(
            np.insert(longitude, places, sides),
            np.insert(latitude_deg, places, np.stack([middle, gap, middle], axis=-1).ravel()),
        )

    def outline(self) -> Flat:
        """Return the edge of the map as a closed line."""
        east_west = np.linspace(self.west_deg, self.east_deg, _OUTLINE_POINTS)
        if self.is_disc:
            return self.project(east_west, self.rim_deg)
        south_north = np.linspace(self.south_deg, self.north_deg, _OUTLINE_POINTS)
        full = np.ones(_OUTLINE_POINTS)
        longitude = np.concatenate([east_west, full * self.east_deg, east_west[::-1], full * self.west_deg])
        latitude = np.concatenate([full * self.south_deg, south_north, full * self.north_deg, south_north[::-1]])
        return self.project(longitude, latitude)

    def coastlines(self) -> Flat:
        """Return the coastlines in the view, as fine as can be seen, divided by NaN."""
        longitude, latitude = coastline_points()
        longitude = self.wrapped(longitude)
        inside = (latitude > self.south_deg - _MARGIN_DEG) & (latitude < self.north_deg + _MARGIN_DEG)
        inside &= (longitude > self.west_deg - _MARGIN_DEG) & (longitude < self.east_deg + _MARGIN_DEG)
        longitude = np.where(inside, longitude, np.nan)
        # Of neighbours in one square of a fine lattice the first is enough; of many NaN in a row, too.
        squares = np.stack([longitude, latitude]) * (_COAST_DETAIL / (self.east_deg - self.west_deg))
        squares = np.where(np.isnan(longitude), np.inf, np.floor(squares))
        kept = np.append(True, (np.diff(np.nan_to_num(squares)) != 0).any(axis=0))
        longitude, latitude = longitude[kept], latitude[kept]
        # A line that leaves the map on one side and comes back on the other must not be drawn across.
        torn = np.flatnonzero(np.abs(np.diff(longitude)) > _WHOLE_TURN_DEG / 2) + 1
        return self.project(np.insert(longitude, torn, np.nan), np.insert(latitude, torn, np.nan))
