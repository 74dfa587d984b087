"""Maps as netCDF-4 files after the CF conventions, for xarray, Panoply and QGIS alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop._version import __version__
from gnss_coop.errors import OutputError
from gnss_coop.model.grid import row_blocks
from gnss_coop.output.hdf5 import HDF5_LOCK
from gnss_coop.output.layers import cell_edges, is_grid
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import xarray as xr

#: Bits of the significand that are kept: 2^-15 = 3.1e-5 is the largest relative error.
_KEPT_BITS: Final = 14
_SINGLE_BITS: Final = 23
_DEFLATE_LEVEL: Final = 4
#: Chunks are written whole and once. The library would keep them until the file is closed, some 100 MB of a fine grid.
_CHUNK_CACHE_BYTES: Final = 2**20
#: Dimensions of data: scenarios, or cells of a grid.
_SCENARIO: Final = "systems"
_CELLS: Final = {"lat", "lon"}
#: Dimensions within a layer; all others count layers.
_INNER: Final = ("lat", "lon", "point")
#: How coordinates and bounds are stored: with no missing values.
_PLAIN: Final[dict[str, Any]] = {"_FillValue": None, "coordinates": None}

#: How a statistic over time is said in CF; percentiles other than these have no word there.
_CELL_METHODS: Final = {
    "median": "median",
    "worst": "maximum",
    "p0": "minimum",
    "mean": "mean",
    "min": "minimum",
}
_COORDINATES: Final[dict[str, dict[str, str]]] = {
    "lat": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north", "axis": "Y"},
    "lon": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east", "axis": "X"},
    "latitude": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"},
    "longitude": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"},
    "point": {"long_name": "name of the place"},
    "network": {"long_name": "ground network"},
    "system": {"long_name": "satellite system, as RINEX letter"},
    "station": {"long_name": "name of the station"},
    "mask_deg": {"long_name": "elevation mask", "units": "degree"},
    "systems": {"long_name": "satellite systems used together, as RINEX letters"},
    "supplemented_by": {"long_name": "systems that the gain is computed for; empty where there are none"},
}
#: WGS 84: EPSG ellipsoid 7030 and coordinate reference system 4326.
_CRS: Final = {
    "long_name": "WGS 84",
    "grid_mapping_name": "latitude_longitude",
    "semi_major_axis": 6378137.0,
    "inverse_flattening": 298.257223563,
    "longitude_of_prime_meridian": 0.0,
    "reference_ellipsoid_name": "WGS 84",
    "prime_meridian_name": "Greenwich",
    "horizontal_datum_name": "World Geodetic System 1984",
    "geographic_crs_name": "WGS 84",
    "crs_wkt": (
        'GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,'
        'LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],'
        "CS[ellipsoidal,2],"
        'AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],'
        'AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],'
        'ID["EPSG",4326]]'
    ),
}
_ROUNDING: Final = (
    f"Data are rounded to 4 significant digits ({_KEPT_BITS} bits of the significand): the relative error "
    "is at most 5e-5."
)
_NO_SOLUTION: Final = "missing where the percentile falls among epochs without a solution"


def write_netcdf(dataset: xr.Dataset, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a map as netCDF-4 after CF-1.11.

    Values are rounded to 4 significant digits and compressed. Infinite values (percentiles that fall among
    epochs without a solution) become missing values, which the variable's ``comment`` says.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `dop_map` gives it, for a grid or for points.
    path : str or Path
        The file appears under this name only when it is complete.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file exists and must not be overwritten, or the netCDF library fails.
    GnssCoopError
        If the folder cannot be written to.

    Notes
    -----
    CF Metadata Conventions 1.11, https://cfconventions.org.

    Examples
    --------
    >>> import pathlib, tempfile, xarray as xr
    >>> world = xr.Dataset(
    ...     {"pdop_median": (("systems", "lat", "lon"), np.full((1, 2, 3), 1.23456, np.float32))},
    ...     coords={"systems": ["R+C"], "lat": [-45.0, 45.0], "lon": [-120.0, 0.0, 120.0], "mask_deg": 5.0},
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_netcdf(world, pathlib.Path(folder, "dop.nc"))
    ...     with xr.open_dataset(pathlib.Path(folder, "dop.nc")) as back:
    ...         f"{back.pdop_median.sel(systems='R+C', lat=45, lon=0).item():.4g}", back.attrs["Conventions"]
    ('1.235', 'CF-1.11')
    """
    import netCDF4

    names = [str(name) for name, values in dataset.data_vars.items() if _is_layers(values.variable)]
    frame = _described(dataset.drop_vars(names))
    for variable in frame.variables.values():
        variable.encoding = {"dtype": "S1"} if variable.dtype.kind in "OUT" else _PLAIN

    def write(draft: Path) -> None:
        try:
            with HDF5_LOCK:
                frame.to_netcdf(draft, mode="w", engine="netcdf4", format="NETCDF4")
                with netCDF4.Dataset(draft, "a") as file:
                    for name in names:
                        _append(file, name, dataset[name], frame)
        except RuntimeError as error:  # what the netCDF library raises, on a full disk for instance
            raise OutputError(f"cannot write {str(path)!r}: {error}") from None

    replace_file(path, write, overwrite=overwrite)


def _is_layers(variable: xr.Variable) -> bool:
    """Tell what is mapped from what describes the map."""
    dims = set(variable.dims)
    return dims > {_SCENARIO} or dims >= _CELLS


def _append(file: Any, name: str, values: xr.DataArray, frame: xr.Dataset) -> None:
    """Add a variable to a file, layer by layer: a rounded copy of all of it would take as much memory again."""
    inner = [dim for dim in values.dims if dim in _INNER]
    values = values.transpose(*(dim for dim in values.dims if dim not in _INNER), *inner)
    for dim, size in values.sizes.items():
        if dim not in file.dimensions:
            file.createDimension(dim, size)
    layers, shape = values.shape[: -len(inner)], values.shape[-len(inner) :]
    blocks = list(row_blocks(shape))
    counts = values.dtype.kind in "iu"
    stored: dict[str, Any] = {} if counts else {"fill_value": np.float32(np.nan)}
    variable = file.createVariable(
        name, values.dtype if counts else "f4", values.dims, zlib=True, complevel=_DEFLATE_LEVEL, shuffle=True,
        chunksizes=(*(1 for _ in layers), blocks[0].stop, *shape[1:]), **stored,
    )  # fmt: skip
    variable.set_var_chunk_cache(_CHUNK_CACHE_BYTES)
    variable.set_auto_maskandscale(False)
    endless = False
    for place in np.ndindex(layers):
        for rows in blocks:
            data = values[(*place, rows)].values
            infinite = np.isinf(data)
            endless = endless or bool(infinite.any())
            variable[(*place, rows)] = data if counts else round_bits(np.where(infinite, np.float32(np.nan), data))
    variable.setncatts(_words(name, values, frame) | ({"comment": _NO_SOLUTION} if endless else {}))


def round_bits(values: npt.ArrayLike, kept_bits: int = _KEPT_BITS) -> npt.NDArray[np.float32]:
    """Round to so many bits of the significand, ties to even, so that the rest is zeros and compresses.

    Examples
    --------
    >>> round_bits([1.0, 1 + 2**-14, 1 + 2**-16]) - 1 == [0.0, 2**-14, 0.0]
    array([ True,  True,  True])
    """
    singles = np.asarray(values, np.float32)
    bits = singles.view(np.uint32)
    dropped = np.uint32(_SINGLE_BITS - kept_bits)
    one = np.uint32(1)
    half = ((one << (dropped - one)) - one) + ((bits >> dropped) & one)
    rounded = ((bits + half) >> dropped << dropped).view(np.float32)
    return np.where(np.isfinite(singles), rounded, singles)


def _described(dataset: xr.Dataset) -> xr.Dataset:
    """Return coordinates and attributes as they go into the file, with all that CF wants said about them."""
    import xarray as xr

    result = dataset.drop_encoding()
    for name, words in _COORDINATES.items():
        if name in result.coords:
            result[name].attrs = {**result[name].attrs, **words}
    if is_grid(result):
        for name, edges in zip(("lat", "lon"), cell_edges(result), strict=True):
            result[name].attrs["bounds"] = f"{name}_bnds"
            result[f"{name}_bnds"] = ((name, "bnds"), np.stack([edges[:-1], edges[1:]], axis=-1))
    result["crs"] = xr.Variable((), np.int32(0), _CRS)
    result = _with_span(result)
    result.attrs = _attributes(dataset.attrs)
    return result


def _words(name: str, values: xr.DataArray, frame: xr.Dataset) -> dict[str, Any]:
    """Return the attributes of a variable as they go into the file."""
    quantity, _, statistic = name.partition("_")
    words = {"units": "1", "long_name": name.replace("_", " "), **values.attrs, "grid_mapping": "crs"}
    if quantity.endswith("dop") or quantity == "n":
        method = _CELL_METHODS.get(statistic.removeprefix("used_"))
        words |= {"cell_methods": f"area: point time: {method}"} if method else {}
    dims = set(values.dims)
    beside = [str(name) for name, c in frame.coords.items() if name not in c.dims and set(c.dims) <= dims]
    return words | ({"coordinates": " ".join(beside)} if beside else {})


def _with_span(result: xr.Dataset) -> xr.Dataset:
    """Add the time that the statistics stand for: the middle of the span, with the span as its bounds."""
    if not {"time_start", "time_end"} <= result.attrs.keys():
        return result
    start, end = (np.datetime64(result.attrs[name], "ns") for name in ("time_start", "time_end"))
    span_s = float((end - start) / np.timedelta64(1, "s"))
    words = {
        "standard_name": "time",
        "long_name": f"time ({result.attrs.get('time_scale', 'GPST')})",
        "units": f"seconds since {np.datetime_as_string(start, 's').replace('T', ' ')}",
        "calendar": "standard",
        "units_metadata": "leap_seconds: none",  # as GPST runs
        "bounds": "time_bnds",
    }
    result = result.assign_coords(time=((), span_s / 2, words))
    return result.assign(time_bnds=(("bnds",), [0.0, span_s]))


def _attributes(attrs: dict[Any, Any]) -> dict[str, Any]:
    """Return global attributes: the map's own, lists as text, and those of CF."""
    kept = {
        str(key): ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        for key, value in attrs.items()
        if value is not None and not (isinstance(value, str | list | tuple) and len(value) == 0)
    }
    kept = {key: str(value) if isinstance(value, bool) else value for key, value in kept.items()}
    planned = kept.get("constellation", "satellite positions")
    source = f"navigation files: {kept['files']}" if "files" in kept else planned
    return {
        "Conventions": "CF-1.11",
        "title": "Dilution of precision over time",
        "source": source,
        "history": f"written by gnss-coop {__version__}",
        "comment": _ROUNDING,
        **kept,
    }
