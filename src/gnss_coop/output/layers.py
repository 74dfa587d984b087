"""What all writers of maps share: which layer is meant, where its cells end, and whole files only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import OutputError

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]


def pick_layers(
    dataset: xr.Dataset,
    variable: str,
    systems: str | Sequence[str] | None = None,
    mask_deg: float | None = None,
) -> xr.DataArray:
    """Return the layers (systems, lat, lon) or (systems, point) of one variable and one mask.

    Raises
    ------
    OutputError
        If the map does not hold what is asked for, or holds several masks and none is named.

    Examples
    --------
    >>> import xarray as xr
    >>> world = xr.Dataset(
    ...     {"pdop_median": (("systems", "mask_deg", "lat", "lon"), np.ones((2, 2, 3, 4)))},
    ...     coords={"systems": ["R", "R+C"], "mask_deg": [5.0, 25.0]},
    ... )
    >>> pick_layers(world, "pdop_median", "R+C", mask_deg=25).sizes
    Frozen({'systems': 1, 'lat': 3, 'lon': 4})
    """
    if variable not in dataset:
        raise OutputError(f"the map holds no {variable!r}; choose one of {', '.join(map(str, dataset.data_vars))}")
    layers = one_mask(dataset[variable], mask_deg)
    if systems is None:
        return layers
    wanted = [systems] if isinstance(systems, str) else list(systems)
    held = [str(label) for label in layers["systems"].values]
    missing = [label for label in wanted if label not in held]
    if missing or not wanted:
        raise OutputError(f"the map holds no systems {','.join(missing)!r}; choose from {', '.join(held)}")
    return layers.sel(systems=wanted)


def one_mask(layers: xr.DataArray, mask_deg: float | None) -> xr.DataArray:
    """Return the layers of one elevation mask, which may go unnamed where there is only one."""
    masks = np.atleast_1d(layers["mask_deg"].values)
    if mask_deg is None and masks.size > 1:
        raise OutputError(f"the map holds several masks; name one of {', '.join(f'{m:g}' for m in masks)} deg")
    index = 0 if mask_deg is None else int(np.abs(masks - mask_deg).argmin())
    if mask_deg is not None and not np.isclose(masks[index], mask_deg):
        raise OutputError(f"the map holds no mask of {mask_deg:g} deg, only {', '.join(f'{m:g}' for m in masks)} deg")
    return layers.isel(mask_deg=index) if "mask_deg" in layers.dims else layers


def is_grid(data: xr.Dataset | xr.DataArray) -> bool:
    """Tell a grid from a list of points."""
    return "lat" in data.dims and "lon" in data.dims


def cell_edges(dataset: xr.Dataset | xr.DataArray) -> tuple[Floats, Floats]:
    """Return the edges of the cells in latitude and longitude [deg], one more than there are cells.

    Edges lie half-way between middles. Cells are as high as wide, so a single row or column takes its
    width from the other axis; a single cell has no known size and is taken as 1 deg.

    Examples
    --------
    >>> import xarray as xr
    >>> cell_edges(xr.Dataset(coords={"lat": [-45.0, 45.0], "lon": [135.0]}))
    (array([-90.,   0.,  90.]), array([ 90., 180.]))
    """
    middles = [np.asarray(dataset[name].values, np.float64) for name in ("lat", "lon")]
    steps = [np.diff(axis) for axis in middles]
    usual = next((float(step[0]) for step in steps if step.size), 1.0)
    edges = []
    for axis, step in zip(middles, steps, strict=True):
        first, last = (step[0], step[-1]) if step.size else (usual, usual)
        inner = axis[:-1] + step / 2
        edges.append(np.concatenate([[axis[0] - first / 2], inner, [axis[-1] + last / 2]]))
    return np.clip(edges[0], -90.0, 90.0), edges[1]
