"""What lies under and over the values of a map: edge, coasts, grid lines with their labels, stations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.output.drawing.projection import Floats, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

    from gnss_coop.model.station import Station

_HALO: Final = "white"
_STATION_COLOR: Final = "#d1005b"
_GRID_LINE: Final[dict[str, Any]] = {"color": "black", "linewidth": 0.3, "alpha": 0.4, "zorder": 2}
#: Distances between grid lines [deg]; a map has about six of them.
_GRID_STEPS_DEG: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
_GRID_LINES: Final = 6
#: Stations are named on maps of regions up to this width; on a world map names would cover each other.
_NAMED_WIDTH_DEG: Final = 150.0
#: Share of the map's width beyond which names stand to the left of their dots.
_ROOM_EASTWARD: Final = 0.7


def draw_ground(axes: Axes, view: View, *, labels_left: bool) -> Patch:
    """Draw the map's edge, coasts and grid lines, set the limits to the map's edge, and return the edge."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    x, y = view.outline()
    edge = Outline(np.stack([x, y], axis=-1))
    outline = PathPatch(edge, facecolor="none", edgecolor="black", linewidth=0.8, zorder=5, clip_on=False)
    axes.add_patch(outline)
    coast = view.coastlines()
    for color, width, opacity in ((_HALO, 1.3, 0.5), ("black", 0.5, 1.0)):  # readable on bright and on dark
        axes.plot(*coast, color=color, linewidth=width, alpha=opacity, zorder=3, clip_path=outline)
    parallels = _grid_lines(view.south_deg, view.north_deg)
    meridians = _grid_lines(view.west_deg, view.east_deg)
    for latitude in parallels:
        axes.plot(*view.project(np.linspace(view.west_deg, view.east_deg, 181), latitude), **_GRID_LINE)
    for longitude in meridians:
        axes.plot(*view.project(longitude, np.linspace(view.south_deg, view.north_deg, 91)), **_GRID_LINE)
    _label_grid(axes, view, parallels if labels_left else [], meridians)
    axes.set_xlim(x.min(), x.max())
    axes.set_ylim(y.min(), y.max())
    axes.set_aspect("equal")
    axes.set_axis_off()
    return outline


def _grid_lines(low_deg: float, high_deg: float) -> list[float]:
    """Return round values between two bounds, the bounds included."""
    wanted = (high_deg - low_deg) / _GRID_LINES
    step = next((s for s in _GRID_STEPS_DEG if s >= wanted - 1e-9), _GRID_STEPS_DEG[-1])
    return [float(v) for v in np.arange(np.ceil(low_deg / step - 1e-9), np.floor(high_deg / step + 1e-9) + 1) * step]


def _label_grid(axes: Axes, view: View, parallels: Sequence[float], meridians: Sequence[float]) -> None:
    """Write latitudes along the western edge and longitudes along the rim, outside the map."""
    if view.is_disc:
        meridians = meridians[:-1]  # the first and the last are the same
    inward = 1.0 if view.rim_deg == view.south_deg else -1.0
    for longitude in meridians:
        x, y = view.project(longitude, np.array([view.rim_deg, view.rim_deg + inward]))
        if view.projection.pole_deg is None:
            x[1] = x[0]  # straight down, also where meridians run askew
        _label(axes, x, y, _degrees((longitude + 180.0) % 360.0 - 180.0, "E", "W"))
    hidden = {view.rim_deg, view.projection.pole_deg} if view.is_disc else {-90.0, 90.0} if view.is_round else set()
    for latitude in set(parallels) - hidden:
        x, y = view.project(np.array([view.west_deg, view.west_deg + 1.0]), latitude)
        _label(axes, x, y, _degrees(latitude, "N", "S"))


def _label(axes: Axes, x: Floats, y: Floats, text: str) -> None:
    """Write beside the first of two points, away from the second."""
    from matplotlib.patheffects import withStroke

    away = np.array([x[0] - x[1], y[0] - y[1]])
    away /= np.hypot(*away)
    horizontal = "left" if away[0] > 0.4 else "right" if away[0] < -0.4 else "center"
    vertical = "bottom" if away[1] > 0.4 else "top" if away[1] < -0.4 else "center"
    axes.annotate(
        text, (x[0], y[0]), xytext=tuple(4.0 * away), textcoords="offset points", ha=horizontal, va=vertical,
        fontsize=7, color="0.2", annotation_clip=False, zorder=6,
        path_effects=[withStroke(linewidth=1.5, foreground=_HALO)],
    )  # fmt: skip


def _degrees(value: float, positive: str, negative: str) -> str:
    side = "" if value in (0.0, 180.0, -180.0) else positive if value > 0 else negative
    return f"{abs(value):g}\N{DEGREE SIGN}{side}"


def draw_stations(axes: Axes, view: View, stations: Sequence[Station]) -> None:
    """Mark stations with dots, and name them on maps of regions."""
    for station in stations:
        place = mark_place(axes, view, station.latitude_deg, station.longitude_deg)
        if place is not None and view.east_deg - view.west_deg <= _NAMED_WIDTH_DEG:
            _name_station(axes, *place, station.name)


def mark_place(axes: Axes, view: View, latitude_deg: float, longitude_deg: float) -> tuple[float, float] | None:
    """Mark a place with a station's dot, and return where it is; None where the view does not show it."""
    longitude = float(view.wrapped(longitude_deg))
    inside = view.south_deg <= latitude_deg <= view.north_deg
    if not (inside and view.west_deg <= longitude <= view.east_deg):
        return None
    (x,), (y,) = view.project([longitude], [latitude_deg])
    axes.plot(
        x,
        y,
        "o",
        color=_STATION_COLOR,
        markeredgecolor="white",
        markeredgewidth=0.7,
        markersize=5,
        zorder=6,
    )
    return float(x), float(y)


def _name_station(axes: Axes, x: float, y: float, name: str) -> None:
    """Write a name beside its dot, on the side where there is room."""
    west, east = axes.get_xlim()
    leftward = x > west + _ROOM_EASTWARD * (east - west)
    box = {"boxstyle": "round,pad=0.15", "facecolor": _HALO, "alpha": 0.75, "linewidth": 0}
    axes.annotate(
        name, (x, y), xytext=(-5 if leftward else 5, 4), textcoords="offset points", fontsize=7, zorder=7,
        bbox=box, ha="right" if leftward else "left",
    )  # fmt: skip
