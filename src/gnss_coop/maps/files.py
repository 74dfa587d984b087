"""Maps into files: the ending of the name says which kind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.errors import OutputError

if TYPE_CHECKING:
    import xarray as xr

PICTURES: Final = (".png", ".svg")
KINDS: Final = (".nc", ".zarr", ".tif", *PICTURES)


def check_target(path: str, *, overwrite: bool, kinds: tuple[str, ...] = KINDS, besides: tuple[str, ...] = ()) -> None:
    """Refuse an output that could not be written, before anything is computed.

    Parameters
    ----------
    path : str
        File or, for Zarr, folder.
    overwrite : bool
        Whether it may exist.
    kinds, besides : tuple of str
        Endings that are allowed, and others that go elsewhere, to be named too.

    Raises
    ------
    OutputError
        With what to do.
    """
    target = Path(path)
    if target.suffix.lower() not in kinds:
        raise OutputError(f"{path}: unknown kind of output; its name must end in {', '.join((*kinds, *besides))}")
    if target.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {target.parent}; create it first")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"{path}: permission denied: {target.parent}")


def check_room(path: str, n_bytes: int) -> None:
    """Refuse to start writing more than the disk has room for.

    Raises
    ------
    OutputError
        Saying how much is needed and there.
    """
    free = shutil.disk_usage(Path(path).parent).free
    if n_bytes > free:
        raise OutputError(
            f"{path} would hold up to {n_bytes / 1e9:.1f} GB, but its disk has {free / 1e9:.1f} GB free; take fewer "
            "cells, epochs, masks or scenarios"
        )


def write_map(world: xr.Dataset, path: str, *, overwrite: bool = False, **picture: Any) -> None:
    """Write a map as the kind of file that its name asks for.

    Parameters
    ----------
    world : xarray.Dataset
        As `dop_map` gives it.
    path : str
        Name ending in .nc (netCDF), .zarr, .tif (GeoTIFF), .png or .svg.
    overwrite : bool
        Whether to replace what is there.
    **picture
        mask_deg, variable, projection, gain, stations: as for `plot_map`; a GeoTIFF takes the first two.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> write_map(None, "dop.gif")
    Traceback (most recent call last):
    ...
    gnss_coop.errors.OutputError: dop.gif: unknown kind of output; its name must end in .nc, .zarr, .tif, .png, .svg
    """
    check_target(path, overwrite=overwrite)
    suffix = Path(path).suffix.lower()
    if suffix == ".nc":
        from gnss_coop.output.netcdf import write_netcdf

        write_netcdf(world, path, overwrite=overwrite)
    elif suffix == ".zarr":
        from gnss_coop.maps.zarr_store import write_zarr

        write_zarr(world, path, overwrite=overwrite)
    elif suffix == ".tif":
        from gnss_coop.output.geotiff import write_geotiff

        write_geotiff(
            world, path, variable=picture.get("variable"), mask_deg=picture.get("mask_deg"), overwrite=overwrite
        )
    else:
        from gnss_coop.maps.plot import plot_map

        plot_map(world, path, **picture)
