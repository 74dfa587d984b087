"""The horizon of a station: how high the obstacles stand in each direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnss_coop.errors import StationError

FloatArray = NDArray[np.float64]
Corner = tuple[float, float]

MIN_ELEVATION_DEG: Final = -10.0  # a site on a peak sees below its own horizontal plane, but hardly farther
_OPEN: Final = ((0.0, -90.0),)


def horizon_faults(corners: Iterable[Corner]) -> list[str]:
    """List everything that is wrong with the corners of a horizon, in words."""
    faults = []
    azimuths = [azimuth for azimuth, _ in corners]
    for number, (azimuth, elevation) in enumerate(corners, start=1):
        if not 0.0 <= azimuth <= 360.0:
            faults.append(f"corner {number}: the azimuth {azimuth} must be from 0 to 360 deg")
        if not MIN_ELEVATION_DEG <= elevation <= 90.0:
            faults.append(f"corner {number}: the elevation {elevation} must be from -10 to 90 deg")
    if azimuths != sorted(azimuths):
        faults.append("the corners must be sorted by azimuth")
    for azimuth, count in Counter(azimuth % 360.0 for azimuth in azimuths).items():
        if count > 2:
            faults.append(f"the azimuth {azimuth} occurs {count} times, but a vertical wall has two corners")
    return faults


@dataclass(frozen=True, slots=True)
class HorizonMask:
    """Elevation of the horizon over azimuth: straight between corners, and closed over north.

    Attributes
    ----------
    corners : tuple of (azimuth_deg, elevation_deg)
        Sorted by azimuth, 0 to 360 deg; elevations from -10 to 90 deg. The same azimuth twice is a vertical
        wall, where at
        the azimuth itself the second elevation holds. Without corners nothing stands in the way.

    Raises
    ------
    StationError
        When corners are out of range or out of order; all faults are listed.

    Example
    -------
    >>> mask = HorizonMask(((90.0, 10.0), (270.0, 20.0)))
    >>> mask.elevation_deg([0, 90, 180]).tolist()
    [15.0, 10.0, 15.0]
    """

    corners: tuple[Corner, ...] = ()

    def __post_init__(self) -> None:
        faults = horizon_faults(self.corners)
        if faults:
            raise StationError("\n".join(f"horizon: {fault}" for fault in faults))

    def _nodes_deg(self) -> FloatArray:
        """Corners, shape (n, 2), with those on the other side of north added at both ends."""
        corners = np.array(self.corners or _OPEN, dtype=np.float64)
        before = corners[-1:] - (360.0, 0.0)
        # A wall due north needs both of its corners at 360 deg too.
        after = corners[corners[:, 0] == corners[0, 0]] + (360.0, 0.0)
        return np.concatenate([before, corners, after])

    def elevation_deg(self, azimuth_deg: ArrayLike) -> FloatArray:
        """Interpolate the horizon.

        Parameters
        ----------
        azimuth_deg : float or array, any shape
            Azimuth from north over east [deg], any number of turns.

        Returns
        -------
        float64 array of the same shape
            Elevation of the horizon [deg]; -90 where the mask has no corners.
        """
        nodes = self._nodes_deg()
        azimuth = np.mod(np.asarray(azimuth_deg, dtype=np.float64), 360.0)
        return np.asarray(np.interp(azimuth, nodes[:, 0], nodes[:, 1]))

    def nodes_rad(self) -> tuple[FloatArray, FloatArray]:
        """Give the mask as nodes for interpolation on [0, 2 pi] without a wrap.

        Returns
        -------
        azimuth_rad, elevation_rad : float64 arrays, shape (n,)
            Not falling in azimuth; the first is at or below 0, the last at or above 2 pi [rad].
        """
        nodes = np.radians(self._nodes_deg())
        return np.ascontiguousarray(nodes[:, 0]), np.ascontiguousarray(nodes[:, 1])
