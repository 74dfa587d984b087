"""When the geometry at a station is too weak, for how long, and which further system would mend it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.errors import TimeError
from gnss_coop.model import timescales

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def worst_intervals(dop: xr.Dataset, aided: xr.Dataset, *, limit: float = 6.0) -> pd.DataFrame:
    """List the intervals in which the PDOP of a station exceeds the limit or does not exist.

    Parameters
    ----------
    dop : xarray.Dataset
        DOPs of one station: (systems, mask_deg, time).
    aided : xarray.Dataset
        The same for scenarios that hold one system more; they tell what would have helped.
    limit : float
        Largest PDOP with which a position counts as available.

    Returns
    -------
    pandas.DataFrame
        The longest first: station, systems, mask_deg, begins_gpst, ends_gpst, duration_s, pdop_worst
        (infinite without a solution), n_used_least, ``helped_by``: letters of the systems any one of which keeps the
        PDOP within the limit over the whole interval, the best first, and ``pdop_worst_helped`` with the
        first of them. A scenario and mask without such an interval has one row for the epoch of its largest
        PDOP, with ``within_limit`` true and a duration of one step.

    Raises
    ------
    TimeError
        For fewer than two epochs, or epochs that are not evenly spaced.

    Examples
    --------
    >>> import xarray as xr
    >>> time = np.array(["2024-01-10T00", "2024-01-10T01", "2024-01-10T02"], "datetime64[ns]")
    >>> def of(systems, pdop):
    ...     dims = ("systems", "mask_deg", "time")
    ...     data = {"pdop": (dims, [[pdop]]), "n_used": (dims, [[[4, 5, 5]]])}
    ...     place = {"systems": [systems], "mask_deg": [25.0], "time": time, "station": "Irkutsk"}
    ...     return xr.Dataset(data, coords=place)
    >>> table = worst_intervals(of("R", [np.nan, 9.0, 3.0]), of("R+C", [4.0, 2.0, 1.5]))
    >>> table[["begins_gpst", "duration_s", "pdop_worst", "helped_by", "pdop_worst_helped"]]
               begins_gpst  duration_s  pdop_worst helped_by  pdop_worst_helped
    0  2024-01-10T00:00:00      7200.0         inf         C                4.0
    """
    import pandas as pd

    times_ns, step_ns = even_epochs(dop["time"].values)
    help_by = _without_nan(aided)
    rows = []
    for systems in map(str, dop["systems"].values):
        helpers = _helpers(systems, aided["systems"].values.astype(str))
        for k, mask in enumerate(dop["mask_deg"].values):
            one = dop.sel(systems=systems).isel(mask_deg=k)
            pdop = _without_nan(one)
            for first, last, within in _bad_runs(pdop, limit):
                part = slice(first, last + 1)
                helped = sorted((help_by[i, k, part].max().item(), letter) for letter, i in helpers.items())
                enough = [(value, letter) for value, letter in helped if value <= limit and not within]
                rows.append(
                    {
                        "station": str(dop["station"].item()),
                        "systems": systems,
                        "mask_deg": float(mask),
                        "begins_gpst": timescales.format_time(times_ns[first]),
                        "ends_gpst": timescales.format_time(times_ns[last] + step_ns),
                        "duration_s": (times_ns[last] - times_ns[first] + step_ns).item() / NS_PER_S,
                        "pdop_worst": pdop[part].max().item(),
                        "n_used_least": int(one["n_used"].values[part].min()),
                        "within_limit": within,
                        "helped_by": ",".join(letter for _, letter in enough),
                        "pdop_worst_helped": enough[0][0] if enough else math.nan,
                    }
                )
    table = pd.DataFrame(rows)
    order = ["within_limit", "duration_s", "pdop_worst"]
    return table.sort_values(order, ascending=[True, False, False], kind="stable", ignore_index=True)


def even_epochs(epochs: Any, what: str = "a report is") -> tuple[npt.NDArray[np.int64], int]:
    """Return epochs and their step as ns of GPST; refuse what is no span."""
    times = np.atleast_1d(timescales.from_datetime64(epochs))
    steps = np.unique(np.diff(times))
    if steps.size != 1 or steps[0] <= 0:
        raise TimeError(f"{what} about a span: give at least two epochs with one step between all of them")
    return times, int(steps[0])


def with_one_more(scenarios: Sequence[str], letters: Sequence[str]) -> list[str]:
    """Return each set of systems that a scenario and one more system make, once."""
    sets = {frozenset([*s.split("+"), x]): f"{s}+{x}" for s in scenarios for x in letters if x not in s.split("+")}
    return list(sets.values()) or list(scenarios)


def _helpers(systems: str, aided: npt.NDArray[np.str_]) -> dict[str, int]:
    """Return the places of the aided scenarios that are this one and one system more, by its letter."""
    own = set(systems.split("+"))
    added = [(set(text.split("+")) - own, i) for i, text in enumerate(aided) if own < set(text.split("+"))]
    return {"".join(letters): i for letters, i in added if len(letters) == 1}


def _without_nan(dop: xr.Dataset) -> npt.NDArray[np.float64]:
    pdop = dop["pdop"].values
    return np.where(np.isnan(pdop), np.inf, pdop)


def _bad_runs(pdop: npt.NDArray[np.float64], limit: float) -> Iterator[tuple[int, int, bool]]:
    """Yield first and last epoch of each run beyond the limit; without any, the worst epoch, marked so."""
    beyond = np.concatenate([[False], pdop > limit, [False]])
    firsts, behind = np.flatnonzero(np.diff(beyond.astype(np.int8))).reshape(-1, 2).T
    if not firsts.size:
        worst = int(pdop.argmax())
        yield worst, worst, True
    for first, after in zip(firsts.tolist(), behind.tolist(), strict=True):
        yield first, after - 1, False
