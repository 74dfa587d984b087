"""Layers of a map as GeoTIFF, for geographic information systems."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.model.grid import row_blocks
from gnss_coop.output.layers import Floats, cell_edges, is_grid, pick_layers
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import xarray as xr

# Numbers of TIFF tags: the first three of GeoTIFF 1.1, the others GDAL's for band names and missing values.
_MODEL_PIXEL_SCALE, _MODEL_TIEPOINT, _GEO_KEY_DIRECTORY = 33550, 33922, 34735
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
_DOUBLE, _SHORT, _ASCII = "d", "H", "s"
#: Size of what is compressed in one go.
_STRIP_BYTES: Final = 2**18
#: Version 1.1.0 and four keys; each key with its place (0: the value follows), count and value.
_GEO_KEYS: Final = (
    (1, 1, 1, 4),
    (1024, 0, 1, 2),  # GTModelType: geographic, in degrees
    (1025, 0, 1, 1),  # GTRasterType: a pixel is an area
    (2048, 0, 1, 4326),  # GeodeticCRS: EPSG:4326, WGS 84
    (2054, 0, 1, 9102),  # GeogAngularUnits: degree
)


def write_geotiff(
    dataset: xr.Dataset,
    path: str | Path,
    *,
    variable: str | None = None,
    systems: str | Sequence[str] | None = None,
    mask_deg: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write one variable of a map as GeoTIFF (WGS 84, float32, north up), one band for each scenario.

    Missing values are NaN; so are infinite ones, the percentiles that fall among epochs without a solution.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `dop_map` gives it for a grid.
    path : str or Path
        The file appears under this name only when it is complete.
    variable : str, optional
        ``pdop_median`` by default.
    systems : str or sequence of str, optional
        Scenarios that become bands; all by default.
    mask_deg : float, optional
        Elevation mask; needed where the map holds several.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the map holds points or not what is asked for, the file exists, or tifffile is missing.
    GnssCoopError
        If the file cannot be written.

    Notes
    -----
    OGC GeoTIFF Standard 1.1 (OGC 19-008r4).

    Examples
    --------
    >>> import pathlib, tempfile, tifffile, xarray as xr
    >>> world = xr.Dataset(
    ...     {"pdop_median": (("systems", "lat", "lon"), np.full((1, 2, 4), 1.5, np.float32))},
    ...     coords={"systems": ["R+C"], "lat": [-45, 45], "lon": [-135, -45, 45, 135], "mask_deg": 5.0},
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_geotiff(world, pathlib.Path(folder, "pdop.tif"), systems="R+C")
    ...     tifffile.imread(pathlib.Path(folder, "pdop.tif")).shape
    (2, 4)
    """
    try:
        import tifffile
    except ImportError:
        raise OutputError("GeoTIFF needs the package tifffile: pip install 'gnss-coop[map]'") from None
    layers = pick_layers(dataset, variable or "pdop_median", systems, mask_deg)
    if not is_grid(layers):
        raise OutputError("a GeoTIFF takes a grid, and this map holds points; write a table or netCDF instead")
    south_up = layers.transpose("systems", "lat", "lon")
    n_bands, n_rows, n_columns = south_up.shape
    strip_rows = min(max(_STRIP_BYTES // (4 * n_columns), 1), n_rows)
    options: dict[str, Any] = {
        "shape": south_up.shape if n_bands > 1 else (n_rows, n_columns),
        "dtype": "<f4",
        "byteorder": "<",
        "rowsperstrip": strip_rows,
        "photometric": "minisblack",
        "planarconfig": "separate" if n_bands > 1 else None,
        "compression": "zlib",
        "metadata": None,  # no words of tifffile's own: the geographic tags say it all
        "software": False,
        "extrasamples": ["unspecified"] * (n_bands - 1),
        "extratags": _tags(layers),
    }

    def write(draft: Path) -> None:
        with closing(_strips(south_up, strip_rows)) as strips:
            tifffile.imwrite(draft, strips, **options)

    replace_file(path, write, overwrite=overwrite)


def _strips(south_up: xr.DataArray, strip_rows: int) -> Generator[bytes]:
    """Yield the rows of all bands from the north, so many at a time, compressed by several threads."""
    n_bands, n_rows, n_columns = south_up.shape
    with ThreadPoolExecutor() as pool:
        for band in range(n_bands):
            for rows in row_blocks((n_rows, n_columns), strip_rows):
                values = south_up[band, n_rows - rows.stop : n_rows - rows.start].values[::-1].astype("<f4")
                values[~np.isfinite(values)] = np.nan
                starts = range(0, len(values), strip_rows)
                yield from pool.map(lambda start, v=values: zlib.compress(v[start : start + strip_rows]), starts)


def _tags(layers: xr.DataArray) -> list[tuple[int, str, int, Any, bool]]:
    """Return the tags that place the picture on the Earth and name its bands."""
    latitude, longitude = cell_edges(layers)
    scale = (_step(longitude), _step(latitude), 0.0)
    corner = (0.0, 0.0, 0.0, float(longitude[0]), float(latitude[-1]), 0.0)
    keys = [number for key in _GEO_KEYS for number in key]
    names = _band_names(layers)
    return [
        (_MODEL_PIXEL_SCALE, _DOUBLE, len(scale), scale, True),
        (_MODEL_TIEPOINT, _DOUBLE, len(corner), corner, True),
        (_GEO_KEY_DIRECTORY, _SHORT, len(keys), keys, True),
        (_GDAL_METADATA, _ASCII, 0, names, True),
        (_GDAL_NODATA, _ASCII, 0, "nan", True),
    ]


def _step(edges: Floats) -> float:
    steps = np.diff(edges)
    if not np.allclose(steps, steps[0], rtol=1e-6):
        raise OutputError("a GeoTIFF takes a grid of equal steps; write netCDF instead")
    return float((edges[-1] - edges[0]) / steps.size)


def _band_names(layers: xr.DataArray) -> str:
    """Return the names of the bands in GDAL's words."""
    what = f"{layers.name}, mask {float(layers['mask_deg']):g} deg"
    items = (
        f'<Item name="DESCRIPTION" sample="{band}" role="description">{escape(f"{label}: {what}")}</Item>'
        for band, label in enumerate(layers["systems"].values)
    )
    return f"<GDALMetadata>{''.join(items)}</GDALMetadata>"
