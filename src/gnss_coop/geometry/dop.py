"""Dilution of precision at stations along time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError
from gnss_coop.geometry.visibility import mask_radians, positions_m, station_arrays, time_scale
from gnss_coop.model.scenario import PER_SYSTEM, Scenario, parse_scenarios
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.orbits import completeness
from gnss_coop.orbits.forecast_marks import forecast_attributes

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.geometry.visibility import StationArrays
    from gnss_coop.model.network import Selection

_DOPS = {
    "gdop": "geometric dilution of precision",
    "pdop": "position dilution of precision",
    "hdop": "horizontal dilution of precision",
    "vdop": "vertical dilution of precision",
    "tdop": "time dilution of precision over all estimated clocks",
}
_COUNTS = {"n_used": "satellites used", "n_clocks": "receiver clocks estimated"}


def dilution_of_precision(
    sky: xr.Dataset,
    stations: Selection,
    systems: str | Sequence[str] = ("R", "C", "R+C"),
    *,
    mask_deg: float | Sequence[float] = 5.0,
    clocks: str = PER_SYSTEM,
) -> xr.Dataset:
    """Dilution of precision of sets of systems, each alone and together.

    All ranges have the same weight. ``tdop`` is the root of the summed variances of all estimated clocks, so
    that GDOP^2 = PDOP^2 + TDOP^2. Values of GDOP and TDOP with different ``n_clocks`` do not compare. There
    is no solution, NaN, with fewer satellites than unknowns or with singular geometry; the counts stay.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) in metres, as `satellite_positions` gives them.
    stations : Network, Station, str, or a list of those
        A string is a selection such as ``"china"`` or ``"Irkutsk,Obninsk"``.
    systems : str or sequence of str
        Scenarios such as ``"R"``, ``"C"``, ``"R+C"``; in a string divided by commas.
    mask_deg : float or sequence of float
        Elevation mask or masks; a station's own horizon holds as well.
    clocks : str
        ``"per-system"``: one clock estimated per system in view; ``"common"``: offsets between the systems
        known; ``"prior:NS"``: known with a standard deviation in nanoseconds (against ranges of 1 m).

    Returns
    -------
    xarray.Dataset
        ``gdop``, ``pdop``, ``hdop``, ``vdop``, ``tdop``, ``n_used`` and ``n_clocks`` (systems, station,
        time), or (systems, mask_deg, station, time) for a sequence of masks. Where the files do not hold a system
        completely, ``completeness_pct`` without time: how much of what is in view there they hold.

    Raises
    ------
    ScenarioError
        For an unknown system or clock model, or an elevation mask outside -90 to 90 deg.
    StationError
        For an unknown station.

    Notes
    -----
    With lines of sight u and a clock column per system, Q = (G'G)^-1 in the station's east, north and up:
    HDOP^2 = Q11 + Q22, VDOP^2 = Q33, PDOP^2 = HDOP^2 + VDOP^2 (R. B. Langley, Dilution of Precision, GPS
    World, May 1999). The clocks are eliminated first, which leaves 3x3 matrices.

    Examples
    --------
    One satellite overhead and three on the horizon give PDOP = sqrt(8/3) and GDOP = sqrt(3).

    >>> import xarray as xr
    >>> from gnss_coop.model.network import Geodetic, Station
    >>> gulf = Station(name="Gulf", geodetic=Geodetic(latitude_deg=0, longitude_deg=0, height_m=0))
    >>> turn = np.radians([0, 120, 240])
    >>> level = np.stack([0 * turn, np.sin(turn), np.cos(turn)], axis=-1)
    >>> places = np.vstack([[1.0, 0, 0], level]) * 2e7 + gulf.xyz_m
    >>> sky = xr.Dataset(
    ...     {"positions": (("time", "sv", "ecef"), places[np.newaxis])},
    ...     coords={"time": np.array(["2024-01-10"], "datetime64[ns]"), "sv": ["C20", "C21", "C22", "C23"]},
    ... )
    >>> dop = dilution_of_precision(sky, gulf, "C", mask_deg=0)
    >>> round(dop["pdop"].item() ** 2, 9), round(dop["gdop"].item() ** 2, 9), dop["n_used"].item()
    (2.666666667, 3.0, 4)
    """
    import xarray as xr

    scenarios = parse_scenarios(systems, clocks)
    mask_rad = mask_radians(mask_deg)
    places = station_arrays(stations)
    dops, counts = _series(sky, places, mask_rad, scenarios)
    dims = ("systems", "mask_deg", "station", "time")
    tables = zip([*_DOPS.items(), *_COUNTS.items()], [*dops, *counts], strict=True)
    result = xr.Dataset(
        {name: (dims, values, {"units": "1", "long_name": words}) for (name, words), values in tables},
        coords={
            "systems": [str(scenario) for scenario in scenarios],
            "mask_deg": np.atleast_1d(np.asarray(mask_deg, dtype=np.float64)),
            **places.coords,
            "time": sky["time"].variable,
        },
        attrs={
            "title": "Dilution of precision",
            "clocks": clocks,
            "time_scale": time_scale(sky),
            **forecast_attributes(sky),
            **completeness.completeness_attributes(sky.attrs),
        },
    )
    full = completeness.filled(sky)
    if full is not None:
        single = completeness.single_scenarios(scenarios)
        used, expected = (_series(own, places, mask_rad, single)[1][0].sum(axis=-1) for own in (sky, full))
        directions = places.xyz_m / np.linalg.norm(places.xyz_m, axis=1, keepdims=True)
        held = completeness.held_pct(sky, scenarios, used, expected, directions, mask_rad)
        result["completeness_pct"] = (dims[:-1], held, {"units": "percent", "long_name": "held of what is in view"})
    return result.isel(mask_deg=0) if np.ndim(mask_deg) == 0 else result


def _series(
    sky: xr.Dataset, places: StationArrays, mask_rad: npt.NDArray[np.float64], scenarios: Sequence[Scenario]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the DOPs and counts of `_DOPS` and `_COUNTS` (..., scenario, mask, station, time)."""
    from gnss_coop.kernels import geometry

    satellites_m = positions_m(sky)
    letters = list(SYSTEMS)
    shape = (len(scenarios), mask_rad.size, len(places.xyz_m), len(satellites_m))
    dops = np.empty((len(_DOPS), *shape))
    counts = np.empty((len(_COUNTS), *shape), dtype=np.int64)
    geometry.dop_series(
        satellites_m,
        _system_indices(sky["sv"].values, letters),
        places.xyz_m,
        places.enu,
        mask_rad,
        places.node_azimuth_rad,
        places.node_elevation_rad,
        places.node_start,
        np.array([[letter in scenario.systems for letter in letters] for scenario in scenarios]),
        np.array([scenario.offset_variance_m2 for scenario in scenarios]),
        dops,
        counts,
    )
    return dops, counts


def _system_indices(satellites: npt.NDArray[np.str_], letters: list[str]) -> npt.NDArray[np.int64]:
    """Index of each satellite's system by the first letter of its name."""
    unknown = sorted({str(sv) for sv in satellites if str(sv)[:1] not in letters})
    if unknown:
        known = ", ".join(letters)
        raise ScenarioError(f"Satellite {unknown[0]!r} belongs to no known system; known are {known}.")
    return np.array([letters.index(str(sv)[0]) for sv in satellites], dtype=np.int64)
