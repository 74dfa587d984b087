"""Coastlines, and which places stand on land."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_COASTLINES: Final = files("gnss_coop.model") / "data" / "coastlines.npz"


@cache
def coastline_points() -> tuple[Floats, Floats]:
    """Return longitudes and latitudes of the coasts [deg], divided by NaN (Natural Earth, 1:50 million)."""
    with as_file(_COASTLINES) as file, np.load(file) as stored:
        points = np.cumsum(stored["steps"], axis=0, dtype=np.int16) / float(stored["units_per_deg"])
        ends = np.cumsum(stored["lengths"])[:-1]
    parted = np.insert(points, ends, np.nan, axis=0)
    return parted[:, 0], parted[:, 1]


def on_land(latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which places stand on land: along a meridian from the North Pole, in the sea, each coast changes sides.

    Parameters
    ----------
    latitude_deg, longitude_deg : array_like
        Places, broadcast against each other; longitudes may be of any turn.

    Returns
    -------
    ndarray of bool
        By coasts at 1:50 million: islands below some kilometres are sea, lakes but the Caspian Sea are land, and
        ice shelves of the Antarctic are as Natural Earth has them.

    Examples
    --------
    >>> on_land([52.3, 0.0, -90.0, 90.0], [104.3, -30.0, 0.0, 0.0]).tolist()
    [True, False, True, False]
    """
    latitude, longitude = np.broadcast_arrays(np.asarray(latitude_deg, float), np.asarray(longitude_deg, float))
    turned = (longitude + 180.0) % 360.0 - 180.0
    result = np.zeros(latitude.shape, dtype=np.bool_)
    for meridian in np.unique(turned):
        own = turned == meridian
        crossings = _crossings_deg(float(meridian))
        result[own] = (crossings.size - np.searchsorted(crossings, latitude[own], side="right")) % 2 == 1
    return result


def _crossings_deg(meridian_deg: float) -> Floats:
    """Return the latitudes at which coasts cross a meridian, rising; ends of edges count once."""
    longitude, latitude = coastline_points()
    # Nothing stands on the antimeridian itself: coasts are cut there.
    meridian_deg = np.clip(meridian_deg, -179.98, 179.98)
    left, right = longitude[:-1] <= meridian_deg, longitude[1:] <= meridian_deg
    edges = np.flatnonzero((left != right) & np.isfinite(longitude[:-1]) & np.isfinite(longitude[1:]))
    share = (meridian_deg - longitude[edges]) / (longitude[edges + 1] - longitude[edges])
    return np.sort(latitude[edges] + share * (latitude[edges + 1] - latitude[edges]))
