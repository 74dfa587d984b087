"""What tells forecasts in tables, files and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gnss_coop.constants import NS_PER_S
from gnss_coop.elements.almanac import DAY_NS
from gnss_coop.model import timescales

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def forecast_summary(sky: xr.Dataset) -> tuple[int, float, float]:
    """Return how many epochs hold a forecast, the largest age of one [days], and its largest error [deg].

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> sky = gc.forecast_positions(gc.mean_elements(nav), gc.epochs("2024-01-17", hours=1))
    >>> n_epochs, days, error_deg = forecast_summary(sky)
    >>> n_epochs, round(days, 1), round(error_deg, 2)
    (12, 6.0, 0.07)
    """
    if "forecast" not in sky or not sky["forecast"].values.any():
        return 0, 0.0, 0.0
    ahead = sky["forecast"].values
    days = np.abs(sky["age"].values[ahead]).max() / (DAY_NS / NS_PER_S)
    return int(ahead.any(axis=1).sum()), float(days), float(sky["forecast_error"].values[ahead].max())


def forecast_attributes(sky: xr.Dataset) -> dict[str, Any]:
    """Return what a file that is made from positions should say of the forecasts in it; nothing where none can be.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> sky = gc.forecast_positions(gc.mean_elements(nav), gc.epochs("2024-01-17", hours=1))
    >>> forecast_attributes(sky)["forecast_epochs_pct"]
    100.0
    """
    if "forecast" not in sky:
        return {}
    n_epochs, days, error_deg = forecast_summary(sky)
    return {
        "forecast_epochs_pct": 100.0 * n_epochs / max(sky.sizes["time"], 1),
        "forecast_days": days,
        "forecast_error_deg": error_deg,
        "forecast_error_deg_per_day": sky.attrs["forecast_error_deg_per_day"],
    }


def mark_forecast(table: pd.DataFrame, sky: xr.Dataset) -> pd.DataFrame:
    """Return a table of satellites or scenarios with columns that tell forecasts and their expected errors.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``time_gpst`` as text, and ``sv`` or ``systems``.
    sky : xarray.Dataset
        The positions that it was made from.

    Returns
    -------
    pandas.DataFrame
        With the columns ``forecast``, true where the satellite's position, or that of any satellite of the scenario at
        that epoch, is a forecast, and ``forecast_error_deg``, the largest `forecast_error` of them, NaN without one.

    Examples
    --------
    >>> import pandas as pd
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> sky = gc.forecast_positions(gc.mean_elements(nav), gc.epochs("2024-01-17", hours=1))
    >>> table = pd.DataFrame({"time_gpst": ["2024-01-17T00:00:00"], "systems": ["R"]})
    >>> mark_forecast(table, sky)[["forecast", "forecast_error_deg"]].round(2).values.tolist()
    [[True, 0.07]]
    """
    times = timescales.format_times(timescales.from_datetime64(sky["time"].values))
    row_of = {time: row for row, time in enumerate(times.tolist())}
    rows = table["time_gpst"].map(row_of).to_numpy(dtype=np.int64)
    names = sky["sv"].values.astype(str)
    error_deg = np.where(sky["forecast"].values, sky["forecast_error"].values, -np.inf)
    labels = table["sv" if "sv" in table else "systems"].astype(str)
    kinds = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    largest_deg = np.empty((len(error_deg), len(kinds)))
    for label, i in kinds.items():
        own = names == label if "sv" in table else np.isin(names.astype("U1"), label.split("+"))
        largest_deg[:, i] = error_deg[:, own].max(axis=1, initial=-np.inf)
    of_rows_deg = largest_deg[rows, labels.map(kinds).to_numpy(dtype=np.int64)]
    ahead = np.isfinite(of_rows_deg)
    return table.assign(forecast=ahead, forecast_error_deg=np.where(ahead, of_rows_deg, np.nan))
