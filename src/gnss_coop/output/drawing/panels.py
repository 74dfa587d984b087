"""What all pictures of maps share: the sheet with its panels, cells, the colour bar, and the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.output.drawing.ground import draw_ground
from gnss_coop.output.drawing.projection import Floats, View
from gnss_coop.output.drawing.sheet import Sheet
from gnss_coop.output.layers import cell_edges
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm, Colormap
    from matplotlib.figure import Figure

#: Options of savefig by suffix: no date and no program version, so that the same map gives the same file.
_KINDS: Final[dict[str, dict[str, Any]]] = {
    ".png": {"format": "png", "metadata": {"Software": None}},
    ".svg": {"format": "svg", "metadata": {"Date": None}},
}
_SETTINGS: Final = {"svg.hashsalt": "gnss-coop", "font.family": "DejaVu Sans", "font.size": 9.0, "hatch.linewidth": 0.4}
_DPI: Final = 150
_POINTS_PER_INCH: Final = 72
#: Larger cells are drawn in parts of this size, so that their edges bend with the projection [deg].
_LARGEST_CELL_DEG: Final = 3.0
#: Cells that a picture draws at most in all of its panels, at some 130 bytes each: more than its pixels can show.
_MOST_CELLS: Final = 2_000_000
#: Cells overlap a little, so that no ground shines through where the map closes.
_SEAMLESS: Final[dict[str, Any]] = {"edgecolors": "face", "linewidth": 0.2}


def make_picture(path: str | Path | None, draw: Callable[[], Figure], *, overwrite: bool = True) -> Figure:
    """Draw a figure under the settings of all pictures, and save it as PNG or SVG where there is a path.

    Raises
    ------
    OutputError
        For an unknown kind of file, one that exists and must not be overwritten, or without matplotlib.
    GnssCoopError
        If the file cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise OutputError("maps need the package matplotlib: pip install 'gnss-coop[map]'") from None
    suffix = Path(path).suffix.lower() if path is not None else ".png"
    if suffix not in _KINDS:
        raise OutputError(f"cannot tell the kind of picture from {str(path)!r}; end the name in {' or '.join(_KINDS)}")
    with mpl.rc_context(_SETTINGS):
        figure = draw()
        if path is not None:
            options = _KINDS[suffix]
            replace_file(path, lambda draft: figure.savefig(draft, **options), overwrite=overwrite)
    return figure


def empty_sheet(view: View, titles: Sequence[str], title: str, caption: str) -> tuple[Figure, list[Axes], Axes]:
    """Return a figure with its words and a map without values for each title, those maps, and room for a colour bar."""
    from matplotlib.figure import Figure

    sheet = Sheet.of(view, len(titles), title, caption)
    figure = Figure(figsize=(sheet.width, sheet.height), dpi=_DPI)
    panels = []
    for i, words_above in enumerate(titles):
        axes = figure.add_axes(sheet.panel(i))
        axes.set_title(words_above, fontsize=10, pad=sheet.title_pad * _POINTS_PER_INCH)
        draw_ground(axes, view, labels_left=i % sheet.columns == 0)
        panels.append(axes)
    words: dict[str, Any] = {"ha": "center", "linespacing": 1.2}
    figure.text(*sheet.title_place, "\n".join(sheet.title), va="top", size=11, weight="bold", **words)
    figure.text(*sheet.caption_place, "\n".join(sheet.caption), va="bottom", size=7.5, color="0.3", **words)
    return figure, panels, figure.add_axes(sheet.bar)


def grid_bounds(layers: xr.DataArray | xr.Dataset) -> tuple[float, float, float, float]:
    """Return south, north, west and east of a grid [deg]."""
    latitude, longitude = cell_edges(layers)
    return float(latitude[0]), float(latitude[-1]), float(longitude[0]), float(longitude[-1])


def thinned(layers: xr.DataArray) -> tuple[xr.DataArray, tuple[Floats, Floats]]:
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


def draw_cells(
    axes: Axes, view: View, layer: xr.DataArray, *, edges: tuple[Floats, Floats] | None = None, **options: Any
) -> None:
    """Draw the cells of a grid by their corners, which follow from the middles where they are not given."""
    values = layer.transpose("lat", "lon").values
    latitude, longitude = cell_edges(layer) if edges is None else edges
    rows, columns = (int(np.ceil(np.diff(side).max() / _LARGEST_CELL_DEG)) for side in (latitude, longitude))
    values = values.repeat(rows, axis=0).repeat(columns, axis=1)
    latitude, longitude = _divided(latitude, rows), _divided(longitude, columns)
    shown = (latitude[1:] > view.south_deg) & (latitude[:-1] < view.north_deg)
    kept = np.append(shown, False) | np.append(False, shown)
    x, y = view.project(longitude, np.clip(latitude[kept], view.south_deg, view.north_deg)[:, np.newaxis])
    # In SVG the cells are one picture, not a shape for each of thousands.
    axes.pcolormesh(x, y, np.ma.masked_invalid(values[shown]), rasterized=True, zorder=1, **_SEAMLESS, **options)


def _divided(edges: Floats, parts: int) -> Floats:
    """Divide each interval into equal parts."""
    return np.interp(np.arange((edges.size - 1) * parts + 1) / parts, np.arange(edges.size), edges)


def draw_bar(axes: Axes, colors: Colormap, norm: BoundaryNorm, label: str) -> None:
    """Draw the colour bar, its steps of equal length."""
    from matplotlib.cm import ScalarMappable

    mapped = ScalarMappable(norm, colors)
    steps: dict[str, Any] = {"spacing": "uniform", "ticks": norm.boundaries}
    bar = axes.figure.colorbar(mapped, cax=axes, orientation="horizontal", **steps)
    bar.ax.set_xticklabels([f"{step:g}" for step in norm.boundaries])
    bar.set_label(label)
