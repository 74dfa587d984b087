"""All numbers of the report about a station: what it sees, how well, when it is worst, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.geometry.comparison import compare
from gnss_coop.geometry.dop import dilution_of_precision
from gnss_coop.geometry.visibility import visibility
from gnss_coop.geometry.worst_intervals import even_epochs, with_one_more, worst_intervals
from gnss_coop.model import timescales
from gnss_coop.model.scenario import PER_SYSTEM, parse_scenarios
from gnss_coop.orbits.forecast_marks import forecast_attributes
from gnss_coop.orbits.outlook import Outlook, positions_from
from gnss_coop.reports.tables import elevation_table, ephemerides_table, ephemeris_states, in_view_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.network import Selection
    from gnss_coop.model.station import Station
    from gnss_coop.tracking.tracked import Tracking

#: Augmentation satellites repeat other orbits and are no system of their own to fall back on.
_NO_HELPERS: Final = ("S",)


@dataclass(frozen=True, slots=True, eq=False)
class StationReport:
    """What a report says about one station, in numbers; made by `station_reports`.

    Attributes
    ----------
    station : Station
    scenarios : tuple of str
        As asked: ``R``, ``C``, ``R+C``.
    mask_deg : tuple of float
        Elevation masks; sky, passes and curves are of the one with the largest gain over all stations, of the first
        one where nothing is supplemented.
    limit : float
        Largest PDOP with which a position counts as available.
    clocks : str
        Treatment of receiver clocks.
    step_s : float
        Time between epochs [s].
    start_gpst, end_gpst : str
        Span; its end is one step behind the last epoch.
    frame : str
        Frame of the satellite positions.
    files : tuple of str
        Navigation files.
    seen : xarray.Dataset
        As `visibility` gives it, of this station: (time, sv).
    dop : xarray.Dataset
        As `dilution_of_precision` gives it, of this station: (systems, mask_deg, time).
    state : xarray.DataArray
        Ephemerides (time, sv): 0 none valid, 1 unhealthy, 2 healthy.
    passes : pandas.DataFrame
        As `passes` gives it.
    in_view : pandas.DataFrame
        time_gpst, station, system, n_visible.
    worst : pandas.DataFrame
        Intervals without a usable position, per scenario and mask, the longest first; see
        `worst_intervals`.
    elevation : pandas.DataFrame
        Mean number of satellites by elevation: above the horizontal plane, and of them the visible ones.
    ephemerides : pandas.DataFrame
        Per satellite: share of epochs with an ephemeris and with a healthy one, and their ages.
    gain : pandas.DataFrame
        As `compare` gives it, of this station.
    sky : xarray.Dataset
        Positions of the satellites of the scenarios, unhealthy ones included.
    forecast : dict
        As `forecast_attributes` gives it; empty where nothing is a forecast.
    tracking : Tracking or None
        What a receiver tracked there.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> [report] = gc.station_reports(nav, "Irkutsk", gc.epochs("2024-01-10", hours=1, step_s=900), ["R", "R+C"])
    >>> report.scenarios, report.systems, report.ahead.any().item()
    (('R', 'R+C'), ('R', 'C'), False)
    """

    station: Station
    scenarios: tuple[str, ...]
    mask_deg: tuple[float, ...]
    limit: float
    clocks: str
    step_s: float
    start_gpst: str
    end_gpst: str
    frame: str
    files: tuple[str, ...]
    seen: xr.Dataset
    dop: xr.Dataset
    state: xr.DataArray
    passes: pd.DataFrame
    in_view: pd.DataFrame
    worst: pd.DataFrame
    elevation: pd.DataFrame
    ephemerides: pd.DataFrame
    gain: pd.DataFrame
    sky: xr.Dataset
    forecast: dict[str, Any]
    shown_mask_deg: float
    tracking: Tracking | None = None

    @property
    def systems(self) -> tuple[str, ...]:
        """Letters of all systems in the scenarios, in order."""
        return _letters(self.scenarios)

    @property
    def ahead(self) -> npt.NDArray[np.bool_]:
        """Whether any satellite's position is a forecast, per epoch."""
        if "forecast" not in self.sky:
            return np.zeros(self.sky.sizes["time"], dtype=np.bool_)
        return np.asarray(self.sky["forecast"].any("sv").values)


def station_reports(
    source: Ephemerides | Outlook,
    stations: Selection,
    epochs: Any,
    systems: str | Sequence[str] = ("R", "C", "R+C"),
    *,
    mask_deg: float | Sequence[float] = (5.0, 15.0, 25.0),
    clocks: str = PER_SYSTEM,
    limit: float = 6.0,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
    trackings: Mapping[str, Tracking] | None = None,
) -> list[StationReport]:
    """Gather what a report says about each station.

    Parameters
    ----------
    source : Ephemerides or Outlook
        From `read_nav`, or with a forecast. Systems that it holds besides those asked for are tried as helpers
        in bad intervals.
    stations : Network, Station, str, or a list of those
        A string is a selection such as ``"china"`` or ``"Irkutsk,Obninsk"``.
    epochs : datetime64 array (n_time,)
        At least two, evenly spaced, on GPST; `gnss_coop.epochs` makes them.
    systems : str or sequence of str
        Scenarios such as ``"R"``, ``"C"``, ``"R+C"``.
    mask_deg : float or sequence of float
        Elevation masks; sky, passes and curves are of the one with the largest gain over all stations, of the first
        one where nothing is supplemented.
    clocks : str
        As for `dilution_of_precision`.
    limit : float
        Largest PDOP with which a position counts as available.
    exclude_sv : iterable of str
        Satellites to leave out.
    max_age_s : float or mapping, optional
        As for `satellite_positions`.
    trackings : mapping of str to Tracking, optional
        What receivers tracked, by the names of their stations; `receivers_of` makes it.

    Returns
    -------
    list of StationReport
        In the order of the stations.

    Raises
    ------
    TimeError
        For fewer than two epochs, or epochs that are not evenly spaced.
    EphemerisGapError, ScenarioError, StationError
        As `satellite_positions`, `dilution_of_precision` and `stations` raise them.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> [irkutsk] = station_reports(nav, "Irkutsk", gc.epochs("2024-01-10T12:00:00", hours=2, step_s=600))
    >>> irkutsk.start_gpst, irkutsk.end_gpst, irkutsk.systems
    ('2024-01-10T12:00:00', '2024-01-10T14:00:00', ('R', 'C'))
    >>> irkutsk.in_view.query("system == 'C'").n_visible.min().item() > 10
    True
    """
    from gnss_coop.geometry.passes import passes
    from gnss_coop.model.network import stations as resolve

    network = resolve(stations)
    times, step_ns = even_epochs(epochs)
    scenarios = tuple(str(scenario) for scenario in parse_scenarios(systems, clocks))
    masks = tuple(float(mask) for mask in np.atleast_1d(mask_deg))
    letters = _letters(scenarios)
    helpers = [s for s in source.systems if s not in letters and s not in _NO_HELPERS]
    excluded = list(exclude_sv)
    everything = positions_from(
        source,
        timescales.to_datetime64(times),
        systems=[*letters, *helpers],
        exclude_sv=excluded,
        include_unhealthy=True,
        max_age_s=max_age_s,
    )
    if "forecast" in everything:  # of satellites that no figure uses it says nothing
        everything["forecast"] = everything["forecast"] & everything["healthy"]
    healthy = everything.assign(positions=everything["positions"].where(everything["healthy"]))
    own = [sv for sv in healthy["sv"].values.astype(str) if sv[0] in letters]
    sky = healthy.sel(sv=own)
    geometry: dict[str, Any] = {"mask_deg": list(masks), "clocks": clocks}
    dop = dilution_of_precision(sky, network, scenarios, **geometry)
    aided = dilution_of_precision(healthy, network, with_one_more(scenarios, [*letters, *helpers]), **geometry)
    gain = compare(dop, limit=limit)
    shown_deg = mask_of_largest_gain(gain)
    seen = visibility(sky, network, mask_deg=shown_deg)
    start, end = (timescales.to_datetime64([t])[0] for t in (times[0], times[-1] + step_ns))
    every_pass = passes(
        source, network, start, end, systems=letters, mask_deg=shown_deg, exclude_sv=excluded, max_age_s=max_age_s
    )
    sky_of_all = everything.sel(sv=own)
    state = ephemeris_states(sky_of_all)
    ephemerides = ephemerides_table(sky_of_all, state)
    return [
        StationReport(
            station=station,
            scenarios=scenarios,
            mask_deg=masks,
            limit=float(limit),
            clocks=clocks,
            step_s=step_ns / NS_PER_S,
            start_gpst=timescales.format_time(times[0]),
            end_gpst=timescales.format_time(times[-1] + step_ns),
            frame=str(everything.attrs["frame"]),
            files=tuple(everything.attrs["files"]),
            seen=seen.isel(station=i),
            dop=dop.isel(station=i),
            state=state,
            passes=every_pass[every_pass["station"] == station.name].reset_index(drop=True),
            in_view=in_view_table(seen.isel(station=i), letters),
            worst=worst_intervals(dop.isel(station=i), aided.isel(station=i), limit=limit),
            elevation=elevation_table(seen.isel(station=i), letters),
            ephemerides=ephemerides,
            gain=_of_station(gain, station.name),
            sky=sky_of_all,
            forecast=forecast_attributes(sky_of_all),
            shown_mask_deg=shown_deg,
            tracking=(trackings or {}).get(station.name),
        )
        for i, station in enumerate(network)
    ]


def mask_of_largest_gain(gain: pd.DataFrame) -> float:
    """Return the mask at which supplemented systems gain most over all stations, by availability, then by median PDOP.

    Parameters
    ----------
    gain : pandas.DataFrame
        From `compare`.

    Returns
    -------
    float
        The first mask where nothing is supplemented or nothing gains [deg].

    Examples
    --------
    >>> import pandas as pd
    >>> columns = ["mask_deg", "systems", "supplemented_by", "availability_gain_points", "pdop_drop_pct"]
    >>> rows = [[5.0, "R", "R+C", 0.0, 50.0], [25.0, "R", "R+C", 62.0, 90.0], [25.0, "R+C", "", None, None]]
    >>> mask_of_largest_gain(pd.DataFrame(rows, columns=columns))
    25.0
    """
    alone = gain[gain["supplemented_by"].astype(bool)]
    masks = gain["mask_deg"].unique()
    if alone.empty:
        return float(masks[0])
    sizes = alone.groupby(["mask_deg", "systems"])[["availability_gain_points", "pdop_drop_pct"]].mean().fillna(-np.inf)
    largest = {mask: max(map(tuple, sizes.loc[mask].to_numpy().tolist())) for mask in masks}
    return float(max(masks, key=lambda mask: largest[mask]))


def _letters(scenarios: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(letter for scenario in scenarios for letter in scenario.split("+")))


def _of_station(table: pd.DataFrame, station: str) -> pd.DataFrame:
    part = table[table["station"] == station].reset_index(drop=True)
    part.attrs = dict(table.attrs)
    return part
