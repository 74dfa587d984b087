"""Availability and gain over the months of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gnss_coop.batch.archive.query import open_archive
from gnss_coop.errors import ArchiveError
from gnss_coop.orbits.completeness import COMPLETE_PCT

if TYPE_CHECKING:
    import pandas as pd

PERIODS: Final = ("day", "month", "year")
#: Stands for all stations together.
ALL_STATIONS: Final = "all"

# Days whose files hold too little of what is in view at a station say nothing about it.
# Shares are of all epochs of the period, gains of those that have one; of medians and falls of days the median is
# taken, never a mean.
_TREND: Final = """
SELECT CAST(date_trunc($period, day) AS DATE) AS period, {station} AS station, mask_deg, clocks, systems,
       coalesce(string_agg(DISTINCT nullif(supplemented_by, ''), ', '
                           ORDER BY nullif(supplemented_by, '')), '') AS supplemented_by,
       count(DISTINCT day) FILTER (complete) AS n_days, count(DISTINCT station) FILTER (complete) AS n_stations,
       sum(n_epochs * availability_pct) FILTER (complete) / sum(n_epochs) FILTER (complete) AS availability_pct,
       sum(n_epochs * availability_gain_points) FILTER (complete)
         / sum(n_epochs) FILTER (complete AND availability_gain_points IS NOT NULL) AS availability_gain_points,
       median(pdop_median) FILTER (complete) AS pdop_median, median(pdop_drop_pct) FILTER (complete) AS pdop_drop_pct,
       count(DISTINCT day) FILTER (NOT complete) AS n_days_incomplete
FROM (SELECT *, coalesce(completeness_pct, 100) >= {complete} AS complete FROM compare)
WHERE {places}
GROUP BY ALL
ORDER BY period, station, mask_deg, clocks, systems
"""


def trend(root: str | Path, *, period: str = "month", stations: Sequence[str] = (ALL_STATIONS,)) -> pd.DataFrame:
    """Tell how availability and gain went over time.

    Parameters
    ----------
    root : str or Path
        The folder that `gnss-coop batch` wrote, with the product ``compare``.
    period : {"month", "day", "year"}
        What one figure is of.
    stations : sequence of str
        Names; ``all`` is all stations of the archive together.

    Returns
    -------
    pandas.DataFrame
        One row per period, station, mask, clocks and scenario: ``period`` (its first day), ``station, mask_deg, clocks,
        systems, supplemented_by, n_days, n_stations, availability_pct, availability_gain_points, pdop_median,
        pdop_drop_pct, n_days_incomplete``. Shares are of all epochs; of the days' medians and falls the median is
        taken. Left out are days whose files hold less than 85 % of what is in view at a station, as those of one
        receiver far away do (``completeness_pct``); ``n_days_incomplete`` says how many.

    Raises
    ------
    ArchiveError
        If the folder is no archive, holds no comparison, or not these stations.
    ScenarioError
        For an unknown period.

    Examples
    --------
    >>> import tempfile
    >>> import gnss_coop as gc
    >>> study = {"systems": "R", "stations": "Irkutsk", "mask": 25, "products": "compare", "step": 3600}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = gc.run_batch("sample_rinex/brdc0100.24g.gz", folder, threads=True, workers=1, **study)
    ...     gc.trend(folder, stations=["Irkutsk", "all"])[["period", "station", "systems", "n_days"]]
          period  station systems  n_days
    0 2024-01-01  Irkutsk       R       1
    1 2024-01-01      all       R       1
    """
    import pandas as pd

    from gnss_coop.errors import ScenarioError

    if period not in PERIODS:
        raise ScenarioError(f"unknown period {period!r}: known are {', '.join(PERIODS)}")
    named = [name for name in stations if name != ALL_STATIONS]
    parts = []
    with open_archive(root) as archive:
        known = [row[0] for row in archive.execute("SELECT DISTINCT station FROM compare ORDER BY 1").fetchall()]
        if not known:
            raise ArchiveError(f"{root} holds no comparisons: run gnss-coop batch with the product compare")
        if absent := [name for name in named if name not in known]:
            raise ArchiveError(f"{root} holds no station {', '.join(absent)}; there are {', '.join(known)}")
        if named:
            text = _TREND.format(complete=COMPLETE_PCT, station="station", places="list_contains($stations, station)")
            parts.append(archive.execute(text, {"period": period, "stations": named}).df())
        if ALL_STATIONS in stations:
            text = _TREND.format(complete=COMPLETE_PCT, station=f"'{ALL_STATIONS}'", places="true")
            parts.append(archive.execute(text, {"period": period}).df())
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table
