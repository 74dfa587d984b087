"""Maps of what one more station brings, by where it stands, as pictures and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.maps.files import PICTURES, check_target
from gnss_coop.maps.style import MISSING_COLOR, caption_of, title_of
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.output.drawing.ground import mark_place
from gnss_coop.output.drawing.labels import Label, draw_labels
from gnss_coop.output.drawing.panels import draw_bar, draw_cells, empty_sheet, grid_bounds, make_picture
from gnss_coop.output.drawing.projection import Floats, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm, Colormap
    from matplotlib.figure import Figure

    from gnss_coop.model.station import Station

KINDS: Final = (".nc", ".tif", *PICTURES)
#: What each variable is, and how a gain is written.
_VARIABLES: Final = {
    "k1_gain_points": ("Time with a station in view, gained by one more station [percentage points]", "{:+.2f} points"),
    "k2_gain_points": (
        "Time with two stations in view, gained by one more station [percentage points]", "{:+.2f} points",
    ),
    "depth_gain": ("Mean number of stations in view, gained by one more station [number]", "{:+.2f} stations"),
    "gap_max_drop_min": ("Longest time without a station, less by one more station [min]", "{:.0f} min less"),
    "sigma_3d_drop_pct": ("Formal 3D sigma of orbits, less by one more station [%]", "{:.1f} % less"),
}  # fmt: skip
_COLOR_MAP: Final = "viridis"
_STEPS: Final = 9
_STAR: Final[dict[str, Any]] = {
    "color": "white", "markeredgecolor": "black", "markeredgewidth": 0.9, "markersize": 13, "zorder": 6.5,
}  # fmt: skip
#: Gains that differ by less than this share of the largest are equal.
_EQUAL: Final = 1e-9


def write_site_gain(
    dataset: xr.Dataset,
    path: str,
    *,
    variable: str = "k1_gain_points",
    projection: str = "robinson",
    stations: Iterable[Station] = (),
    overwrite: bool = False,
) -> None:
    """Write a map of gains as netCDF, GeoTIFF or a picture, as the ending of its name asks for.

    Parameters
    ----------
    dataset, variable, projection, stations
        As for `plot_site_gain`; netCDF holds all variables, a GeoTIFF one, with a band for each system.
    path : str
        Name ending in .nc, .tif, .png or .svg.
    overwrite : bool
        Whether to replace what is there.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> write_site_gain(None, "site.zip")
    Traceback (most recent call last):
    ...
    gnss_coop.errors.OutputError: site.zip: unknown kind of output; its name must end in .nc, .tif, .png, .svg
    """
    check_target(path, overwrite=overwrite, kinds=KINDS)
    suffix = Path(path).suffix.lower()
    if suffix == ".nc":
        from gnss_coop.output.netcdf import write_netcdf

        write_netcdf(dataset, path, overwrite=overwrite)
    elif suffix == ".tif":
        from gnss_coop.output.geotiff import write_geotiff

        layers = _layers(dataset, variable).rename(system="systems").assign_coords(mask_deg=_mask_deg(dataset))
        write_geotiff(layers.to_dataset(name=variable), path, variable=variable, overwrite=overwrite)
    else:
        plot_site_gain(dataset, path, variable=variable, projection=projection, stations=stations)


def plot_site_gain(
    dataset: xr.Dataset,
    path: str | Path | None = None,
    *,
    variable: str = "k1_gain_points",
    projection: str = "robinson",
    stations: Iterable[Station] = (),
) -> Figure:
    """Draw what one more station brings, by where it stands: a panel for each system, the best cell marked.

    Parameters
    ----------
    dataset : xarray.Dataset
        Variables ([system,] lat, lon) of floats, NaN where nothing was computed: ``k1_gain_points``,
        ``k2_gain_points``, ``depth_gain``, ``gap_max_drop_min``, ``sigma_3d_drop_pct``; more is better in each.
        Attributes ``network``, ``mask_deg``, ``time_start``, ``time_end`` and others go into title and caption; without
        a dimension, ``system`` tells which it is. With ``station_lat`` and ``station_lon`` (station) the stations of
        the network are marked.
    path : str or Path, optional
        File to write, .png or .svg; an existing one is replaced.
    variable : str
        What to draw.
    projection : {"robinson", "platecarree", "north", "south"}
        The last two are azimuthal equidistant about a pole, as far as the equator.
    stations : iterable of Station
        Marked too.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OutputError
        If the map does not hold what is asked for, the projection or the kind of file is unknown, or matplotlib is
        missing.
    GnssCoopError
        If the file cannot be written.

    Examples
    --------
    >>> import xarray as xr
    >>> gains = xr.Dataset(
    ...     {"depth_gain": (("system", "lat", "lon"), np.arange(16.0).reshape(2, 2, 4) / 16)},
    ...     coords={"system": ["R", "C"], "lat": [-45, 45], "lon": [-135, -45, 45, 135]},
    ...     attrs={"network": "joint", "mask_deg": 5.0},
    ... )
    >>> figure = plot_site_gain(gains, variable="depth_gain")
    >>> figure.axes[0].get_title(), figure.axes[0].texts[-1].get_text().splitlines()
    ('GLONASS', ['45°N 135°E', '+0.44 stations'])
    """
    layers = _layers(dataset, variable)
    view = View.of(projection, grid_bounds(layers))
    places = [*_places(dataset), *((s.name, s.latitude_deg, s.longitude_deg) for s in stations)]
    return make_picture(path, lambda: _draw(dataset, layers, view, places))


def _layers(dataset: xr.Dataset, variable: str) -> xr.DataArray:
    """Return a variable (system, lat, lon)."""
    if variable not in dataset.data_vars or not {"lat", "lon"} <= set(dataset[variable].dims):
        known = [str(name) for name, values in dataset.data_vars.items() if {"lat", "lon"} <= set(values.dims)]
        raise OutputError(f"the map holds no {variable!r}; choose one of {', '.join(known)}")
    layers = dataset[variable]
    if "system" not in layers.dims:
        system = layers.coords["system"].item() if "system" in layers.coords else dataset.attrs.get("system", "")
        layers = layers.drop_vars("system", errors="ignore").expand_dims(system=[str(system)])
    if not np.isfinite(layers.values).any():
        raise OutputError(f"no cell of the map has a value of {variable!r}")
    return layers.transpose("system", "lat", "lon")


def _mask_deg(dataset: xr.Dataset) -> float:
    return float(dataset["mask_deg"]) if "mask_deg" in dataset.coords else float(dataset.attrs.get("mask_deg", np.nan))


def _places(dataset: xr.Dataset) -> Iterator[tuple[str, float, float]]:
    if {"station", "station_lat", "station_lon"} <= set(dataset.variables):
        columns = (dataset[name].values.tolist() for name in ("station", "station_lat", "station_lon"))
        yield from zip(*columns, strict=True)


def _draw(dataset: xr.Dataset, layers: xr.DataArray, view: View, places: list[tuple[str, float, float]]) -> Figure:
    words, written = _VARIABLES.get(str(layers.name), (str(layers.name).replace("_", " "), "{:.3g}"))
    letters = layers["system"].values.tolist()
    titles = [SYSTEMS[letter].name if letter in SYSTEMS else str(letter) for letter in letters]
    figure, panels, bar = empty_sheet(view, titles, _title(dataset, words), _caption(dataset))
    colors, norm = _colors(layers.values)
    for axes, layer in zip(panels, layers, strict=True):
        draw_cells(axes, view, layer, cmap=colors, norm=norm)
        labels = [*_mark_best(axes, view, layer, written), *_mark_places(axes, view, places)]
        draw_labels(axes, labels)
    missing = "" if np.isfinite(layers.values).all() else "; grey: not computed"
    draw_bar(bar, colors, norm, words + missing)
    return figure


def _title(dataset: xr.Dataset, words: str) -> str:
    network = f" added to {dataset.attrs['network']}" if "network" in dataset.attrs else ""
    return title_of(dataset.attrs, _mask_deg(dataset), f"{words.partition(' [')[0]}{network}")


def _caption(dataset: xr.Dataset) -> str:
    star = "best cell on land" if "land" in dataset.coords else "best cell"
    stands = f"A cell shows what a station in its middle brings. Star: {star}. Dots: stations that are there."
    return f"{stands} {caption_of(dataset.attrs)}".strip()


def _colors(values: Floats) -> tuple[Colormap, BoundaryNorm]:
    import matplotlib as mpl
    from matplotlib.colors import BoundaryNorm
    from matplotlib.ticker import MaxNLocator

    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    steps = MaxNLocator(nbins=_STEPS).tick_values(low, high if high > low else low + 1.0)
    colors = mpl.colormaps[_COLOR_MAP].resampled(len(steps) - 1).with_extremes(bad=MISSING_COLOR)
    return colors, BoundaryNorm(steps, colors.N)


def _mark_best(axes: Axes, view: View, layer: xr.DataArray, written: str) -> list[Label]:
    """Mark the best cell by a star, and return its label: place, gain, and how many are as good.

    Where the map tells land from sea, only land counts.
    """
    values = layer.values
    if "land" in layer.coords:
        values = np.where(layer["land"].transpose("lat", "lon").values.astype(bool), values, np.nan)
    if not np.isfinite(values).any():
        return []
    best = float(np.nanmax(values))
    equal = int((values >= best - _EQUAL * abs(best)).sum())
    row, column = np.unravel_index(int(np.nanargmax(values)), values.shape)
    latitude, longitude = float(layer["lat"].values[row]), float(layer["lon"].values[column])
    text = f"{place_words(latitude, longitude)}\n{written.format(best)}"
    if equal > 1:
        text += f"\nas {equal - 1} other cell{'s' if equal > 2 else ''}"
    if not view.south_deg <= latitude <= view.north_deg:
        return []
    (x,), (y,) = view.project(view.wrapped([longitude]), [latitude])
    axes.plot(x, y, "*", **_STAR)
    return [Label(text, float(x), float(y), bold=True)]


def place_words(latitude_deg: float, longitude_deg: float) -> str:
    """Return a place in words.

    Examples
    --------
    >>> place_words(-12.5, 190.0)
    '12.5°S 170°W'
    """
    east = (longitude_deg + 180.0) % 360.0 - 180.0
    return f"{abs(latitude_deg):g}°{'N' if latitude_deg >= 0 else 'S'} {abs(east):g}°{'E' if east >= 0 else 'W'}"


def gain_words(variable: str, gain: float) -> str:
    """Return a gain in words.

    Examples
    --------
    >>> gain_words("k1_gain_points", 12.345)
    '+12.35 points'
    """
    return _VARIABLES.get(variable, ("", "{:.3g}"))[1].format(gain)


def _mark_places(axes: Axes, view: View, places: list[tuple[str, float, float]]) -> Iterator[Label]:
    for name, latitude, longitude in places:
        place = mark_place(axes, view, latitude, longitude)
        if place is not None:
            yield Label(name, *place)
