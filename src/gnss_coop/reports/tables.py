"""Tables of the station report that are counted from visibility and ephemerides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from gnss_coop.model import timescales

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: States of an ephemeris, of a satellite at an epoch.
NO_EPHEMERIS, UNHEALTHY, HEALTHY = 0, 1, 2
#: Width of the steps of the elevation histogram [deg].
ELEVATION_STEP_DEG: Final = 5.0


def ephemeris_states(sky: xr.Dataset) -> xr.DataArray:
    """Return whether each satellite has a valid ephemeris, and a healthy one: (time, sv)."""
    in_reach = (sky["message"] >= 0) | sky["positions"].notnull().all("ecef")  # a forecast has no message
    return in_reach.astype(np.int8) + (in_reach & sky["healthy"]).astype(np.int8)


def in_view_table(seen: xr.Dataset, letters: Sequence[str]) -> pd.DataFrame:
    """Return the number of visible satellites per epoch and system of one station."""
    import pandas as pd

    visible, sv = seen["visible"].transpose("time", "sv").values, seen["sv"].values.astype(str)
    times = timescales.format_times(timescales.from_datetime64(seen["time"].values))
    station = str(seen["station"].item())
    parts = [
        pd.DataFrame(
            {
                "time_gpst": times,
                "station": station,
                "system": letter,
                "n_visible": visible[:, np.char.startswith(sv, letter)].sum(axis=1),
            }
        )
        for letter in letters
    ]
    return pd.concat(parts, ignore_index=True)


def elevation_table(seen: xr.Dataset, letters: Sequence[str]) -> pd.DataFrame:
    """Return the mean number of satellites in steps of elevation: all, and the visible ones."""
    import pandas as pd

    edges = np.arange(0.0, 90.0 + ELEVATION_STEP_DEG, ELEVATION_STEP_DEG)
    sv, n_epochs = seen["sv"].values.astype(str), seen.sizes["time"]
    elevation = seen["elevation"].transpose("time", "sv").values
    visible = seen["visible"].transpose("time", "sv").values
    parts = []
    for letter in letters:
        own = np.char.startswith(sv, letter)
        counts = [
            np.histogram(elevation[:, own][kept[:, own]], edges)[0] / n_epochs
            for kept in (np.isfinite(elevation), visible)
        ]
        parts.append(
            pd.DataFrame(
                {
                    "station": str(seen["station"].item()),
                    "system": letter,
                    "from_deg": edges[:-1],
                    "to_deg": edges[1:],
                    "n_above_mean": counts[0],
                    "n_visible_mean": counts[1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def ephemerides_table(sky: xr.Dataset, state: xr.DataArray) -> pd.DataFrame:
    """Return one row per satellite: how long it has an ephemeris, a healthy one, and how old they are."""
    import pandas as pd

    kinds = state.transpose("time", "sv").values
    rows = []
    for i, sv in enumerate(sky["sv"].values.astype(str)):
        age_s = np.abs(sky["age"].transpose("time", "sv").values[:, i])
        age_s = age_s[np.isfinite(age_s)]
        rows.append(
            {
                "system": sv[0],
                "sv": sv,
                "covered_pct": 100.0 * float((kinds[:, i] != NO_EPHEMERIS).mean()),
                "healthy_pct": 100.0 * float((kinds[:, i] == HEALTHY).mean()),
                "age_median_s": float(np.median(age_s)) if age_s.size else math.nan,
                "age_max_s": float(age_s.max()) if age_s.size else math.nan,
            }
        )
    return pd.DataFrame(rows)
