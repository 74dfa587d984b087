"""Satellite positions at any epochs from broadcast ephemerides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.ephemerides import records as rec
from gnss_coop.ephemerides.days_covered import day_counts, days_covered
from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.errors import EphemerisGapError, ScenarioError, TimeError
from gnss_coop.kernels import orbits
from gnss_coop.model import frames, timescales
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.orbits import completeness
from gnss_coop.orbits.precise import PreciseOrbits

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.timescales import TimeLike

FRAMES: Final = ("broadcast", "itrf")
_DAY_NS: Final = const.SECONDS_PER_DAY * const.NS_PER_S
#: So far orbits are continued beyond their records to tell which satellites are missing: a receiver sees each of them
#: again within a day, and an orbit of that age is right to some kilometres [s].
_CONTINUED_S: Final = float(const.SECONDS_PER_DAY)


def satellite_positions(
    nav: Ephemerides | PreciseOrbits,
    epochs: Any,
    *,
    systems: str | Iterable[str] | None = None,
    exclude_sv: Iterable[str] = (),
    include_unhealthy: bool = False,
    max_age_s: float | Mapping[str, float] | None = None,
    frame: str = "broadcast",
) -> xr.Dataset:
    """Compute satellite positions from broadcast ephemerides, or interpolate them from precise orbits.

    At each epoch a satellite's orbit comes from the healthy record nearest in time within the limit of its
    message; of several with one reference time, from the newest sent by then. A satellite counts as healthy
    when the newest record sent by the epoch says so.

    Parameters
    ----------
    nav : Ephemerides or PreciseOrbits
        From `read_nav`; or from `precise_orbits`, see `PreciseOrbits.positions`: SP3 knows no health and no age.
    epochs : datetime64 array (n_time,), DatetimeIndex, sequence, or a single instant
        Instants on GPST, in any order; time-zone aware ones are UTC. `gnss_coop.epochs` makes them.
    systems : str or iterable of str, optional
        RINEX letters, such as ``"RC"``; all systems of `nav` by default.
    exclude_sv : iterable of str
        Satellites to leave out, such as ``["R06"]``.
    include_unhealthy : bool
        Compute unhealthy satellites too, from their nearest record whatever it says; `healthy` tells them.
        Positions of healthy satellites stay the same.
    max_age_s : float or mapping of system letter to float, optional
        Limit of the distance in time from an ephemeris [s] instead of the message's own (GLONASS 1800,
        BeiDou 3600, SBAS 360, all others 7200).
    frame : {"broadcast", "itrf"}
        As broadcast, or GLONASS carried from PZ-90 to ITRF (below 1 cm since 2014, up to 1.4 m before). Precise
        orbits are in ITRF.

    Returns
    -------
    xarray.Dataset
        ``positions`` (time, sv, ecef) [m], NaN without a usable ephemeris; ``age`` (time, sv) [s], epoch
        minus reference time; ``healthy`` (time, sv), false without a valid ephemeris; ``message``
        (time, sv), index into its attribute ``flag_meanings``, -1 for none. Coordinates time, sv, ecef. Attributes
        ``completeness_R_pct`` and so on, see `completeness_pct`; where a system is not complete, ``continued``
        (time, sv, ecef) [m] says where healthy satellites without a record are, by one of up to a day's age. Without
        it (``sky.drop_vars("continued")``) figures are those of what the files hold, everywhere.

    Raises
    ------
    EphemerisGapError
        If `nav` holds no record of the systems at all, or none is valid at any epoch.
    TimeError, ScenarioError
        If epochs, letters or satellite names cannot be understood.

    Notes
    -----
    Formulas: IS-GPS-200, BDS-SIS-ICD, GLONASS ICD; see `gnss_coop.kernels.orbits`. Positions are geometric,
    Earth-fixed at the epoch itself: light time and the Earth's rotation during it are left out, which moves
    azimuth and elevation by less than 0.001 deg.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10T12:00:00", hours=1), systems="RC")
    >>> dict(sky.sizes)
    {'time': 12, 'sv': 73, 'ecef': 3}
    >>> round(sky.positions.sel(sv="R01", ecef="z").values[0].item() / 1e3)  # [km]
    -13290
    """
    if frame not in FRAMES:
        raise ScenarioError(f"unknown frame {frame!r}: write one of {', '.join(FRAMES)}")
    if isinstance(nav, PreciseOrbits):
        return nav.positions(epochs, systems=systems, exclude_sv=exclude_sv)
    epoch_ns = np.atleast_1d(timescales.from_datetime64(epochs))
    if epoch_ns.ndim > 1:
        raise TimeError(f"epochs are an array of {epoch_ns.ndim} dimensions: give one list of times")
    wanted = nav.select(systems, exclude_sv)
    if len(wanted) == 0:
        raise EphemerisGapError(_none_usable(nav, systems))
    chosen, usable = _select(wanted, epoch_ns, include_unhealthy, max_age_s)
    if epoch_ns.size and not usable.any():
        raise _gap(wanted, epoch_ns)
    xyz = np.empty((*chosen.shape, 3))
    derived = wanted.derived
    orbits.positions(epoch_ns, chosen, derived.toe_ns, derived.model, derived.elements, xyz)
    if frame == "itrf":
        glonass = [i for i, sv in enumerate(wanted.satellites) if sv[0] == "R"]
        xyz[:, glonass] = frames.pz90_to_itrf(xyz[:, glonass], epoch_ns[:, None])
    sky = _dataset(wanted, epoch_ns, chosen, usable, xyz, frame)
    sky.attrs |= _completeness(wanted, epoch_ns, usable, max_age_s, exclude_sv)
    if completeness.incomplete_systems(sky.attrs):
        sky["continued"] = (sky["positions"].dims, _continued_m(wanted, epoch_ns, usable), {"units": "m"})
    return sky


def completeness_of(nav: Ephemerides, step_s: float = 900.0) -> dict[str, float]:
    """Return how much of each system's satellites files hold over the day that they cover, as attributes of results.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.
    step_s : float
        Between the epochs that are looked at [s].

    Examples
    --------
    >>> import gnss_coop as gc
    >>> attrs = completeness_of(gc.read_nav("sample_rinex/brdc0100.24g.gz"))
    >>> {name: round(pct) for name, pct in attrs.items() if name.endswith("_pct")}
    {'completeness_R_pct': 96}
    """
    if len(nav) == 0:
        return {}
    start_ns, end_ns = default_span_ns(nav)
    epoch_ns = np.arange(start_ns, end_ns, round(step_s * const.NS_PER_S))
    return _completeness(nav, epoch_ns, _select(nav, epoch_ns, True, None)[1], None, ())


def _completeness(
    nav: Ephemerides,
    epoch_ns: npt.NDArray[np.int64],
    usable: npt.NDArray[np.int8],
    max_age_s: float | Mapping[str, float] | None,
    exclude_sv: Iterable[str],
) -> dict[str, float]:
    """Return the attributes about completeness; a shorter age than the messages' own makes files no poorer."""
    if epoch_ns.size == 0:
        return {}
    if max_age_s is not None and (limits_ns(max_age_s) < limits_ns(None)).any():
        usable = np.maximum(usable, _select(nav, epoch_ns, True, None)[1])
    return completeness.shares_of(usable > 0, nav.satellites, epoch_ns, exclude_sv)


def _continued_m(
    nav: Ephemerides, epoch_ns: npt.NDArray[np.int64], usable: npt.NDArray[np.int8]
) -> npt.NDArray[np.float64]:
    """Return positions (time, sv, ecef) of healthy satellites where there is no valid record; NaN elsewhere."""
    chosen, _ = _select(nav, epoch_ns, False, _CONTINUED_S)
    chosen[usable > 0] = -1
    xyz = np.empty((*chosen.shape, 3))
    orbits.positions(epoch_ns, chosen, nav.derived.toe_ns, nav.derived.model, nav.derived.elements, xyz)
    return xyz


def default_span_ns(nav: Ephemerides | PreciseOrbits, systems: str | Iterable[str] | None = None) -> tuple[int, int]:
    """Return the span to analyse where none is asked: the days that the files cover, as far as they are covered.

    Of days with a gap between them it is those around the day with most of the data; see `days_covered` for what
    counts as covered.

    Parameters
    ----------
    nav : Ephemerides or PreciseOrbits
        From `read_nav` or `precise_orbits`.
    systems : str or iterable of str, optional
        RINEX letters.

    Returns
    -------
    (int, int)
        Start and end [ns of GPST].

    Raises
    ------
    EphemerisGapError
        If `nav` holds no record of the systems.
    ScenarioError
        If a letter is unknown.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> [gc.format_time(t) for t in default_span_ns(nav, "RC")]
    ['2024-01-10T00:00:00', '2024-01-11T00:00:00']
    """
    if isinstance(nav, PreciseOrbits):
        return nav.fullest_day_ns
    wanted = nav.select(systems)
    if len(wanted) == 0:
        raise EphemerisGapError(_none_usable(nav, systems))
    toe_ns = wanted.derived.toe_ns
    run = _run_of_days(_covered_days(wanted))
    (start, _), (_, end) = (_within_day_ns(toe_ns, day * _DAY_NS) for day in (run[0], run[-1]))
    return start, end


def days_unused(nav: Ephemerides, start_ns: int, end_ns: int, systems: str | Iterable[str] | None = None) -> list[str]:
    """Return the days that files cover and a span does not reach, as ``2024-01-10``.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.
    start_ns, end_ns : int
        The span [ns of GPST].
    systems : str or iterable of str, optional
        RINEX letters.
    """
    days = [day * _DAY_NS for day in _covered_days(nav.select(systems))]
    return [timescales.format_time(day)[:10] for day in days if day >= end_ns or day + _DAY_NS <= start_ns]


def _covered_days(nav: Ephemerides) -> dict[int, int]:
    """Return the covered days, counted from the beginning of GPST, with their number of records."""
    counts = days_covered(day_counts(nav), nav.systems)
    return {timescales.parse_time(day) // _DAY_NS: n_records for day, (n_records, covered) in counts.items() if covered}


def _run_of_days(days: Mapping[int, int]) -> list[int]:
    """Return the days that follow each other without a gap around the one with most records."""
    run = [max(days, key=lambda day: days[day])]
    while run[0] - 1 in days:
        run.insert(0, run[0] - 1)
    while run[-1] + 1 in days:
        run.append(run[-1] + 1)
    return run


def day_span_ns(nav: Ephemerides, day: TimeLike, systems: str | Iterable[str] | None = None) -> tuple[int, int]:
    """Return the part of one day that the ephemerides cover.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.
    day : str, numpy.datetime64 or datetime.datetime
        Any instant of the day of GPST.
    systems : str or iterable of str, optional
        RINEX letters; all systems of `nav` by default.

    Returns
    -------
    (int, int)
        Start and end [ns of GPST]: those of the day itself where reference times come within an hour of them.

    Raises
    ------
    EphemerisGapError
        If no record of the systems has its reference time on that day.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx")
    >>> [gc.format_time(t) for t in day_span_ns(nav, "2022-06-08", "RC")]
    ['2022-06-08T07:00:14', '2022-06-08T10:45:18']
    """
    wanted = nav.select(systems)
    toe_ns = wanted.derived.toe_ns
    start = timescales.as_gpst_ns(day) // _DAY_NS * _DAY_NS
    if not ((toe_ns >= start) & (toe_ns <= start + _DAY_NS)).any():
        label = timescales.format_time(start)[:10]
        raise EphemerisGapError(f"there is no usable navigation record of {_names(systems)} on {label}")
    return _within_day_ns(toe_ns, start)


def _within_day_ns(toe_ns: npt.NDArray[np.int64], day: int) -> tuple[int, int]:
    on_day = toe_ns[(toe_ns >= day) & (toe_ns <= day + _DAY_NS)]
    # Reference times reach to within their step of both ends of a full day.
    slack = 3600 * const.NS_PER_S
    start = day if on_day.min() - day <= slack else int(on_day.min())
    end = day + _DAY_NS if day + _DAY_NS - on_day.max() <= slack else int(on_day.max())
    return (start, end) if end > start else (start, start + slack)


def _select(
    nav: Ephemerides,
    epoch_ns: npt.NDArray[np.int64],
    any_health: bool,
    max_age_s: float | Mapping[str, float] | None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Choose a record per epoch and satellite; -1 for none."""
    start, stop = rec.groups(nav.table)
    keys = rec.satellite_key(nav.table)
    _, group_sv = np.unique(keys[start], return_inverse=True)
    limit_ns = limits_ns(max_age_s)
    shape = (epoch_ns.size, int(group_sv.max()) + 1)
    chosen, usable = np.empty(shape, np.int64), np.empty(shape, np.int8)
    derived = nav.derived
    orbits.select(
        epoch_ns, start, stop, group_sv, derived.toe_ns, derived.sent_ns, limit_ns[nav.table.message],
        derived.healthy, any_health, chosen, usable,
    )  # fmt: skip
    return chosen, usable


def limits_ns(asked_s: float | Mapping[str, float] | None) -> npt.NDArray[np.int64]:
    """Return the age limit of each message of `MESSAGES` [ns]."""
    by_system = asked_s if isinstance(asked_s, Mapping) else {}
    unknown = [system for system in by_system if system not in SYSTEMS]
    if unknown:
        raise ScenarioError(f"age limit of an unknown system {unknown[0]!r}: known are {', '.join(SYSTEMS)}")
    for_all = None if isinstance(asked_s, Mapping) else asked_s
    limits_s = [by_system.get(m.system, m.max_age_s if for_all is None else for_all) for m in MESSAGES]
    for limit_s in limits_s:
        if not 0 <= limit_s <= 30 * const.SECONDS_PER_DAY:
            raise ScenarioError(f"the age limit of an ephemeris must be from 0 s to 30 days, not {limit_s} s")
    return np.array([round(limit_s * const.NS_PER_S) for limit_s in limits_s])


def _gap(nav: Ephemerides, epoch_ns: npt.NDArray[np.int64]) -> EphemerisGapError:
    first, last = (timescales.format_time(t) for t in nav.span_ns)
    asked = [timescales.format_time(t) for t in (epoch_ns.min(), epoch_ns.max())]
    return EphemerisGapError(
        f"no valid ephemeris from {asked[0]} to {asked[1]} GPST: the records of "
        f"{_names(nav.systems)} in {_files(nav)} cover {first} to {last} GPST",
        first,
        last,
    )


def _none_usable(nav: Ephemerides, systems: str | Iterable[str] | None) -> str:
    """Say that there is no record, and why those that were there are not used."""
    letters = None if systems is None else set(systems)
    reasons = [r.reason for r in nav.rejects if letters is None or r.sv[:1] in letters]
    why = f": {len(reasons)} are rejected, such as the first: {reasons[0]}" if reasons else ""
    return f"there is no usable navigation record of {_names(systems)} in {_files(nav)}{why}"


def _names(systems: str | Iterable[str] | None) -> str:
    return "any system" if not systems else ", ".join(SYSTEMS[s].name for s in systems)


def _files(nav: Ephemerides) -> str:
    return nav.files[0] if len(nav.files) == 1 else f"the {len(nav.files)} files"


def _dataset(
    nav: Ephemerides,
    epoch_ns: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
    usable: npt.NDArray[np.int8],
    xyz: npt.NDArray[np.float64],
    frame: str,
) -> xr.Dataset:
    import xarray as xr

    none = chosen < 0
    meanings = " ".join(m.name for m in MESSAGES)
    age_s = (epoch_ns[:, None] - nav.derived.toe_ns[chosen]) / const.NS_PER_S
    age_s[none] = np.nan
    message = nav.table.message[chosen]
    message[none] = -1
    plane = ("time", "sv")
    return xr.Dataset(
        {
            "positions": ((*plane, "ecef"), xyz, {"units": "m", "long_name": "Earth-fixed position"}),
            "age": (plane, age_s, {"units": "s", "long_name": "epoch minus reference time of the ephemeris"}),
            "healthy": (plane, usable == 2, {"long_name": "newest record sent says healthy"}),
            "message": (
                plane,
                message,
                {"flag_values": list(range(len(MESSAGES))), "flag_meanings": meanings},
            ),
        },
        coords={
            "time": ("time", timescales.to_datetime64(epoch_ns), {"time_scale": "GPST"}),
            "sv": ("sv", np.array(nav.satellites)),
            "ecef": ("ecef", np.array(["x", "y", "z"])),
        },
        attrs={"frame": frame, "files": list(nav.files), "time_scale": "GPST"},
    )
