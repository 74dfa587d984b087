"""Pictures of how many stations see a satellite above each point of the Earth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.maps.files import PICTURES, check_target
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.output.drawing.ground import mark_place
from gnss_coop.output.drawing.labels import Label, draw_labels
from gnss_coop.output.drawing.panels import draw_cells, empty_sheet, grid_bounds, make_picture
from gnss_coop.output.drawing.projection import Floats, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure

KINDS: Final = (".nc", *PICTURES)
#: Colour of no station at all, and the part of the colour map that the others take: its dark end hides coasts.
_NONE_COLOR: Final = "#e9e9e9"
_COLOR_MAP: Final = "viridis"
_COLORS_FROM: Final = 0.15
#: Beyond so many the numbers at the colour bar are spaced out.
_BAR_LABELS: Final = 16
_VEIL: Final[dict[str, Any]] = {
    "facecolor": (1.0, 1.0, 1.0, 0.45), "edgecolor": (0.25, 0.25, 0.25, 0.8), "hatch": "////", "linewidth": 0.0,
}  # fmt: skip
#: Lines with a halo, readable on bright and on dark: colour, width and opacity of both.
_CIRCLE: Final = (("white", 1.8, 0.7), ("#d1005b", 0.8, 1.0))
_TRACK: Final = (("white", 2.4, 0.9), ("black", 1.2, 1.0))
_EDGE_POINTS: Final = 181
#: The band about the equator that is left clear for geostationary satellites, which stay within it [deg].
_EQUATOR_BAND_DEG: Final = 5.0


def write_depth(dataset: xr.Dataset, path: str, *, projection: str = "robinson", overwrite: bool = False) -> None:
    """Write a map of depth as netCDF or as a picture, as the ending of its name asks for.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `depth_map` gives it.
    path : str
        Name ending in .nc, .png or .svg.
    projection : str
        As for `plot_depth`.
    overwrite : bool
        Whether to replace what is there.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> write_depth(None, "depth.tif")
    Traceback (most recent call last):
    ...
    gnss_coop.errors.OutputError: depth.tif: unknown kind of output; its name must end in .nc, .png, .svg
    """
    check_target(path, overwrite=overwrite, kinds=KINDS)
    if Path(path).suffix.lower() == ".nc":
        from gnss_coop.output.netcdf import write_netcdf

        write_netcdf(dataset, path, overwrite=overwrite)
    else:
        plot_depth(dataset, path, projection=projection)


def plot_depth(dataset: xr.Dataset, path: str | Path | None = None, *, projection: str = "robinson") -> Figure:
    """Draw how many stations see a satellite above each point of the Earth, a panel for each network.

    Each station of the network is marked and named, with the line around what it sees. Latitudes that no satellite
    of the orbit reaches are hatched; ground tracks are drawn where the map has them.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `depth_map` gives it, or read from its netCDF file.
    path : str or Path, optional
        File to write, .png or .svg; an existing one is replaced.
    projection : {"robinson", "platecarree", "north", "south"}
        The last two are azimuthal equidistant about a pole, as far as the equator.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OutputError
        If the Dataset is not a depth map, the projection or the kind of file is unknown, or matplotlib is missing.
    GnssCoopError
        If the file cannot be written.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> figure = plot_depth(gc.depth_map("russia,joint", gc.GeoGrid(10)))
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['russia: 3 stations', 'joint: 6 stations']
    """
    if "depth" not in dataset or "network" not in dataset.dims:
        raise OutputError("the Dataset is not a depth map; make it by depth_map")
    return make_picture(path, lambda: _draw(dataset, View.of(projection, grid_bounds(dataset["depth"]))))


def _draw(dataset: xr.Dataset, view: View) -> Figure:
    counts = dataset["member"].values.astype(bool).sum(axis=1).tolist()
    titles = [_panel_title(*pair) for pair in zip(dataset["network"].values.tolist(), counts, strict=True)]
    figure, panels, bar = empty_sheet(view, titles, _title(dataset), _caption(dataset))
    colors, norm = _colors(max(*counts, 1))
    for i, axes in enumerate(panels):
        one = dataset.isel(network=i)
        draw_cells(axes, view, one["depth"], cmap=colors, norm=norm)
        _draw_beyond(axes, view, _limit_deg(dataset))
        for sv in range(dataset.sizes.get("sv", 0)):
            _draw_track(axes, view, dataset.isel(sv=sv))
        _draw_stations(axes, view, one.isel(station=np.flatnonzero(one["member"].values)))
    _draw_bar(bar, colors, norm)
    return figure


def _panel_title(name: str, n_stations: int) -> str:
    return f"{name}: {n_stations} station{'s' if n_stations != 1 else ''}"


def _title(dataset: xr.Dataset) -> str:
    attrs = dataset.attrs
    name = f"{SYSTEMS[attrs['system']].name} {attrs['orbit']}" if "system" in attrs else "Circular orbit"
    return (
        f"Stations that see a satellite above each point: {name}, orbit radius {attrs['radius_m'] / 1e3:.1f} km, "
        f"elevation mask {float(dataset['mask_deg']):g}\N{DEGREE SIGN}"
    )


def _caption(dataset: xr.Dataset) -> str:
    items = ["A line surrounds the points above which its station sees the satellite, on or above mask and horizon."]
    limit_deg = _limit_deg(dataset)
    if limit_deg == _EQUATOR_BAND_DEG:
        items.append(f"Hatched: beyond latitude {limit_deg:g}\N{DEGREE SIGN}; the satellites stay at the equator.")
    elif limit_deg < 90.0:
        items.append(f"Hatched: beyond latitude {limit_deg:g}\N{DEGREE SIGN}, which no satellite of the orbit reaches.")
    if "track_lat" in dataset:
        items.append("Black: ground tracks of the nominal constellation.")
    items.append("Geometry of the orbit: the same at any time.")
    return " ".join(items)


def _limit_deg(dataset: xr.Dataset) -> float:
    """Return the latitude beyond which the map is hatched."""
    return max(float(dataset.attrs.get("inclination_deg", 90.0)), _EQUATOR_BAND_DEG)


def _colors(n_stations: int) -> tuple[ListedColormap, BoundaryNorm]:
    """Return a colour for each number of stations; none at all is grey."""
    import matplotlib as mpl
    from matplotlib.colors import BoundaryNorm, ListedColormap

    some = mpl.colormaps[_COLOR_MAP](np.linspace(_COLORS_FROM, 1.0, n_stations))
    return ListedColormap([_NONE_COLOR, *some]), BoundaryNorm(np.arange(n_stations + 2) - 0.5, n_stations + 1)


def _draw_bar(axes: Axes, colors: ListedColormap, norm: BoundaryNorm) -> None:
    from matplotlib.cm import ScalarMappable

    numbers = np.arange(0, colors.N, -(-colors.N // _BAR_LABELS))
    bar = axes.figure.colorbar(
        ScalarMappable(norm, colors),
        cax=axes,
        orientation="horizontal",
        ticks=numbers,
        drawedges=colors.N <= _BAR_LABELS,
    )
    bar.ax.tick_params(length=0)
    bar.ax.set_xticklabels([str(number) for number in numbers])
    bar.set_label("Stations that see a satellite above the point [number]")


def _draw_beyond(axes: Axes, view: View, limit_deg: float) -> None:
    """Hatch the latitudes beyond a limit."""
    for low, high in ((limit_deg, 90.0), (-90.0, -limit_deg)):
        low, high = max(low, view.south_deg), min(high, view.north_deg)
        if low >= high:
            continue
        along = np.linspace(view.west_deg, view.east_deg, _EDGE_POINTS)
        up = np.linspace(low, high, _EDGE_POINTS)
        full = np.ones(_EDGE_POINTS)
        x, y = view.project(
            np.concatenate([along, full * view.east_deg, along[::-1], full * view.west_deg]),
            np.concatenate([full * low, up, full * high, up[::-1]]),
        )
        axes.fill(x, y, zorder=2.5, **_VEIL)


def _draw_track(axes: Axes, view: View, satellite: xr.Dataset) -> None:
    latitude, longitude = satellite["track_lat"].values, satellite["track_lon"].values
    if np.ptp(latitude) == 0.0 and np.ptp(longitude) < 1e-6:  # a geostationary satellite stands
        x, y = view.project(view.wrapped(longitude[:1]), latitude[:1])
        axes.plot(x, y, "D", color="black", markeredgecolor="white", markersize=5, zorder=5.5)
        return
    _draw_line(axes, view, np.append(longitude, longitude[0]), np.append(latitude, latitude[0]), _TRACK)


def _draw_stations(axes: Axes, view: View, members: xr.Dataset) -> None:
    """Draw the lines around what stations see, and mark and name the stations."""
    labels = []
    for i in range(members.sizes["station"]):
        station = members.isel(station=i)
        _draw_line(axes, view, station["circle_lon"].values, station["circle_lat"].values, _CIRCLE)
        place = mark_place(axes, view, float(station["station_lat"]), float(station["station_lon"]))
        if place is not None:
            labels.append(Label(str(station["station"].item()), *place))
    draw_labels(axes, labels)


def _draw_line(
    axes: Axes, view: View, longitude: Floats, latitude: Floats, strokes: tuple[tuple[str, float, float], ...]
) -> None:
    x, y = view.line(longitude, latitude)
    edge = axes.patches[0]  # of the map, as draw_ground left it
    for color, width, opacity in strokes:
        axes.plot(x, y, color=color, linewidth=width, alpha=opacity, zorder=4, clip_path=edge)
