"""Prediction against reality: which satellites a receiver tracked of those that it should have seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.ephemerides.element_fit import mean_elements
from gnss_coop.errors import EphemerisGapError, ScenarioError, StationError
from gnss_coop.geometry.visibility import mask_radians, visibility
from gnss_coop.model import timescales
from gnss_coop.model.network import Selection, Station, stations
from gnss_coop.model.text import as_name
from gnss_coop.orbits.broadcast import satellite_positions
from gnss_coop.orbits.forecast import forecast_positions
from gnss_coop.tracking import tables
from gnss_coop.tracking.horizon import learn_horizon
from gnss_coop.tracking.result import Tracking
from gnss_coop.tracking.tables import Sky

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.observations import Observations

__all__ = ["Tracking", "tracked"]

#: A receiver this near to a station is that station's: header positions are rough [m].
SAME_PLACE_M: Final = 1000.0
_EPOCHS_AT_ONCE: Final = 4096  # positions of a day at 1 s would fill gigabytes
_OFF_GRID_NS: Final = 1_000_000  # receivers that steer their clocks stay within a millisecond
_MOVED_M: Final = 100.0
_MIN_LEARNED_DEG: Final = -2.0  # satellites lower than this are seen from peaks only


def tracked(
    obs: Observations,
    nav: Ephemerides,
    *,
    station: Selection | None = None,
    mask_deg: float = 5.0,
    bin_deg: float = 5.0,
    sector_deg: float = 10.0,
    min_epochs: int = 10,
    systems: str | Iterable[str] | None = None,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
) -> Tracking:
    """Compare what a receiver tracked with what the ephemerides predict.

    A satellite is expected at an epoch of the observations where it has a healthy ephemeris and stands at or above
    the mask and the station's horizon. Satellites of systems that have no record in `nav` are left out, with a note.

    Parameters
    ----------
    obs : Observations
        From `read_obs`.
    nav : Ephemerides
        From `read_nav`, of the same day.
    station : str, path or Station, optional
        Where the receiver stands, one station; by default the position in the header of the observations.
    mask_deg : float
        Elevation mask.
    bin_deg : float
        Width of the bins of elevation.
    sector_deg, min_epochs
        Sectors and evidence of the learned horizon, see `learn_horizon`.
    systems : str or iterable of str, optional
        RINEX letters; by default all that `nav` holds.
    exclude_sv : iterable of str
        Satellites to leave out.
    max_age_s : float or mapping of system letter to float, optional
        Limit of the age of an ephemeris, as `satellite_positions` takes it.

    Returns
    -------
    Tracking

    Raises
    ------
    StationError
        If no position is known, or several stations are chosen.
    EphemerisGapError
        If the ephemerides are of another time than the observations; the error holds both spans.
    ScenarioError
        If a mask, width, letter or satellite name makes no sense.

    Notes
    -----
    Prediction is geometric, without refraction, which lifts a satellite on the horizon by about half a degree.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> seen = gc.tracked(obs, nav, systems="RC")
    >>> seen.by_system()[["system", "expected", "missed"]].values.tolist()
    [['C', 1300, 208], ['R', 357, 35]]
    >>> seen.never_tracked.sv.tolist()
    ['C07', 'C08', 'C09', 'C10', 'R25', 'R26']
    """
    mask_radians(mask_deg)
    if not 0 < bin_deg <= 90:
        raise ScenarioError(f"bin_deg must be in (0, 90], got {bin_deg:g}; use 5, for example")
    place = _station(obs, station)
    left_out = set(exclude_sv)
    chosen = nav.select(systems, left_out)
    letters = tuple(nav.systems if systems is None else (s for s in systems if s in nav.systems))
    sky = _sky(obs, chosen, place, mask_deg, letters, left_out, max_age_s)
    with np.errstate(invalid="ignore"):
        evidence = sky.usable & (sky.elevation_deg >= _MIN_LEARNED_DEG) & sky.tracked.any(axis=0)
    n_due, n_off_grid = _grid(obs)
    return Tracking(
        station=place,
        mask_deg=float(mask_deg),
        span_ns=obs.span_ns,
        interval_s=obs.interval_s,
        n_epochs=len(obs),
        n_epochs_due=n_due,
        n_off_grid=n_off_grid,
        satellites=tables.satellites(sky, obs),
        bins=tables.bins(sky, bin_deg),
        never_tracked=tables.never_tracked(sky, obs),
        gaps=tables.gaps(sky, obs.interval_s),
        exceptions=tables.exceptions(sky),
        horizon=learn_horizon(
            sky.azimuth_deg[evidence].astype(np.float64),
            sky.elevation_deg[evidence].astype(np.float64),
            sky.tracked[evidence],
            sector_deg=sector_deg,
            min_epochs=min_epochs,
        ),
        notes=_notes(obs, place, _without_nav(obs, nav, systems), station is None, n_off_grid),
    )


def _station(obs: Observations, selection: Selection | None) -> Station:
    if selection is not None:
        network = stations(selection)
        if len(network) != 1:
            raise StationError(f"observations are of one station, and {len(network)} are chosen; choose one")
        return network[0]
    header = next((h for h in obs.headers if h.position_m is not None), None)
    if header is None:
        raise StationError(
            f"{obs.files[0]}: the header has no APPROX POSITION XYZ; give the station with --station FILE|NAME "
            "(tracked(..., station=...))"
        )
    marker = header.marker.upper()
    return Station(
        name=as_name(header.marker.replace(",", " ")) or "observations",
        marker=marker if len(marker) in (4, 9) and marker.isalnum() and marker.isascii() else "",
        ecef_m=header.position_m,
        antenna_height_m=min(max(header.antenna_delta_m[0], 0.0), 100.0),
        source="header of the observation file",
    )


def _sky(
    obs: Observations,
    nav: Ephemerides,
    place: Station,
    mask_deg: float,
    letters: tuple[str, ...],
    left_out: set[str],
    max_age_s: float | Mapping[str, float] | None,
) -> Sky:
    """Predict and observe all satellites of both sides at the epochs of the observations."""
    there = [i for i, sv in enumerate(obs.satellites) if sv[0] in letters and sv not in left_out]
    names = sorted({*(obs.satellites[i] for i in there), *nav.satellites})
    column = {sv: i for i, sv in enumerate(names)}
    shape = (len(obs), len(names))
    sky = Sky(
        time_ns=obs.time_ns,
        names=tuple(names),
        in_nav=np.isin(names, nav.satellites),
        rejected=np.isin(names, [r.sv for r in nav.rejects]),
        azimuth_deg=np.full(shape, np.nan, np.float32),
        elevation_deg=np.full(shape, np.nan, np.float32),
        fitted_deg=np.full(shape, np.nan, np.float32),
        healthy=np.zeros(shape, dtype=bool),
        above=np.zeros(shape, dtype=bool),
        tracked=np.zeros(shape, dtype=bool),
    )
    sky.tracked[:, [column[obs.satellites[i]] for i in there]] = obs.tracked[:, there]
    columns = [column[sv] for sv in nav.satellites]
    found = False
    for start in range(0, len(obs), _EPOCHS_AT_ONCE):
        rows = slice(start, start + _EPOCHS_AT_ONCE)
        part = _predict(nav, obs.time_ns[rows], place, mask_deg, max_age_s)
        if part is None:
            continue
        found = True
        sky.azimuth_deg[rows, columns] = part["azimuth"].values[0]
        sky.elevation_deg[rows, columns] = part["elevation"].values[0]
        sky.healthy[rows, columns] = part["healthy"].values
        sky.above[rows, columns] = part["visible"].values[0]
    if not found:
        raise _other_day(obs, nav)
    _fit_unknown(sky, nav, place)
    return sky


def _fit_unknown(sky: Sky, nav: Ephemerides, place: Station) -> None:
    """Fill elevations of what was tracked without a valid ephemeris from orbits fitted to its own records."""
    unknown = sky.tracked & ~np.isfinite(sky.elevation_deg)
    wanted = {sky.names[i] for i in np.flatnonzero(unknown.any(axis=0) & sky.in_nav)}
    records = nav.select(exclude_sv=set(nav.satellites) - wanted)
    if len(records) == 0:
        return
    almanac = mean_elements(records)
    rows = np.flatnonzero(unknown.any(axis=1))
    for start in range(0, len(rows), _EPOCHS_AT_ONCE):
        some = rows[start : start + _EPOCHS_AT_ONCE]
        epochs = timescales.to_datetime64(sky.time_ns[some])
        seen = visibility(forecast_positions(almanac, epochs, include_unhealthy=True), place, mask_deg=0.0)
        for sv in seen["sv"].values.astype(str):
            column = sky.names.index(sv)
            here = some[unknown[some, column]]
            sky.fitted_deg[here, column] = seen["elevation"].sel(sv=sv).values[0][unknown[some, column]]


def _predict(
    nav: Ephemerides,
    time_ns: npt.NDArray[np.int64],
    place: Station,
    mask_deg: float,
    max_age_s: float | Mapping[str, float] | None,
) -> xr.Dataset | None:
    """Return azimuth, elevation, visibility and health, or None without a valid ephemeris."""
    if len(nav) == 0:
        return None
    try:
        sky = satellite_positions(nav, timescales.to_datetime64(time_ns), include_unhealthy=True, max_age_s=max_age_s)
    except EphemerisGapError:
        return None
    seen = visibility(sky, place, mask_deg=mask_deg)
    return seen.assign(healthy=sky["healthy"])


def _other_day(obs: Observations, nav: Ephemerides) -> EphemerisGapError:
    of_obs = [timescales.format_time(t) for t in obs.span_ns]
    if len(nav) == 0:
        return EphemerisGapError("the navigation files hold no usable record of the systems asked for")
    first, last = (timescales.format_time(t) for t in nav.span_ns)
    return EphemerisGapError(
        f"the observations run from {of_obs[0]} to {of_obs[1]} GPST and the ephemerides from {first} to {last} GPST; "
        "give navigation files of the time of the observations",
        first,
        last,
    )


def _grid(obs: Observations) -> tuple[int, int]:
    """Return how many epochs are due in the span, and how many are off the interval's grid."""
    if not obs.interval_s > 0:
        return len(obs), 0
    step_ns = round(obs.interval_s * const.NS_PER_S)
    first, last = obs.span_ns
    phase_ns = obs.time_ns % step_ns
    # The commonest phase, to a millisecond, is that of the grid.
    values, counts = np.unique(np.rint(phase_ns / 1e6), return_counts=True)
    off_ns = np.abs(phase_ns - values[counts.argmax()] * 1e6)
    off_ns = np.minimum(off_ns, step_ns - off_ns)
    return round((last - first) / step_ns) + 1, int((off_ns > _OFF_GRID_NS).sum())


def _without_nav(obs: Observations, nav: Ephemerides, systems: str | Iterable[str] | None) -> list[str]:
    """Return the systems that were tracked and asked for, and of which there are no ephemerides."""
    return [s for s in obs.systems if s not in nav.systems and (systems is None or s in systems)]


def _notes(
    obs: Observations, place: Station, without_nav: list[str], by_header: bool, n_off_grid: int
) -> tuple[str, ...]:
    notes: list[str] = []
    if without_nav:
        of_these = np.array([sv[0] in without_nav for sv in obs.satellites])
        n_rows = int(of_these[obs.row_sv[obs.signals != 0]].sum())
        names = ", ".join(without_nav)
        notes.append(f"{n_rows} tracked satellite-epochs of {names} are left out: there are no ephemerides of them")
    notes += obs.damage
    if n_off_grid:
        notes.append(f"epochs off the grid of the interval (receiver clock jumps): {n_off_grid}")
    reference = next((h.position_m for h in obs.headers if h.position_m is not None), None)
    places = [e.position_m for e in obs.events if e.position_m is not None and any(e.position_m)]
    if reference is not None and any(np.linalg.norm(np.subtract(p, reference)) > _MOVED_M for p in places):
        notes.append("the position changes within the file by more than 100 m; one position is used for all of it")
    elif any(e.kind == "new site" for e in obs.events):
        notes.append("the file tells of a new site; one position is used for all of it")
    far_m = 0.0 if reference is None else float(np.linalg.norm(place.xyz_m - np.array(reference)))
    if far_m > SAME_PLACE_M:
        notes.append(f"the position in the header is {far_m / 1000:.0f} km from the station")
    if any(e.kind == "antenna starts moving" for e in obs.events) and by_header:
        notes.append("the antenna moves; the position of the header is used for all epochs")
    return tuple(notes)
