"""The best places of a map of gains: on land, and apart from each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Cells nearer than this stand for one site, which the next in the list must not be again.
APART_KM: Final = 1000.0
_EARTH_RADIUS_KM: Final = 6371.0


def best_cells(gain: xr.DataArray, n: int = 1, *, apart_km: float = APART_KM) -> pd.DataFrame:
    """List the places of the largest gains.

    Parameters
    ----------
    gain : xarray.DataArray
        (lat, lon), such as ``site_gain_map(...)["k1_gain_points"].sel(system="R")``. With a coordinate ``land``
        (lat, lon) only cells on land count.
    n : int
        How many at most.
    apart_km : float
        Least distance of a place from all that are better, since neighbours of the best cell are nearly as good.

    Returns
    -------
    pandas.DataFrame
        ``rank, latitude_deg, longitude_deg, value``, the best first; fewer rows where there are no more places.

    Examples
    --------
    >>> import xarray as xr
    >>> coords = {"lat": [10.0], "lon": [20.0, 30.0, 60.0], "land": (("lat", "lon"), [[1, 0, 1]])}
    >>> best_cells(xr.DataArray([[1.0, 3.0, 2.0]], dims=("lat", "lon"), coords=coords), 3).values.tolist()
    [[1.0, 10.0, 60.0, 2.0], [2.0, 10.0, 20.0, 1.0]]
    """
    import pandas as pd

    values = gain.transpose("lat", "lon").values.astype(np.float64)
    if "land" in gain.coords:
        values = np.where(gain["land"].transpose("lat", "lon").values.astype(bool), values, np.nan)
    latitude, longitude = np.meshgrid(gain["lat"].values, (gain["lon"].values + 180.0) % 360.0 - 180.0, indexing="ij")
    rows: list[tuple[int, float, float, float]] = []
    while len(rows) < n and np.isfinite(values).any():
        i = np.unravel_index(int(np.nanargmax(values)), values.shape)
        rows.append((len(rows) + 1, float(latitude[i]), float(longitude[i]), float(values[i])))
        near = _distance_km(latitude, longitude, float(latitude[i]), float(longitude[i])) < apart_km
        near[i] = True
        values = np.where(near, np.nan, values)
    return pd.DataFrame(rows, columns=["rank", "latitude_deg", "longitude_deg", "value"])


def best_cell(gain: xr.DataArray) -> dict[str, float]:
    """Return the place of the largest gain and the gain: latitude_deg, longitude_deg, value; NaN where there is none.

    With a coordinate ``land`` (lat, lon), as `site_gain_map` gives it, only cells on land count.

    Examples
    --------
    >>> import xarray as xr
    >>> gain = xr.DataArray([[1.0, 3.0]], dims=("lat", "lon"), coords={"lat": [10.0], "lon": [20.0, 30.0]})
    >>> best_cell(gain)
    {'latitude_deg': 10.0, 'longitude_deg': 30.0, 'value': 3.0}
    """
    found = best_cells(gain, 1)
    if found.empty:
        return dict.fromkeys(("latitude_deg", "longitude_deg", "value"), math.nan)
    return {name: float(found[name].iloc[0]) for name in ("latitude_deg", "longitude_deg", "value")}


def _distance_km(
    latitude_deg: npt.NDArray[np.float64],
    longitude_deg: npt.NDArray[np.float64],
    to_latitude: float,
    to_longitude: float,
) -> npt.NDArray[np.float64]:
    """Great-circle distance on a sphere (haversine)."""
    up, over = np.radians(latitude_deg - to_latitude), np.radians(longitude_deg - to_longitude)
    across = np.cos(np.radians(latitude_deg)) * math.cos(math.radians(to_latitude))
    half = np.sin(up / 2.0) ** 2 + across * np.sin(over / 2.0) ** 2
    return np.asarray(2.0 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))
