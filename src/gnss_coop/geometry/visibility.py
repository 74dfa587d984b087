"""Which satellites stand above the horizon of which station."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError
from gnss_coop.orbits.forecast_marks import forecast_attributes

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.model.network import Selection


@dataclass(frozen=True, slots=True)
class StationArrays:
    """Stations as the kernels want them.

    Attributes
    ----------
    coords : dict
        Names, latitudes, longitudes and heights as coordinates of a Dataset.
    xyz_m : (station, 3) float64
    enu : (station, 3, 3) float64
        Rows east, north and up (ellipsoidal normal).
    node_azimuth_rad, node_elevation_rad : (node,) float64
        Horizons of all stations behind each other.
    node_start : (station + 1,) int64
        Where each station's nodes begin and end.
    """

    coords: dict[str, object]
    xyz_m: npt.NDArray[np.float64]
    enu: npt.NDArray[np.float64]
    node_azimuth_rad: npt.NDArray[np.float64]
    node_elevation_rad: npt.NDArray[np.float64]
    node_start: npt.NDArray[np.int64]


def station_arrays(selection: Selection) -> StationArrays:
    """Resolve a selection of stations into arrays.

    Parameters
    ----------
    selection : Network, Station, str, or a list of those
        As `gnss_coop.model.network.stations` takes it.

    Returns
    -------
    StationArrays

    Raises
    ------
    StationError
        For a selection that is empty or names an unknown station.

    Examples
    --------
    >>> station_arrays("russia").xyz_m.shape
    (3, 3)
    """
    from gnss_coop.model.frames import enu_basis
    from gnss_coop.model.network import stations

    network = stations(selection)
    latitude_deg, longitude_deg = network.latitude_deg, network.longitude_deg
    open_sky = (np.empty(0), np.empty(0))
    nodes = [station.horizon_mask.nodes_rad() if station.horizon else open_sky for station in network]
    return StationArrays(
        coords={
            "station": list(network.names),
            "latitude": ("station", latitude_deg, {"units": "degrees_north"}),
            "longitude": ("station", longitude_deg, {"units": "degrees_east"}),
            "height": ("station", network.height_m, {"units": "m"}),
        },
        xyz_m=np.ascontiguousarray(network.xyz_m),
        enu=np.ascontiguousarray(enu_basis(np.radians(latitude_deg), np.radians(longitude_deg))),
        node_azimuth_rad=np.concatenate([azimuth for azimuth, _ in nodes]),
        node_elevation_rad=np.concatenate([elevation for _, elevation in nodes]),
        node_start=np.cumsum([0, *(azimuth.size for azimuth, _ in nodes)], dtype=np.int64),
    )


def mask_radians(mask_deg: float | Sequence[float]) -> npt.NDArray[np.float64]:
    """Check elevation masks and give them in radians.

    Parameters
    ----------
    mask_deg : float or sequence of float

    Returns
    -------
    (mask,) float64

    Raises
    ------
    ScenarioError
        Without any mask, or for one that is not between -90 and 90 degrees.

    Examples
    --------
    >>> mask_radians([0.0, 90.0]).round(4).tolist()
    [0.0, 1.5708]
    """
    masks = np.atleast_1d(np.asarray(mask_deg, dtype=np.float64))
    if masks.size == 0:
        raise ScenarioError("No elevation mask is given; name at least one, such as 5 degrees.")
    for mask in masks:
        if not -90.0 <= mask <= 90.0:
            raise ScenarioError(f"The elevation mask {mask:g} is not an angle between -90 and 90 degrees.")
    return np.radians(masks)


def positions_m(sky: xr.Dataset) -> npt.NDArray[np.float64]:
    """Satellite positions of a sky as one (time, sv, 3) block of memory."""
    positions = sky["positions"].transpose("time", "sv", "ecef")
    return np.ascontiguousarray(positions.values, dtype=np.float64)


def visibility(sky: xr.Dataset, stations: Selection, *, mask_deg: float = 5.0) -> xr.Dataset:
    """Azimuth, elevation and visibility of every satellite from every station.

    The elevation is geometric: above the tangent plane of the ellipsoid, without refraction. A satellite on
    the mask or the station's horizon is visible.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) in metres, as `satellite_positions` gives them.
    stations : Network, Station, str, or a list of those
        A string is a selection such as ``"china"`` or ``"Irkutsk,Obninsk"``.
    mask_deg : float
        Elevation mask.

    Returns
    -------
    xarray.Dataset
        ``azimuth`` and ``elevation`` [degree], NaN where a satellite has no position, and ``visible``;
        all (station, time, sv), with ``latitude``, ``longitude`` and ``height`` per station.

    Raises
    ------
    ScenarioError
        For an elevation mask outside -90 to 90 deg.
    StationError
        For an unknown station.

    Examples
    --------
    >>> import xarray as xr
    >>> from gnss_coop.model.network import stations
    >>> irkutsk = stations("Irkutsk")  # the geocentric direction is not quite the zenith
    >>> sky = xr.Dataset(
    ...     {"positions": (("time", "sv", "ecef"), [4.0 * irkutsk.xyz_m])},
    ...     coords={"time": np.array(["2024-01-10"], "datetime64[ns]"), "sv": ["C20"]},
    ... )
    >>> seen = visibility(sky, irkutsk)
    >>> round(seen["elevation"].item(), 2), seen["visible"].item()
    (89.81, True)
    """
    import xarray as xr

    from gnss_coop.kernels import geometry

    mask_rad = mask_radians(float(mask_deg))[0]
    places = station_arrays(stations)
    satellites_m = positions_m(sky)
    shape = (len(places.xyz_m), *satellites_m.shape[:2])
    azimuth, elevation, visible = np.empty(shape), np.empty(shape), np.empty(shape, dtype=np.bool_)
    geometry.look_angles(satellites_m, places.xyz_m, places.enu, azimuth, elevation)
    nodes = (places.node_azimuth_rad, places.node_elevation_rad, places.node_start)
    geometry.visible(azimuth, elevation, mask_rad, *nodes, visible)
    dims = ("station", "time", "sv")
    elevation_attrs = {"units": "degree", "long_name": "geometric elevation"}
    return xr.Dataset(
        {
            "azimuth": (dims, np.degrees(azimuth), {"units": "degree", "long_name": "azimuth from north"}),
            "elevation": (dims, np.degrees(elevation), elevation_attrs),
            "visible": (dims, visible, {"long_name": "on or above mask and horizon"}),
        },
        coords={**places.coords, "time": sky["time"].variable, "sv": sky["sv"].variable},
        attrs={"mask_deg": float(mask_deg), "time_scale": time_scale(sky), **forecast_attributes(sky)},
    )


def time_scale(sky: xr.Dataset) -> str:
    """Time scale of a Dataset's `time`; GPST, the toolkit's own, unless it says otherwise."""
    return str(sky["time"].attrs.get("time_scale", "GPST"))
