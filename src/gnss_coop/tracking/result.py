"""What `gnss_coop.tracked` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnss_coop.model.station import Station
from gnss_coop.tracking import tables
from gnss_coop.tracking.horizon import station_with_horizon

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Tracking:
    """What a receiver tracked, against what stood in its sky.

    Made by `gnss_coop.tracked`. All tables count satellite-epochs: one satellite at one epoch of the observations.
    What was tracked without being expected falls into one of four classes: below_mask (or the station's horizon),
    unhealthy, no_ephemeris (none valid), below_horizon (below 0 deg, healthy or not).

    Attributes
    ----------
    station : Station
        Where the receiver stands.
    mask_deg : float
        Elevation mask above which a satellite is expected.
    span_ns : (int, int)
        First and last epoch [ns of GPST].
    interval_s : float
        Interval of the observations [s].
    n_epochs, n_epochs_due : int
        Epochs that are there, and those that the interval makes due in the span.
    n_off_grid : int
        Epochs more than 1 ms off the interval's grid, as receiver clock jumps leave them.
    satellites : pandas.DataFrame
        One row a satellite: sv, expected, tracked, missed, completeness_pct (of what was expected), below_mask,
        unhealthy, no_ephemeris, below_horizon, above_by_fit (without a valid ephemeris, but at or above 0 deg on
        the orbit fitted to the satellite's other records), lowest_deg (elevation), full_signals_pct (share tracked
        with all the signals that it ever gave), signals.
    bins : pandas.DataFrame
        The same counts per satellite and bin of elevation; without an ephemeris the bin is NaN.
    never_tracked : pandas.DataFrame
        Satellites above the mask that were never tracked: sv, epochs_above_mask, highest_deg, reason.
    gaps : pandas.DataFrame
        Times of more than two intervals in which an expected satellite was not tracked: sv (``all`` where the file
        has no epochs), start_gpst, end_gpst, duration_s, n_epochs, kind (rise, set, within, whole), lowest_deg,
        highest_deg.
    exceptions : pandas.DataFrame
        Tracked satellite-epochs that were not predicted above the true horizon: sv, explanation, n_epochs,
        first_gpst, last_gpst, lowest_deg (on the fitted orbit where there is no ephemeris).
    horizon : pandas.DataFrame
        The learned horizon, see `learn_horizon`.
    notes : tuple of str
        What else a reader of the figures should know.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> gc.tracked(obs, gc.read_nav("sample_rinex/brdc0100.24g.gz"))
    <Tracking at CIBG: 48 epochs, 100.00 % of the tracked predicted, 90.22 % of the expected tracked>
    """

    station: Station
    mask_deg: float
    span_ns: tuple[int, int]
    interval_s: float
    n_epochs: int
    n_epochs_due: int
    n_off_grid: int
    satellites: pd.DataFrame
    bins: pd.DataFrame
    never_tracked: pd.DataFrame
    gaps: pd.DataFrame
    exceptions: pd.DataFrame
    horizon: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def predicted_pct(self) -> float:
        """Share of the tracked satellite-epochs that were predicted at or above the true horizon [%].

        The prediction may come from an unhealthy ephemeris: it says where the satellite stands all the same. Where
        none is valid, an orbit fitted to the satellite's other records stands in; a satellite without any record
        counts as not predicted.
        """
        n_tracked, n_unknown, n_sunk = self._tracked_counts()
        n_unknown -= int(self.satellites["above_by_fit"].sum())
        return 100.0 * (1.0 - (n_unknown + n_sunk) / n_tracked) if n_tracked else float("nan")

    @property
    def above_horizon_pct(self) -> float:
        """The same share of the satellite-epochs that have a valid ephemeris [%]."""
        n_tracked, n_unknown, n_sunk = self._tracked_counts()
        n_known = n_tracked - n_unknown
        return 100.0 * (1.0 - n_sunk / n_known) if n_known else float("nan")

    def _tracked_counts(self) -> tuple[int, int, int]:
        """Return how many satellite-epochs were tracked, without ephemeris, and below the true horizon."""
        n_tracked, n_unknown, n_sunk = (
            int(self.satellites[name].sum()) for name in ("tracked", "no_ephemeris", "below_horizon")
        )
        return n_tracked, n_unknown, n_sunk

    @property
    def completeness_pct(self) -> float:
        """Share of the expected satellite-epochs that were tracked, of satellites ever tracked [%]."""
        seen = self.satellites[self.satellites["tracked"] > 0]
        n_expected = int(seen["expected"].sum())
        return 100.0 * (1.0 - int(seen["missed"].sum()) / n_expected) if n_expected else float("nan")

    def by_system(self) -> pd.DataFrame:
        """Return the counts of `satellites` per system, with the number of satellites expected and tracked."""
        import pandas as pd

        rows = []
        for letter, part in self.satellites.groupby(self.satellites["sv"].str[0], sort=True):
            seen = part[part["tracked"] > 0]
            n_expected = int(seen["expected"].sum())
            complete = 100.0 * (1.0 - seen["missed"].sum() / n_expected) if n_expected else float("nan")
            sums = {name: int(part[name].sum()) for name in tables.COUNTS}
            rows.append(
                {"system": letter, "satellites": len(part), "seen": len(seen), **sums, "complete_pct": complete}
            )
        return pd.DataFrame(rows, columns=["system", "satellites", "seen", *tables.COUNTS, "complete_pct"])

    def station_with_horizon(self) -> Station:
        """Return the station with the learned horizon (StationError where nothing was learned)."""
        return station_with_horizon(self.station, self.horizon)

    def __repr__(self) -> str:
        return (
            f"<Tracking at {self.station.name}: {self.n_epochs} epochs, {self.predicted_pct:.2f} % of the tracked "
            f"predicted, {self.completeness_pct:.2f} % of the expected tracked>"
        )
