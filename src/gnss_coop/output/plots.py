"""Maps as pictures, drawn by matplotlib without its global state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import OutputError
from gnss_coop.model.scenario import Scenario
from gnss_coop.output.map_ground import draw_ground, draw_stations
from gnss_coop.output.map_layers import cell_edges, is_grid, pick_layers, write_whole
from gnss_coop.output.map_projection import Floats, View
from gnss_coop.output.map_sheet import Sheet
from gnss_coop.output.map_style import (
    GAINS,
    MISSING_COLOR,
    Style,
    caption_of,
    gain_of,
    label_of,
    style_of,
    title_of,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm, Colormap
    from matplotlib.figure import Figure

    from gnss_coop.model.station import Station

#: Options of savefig by suffix: no date and no program version, so that the same map gives the same file.
_KINDS: Final[dict[str, dict[str, Any]]] = {
    ".png": {"format": "png", "metadata": {"Software": None}},
    ".svg": {"format": "svg", "metadata": {"Date": None}},
}
_SETTINGS: Final = {"svg.hashsalt": "gnss-coop", "font.family": "DejaVu Sans", "font.size": 9.0}
_DPI: Final = 150
_POINTS_PER_INCH: Final = 72
#: Larger cells are drawn in parts of this size, so that their edges bend with the projection [deg].
_LARGEST_CELL_DEG: Final = 3.0
#: Cells that a picture draws at most in all of its panels, at some 130 bytes each: more than its pixels can show.
_MOST_CELLS: Final = 2_000_000
#: Cells overlap a little, so that no ground shines through where the map closes.
_SEAMLESS: Final[dict[str, Any]] = {"edgecolors": "face", "linewidth": 0.2}
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
    try:
        import matplotlib as mpl
    except ImportError:
        raise OutputError("maps need the package matplotlib: pip install 'gnss-coop[map]'") from None
    suffix = Path(path).suffix.lower() if path is not None else ".png"
    if suffix not in _KINDS:
        raise OutputError(f"cannot tell the kind of picture from {str(path)!r}; end the name in {' or '.join(_KINDS)}")
    if gain and variable not in GAINS:
        variable = gain_of(variable)
    layers = pick_layers(dataset, variable, systems, mask_deg)
    if variable in GAINS:
        layers = _supplemented(layers)
    view = View.of(projection, _bounds(layers))
    with mpl.rc_context(_SETTINGS):
        figure = _draw(dataset.attrs, layers, view, list(stations))
        if path is not None:
            options = _KINDS[suffix]
            write_whole(path, lambda draft: figure.savefig(draft, **options), overwrite=True)
    return figure


def _supplemented(layers: xr.DataArray) -> xr.DataArray:
    """Return the layers of the scenarios that another one supplements."""
    kept = [bool(text) for text in layers["supplemented_by"].values]
    if not any(kept):
        raise OutputError("no scenario here is supplemented by another; map R, C and R+C together to see a gain")
    return layers.isel(systems=np.flatnonzero(kept))


def _bounds(layers: xr.DataArray) -> tuple[float, float, float, float]:
    """Return south, north, west and east of what is drawn [deg]."""
    if is_grid(layers):
        latitude, longitude = cell_edges(layers)
        return float(latitude[0]), float(latitude[-1]), float(longitude[0]), float(longitude[-1])
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
    from matplotlib.figure import Figure

    ordered, draw = layers.transpose("systems", ...), _draw_points
    if is_grid(layers):
        ordered, edges = _thinned(layers.transpose("systems", "lat", "lon"))
        draw = partial(_draw_cells, edges=edges)
    title = title_of(attrs, float(layers["mask_deg"]))
    sheet = Sheet.of(view, ordered.sizes["systems"], title, caption_of(attrs))
    style = style_of(str(layers.name))
    colors, norm = _colors(style, ordered.values)
    figure = Figure(figsize=(sheet.width, sheet.height), dpi=_DPI)
    for i, layer in enumerate(ordered):
        axes = figure.add_axes(sheet.panel(i))
        axes.set_title(_panel_title(layer), fontsize=10, pad=sheet.title_pad * _POINTS_PER_INCH)
        draw_ground(axes, view, labels_left=i % sheet.columns == 0)
        draw(axes, view, layer, cmap=colors, norm=norm)
        draw_stations(axes, view, stations)
    missing = "" if np.isfinite(ordered.values).all() else f"; grey: {style.missing}"
    _draw_bar(figure.add_axes(sheet.bar), colors, norm, label_of(str(layers.name), attrs) + missing)
    words: dict[str, Any] = {"ha": "center", "linespacing": 1.2}
    figure.text(*sheet.title_place, "\n".join(sheet.title), va="top", size=11, weight="bold", **words)
    figure.text(*sheet.caption_place, "\n".join(sheet.caption), va="bottom", size=7.5, color="0.3", **words)
    return figure


def _draw_bar(axes: Axes, colors: Colormap, norm: BoundaryNorm, label: str) -> None:
    """Draw the colour bar, its steps of equal length."""
    from matplotlib.cm import ScalarMappable

    mapped = ScalarMappable(norm, colors)
    steps: dict[str, Any] = {"spacing": "uniform", "ticks": norm.boundaries}
    bar = axes.figure.colorbar(mapped, cax=axes, orientation="horizontal", **steps)
    bar.ax.set_xticklabels([f"{step:g}" for step in norm.boundaries])
    bar.set_label(label)


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


def _thinned(layers: xr.DataArray) -> tuple[xr.DataArray, tuple[Floats, Floats]]:
    """Return layers (systems, lat, lon) and the edges of cells; where there are too many, the middle one of squares."""
    edges = cell_edges(layers)
    step = math.ceil(math.sqrt(layers.size / _MOST_CELLS))
    if step <= 1:
        return layers, edges
    rows, columns = (slice(min(step, n) // 2, None, step) for n in layers.shape[1:])
    # Whole rows are read: single numbers here and there take a disk far longer.
    values = np.stack([layer[rows].values[:, columns] for layer in layers])
    latitude, longitude = (
        np.append(every[::step][:n], every[-1]) for every, n in zip(edges, values.shape[1:], strict=True)
    )
    return layers[:, rows, columns].copy(data=values), (latitude, longitude)


def _draw_cells(axes: Axes, view: View, layer: xr.DataArray, *, edges: tuple[Floats, Floats], **options: Any) -> None:
    """Draw the cells of a grid by their corners."""
    values = layer.values
    latitude, longitude = edges
    rows, columns = (int(np.ceil(np.diff(edges).max() / _LARGEST_CELL_DEG)) for edges in (latitude, longitude))
    values = values.repeat(rows, axis=0).repeat(columns, axis=1)
    latitude, longitude = _divided(latitude, rows), _divided(longitude, columns)
    shown = (latitude[1:] > view.south_deg) & (latitude[:-1] < view.north_deg)
    kept = np.append(shown, False) | np.append(False, shown)
    x, y = view.project(longitude, np.clip(latitude[kept], view.south_deg, view.north_deg)[:, np.newaxis])
    # In SVG the cells are one picture, not a shape for each of thousands.
    axes.pcolormesh(x, y, np.ma.masked_invalid(values[shown]), rasterized=True, zorder=1, **_SEAMLESS, **options)


def _draw_points(axes: Axes, view: View, layer: xr.DataArray, **options: Any) -> None:
    """Draw the places of a list as dots."""
    x, y = view.project(view.wrapped(layer["longitude"].values), layer["latitude"].values)
    values = np.where(np.isfinite(layer.values), layer.values, np.nan)
    axes.scatter(x, y, 36, values, linewidths=0.6, edgecolors="black", zorder=4, plotnonfinite=True, **options)


def _divided(edges: Floats, parts: int) -> Floats:
    """Divide each interval into equal parts."""
    return np.interp(np.arange((edges.size - 1) * parts + 1) / parts, np.arange(edges.size), edges)


def _panel_title(layer: xr.DataArray) -> str:
    name = Scenario.parse(str(layer["systems"].item())).label
    if layer.name not in GAINS:
        return name
    return f"{Scenario.parse(str(layer['supplemented_by'].item())).label} over {name} alone"
