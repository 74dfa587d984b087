"""Satellites that files never name: how many of them stand above a place, by where the receiver must have stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]

_EARTH_RADIUS_M: Final = 6.371e6
#: Below this elevation receivers track little [rad].
_RECEIVER_MASK_RAD: Final = np.radians(5.0)
#: Ages up to which a record says that its satellite is in the receiver's sky, and not that it was [s].
_FRESH_S: Final = 900.0
#: Systems whose records are heard at their reference time; those of GPS and Galileo hours before it.
_HEARD_AT_TIME: Final = ("R", "C")
_STEPS: Final = 200
_POINTS: Final = 4000


def unseen_above(
    sky: xr.Dataset, letter: str, n_unseen: float, places: Floats, mask_rad: Floats
) -> npt.NDArray[np.float64]:
    """Return how many of the satellites that files never name stand above places, on the average.

    A receiver names what is in its sky: of the sphere of the orbits, the cap around the receiver is free of these
    satellites, and on the rest they are spread evenly.

    Parameters
    ----------
    sky : xarray.Dataset
        Positions of what the files hold.
    letter : str
        System.
    n_unseen : float
        How many satellites of it the files do not name.
    places : (place, 3) float64
        Directions from the Earth's centre, of length 1.
    mask_rad : (mask,) float64
        Elevation masks.

    Returns
    -------
    (mask, place) float64
    """
    if n_unseen <= 0:
        return np.zeros((mask_rad.size, len(places)))
    own = sky["sv"].values.astype("U1") == letter
    radius_m = float(np.nanmedian(np.linalg.norm(sky["positions"].values[:, own], axis=-1)))
    away_rad = np.arccos(np.clip(places @ receiver_direction(sky), -1.0, 1.0))
    grid = np.linspace(0.0, np.pi, 61)
    own_cap = _cap_rad(_RECEIVER_MASK_RAD, radius_m)
    points = _even_points()
    outside = points[:, 2] < np.cos(own_cap)
    counts = np.empty((mask_rad.size, len(places)))
    for k, mask in enumerate(mask_rad):
        axes = np.stack([np.sin(grid), 0.0 * grid, np.cos(grid)])
        above = points @ axes >= np.cos(_cap_rad(float(mask), radius_m))
        counts[k] = np.interp(away_rad, grid, n_unseen * above[outside].mean(axis=0))
    return counts


def receiver_direction(sky: xr.Dataset) -> Floats:
    """Return the direction from the Earth's centre to where a receiver stood, by the satellites that it saw.

    The centre of the smallest cap around them all is approached from their mean by steps to the farthest (Badoiu and
    Clarkson, 2003).

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx")
    >>> x, y, z = receiver_direction(gc.satellite_positions(nav, gc.epochs("2022-06-08T10:00", 0.75)))
    >>> [round(float(a)) for a in np.degrees([np.arcsin(z), np.arctan2(y, x)])]  # from Denmark, 56 and 12
    [49, -2]
    """
    positions = sky["positions"].values
    told = np.isin(sky["sv"].values.astype("U1"), _HEARD_AT_TIME)
    sky, positions = (sky.isel(sv=told), positions[:, told]) if told.any() else (sky, positions)
    fresh = np.abs(sky["age"].values) <= _FRESH_S if "age" in sky else np.ones(positions.shape[:2], bool)
    held = positions[fresh & np.isfinite(positions).all(axis=-1)]
    if len(held) == 0:
        held = positions[np.isfinite(positions).all(axis=-1)]
    directions = held / np.linalg.norm(held, axis=1, keepdims=True)
    center: Floats = directions.mean(axis=0)
    for i in range(1, _STEPS):
        center = center / np.linalg.norm(center)
        center = center + (directions[(directions @ center).argmin()] - center) / (i + 1.0)
    return center / np.linalg.norm(center)


def _cap_rad(mask_rad: float, radius_m: float) -> float:
    """Return the angle at the Earth's centre from a place to a satellite that stands at the mask."""
    return float(np.pi / 2 - mask_rad - np.arcsin(_EARTH_RADIUS_M * np.cos(mask_rad) / radius_m))


def _even_points() -> Floats:
    """Return directions spread evenly over the sphere (Fibonacci's lattice)."""
    i = np.arange(_POINTS) + 0.5
    z = 1.0 - 2.0 * i / _POINTS
    turn = np.pi * (1.0 + np.sqrt(5.0)) * i
    across = np.sqrt(1.0 - z * z)
    return np.stack([across * np.cos(turn), across * np.sin(turn), z], axis=1)
