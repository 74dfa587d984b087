"""Passes: when each satellite rises, culminates and sets at each station."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import TimeError
from gnss_coop.geometry.tracks import Tracks, find_tracks
from gnss_coop.geometry.visibility import mask_radians, station_arrays
from gnss_coop.kernels import passes as kernel
from gnss_coop.model import timescales
from gnss_coop.orbits.broadcast import satellite_positions

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.model.network import Selection
    from gnss_coop.model.timescales import TimeLike

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FIRST_CAPACITY_PER_TRACK: Final = 4


class PositionSource(Protocol):
    """Anything that gives positions as `satellite_positions` does, such as a forecast."""

    def positions(
        self,
        epochs: Any,
        *,
        systems: str | Iterable[str] | None,
        exclude_sv: Iterable[str],
        max_age_s: float | Mapping[str, float] | None,
        include_unhealthy: bool,
    ) -> xr.Dataset:
        """Return ``positions`` (time, sv, ecef) [m], of the same satellites whatever the epochs.

        ``forecast`` (time, sv), where there is such a variable, tells which of them are forecasts.
        """
        ...


def positions_of(
    source: Ephemerides | PositionSource,
    epochs: Any,
    *,
    systems: str | Iterable[str] | None = None,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
    include_unhealthy: bool = False,
) -> xr.Dataset:
    """Compute positions of a source's satellites: the one way by which passes get them.

    Parameters
    ----------
    source : Ephemerides or PositionSource
        From `read_nav`, or an object with a method `positions`.
    epochs, systems, exclude_sv, max_age_s, include_unhealthy
        As `satellite_positions` takes them.

    Returns
    -------
    xarray.Dataset
        ``positions`` (time, sv, ecef) [m], NaN where the source has none. The satellites are the same
        whatever the epochs.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> positions_of(nav, ["2024-01-10T12:00:00"], systems="R").positions.shape
    (1, 26, 3)
    """
    compute = partial(satellite_positions, source) if isinstance(source, Ephemerides) else source.positions
    return compute(
        epochs, systems=systems, exclude_sv=exclude_sv, max_age_s=max_age_s, include_unhealthy=include_unhealthy
    )


def passes(
    source: Ephemerides | PositionSource,
    stations: Selection,
    start: TimeLike,
    end: TimeLike,
    *,
    systems: str | Iterable[str] | None = None,
    mask_deg: float = 5.0,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
    include_unhealthy: bool = False,
) -> pd.DataFrame:
    """List every pass of every satellite over every station, to 1 s.

    A satellite is in view on or above the larger of the mask and the station's horizon, while it has a usable
    ephemeris. Over a horizon with corners it may rise several times. Passes and interruptions of 1 s and
    more are found. Of gaps between ephemerides, and of spans between such gaps, those below 30 s may be left out.

    Parameters
    ----------
    source : Ephemerides or PositionSource
        From `read_nav`, or an object with a method `positions` like an `Outlook`.
    stations : Network, Station, str, or a list of those
        A string is a selection such as ``"china"`` or ``"Irkutsk,Obninsk"``.
    start, end : str, numpy.datetime64 or datetime.datetime
        Span, both ends included; text with ``Z`` is UTC, without it GPST.
    systems : str or iterable of str, optional
        RINEX letters, such as ``"RC"``; all systems by default.
    mask_deg : float
        Elevation mask.
    exclude_sv, max_age_s, include_unhealthy
        As `satellite_positions` takes them.

    Returns
    -------
    pandas.DataFrame
        One row a pass, by station, then by time:

        - ``station``, ``sv``
        - ``begins``: "rise", "start" (in view when the span starts) or "ephemeris" (a usable one starts)
        - ``rise_gpst``, ``rise_azimuth_deg``: the first instant of the pass, whatever it begins with
        - ``culmination_gpst``, ``culmination_azimuth_deg``, ``max_elevation_deg``: its highest point
        - ``ends``: "set", "end" (of the span) or "ephemeris" (a gap, or the satellite becomes unhealthy)
        - ``set_gpst``, ``set_azimuth_deg``: the last instant
        - ``duration_s``: from `rise_gpst` to `set_gpst`
        - ``forecast``: whether any part of the pass is a forecast; always false for `Ephemerides`

        Times are datetime64[ns] on GPST, rounded to whole seconds within the span.

    Raises
    ------
    TimeError
        If the end is not after the start.
    EphemerisGapError
        If no ephemeris of the systems is valid in the span.
    ScenarioError, StationError
        For an elevation mask outside -90 to 90 deg, an unknown system, satellite or station.

    Notes
    -----
    Elevations are geometric, without refraction, as in `visibility`.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> table = gc.passes(nav, "Irkutsk", "2024-01-10", "2024-01-11", systems="R", mask_deg=10)
    >>> print(table.loc[8:10, ["sv", "begins", "rise_gpst", "set_gpst", "ends"]].to_string(index=False))
     sv begins           rise_gpst            set_gpst ends
    R23   rise 2024-01-10 00:23:20 2024-01-10 02:10:13  set
    R09   rise 2024-01-10 00:51:39 2024-01-10 06:02:04  set
    R24   rise 2024-01-10 01:48:09 2024-01-10 02:55:23  set
    """
    mask_rad = mask_radians(float(mask_deg))[0]
    places = station_arrays(stations)
    start_ns, end_ns = timescales.as_gpst_ns(start), timescales.as_gpst_ns(end)
    if end_ns <= start_ns:
        raise TimeError(
            f"the end {timescales.format_time(end_ns)} of the passes is not after their start "
            f"{timescales.format_time(start_ns)} GPST: exchange them, or give a span"
        )
    options = {"systems": systems, "exclude_sv": tuple(exclude_sv), "max_age_s": max_age_s}
    sky_at = partial(_sky_at, source, {**options, "include_unhealthy": include_unhealthy})
    tracks = find_tracks(sky_at, start_ns, end_ns)
    labels, numbers = _search(
        tracks.start, tracks.node_s, tracks.node_m, tracks.speed_mps, tracks.least_radius_m, places.xyz_m,
        places.enu, mask_rad, places.node_azimuth_rad, places.node_elevation_rad, places.node_start,
    )  # fmt: skip
    return _table(tracks, np.array(places.coords["station"]), labels, numbers, start_ns, end_ns)


def _sky_at(source: Ephemerides | PositionSource, options: Mapping[str, Any], epoch_ns: Ints) -> xr.Dataset:
    return positions_of(source, timescales.to_datetime64(epoch_ns), **options)


def _search(*search: Any) -> tuple[Ints, Floats]:
    """Find passes, with as much room as they need."""
    n_pairs = len(search[5]) * (len(search[0]) - 1)
    capacity = _FIRST_CAPACITY_PER_TRACK * n_pairs
    while True:
        labels = np.empty((capacity, kernel.N_LABELS), np.int64)
        numbers = np.empty((capacity, kernel.N_NUMBERS))
        count = kernel.find_passes(*search, labels, numbers)
        if count <= capacity:
            return labels[:count], numbers[:count]
        capacity = count


def _table(
    tracks: Tracks, names: npt.NDArray[Any], labels: Ints, numbers: Floats, start_ns: int, end_ns: int
) -> pd.DataFrame:
    import pandas as pd

    def time_ns(column: int) -> Ints:
        exact_ns = start_ns + np.rint(numbers[:, column] * NS_PER_S).astype(np.int64)
        return np.clip((exact_ns + NS_PER_S // 2) // NS_PER_S * NS_PER_S, start_ns, end_ns)

    track = labels[:, kernel.TRACK]
    first_s, last_s = tracks.node_s[tracks.start[:-1]], tracks.node_s[tracks.start[1:] - 1]
    at_start, at_end = first_s[track] == 0.0, last_s[track] == (end_ns - start_ns) / NS_PER_S
    rise_ns, set_ns = time_ns(kernel.RISE_S), time_ns(kernel.SET_S)
    degrees = np.degrees(numbers)
    table = pd.DataFrame(
        {
            "station": names[labels[:, kernel.STATION]],
            "sv": tracks.sv[track],
            "begins": _how(labels[:, kernel.CUT_BEFORE], at_start, "rise", "start"),
            "rise_gpst": timescales.to_datetime64(rise_ns),
            "rise_azimuth_deg": degrees[:, kernel.RISE_AZIMUTH],
            "culmination_gpst": timescales.to_datetime64(time_ns(kernel.CULMINATION_S)),
            "culmination_azimuth_deg": degrees[:, kernel.CULMINATION_AZIMUTH],
            "max_elevation_deg": degrees[:, kernel.MAX_ELEVATION],
            "ends": _how(labels[:, kernel.CUT_AFTER], at_end, "set", "end"),
            "set_gpst": timescales.to_datetime64(set_ns),
            "set_azimuth_deg": degrees[:, kernel.SET_AZIMUTH],
            "duration_s": (set_ns - rise_ns) / NS_PER_S,
            "forecast": _forecast(tracks, track, numbers),
        }
    )
    order = np.lexsort((tracks.sv[track], numbers[:, kernel.RISE_S], labels[:, kernel.STATION]))
    return table.iloc[order].reset_index(drop=True)


def _forecast(tracks: Tracks, track: Ints, numbers: Floats) -> npt.NDArray[np.bool_]:
    """Tell the passes with a forecast at any node from the one before to the one after."""
    before = np.concatenate([[0], np.cumsum(tracks.forecast)])  # how many nodes up to here
    if before[-1] == 0:
        return np.zeros(len(track), dtype=bool)
    counts = np.zeros(len(track), dtype=np.int64)
    for row, k in enumerate(track.tolist()):
        start, stop = tracks.start[k], tracks.start[k + 1]
        own_s = tracks.node_s[start:stop]
        first = np.searchsorted(own_s, numbers[row, kernel.RISE_S], side="right") - 1
        last = np.searchsorted(own_s, numbers[row, kernel.SET_S])
        counts[row] = before[min(start + last + 1, stop)] - before[start + first]
    return np.asarray(counts > 0)


def _how(cut: Ints, at_end_of_span: npt.NDArray[np.bool_], whole: str, of_span: str) -> npt.NDArray[np.str_]:
    """Say in a word how passes begin or end."""
    return np.where(cut == 0, whole, np.where(at_end_of_span, of_span, "ephemeris"))
