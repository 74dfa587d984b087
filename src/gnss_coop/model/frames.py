"""Frames: geodetic and Cartesian coordinates on WGS84, local axes, and the step from PZ-90 to ITRF.

The last axis of every ``xyz_m`` holds x, y, z. All frames (PZ-90, ITRF, IGS, BDCS) go with the WGS84
ellipsoid here: GRS80 differs from it by 0.1 mm at the pole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnss_coop.errors import CoordinateError

FloatArray = NDArray[np.float64]

WGS84_A_M: Final = 6_378_137.0  # [m] NGA.STND.0036: semi-major axis
WGS84_F: Final = 1 / 298.257223563  # [-] NGA.STND.0036: flattening

_MAS_TO_RAD: Final = np.radians(1 / 3_600_000)
_EVOLUTE_M: Final = 43_000.0  # nearer to the centre than this, a point can have several latitudes


@dataclass(frozen=True, slots=True)
class HelmertParameters:
    """Seven parameters between two nearly equal frames, rotations by the coordinate-frame convention.

    Attributes
    ----------
    translation_m : tuple of 3 float
        Shift [m].
    rotation_mas : tuple of 3 float
        Rotation of the axes about x, y, z [milliarcseconds].
    scale_ppb : float
        Change of scale [1e-9].
    """

    translation_m: tuple[float, float, float]
    rotation_mas: tuple[float, float, float]
    scale_ppb: float = 0.0


#: EPSG 7960. Later ITRFs and the IGS frames are within millimetres of ITRF2008.
PZ90_11_TO_ITRF2008: Final = HelmertParameters((-0.003, -0.001, 0.0), (0.019, -0.042, 0.002))
#: EPSG 7703.
PZ90_02_TO_PZ90_11: Final = HelmertParameters((-0.373, 0.186, 0.202), (-2.3, 3.54, -4.21), -8.0)

_EPOCH: Final = np.datetime64("1980-01-06")
_PZ90_02_FROM_NS, _PZ90_11_FROM_NS = (
    int((np.datetime64(day) - _EPOCH) / np.timedelta64(1, "ns")) for day in ("2007-09-20", "2013-12-31")
)


def _within(values: ArrayLike, name: str, low: float, high: float) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if not ((array >= low) & (array <= high)).all():  # a NaN fails too
        raise CoordinateError(f"{name} must be a number from {low:g} to {high:g}; correct it.")
    return array


def geodetic_to_ecef(latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_m: ArrayLike) -> FloatArray:
    """Turn geodetic coordinates on the WGS84 ellipsoid into Cartesian ones.

    Parameters
    ----------
    latitude_deg, longitude_deg : float or array, shapes that broadcast to (...)
        Geodetic latitude, -90 to 90 [deg], and longitude, -180 to 360 [deg].
    height_m : float or array
        Height above the ellipsoid [m].

    Returns
    -------
    float64 array, shape (..., 3)
        Earth-centred, Earth-fixed x, y, z [m].

    Raises
    ------
    CoordinateError
        When a latitude, longitude or height is out of range or not a number.

    Example
    -------
    >>> geodetic_to_ecef(0, 90, [0, 1000]).round(3).tolist()
    [[0.0, 6378137.0, 0.0], [0.0, 6379137.0, 0.0]]
    """
    from pymap3d import geodetic2ecef

    latitude = _within(latitude_deg, "latitude_deg", -90.0, 90.0)
    longitude = _within(longitude_deg, "longitude_deg", -180.0, 360.0)
    height = _within(height_m, "height_m", -1e6, 1e9)
    xyz = geodetic2ecef(*np.broadcast_arrays(latitude, longitude, height))
    return np.stack([np.asarray(axis, dtype=np.float64) for axis in xyz], axis=-1)


def ecef_to_geodetic(xyz_m: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn Cartesian coordinates into geodetic ones on the WGS84 ellipsoid, accurate at any height.

    Parameters
    ----------
    xyz_m : array, shape (..., 3)
        Earth-centred, Earth-fixed x, y, z [m].

    Returns
    -------
    latitude_deg, longitude_deg, height_m : float64 arrays, shape (...)
        Geodetic latitude and longitude, -180 to 180 [deg], and height above the ellipsoid [m]; NaN
        within 43 km of the Earth's centre, where a point may have several latitudes.

    Notes
    -----
    Bowring (1976), repeated: the latitude from a reduced latitude and the reverse. Measured from 1,000 km
    below the ellipsoid to 1,000,000 km above it: 3e-14 deg.

    Example
    -------
    >>> latitude_deg, longitude_deg, height_m = ecef_to_geodetic([0.0, 6_379_137.0, 0.0])
    >>> float(latitude_deg), float(longitude_deg), float(height_m)
    (0.0, 90.0, 1000.0)
    """
    x, y, z = np.moveaxis(np.asarray(xyz_m, dtype=np.float64), -1, 0)
    b_m, e2 = WGS84_A_M * (1 - WGS84_F), WGS84_F * (2 - WGS84_F)
    equatorial = np.hypot(x, y)
    reduced = np.arctan2(z, (1 - WGS84_F) * equatorial)
    for _ in range(4):  # each round gains three digits or more
        latitude = np.arctan2(
            z + e2 / (1 - e2) * b_m * np.sin(reduced) ** 3,
            equatorial - e2 * WGS84_A_M * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2((1 - WGS84_F) * np.sin(latitude), np.cos(latitude))
    sin = np.sin(latitude)
    height = equatorial * np.cos(latitude) + z * sin - WGS84_A_M * np.sqrt(1 - e2 * sin * sin)
    known = np.hypot(equatorial, z) > _EVOLUTE_M
    longitude = np.degrees(np.arctan2(y, x))
    return (
        np.where(known, np.degrees(latitude), np.nan),
        np.where(known, longitude, np.nan),
        np.where(known, height, np.nan),
    )


def enu_basis(latitude_rad: ArrayLike, longitude_rad: ArrayLike) -> FloatArray:
    """Give the local axes of a place as rows: east, north, up along the ellipsoid's normal.

    Parameters
    ----------
    latitude_rad, longitude_rad : float or array, shapes that broadcast to (...)
        Geodetic latitude and longitude [rad].

    Returns
    -------
    float64 array, shape (..., 3, 3)
        Unit vectors in Earth-fixed axes; ``basis @ (xyz_m - site_xyz_m)`` are east, north, up.

    Example
    -------
    >>> (enu_basis(0.0, 0.0) + 0.0).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    latitude, longitude = np.broadcast_arrays(
        np.asarray(latitude_rad, dtype=np.float64), np.asarray(longitude_rad, dtype=np.float64)
    )
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    sin_lon, cos_lon = np.sin(longitude), np.cos(longitude)
    east = np.stack([-sin_lon, cos_lon, np.zeros_like(sin_lon)], axis=-1)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    return np.stack([east, north, up], axis=-2)


def helmert(xyz_m: ArrayLike, parameters: HelmertParameters) -> FloatArray:
    """Carry positions from one frame to another by seven parameters.

    Parameters
    ----------
    xyz_m : array, shape (..., 3)
        Positions in the first frame [m].
    parameters : HelmertParameters
        Coordinate-frame convention (EPSG method 1032): positive rotations turn the axes, not the position.

    Returns
    -------
    float64 array, shape (..., 3)
        Positions in the second frame [m].

    Notes
    -----
    Source: IOGP Guidance Note 7-2, for small angles.

    Example
    -------
    >>> helmert([7e6, 0.0, 0.0], HelmertParameters((1.0, 2.0, 3.0), (0.0, 0.0, 0.0), 1000.0)).tolist()
    [7000008.0, 2.0, 3.0]
    """
    xyz = np.asarray(xyz_m, dtype=np.float64)
    rx, ry, rz = (angle * _MAS_TO_RAD for angle in parameters.rotation_mas)
    # Only the small difference is multiplied out, so that nothing is lost beside the large coordinates.
    change = np.array([[0.0, rz, -ry], [-rz, 0.0, rx], [ry, -rx, 0.0]])
    scale = parameters.scale_ppb * 1e-9
    rotated = xyz @ change.T
    shift = np.asarray(parameters.translation_m) + rotated + scale * (xyz + rotated)
    return np.asarray(xyz + shift)


def pz90_to_itrf(xyz_m: ArrayLike, gpst_ns: ArrayLike) -> FloatArray:
    """Carry GLONASS positions from the PZ-90 that was broadcast at the time to ITRF2008.

    From 2013-12-31 that is PZ-90.11 (mm at orbit height); from 2007-09-20 it was PZ-90.02, carried over
    PZ-90.11. Earlier positions come back unchanged: the first PZ-90 is metres off, in a way not agreed upon.

    Parameters
    ----------
    xyz_m : array, shape (..., 3)
        Positions as computed from GLONASS messages [m].
    gpst_ns : int or int64 array that broadcasts to (...)
        Their times [ns since 1980-01-06 GPST].

    Returns
    -------
    float64 array, shape (..., 3)
        Positions in ITRF2008 [m], within millimetres of ITRF2014, ITRF2020 and the IGS frames.

    Notes
    -----
    Source: EPSG 7960 and 7703.

    Example
    -------
    >>> pz90_to_itrf([25.5e6, 0.0, 0.0], 1_388_534_400_000_000_000).round(4).tolist()
    [25499999.997, -0.0012, -0.0052]
    """
    xyz = np.asarray(xyz_m, dtype=np.float64)
    time_ns = np.asarray(gpst_ns, dtype=np.int64)[..., np.newaxis]
    in_pz90_11 = np.where(time_ns >= _PZ90_11_FROM_NS, xyz, helmert(xyz, PZ90_02_TO_PZ90_11))
    return np.where(time_ns >= _PZ90_02_FROM_NS, helmert(in_pz90_11, PZ90_11_TO_ITRF2008), xyz)
