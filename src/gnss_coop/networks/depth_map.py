"""How many stations see a satellite above each point of the Earth, and how far each station sees.

A satellite's place is given by its geocentric direction: the point below it has the latitude of the line from
the Earth's centre to the satellite. The latitude of the ellipsoid's normal through the satellite differs from it
by 0.05 deg at most for MEO and by 0.03 deg for synchronous orbits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.elements.orbit_shapes import OrbitShape
from gnss_coop.errors import ScenarioError
from gnss_coop.geometry.visibility import mask_radians, station_arrays
from gnss_coop.kernels import geometry
from gnss_coop.model.frames import enu_basis
from gnss_coop.model.grid import GeoGrid
from gnss_coop.model.systems import OrbitClass
from gnss_coop.networks.networks import DEFAULT_NETWORKS, Networks

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.geometry.visibility import StationArrays
    from gnss_coop.model.station import Station
    from gnss_coop.networks.networks import NetworksLike

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int8]

#: Orbits nearer to the Earth's centre than this are below the ground somewhere [m].
_MIN_RADIUS_M: Final = 6.5e6
#: Cells looked at in one go: some 40 MB of angles.
_BLOCK_CELLS: Final = 1_000_000
_CIRCLE_POINTS: Final = 720
#: Ground tracks of synchronous satellites are given every so many minutes.
_TRACK_STEP_MIN: Final = 10
_COMMENT: Final = (
    "Cells are directions from the Earth's centre (geocentric latitude) in which a satellite stands at the radius of "
    "its orbit; the elevation is geometric, above the plane of the ellipsoid at the station."
)


def depth_map(
    networks: NetworksLike = DEFAULT_NETWORKS,
    grid: GeoGrid | None = None,
    *,
    system: str = "R",
    orbit: str = "MEO",
    radius_m: float | None = None,
    mask_deg: float = 5.0,
) -> xr.Dataset:
    """Count the stations that see a satellite above each point of the Earth.

    Parameters
    ----------
    networks : str, sequence of str, mapping, or Networks
        As `Networks.of` takes them.
    grid : GeoGrid, optional
        Cells for the points below the satellite, by geocentric latitude; the Earth by 1 deg unless given.
    system : str
        RINEX letter.
    orbit : {"MEO", "IGSO", "GEO"}
        Class of its orbits; radius and inclination are those of the nominal constellation.
    radius_m : float, optional
        Radius of a circular orbit of any inclination, instead of a system's class.
    mask_deg : float
        Elevation mask of the stations; a station's horizon counts besides.

    Returns
    -------
    xarray.Dataset
        ``depth`` (network, lat, lon): number of stations. ``reached`` (lat): whether a satellite of the class ever
        stands above any of the cell, which ends at the inclination. ``member`` (network, station). ``station_lat``,
        ``station_lon`` (station): geodetic. ``circle_lat``, ``circle_lon`` (station, vertex): as `visibility_circle`
        gives them. For synchronous orbits ``track_lat``, ``track_lon`` (sv, instant): the
        ground tracks of the nominal constellation.

    Raises
    ------
    StationError, ScenarioError
        For an unknown network, station or orbit, a radius below the ground, or an elevation mask outside -90 to 90 deg.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> world = depth_map("russia,china,joint", gc.GeoGrid(10), system="R")
    >>> world.depth.sel(lat=55, lon=95).values.tolist()
    [3, 3, 6]
    """
    import xarray as xr

    mask_rad = float(mask_radians(float(mask_deg))[0])
    resolved, cells = Networks.of(networks), grid or GeoGrid()
    shape = OrbitShape.of(system, orbit) if radius_m is None else None
    radius = _checked_radius(shape.radius_m if shape else radius_m)
    places = station_arrays(resolved.stations)
    depth = _depth(places, resolved.members, cells, radius, mask_rad)
    circles = [visibility_circle(station, radius, mask_deg) for station in resolved.stations]
    result = xr.Dataset(
        {
            "depth": (("network", "lat", "lon"), depth, {"units": "1", "long_name": "stations that see a satellite"}),
            "member": (("network", "station"), resolved.members, {"long_name": "station belongs to network"}),
            "station_lat": ("station", resolved.stations.latitude_deg, _degrees("latitude of the station")),
            "station_lon": ("station", resolved.stations.longitude_deg, _degrees("longitude of the station")),
            "circle_lat": (("station", "vertex"), _padded([c[0] for c in circles]), _degrees("latitude of the circle")),
            "circle_lon": (
                ("station", "vertex"),
                _padded([c[1] for c in circles]),
                _degrees("longitude of the circle"),
            ),
        },
        coords={
            "station": list(resolved.stations.names),
            "network": list(resolved.names),
            "lat": ("lat", cells.latitude_deg, {"units": "degrees_north"}),
            "lon": ("lon", cells.longitude_deg, {"units": "degrees_east"}),
            "mask_deg": ((), float(mask_deg), {"units": "degree"}),
            "reached": ("lat", _reached(cells, shape), {"long_name": "latitude that the orbit reaches"}),
        },
        attrs={"title": "Stations that see a satellite", "radius_m": radius, "comment": _COMMENT},
    )
    if shape is None:
        return result.assign_attrs(source="a circular orbit")
    result.attrs |= {
        "system": shape.system, "orbit": shape.orbit, "inclination_deg": shape.inclination_deg,
        "source": f"radius and inclination of the nominal constellation, {shape.label}",
    }  # fmt: skip
    return result if shape.orbit == OrbitClass.MEO else result.assign(_tracks(shape))


def visibility_circle(station: Station, radius_m: float, mask_deg: float = 5.0) -> tuple[Floats, Floats]:
    """Return the line around the points of the Earth above which a station sees satellites of an orbit.

    Parameters
    ----------
    station : Station
        Its horizon counts where it is above the mask.
    radius_m : float
        Radius of the orbit.
    mask_deg : float
        Elevation mask.

    Returns
    -------
    latitude_deg, longitude_deg : (n,) float64
        Closed: the last point is the first. It begins in the north of the station and goes round over the east, a
        point every half a degree of azimuth and at each corner of the horizon. Geocentric latitude, and longitude from
        -180 to 180.

    Raises
    ------
    ScenarioError
        For a radius below the ground, or an elevation mask outside -90 to 90 deg.

    Notes
    -----
    Exact in each azimuth: the ray from the station p in the direction u, in axes along the ellipsoid's normal, meets
    the sphere of the orbit at p + t u with t = -p.u + sqrt((p.u)^2 - p.p + r^2).

    Examples
    --------
    >>> import gnss_coop as gc
    >>> [obninsk] = gc.stations("Obninsk")
    >>> latitude_deg, longitude_deg = visibility_circle(obninsk, 25_508_200.0, mask_deg=5)
    >>> round(float(latitude_deg[0]), 1), round(float(longitude_deg[0]), 1)  # in the north, beyond the pole
    (54.3, -143.4)
    """
    radius, mask_rad = _checked_radius(radius_m), float(mask_radians(float(mask_deg))[0])
    azimuth, horizon = _around(station)
    elevation = np.maximum(horizon, mask_rad)
    level = np.cos(elevation)
    enu = np.stack([level * np.sin(azimuth), level * np.cos(azimuth), np.sin(elevation)], axis=-1)
    site_m = station.xyz_m
    rays = enu @ enu_basis(np.radians(station.latitude_deg), np.radians(station.longitude_deg))
    along = rays @ site_m
    distance_m = -along + np.sqrt(along**2 - site_m @ site_m + radius**2)
    x, y, z = (site_m + distance_m[:, np.newaxis] * rays).T
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def _around(station: Station) -> tuple[Floats, Floats]:
    """Return azimuths once round, back to the first, and the horizon there [rad]; a wall has two points."""
    even = np.arange(_CIRCLE_POINTS) * (2.0 * np.pi / _CIRCLE_POINTS)
    horizon = np.radians(station.horizon_mask.elevation_deg(np.degrees(even)))
    corners, heights = station.horizon_mask.nodes_rad()
    on_turn = (corners >= 0.0) & (corners < 2.0 * np.pi)
    other = ~np.isin(even, corners[on_turn])
    azimuth = np.concatenate([even[other], corners[on_turn]])
    elevation = np.concatenate([horizon[other], heights[on_turn]])
    order = np.argsort(azimuth, kind="stable")  # the corners of a wall keep theirs
    closed = np.append(order, order[0])
    return azimuth[closed], elevation[closed]


def _checked_radius(radius_m: float | None) -> float:
    radius = float(radius_m or 0.0)
    if not _MIN_RADIUS_M <= radius < np.inf:
        raise ScenarioError(f"the orbit's radius must be at least {_MIN_RADIUS_M:g} m, not {radius:g} m")
    return radius


def _depth(
    places: StationArrays, members: npt.NDArray[np.bool_], grid: GeoGrid, radius_m: float, mask_rad: float
) -> Counts:
    """Count stations (network, lat, lon), cells taken as satellites."""
    latitude, longitude = np.radians(grid.latitude_deg), np.radians(grid.longitude_deg)
    n_rows = max(1, _BLOCK_CELLS // longitude.size)
    depth = np.zeros((len(members), latitude.size, longitude.size), np.int8)
    nodes = (places.node_azimuth_rad, places.node_elevation_rad, places.node_start)
    for first in range(0, latitude.size, n_rows):
        rows = slice(first, first + n_rows)
        satellites_m = radius_m * enu_basis(latitude[rows, np.newaxis], longitude)[..., 2, :]
        for p in range(len(places.xyz_m)):
            one = slice(p, p + 1)
            azimuth, elevation = np.empty((2, 1, *satellites_m.shape[:2]))
            visible = np.empty(azimuth.shape, np.bool_)
            geometry.look_angles(satellites_m, places.xyz_m[one], places.enu[one], azimuth, elevation)
            start = places.node_start[p : p + 2]
            geometry.visible(azimuth, elevation, mask_rad, *nodes[:2], start, visible)
            depth[members[:, p], rows] += visible[0]
    return depth


def _degrees(words: str) -> dict[str, str]:
    return {"units": "degree", "long_name": words}


def _reached(grid: GeoGrid, shape: OrbitShape | None) -> npt.NDArray[np.bool_]:
    nearest_deg = np.abs(grid.latitude_deg) - grid.step_deg / 2.0
    return nearest_deg <= (shape.inclination_deg if shape else 90.0)


def _padded(lines: list[Floats]) -> Floats:
    """Stack closed lines of different lengths, the shorter ones with their last point repeated."""
    longest = max(line.size for line in lines)
    return np.array([np.pad(line, (0, longest - line.size), mode="edge") for line in lines])


def _tracks(shape: OrbitShape) -> dict[str, Any]:
    """Return the ground tracks of a synchronous class over a day."""
    from gnss_coop.elements.nominal import nominal_constellation
    from gnss_coop.model.timescales import epochs

    instants = epochs(shape.slots.epoch, hours=24, step_s=60 * _TRACK_STEP_MIN)
    sky = nominal_constellation(shape.system, instants).sel(sv=list(shape.satellites))
    x, y, z = np.moveaxis(sky["positions"].values, -1, 0)
    dims = ("sv", "instant")
    return {
        "track_lat": (dims, np.degrees(np.arctan2(z, np.hypot(x, y))).T, _degrees("latitude of the ground track")),
        "track_lon": (dims, np.degrees(np.arctan2(y, x)).T, _degrees("longitude of the ground track")),
        "sv": ("sv", list(shape.satellites)),
    }
