"""Positions from mean elements or an almanac, with their expected error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.elements.almanac import DAY_NS, Almanac, Orbit
from gnss_coop.elements.mean_elements import MeanElements
from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.errors import ScenarioError
from gnss_coop.model import timescales
from gnss_coop.model.systems import OrbitClass

if TYPE_CHECKING:
    import xarray as xr

#: Index of a forecast in `message`, behind the broadcast messages.
FORECAST_MESSAGE: Final = len(MESSAGES)
#: Longest look-ahead [days]: beyond it manoeuvres decide.
MAX_FORECAST_DAYS: Final = 60.0
#: Age up to which an orbit of a file's own records, or of an almanac, stands for a satellite that the ephemerides
#: do not hold [days].
MAX_ALMANAC_DAYS: Final = 30.0
#: Geocentric angle that 95 % of forecasts do not exceed [deg per day of look-ahead]: docs/forecast.md.
ERROR_DEG_PER_DAY: Final[dict[OrbitClass, float]] = {
    OrbitClass.MEO: 0.01,
    OrbitClass.IGSO: 0.05,
    OrbitClass.GEO: 0.05,
}
#: The same where there is less than half a day of records, or an almanac.
_SHORT_ERROR_DEG_PER_DAY: Final[dict[OrbitClass, float]] = ERROR_DEG_PER_DAY | {OrbitClass.MEO: 0.03}
_SHORT_SPAN_S: Final = 36_000.0
#: What a forecast is off from the start [deg]: periodic forces that are left out; in two-line elements besides.
_FLOOR_DEG: Final[dict[str, float]] = {"broadcast": 0.005, "YUMA": 0.02, "TLE": 0.05, "OMM": 0.05}
_SYNCHRONOUS_FLOOR_DEG: Final = 0.02


def forecast_positions(
    almanac: Almanac,
    epochs: Any,
    *,
    systems: str | Iterable[str] | None = None,
    exclude_sv: Iterable[str] = (),
    include_unhealthy: bool = False,
    max_days: float = MAX_ALMANAC_DAYS,
) -> xr.Dataset:
    """Compute positions from mean elements, two-line elements or an almanac.

    Parameters
    ----------
    almanac : Almanac
        From `mean_elements` or `read_almanac`.
    epochs : datetime64 array (n_time,), or as `satellite_positions` takes them
        Instants on GPST.
    systems : str or iterable of str, optional
        RINEX letters; all by default.
    exclude_sv : iterable of str
        Satellites to leave out.
    include_unhealthy : bool
        Also satellites that were unhealthy last.
    max_days : float
        Largest distance from an orbit's own epoch [days]. Of several orbits of a satellite the nearest in time counts.

    Returns
    -------
    xarray.Dataset
        As from `satellite_positions`, with ``age`` (time, sv) [s] since the elements' epoch, ``healthy`` as last known,
        ``message`` FORECAST, and besides ``forecast`` (time, sv), true where there is a position, and
        ``forecast_error`` (time, sv) [deg], the geocentric angle that 95 % of forecasts without a manoeuvre do not
        exceed. The attribute ``forecast_error_deg_per_day`` has the rates by orbit class as text.

    Raises
    ------
    ScenarioError
        For an unknown system, or a limit that is not positive or beyond 60 days.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> sky = gc.forecast_positions(gc.mean_elements(nav), gc.epochs("2024-01-17", hours=1))
    >>> sky.attrs["forecast_error_deg_per_day"], bool(sky.forecast.sel(sv="R01").all())
    ('MEO 0.01', True)
    """
    check_days(max_days)
    epoch_ns = np.atleast_1d(timescales.from_datetime64(epochs))
    wanted = almanac.select(systems, exclude_sv)
    names = tuple(dict.fromkeys(wanted.satellites))
    shape = (epoch_ns.size, len(names))
    xyz_m, age_s, error_deg = np.full((*shape, 3), np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    healthy = np.zeros(shape, dtype=bool)
    for orbit, nearest in _nearest(wanted, epoch_ns):
        column = names.index(orbit.sv)
        since_ns = epoch_ns - orbit.epoch_ns
        near = nearest & (np.abs(since_ns) <= max_days * DAY_NS)
        if not near.any() or not (orbit.healthy or include_unhealthy):
            continue
        xyz_m[near, column] = orbit.positions_m(epoch_ns[near])
        found = near & np.isfinite(xyz_m[:, column]).all(axis=1)
        age_s[found, column] = since_ns[found] / NS_PER_S
        healthy[found, column] = orbit.healthy
        error_deg[found, column] = _floor(orbit) + _rate(orbit) * np.abs(since_ns[found]) / DAY_NS
    return _dataset(wanted, epoch_ns, xyz_m, age_s, healthy, error_deg)


def _nearest(almanac: Almanac, epoch_ns: npt.NDArray[np.int64]) -> Iterator[tuple[Orbit, npt.NDArray[np.bool_]]]:
    """Yield each orbit, and the epochs to which it is the nearest in time of its satellite's."""
    for _, group in groupby(almanac.orbits, key=lambda orbit: orbit.sv):
        of_one = list(group)
        apart_ns = np.abs(epoch_ns - np.array([orbit.epoch_ns for orbit in of_one])[:, None])
        nearest = apart_ns.argmin(axis=0)
        yield from ((orbit, nearest == i) for i, orbit in enumerate(of_one))


def check_days(days: float) -> None:
    """Refuse a look-ahead that makes no sense.

    Raises
    ------
    ScenarioError
        If it is not positive or beyond 60 days.
    """
    if not 0.0 < days <= MAX_FORECAST_DAYS:
        raise ScenarioError(f"a forecast can reach from 0 to {MAX_FORECAST_DAYS:g} days, not {days:g}")


def _rate(orbit: Orbit) -> float:
    """Return the growth of the error of an orbit [deg/day]."""
    long_enough = isinstance(orbit, MeanElements) and orbit.span_s >= _SHORT_SPAN_S
    return (ERROR_DEG_PER_DAY if long_enough else _SHORT_ERROR_DEG_PER_DAY)[orbit.orbit_class]


def _floor(orbit: Orbit) -> float:
    """Return the error of an orbit at its own epoch [deg]."""
    floor = _FLOOR_DEG[orbit.source]
    return floor if orbit.orbit_class is OrbitClass.MEO else max(floor, _SYNCHRONOUS_FLOOR_DEG)


def _rates_text(almanac: Almanac) -> str:
    worst: dict[str, float] = {}
    for orbit in almanac.orbits:
        worst[str(orbit.orbit_class)] = max(_rate(orbit), worst.get(str(orbit.orbit_class), 0.0))
    return ", ".join(f"{name} {worst[name]:g}" for name in ("MEO", "IGSO", "GEO") if name in worst)


def _dataset(
    almanac: Almanac,
    epoch_ns: npt.NDArray[np.int64],
    xyz_m: npt.NDArray[np.float64],
    age_s: npt.NDArray[np.float64],
    healthy: npt.NDArray[np.bool_],
    error_deg: npt.NDArray[np.float64],
) -> xr.Dataset:
    import xarray as xr

    plane = ("time", "sv")
    found = np.isfinite(age_s)
    kind = np.where(found, FORECAST_MESSAGE, -1).astype(np.int8)
    meanings = " ".join((*(m.name for m in MESSAGES), "FORECAST"))
    flags = {"flag_values": list(range(FORECAST_MESSAGE + 1)), "flag_meanings": meanings}
    return xr.Dataset(
        {
            "positions": ((*plane, "ecef"), xyz_m, {"units": "m", "long_name": "Earth-fixed position"}),
            "age": (plane, age_s, {"units": "s", "long_name": "epoch minus reference time of the orbit"}),
            "healthy": (plane, healthy, {"long_name": "healthy, in a forecast as last known"}),
            "message": (plane, kind, flags),
            "forecast": (plane, found, {"long_name": "forecast beyond the ephemerides"}),
            "forecast_error": (
                plane,
                error_deg,
                {"units": "degree", "long_name": "geocentric angle that 95 % of forecasts do not exceed"},
            ),
        },
        coords={
            "time": ("time", timescales.to_datetime64(epoch_ns), {"time_scale": "GPST"}),
            "sv": ("sv", np.array(list(dict.fromkeys(almanac.satellites)), dtype=str)),
            "ecef": ("ecef", np.array(["x", "y", "z"])),
        },
        attrs={
            "frame": "broadcast",
            "files": list(almanac.files),
            "time_scale": "GPST",
            "forecast_error_deg_per_day": _rates_text(almanac),
        },
    )
