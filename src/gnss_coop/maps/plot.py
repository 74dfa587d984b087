"""Maps as pictures, drawn by matplotlib without its global state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import OutputError
from gnss_coop.maps.style import (
    GAINS,
    MISSING_COLOR,
    Style,
    caption_of,
    gain_of,
    heading_of,
    label_of,
    missing_of,
    style_of,
    title_of,
)
from gnss_coop.model.scenario import Scenario
from gnss_coop.output.drawing.ground import draw_stations
from gnss_coop.output.drawing.panels import draw_bar, draw_cells, empty_sheet, grid_bounds, make_picture, thinned
from gnss_coop.output.drawing.projection import View
from gnss_coop.output.layers import is_grid, pick_layers

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm, Colormap
    from matplotlib.figure import Figure

    from gnss_coop.model.station import Station

#: Room around points [deg], the least shape of their map, and the width from which the whole Earth is shown.
_POINT_MARGIN_DEG: Final = 8.0
_POINT_MIN_RATIO: Final = 0.5  # of height to width
_REGION_WIDTH_DEG: Final = 200.0


def plot_map(
    dataset: xr.Dataset,
    path: str | Path | None = None,
    *,
    variable: str = "pdop_median",
    projection: str = "robinson",
    systems: str | Sequence[str] | None = None,
    mask_deg: float | None = None,
    gain: bool = False,
    stations: Iterable[Station] = (),
) -> Figure:
    """Draw a map, a panel for each scenario, and save it as PNG or SVG.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `dop_map` gives it, for a grid or for points. The map shows the region that it covers. Where all panels
        together have more than two million cells, every second (third, ...) row and column of cells is drawn.
    path : str or Path, optional
        File to write, of the kind that its suffix names; an existing one is replaced.
    variable : str
        What to draw.
    projection : {"robinson", "platecarree", "north", "south"}
        The last two are azimuthal equidistant about a pole, as far as the equator.
    systems : str or sequence of str, optional
        Scenarios; all by default.
    mask_deg : float, optional
        Elevation mask; needed where the map holds several.
    gain : bool
        Draw what the supplement brings to each scenario that has one: the ratio of median PDOPs, or the
        availability gained if `variable` is an availability.
    stations : iterable of Station
        Marked with dots, and named on maps of regions.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OutputError
        If the map does not hold what is asked for, the projection or the kind of file is unknown, or
        matplotlib is missing.
    GnssCoopError
        If the file cannot be written.

    Examples
    --------
    >>> import xarray as xr
    >>> world = xr.Dataset(
    ...     {"pdop_median": (("systems", "lat", "lon"), np.full((2, 2, 4), 1.5))},
    ...     coords={"systems": ["R", "C"], "lat": [-45, 45], "lon": [-135, -45, 45, 135], "mask_deg": 5.0},
    ... )
    >>> figure = plot_map(world)
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['GLONASS', 'BeiDou']
    """

    def draw() -> Figure:
        name = gain_of(variable) if gain and variable not in GAINS else variable
        layers = pick_layers(dataset, name, systems, mask_deg)
        if name in GAINS:
            layers = _supplemented(layers)
        return _draw(dataset.attrs, layers, View.of(projection, _bounds(layers)), list(stations))

    return make_picture(path, draw)


def _supplemented(layers: xr.DataArray) -> xr.DataArray:
    """Return the layers of the scenarios that another one supplements."""
    kept = [bool(text) for text in layers["supplemented_by"].values]
    if not any(kept):
        raise OutputError("no scenario here is supplemented by another; map R, C and R+C together to see a gain")
    return layers.isel(systems=np.flatnonzero(kept))


def _bounds(layers: xr.DataArray) -> tuple[float, float, float, float]:
    """Return south, north, west and east of what is drawn [deg]."""
    if is_grid(layers):
        return grid_bounds(layers)
    latitude, longitude = (layers[name].values for name in ("latitude", "longitude"))
    around = np.unique(longitude % 360.0)
    gaps = np.diff(around, append=around[0] + 360.0)
    widest = int(gaps.argmax())  # the points lie between its ends, the other way round
    east = float(around[widest])
    west = east - (360.0 - float(gaps[widest]))
    if east - west > _REGION_WIDTH_DEG:
        return -90.0, 90.0, -180.0, 180.0
    turn = 360.0 * np.floor((west + 180.0) / 360.0)
    west, east = west - turn - _POINT_MARGIN_DEG, east - turn + _POINT_MARGIN_DEG
    middle = (latitude.min() + latitude.max()) / 2.0
    reach = max(np.ptp(latitude) / 2.0 + _POINT_MARGIN_DEG, (east - west) / 2.0 * _POINT_MIN_RATIO)
    return max(float(middle - reach), -90.0), min(float(middle + reach), 90.0), west, east


def _draw(attrs: dict[Any, Any], layers: xr.DataArray, view: View, stations: Sequence[Station]) -> Figure:
    """Draw a panel for each scenario, the colour bar, and the words."""
    ordered, draw = layers.transpose("systems", ...), _draw_points
    if is_grid(layers):
        ordered, edges = thinned(layers.transpose("systems", "lat", "lon"))
        draw = partial(draw_cells, edges=edges)
    titles = [_panel_title(layer) for layer in ordered]
    title = title_of(attrs, float(layers["mask_deg"]), heading_of(str(layers.name), attrs))
    figure, panels, bar = empty_sheet(view, titles, title, caption_of(attrs))
    style = style_of(str(layers.name))
    colors, norm = _colors(style, ordered.values)
    for axes, layer in zip(panels, ordered, strict=True):
        draw(axes, view, layer, cmap=colors, norm=norm)
        draw_stations(axes, view, stations)
    missing = "" if np.isfinite(ordered.values).all() else f"; grey: {missing_of(style, attrs)}"
    draw_bar(bar, colors, norm, label_of(str(layers.name), attrs) + missing)
    return figure


def _colors(style: Style, values: npt.NDArray[Any]) -> tuple[Colormap, BoundaryNorm]:
    import matplotlib as mpl
    from matplotlib.colors import BoundaryNorm
    from matplotlib.ticker import MaxNLocator

    steps: Sequence[float] = style.steps
    if not steps:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        steps = list(MaxNLocator(nbins=10, integer=True).tick_values(low, max(high, low + 1.0)))
    ends = {"neither": 0, "min": 1, "max": 1, "both": 2}[style.extend]
    colors = mpl.colormaps[style.color_map].resampled(len(steps) - 1 + ends).with_extremes(bad=MISSING_COLOR)
    return colors, BoundaryNorm(steps, colors.N, extend=style.extend)


def _draw_points(axes: Axes, view: View, layer: xr.DataArray, **options: Any) -> None:
    """Draw the places of a list as dots."""
    x, y = view.project(view.wrapped(layer["longitude"].values), layer["latitude"].values)
    values = np.where(np.isfinite(layer.values), layer.values, np.nan)
    axes.scatter(x, y, 36, values, linewidths=0.6, edgecolors="black", zorder=4, plotnonfinite=True, **options)


def _panel_title(layer: xr.DataArray) -> str:
    name = Scenario.parse(str(layer["systems"].item())).label
    if layer.name not in GAINS:
        return name
    return f"{Scenario.parse(str(layer['supplemented_by'].item())).label} over {name} alone"
