"""Positions from ephemerides where they reach, and forecasts beyond, always marked as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.elements.almanac import DAY_NS, Almanac
from gnss_coop.ephemerides.element_fit import mean_elements_of_spans
from gnss_coop.errors import EphemerisGapError, ScenarioError
from gnss_coop.model import timescales
from gnss_coop.orbits import broadcast as broadcast_positions
from gnss_coop.orbits.forecast import MAX_ALMANAC_DAYS, check_days, forecast_positions

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.orbits.precise import PreciseOrbits

#: The last record of a day stands up to an hour before its end, which a look-ahead of whole days should reach.
_SLACK_NS: Final = 3600 * NS_PER_S
#: What stands where there is no position.
_NOTHING: Final[dict[str, Any]] = {
    "positions": np.nan, "age": np.nan, "healthy": False, "message": -1, "forecast": False, "forecast_error": np.nan,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outlook:
    """Ephemerides as far as they reach, and an almanac beyond.

    `positions` takes what `satellite_positions` takes, so that an outlook can stand for ephemerides.

    Attributes
    ----------
    nav : Ephemerides or None
        Broadcast records; without them all positions come from the almanac.
    almanac : Almanac
        What stands for satellites that have no valid record.
    forecast_days : float
        How far beyond the last record (or, without `nav`, from the elements' own epochs) [days].

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> outlook = Outlook.of(nav, forecast_days=7)
    >>> sky = outlook.positions(gc.epochs("2024-01-10T23:00", hours=4, step_s=3600))
    >>> sky.forecast.sel(sv="R01").values.tolist()
    [False, False, True, True]
    """

    nav: Ephemerides | None
    almanac: Almanac
    forecast_days: float

    @classmethod
    def of(
        cls, nav: Ephemerides | None, *, forecast_days: float = MAX_ALMANAC_DAYS, almanac: Almanac | None = None
    ) -> Outlook:
        """Return the outlook of ephemerides, by their own mean elements unless an almanac is given.

        Raises
        ------
        ScenarioError
            If there is neither, or the look-ahead is not positive or beyond 60 days.
        """
        check_days(forecast_days)
        if almanac is None:
            if nav is None:
                raise ScenarioError("a forecast needs navigation records or an almanac: give one of them")
            almanac = mean_elements_of_spans(nav)
        return cls(nav, almanac, forecast_days)

    @property
    def systems(self) -> tuple[str, ...]:
        """RINEX letters of the systems, in order."""
        return tuple(sorted({*(self.nav.systems if self.nav else ()), *self.almanac.systems}))

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last epoch that positions are given for [ns of GPST]."""
        beyond_ns = round(self.forecast_days * DAY_NS)
        if self.nav is not None:
            first_ns, last_ns = self.nav.span_ns
            return first_ns, last_ns + beyond_ns + _SLACK_NS
        own_ns = [orbit.epoch_ns for orbit in self.almanac.orbits]
        if not own_ns:
            raise EphemerisGapError("the almanac holds no orbit")
        return min(own_ns) - beyond_ns, max(own_ns) + beyond_ns

    def positions(
        self,
        epochs: Any,
        *,
        systems: str | Iterable[str] | None = None,
        exclude_sv: Iterable[str] = (),
        max_age_s: float | Mapping[str, float] | None = None,
        include_unhealthy: bool = False,
    ) -> xr.Dataset:
        """Compute positions: broadcast where there is a valid record, else a forecast, told by ``forecast``.

        Parameters and results are those of `satellite_positions` and `forecast_positions`. A satellite that its record
        in reach calls unhealthy is not forecast.

        Raises
        ------
        EphemerisGapError
            If no epoch lies within the look-ahead, or there is no satellite of the systems.
        """
        epoch_ns = np.atleast_1d(timescales.from_datetime64(epochs))
        exclude = tuple(exclude_sv)
        ahead = forecast_positions(
            self.almanac,
            timescales.to_datetime64(epoch_ns),
            systems=systems,
            exclude_sv=exclude,
            include_unhealthy=include_unhealthy,
            max_days=self.forecast_days if self.nav is None else max(self.forecast_days, MAX_ALMANAC_DAYS),
        )
        first_ns, last_ns = self.span_ns
        inside = (epoch_ns >= first_ns) & (epoch_ns <= last_ns)
        ahead = _only(ahead, inside[:, None] & ahead["forecast"].values)
        sky = ahead if self.nav is None else _joined(self._broadcast(epoch_ns, systems, exclude, max_age_s), ahead)
        if self.nav is not None and not include_unhealthy:
            sky = _only(sky, sky["healthy"].values)
        if epoch_ns.size and not np.isfinite(sky["positions"].values).any():
            first, last = (timescales.format_time(t) for t in (first_ns, last_ns))
            raise EphemerisGapError(
                f"no satellite has a position at {timescales.format_time(epoch_ns.min())} to "
                f"{timescales.format_time(epoch_ns.max())} GPST: the forecast of {self.forecast_days:g} days covers "
                f"{first} to {last} GPST; ask for more days, or give newer data",
                first,
                last,
            )
        return sky

    def _broadcast(
        self,
        epoch_ns: npt.NDArray[np.int64],
        systems: str | Iterable[str] | None,
        exclude_sv: tuple[str, ...],
        max_age_s: float | Mapping[str, float] | None,
    ) -> xr.Dataset | None:
        """Positions from records, of unhealthy satellites too; None if there are no records of the systems."""
        assert self.nav is not None
        wanted = self.nav.select(systems, exclude_sv)
        if len(wanted) == 0:
            return None
        # An epoch that is in reach besides, since a look-ahead may have none.
        with_reach = timescales.to_datetime64(np.append(epoch_ns, wanted.span_ns[1]))
        return broadcast_positions.satellite_positions(
            wanted, with_reach, max_age_s=max_age_s, include_unhealthy=True
        ).isel(time=slice(0, -1))


def positions_with_forecast(
    nav: Ephemerides, epochs: Any, *, forecast_days: float, almanac: Almanac | None = None, **selection: Any
) -> xr.Dataset:
    """Compute positions from ephemerides where they reach, and beyond from mean elements.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.
    epochs : datetime64 array (n_time,), or as `satellite_positions` takes them
        Instants on GPST.
    forecast_days : float
        How far beyond the last record [days], up to 60.
    almanac : Almanac, optional
        Instead of the mean elements of `nav`.
    **selection
        ``systems``, ``exclude_sv``, ``max_age_s`` and ``include_unhealthy`` as for `satellite_positions`.

    Returns
    -------
    xarray.Dataset
        As from `forecast_positions`; ``forecast`` (time, sv) tells what is a forecast.

    Raises
    ------
    EphemerisGapError
        If no satellite has a position at any epoch.
    ScenarioError
        For an unknown system, or a look-ahead that is not positive or beyond 60 days.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> sky = gc.positions_with_forecast(nav, gc.epochs("2024-01-17", hours=24), forecast_days=7)
    >>> round(float(sky.forecast_error.max()), 2)  # [deg]
    0.08
    """
    return Outlook.of(nav, forecast_days=forecast_days, almanac=almanac).positions(epochs, **selection)


def positions_from(source: Ephemerides | Outlook | PreciseOrbits, epochs: Any, **selection: Any) -> xr.Dataset:
    """Compute positions from ephemerides or precise orbits alone, or from an outlook beyond them.

    Parameters
    ----------
    source : Ephemerides, Outlook or PreciseOrbits
        Where from.
    epochs, **selection
        As for `satellite_positions`.

    Returns
    -------
    xarray.Dataset
        As from `satellite_positions`; of an outlook with ``forecast`` and ``forecast_error``.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> "forecast" in positions_from(nav, ["2024-01-10T12:00:00"])
    False
    """
    if isinstance(source, Outlook):
        return source.positions(epochs, **selection)
    return broadcast_positions.satellite_positions(source, epochs, **selection)


def _only(sky: xr.Dataset, keep: npt.NDArray[np.bool_]) -> xr.Dataset:
    """Return positions where `keep` (time, sv) is true, and none elsewhere."""
    result = sky.copy(deep=True)
    for name, nothing in _NOTHING.items():
        result[name].values[~keep] = nothing
    return result


def _joined(broadcast: xr.Dataset | None, ahead: xr.Dataset) -> xr.Dataset:
    """Return broadcast positions, and forecasts where a satellite has no valid record."""
    if broadcast is None:
        return ahead
    names = sorted({*broadcast["sv"].values.tolist(), *ahead["sv"].values.tolist()})
    result = ahead.reindex(sv=names, fill_value=_NOTHING)
    place = [names.index(sv) for sv in broadcast["sv"].values]
    in_reach = np.zeros((broadcast.sizes["time"], len(names)), dtype=bool)
    in_reach[:, place] = broadcast["message"].values >= 0
    result = _only(result, ~in_reach)
    rows, columns = np.nonzero(broadcast["message"].values >= 0)
    for name in ("positions", "age", "healthy", "message"):
        result[name].values[rows, np.array(place)[columns]] = broadcast[name].values[rows, columns]
    result.attrs["files"] = list(dict.fromkeys([*broadcast.attrs["files"], *ahead.attrs["files"]]))
    return result
