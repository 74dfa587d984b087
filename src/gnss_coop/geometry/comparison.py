"""What each system gains from the others, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.geometry.statistics import availability_pct, worst_last_quantile
from gnss_coop.geometry.visibility import time_scale
from gnss_coop.model.scenario import Scenario
from gnss_coop.orbits.completeness import COMPLETE_PCT, completeness_attributes, scenario_pct

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_COMPARED_DOPS = ("pdop", "hdop", "vdop")
#: Smaller changes of an availability [percentage points] or a median [%] are no finding: they print as 0.0.
_SPOKEN = 0.05


def compare(dop: xr.Dataset, *, limit: float = 6.0) -> pd.DataFrame:
    """Compare systems alone with the same systems supplemented by others.

    Medians and percentiles are taken over all epochs; an epoch without a solution counts as the worst, so a
    percentile that falls among such epochs is infinite. GDOP depends on the number of clocks (`n_clocks`, the
    most that were estimated at once), so it is listed but never compared between scenarios.

    Parameters
    ----------
    dop : xarray.Dataset
        As `dilution_of_precision` gives it.
    limit : float
        Largest PDOP with which a position counts as available.

    Returns
    -------
    pandas.DataFrame
        One row per station, mask and scenario. ``supplemented_by`` is the smallest scenario that holds all
        systems of the row's and more, empty where there is none; the gains are those of that step:
        ``*_drop_pct`` how far the median falls, NaN where either median is infinite, and
        ``availability_gain_points``. ``completeness_pct`` is how much the files hold of what is in view (where they
        are complete: of the whole system); below 85 a row is the files' figure, not the systems'. ``attrs`` holds
        ``limit``, ``step_s``, ``clocks``, ``span`` and ``time_scale``.

    Raises
    ------
    ScenarioError
        For a limit that is not a positive number.
    TimeError
        For a Dataset without epochs.

    Examples
    --------
    >>> import xarray as xr
    >>> dims = ("systems", "station", "time")
    >>> values = np.array([[[4.0, np.nan, 8.0]], [[2.0, 3.0, 4.0]]])
    >>> counts = np.array([[[6, 3, 5]], [[12, 9, 10]]])
    >>> dop = xr.Dataset(
    ...     {name: (dims, values) for name in ("gdop", "pdop", "hdop", "vdop")}
    ...     | {"n_used": (dims, counts), "n_clocks": (dims, np.ones_like(counts))},
    ...     coords={
    ...         "systems": ["R", "R+C"], "station": ["Irkutsk"], "mask_deg": 25.0,
    ...         "time": np.array(["2024-01-10T00", "2024-01-10T01", "2024-01-10T02"], "datetime64[ns]"),
    ...     },
    ...     attrs={"clocks": "common"},
    ... )
    >>> table = compare(dop)
    >>> table[["systems", "pdop_median", "availability_pct", "supplemented_by", "pdop_drop_pct"]].round(1)
      systems  pdop_median  availability_pct supplemented_by  pdop_drop_pct
    0       R          8.0              33.3             R+C           62.5
    1     R+C          3.0             100.0                            NaN
    """
    import pandas as pd

    if not limit > 0.0:
        raise ScenarioError(f"The largest PDOP must be a positive number, such as 6, not {limit:g}.")
    if dop.sizes["time"] == 0:
        raise TimeError("There are no epochs to compare; ask for a longer span or a shorter step.")
    if "mask_deg" not in dop.dims:
        dop = dop.expand_dims("mask_deg")
    numbers, held_pct = _statistics(dop, limit), _held_pct(dop)
    labels = [str(label) for label in dop["systems"].values]
    clocks = str(dop.attrs["clocks"])
    rows = []
    for p, station in enumerate(dop["station"].values):
        for k, mask in enumerate(dop["mask_deg"].values):
            cells = {
                label: {name: values[c, k, p].item() for name, values in numbers.items()}
                for c, label in enumerate(labels)
            }
            for c, (label, cell) in enumerate(cells.items()):
                joint = supplement_of(label, labels)
                key = {"station": str(station), "mask_deg": float(mask), "systems": label, "clocks": clocks}
                gains = _gains(cell, cells.get(joint)) | {"completeness_pct": held_pct[c, k, p].item()}
                rows.append({**key, **cell, "supplemented_by": joint, **gains})
    table = pd.DataFrame(rows)
    span = dop["time"].values[[0, -1]].astype("datetime64[s]")
    conditions: dict[Any, Any] = {
        "limit": float(limit),
        "step_s": _step_s(dop["time"].values),
        "clocks": clocks,
        "span": f"{span[0]}/{span[1]}",
        "time_scale": time_scale(dop),
        **completeness_attributes(dop.attrs),
    }
    table.attrs = conditions
    return table


def _step_s(times: npt.NDArray[np.datetime64]) -> float:
    """Return the distance of the first two epochs [s], 0 where there is one."""
    return float((times[1] - times[0]) / np.timedelta64(1, "s")) if len(times) > 1 else 0.0


def _held_pct(dop: xr.Dataset) -> npt.NDArray[Any]:
    """How much of what is in view the files hold (systems, mask_deg, station) [%]."""
    dims = ("systems", "mask_deg", "station")
    if "completeness_pct" in dop:
        return np.asarray(dop["completeness_pct"].transpose(*dims).values)
    shares = [scenario_pct(str(label), dop.attrs) for label in dop["systems"].values]
    return np.broadcast_to(np.reshape(shares, (-1, 1, 1)), [dop.sizes[d] for d in dims])


def _statistics(dop: xr.Dataset, limit: float) -> dict[str, npt.NDArray[Any]]:
    """Columns of the comparison as arrays (systems, mask_deg, station)."""
    ordered = dop.transpose("systems", "mask_deg", "station", "time")
    used, pdop = ordered["n_used"].values, ordered["pdop"].values
    medians = {f"{name}_median": worst_last_quantile(ordered[name].values, 0.5) for name in ("hdop", "vdop", "gdop")}
    return {
        "n_clocks": ordered["n_clocks"].values.max(axis=-1),
        "n_epochs": np.full(used.shape[:-1], used.shape[-1]),
        "n_used_mean": used.mean(axis=-1),
        "n_used_least": used.min(axis=-1),
        "pdop_median": worst_last_quantile(pdop, 0.5),
        "pdop_p95": worst_last_quantile(pdop, 0.95),
        **medians,
        "availability_pct": availability_pct(pdop, limit),
    }


def supplement_of(label: str, labels: Sequence[str]) -> str:
    """Smallest scenario that holds all systems of `label` and more; empty if there is none."""
    own = set(label.split("+"))
    larger = [other for other in labels if own < set(other.split("+"))]
    return min(larger, key=lambda other: other.count("+"), default="")


def _gains(alone: dict[str, Any], joint: dict[str, Any] | None) -> dict[str, float]:
    """Gain of a supplemented scenario over the one alone; NaN without one or without finite medians."""
    gains = {}
    for name in _COMPARED_DOPS:
        before = alone[f"{name}_median"]
        after = math.nan if joint is None else joint[f"{name}_median"]
        finite = math.isfinite(before) and math.isfinite(after)
        gains[f"{name}_drop_pct"] = 100.0 * (1.0 - after / before) if finite else math.nan
    after = math.nan if joint is None else joint["availability_pct"]
    return {**gains, "availability_gain_points": after - alone["availability_pct"]}


def findings(table: pd.DataFrame) -> list[str]:
    """State in plain sentences what a comparison shows, whether there is a gain or not.

    Parameters
    ----------
    table : pandas.DataFrame
        As `compare` gives it.

    Returns
    -------
    list of str
        For the first two scenarios that are supplemented, where the supplement helps most; then where it
        matters least. If no scenario supplements another, that and the range of the availability. Stations at which
        the files hold too little of what is in view (``completeness_pct`` below 85) are left out, and named.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "station": "Irkutsk", "mask_deg": 25.0, "systems": ["R", "R+C"], "supplemented_by": ["R+C", ""],
    ...     "pdop_median": [8.0, 3.0], "pdop_drop_pct": [62.5, np.nan],
    ...     "availability_pct": [33.3, 99.99], "availability_gain_points": [66.69, np.nan],
    ... })
    >>> table.attrs["limit"] = 6.0
    >>> for sentence in findings(table):
    ...     print(sentence)
    Adding BeiDou helps GLONASS most at Irkutsk with a 25 degree mask: PDOP <= 6 holds over 99.9 % of the time
    instead of 33.3 %, and the median PDOP is 3.0 instead of 8.0.
    """
    limit = f"PDOP <= {table.attrs['limit']:g}"
    if "completeness_pct" in table and (table["completeness_pct"] < COMPLETE_PCT).any():
        return _of_the_complete(table)
    records = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    by_key = {(row["station"], row["mask_deg"], row["systems"]): row for row in records}
    steps = [
        {**row, "joint": by_key[row["station"], row["mask_deg"], row["supplemented_by"]]}
        for row in records
        if row["supplemented_by"] and math.isfinite(row["availability_gain_points"])
    ]
    if not steps:
        return _without_supplement(records, limit)
    bases = list(dict.fromkeys(step["systems"] for step in steps))[:2]
    groups = [[step for step in steps if step["systems"] == base] for base in bases]
    sentences = [_most(max(group, key=_usefulness), limit) for group in groups]
    told = [step for group in groups for step in group]
    least = min(told, key=_usefulness)
    if _usefulness(least) < min(max(map(_usefulness, group)) for group in groups):
        sentences.append(
            f"It matters least for {_name(least)} {_place(least)}: {limit} holds {_availabilities(least)}, "
            f"and {_medians(least)}."
        )
    return sentences


def _of_the_complete(table: pd.DataFrame) -> list[str]:
    """Return the findings from stations and masks at which the files hold what is in view, and name the others."""
    lacking = table["completeness_pct"] < COMPLETE_PCT
    places = list(zip(table["station"], table["mask_deg"], strict=True))
    poor = {place for place, lacks in zip(places, lacking, strict=True) if lacks}
    kept = table[[place not in poor for place in places]]
    kept.attrs = table.attrs
    names = ", ".join(dict.fromkeys(station for station, _ in places if any(station == s for s, _ in poor)))
    told = (
        f"Not judged, since the files hold less than {COMPLETE_PCT:g} % of the satellites in view there, at some mask "
        f"at least: {names}."
    )
    return [*(findings(kept) if len(kept) else []), told]


def _without_supplement(records: Sequence[dict[str, Any]], limit: str) -> list[str]:
    if not records:
        return ["No station was compared."]
    names = ", ".join(dict.fromkeys(_name(row) for row in records))
    worst = min(records, key=lambda row: float(row["availability_pct"]))
    best = max(records, key=lambda row: float(row["availability_pct"]))
    return [
        f"No scenario supplements another one ({names}), so no gain can be stated.",
        f"{limit} holds between {percent_text(worst['availability_pct'])} of the time "
        f"({_name(worst)} {_place(worst)}) and {percent_text(best['availability_pct'])} "
        f"({_name(best)} {_place(best)}).",
    ]


def _usefulness(step: dict[str, Any]) -> tuple[float, float]:
    """Order of gains: by availability, then by the median PDOP, where a new finite median is the most."""
    drop_pct = step["pdop_drop_pct"]
    if math.isnan(drop_pct):
        drop_pct = 100.0 if math.isfinite(step["joint"]["pdop_median"]) else 0.0
    return step["availability_gain_points"], drop_pct


def _most(step: dict[str, Any], limit: str) -> str:
    points, drop_pct = _usefulness(step)
    added = f"Adding {_name(step['joint'], without=step['systems'])}"
    if points >= _SPOKEN:
        return (
            f"{added} helps {_name(step)} most {_place(step)}: {limit} holds {_availabilities(step)}, "
            f"and {_medians(step)}."
        )
    if drop_pct >= _SPOKEN:
        return (
            f"{added} to {_name(step)} nowhere raises the share of time with {limit} noticeably; it helps "
            f"most {_place(step)}, where {_medians(step)}."
        )
    return (
        f"{added} to {_name(step)} brings no noticeable gain anywhere: even {_place(step)}, {limit} holds "
        f"{_availabilities(step)}, and {_medians(step)}."
    )


def _name(row: dict[str, Any], without: str = "") -> str:
    letters = [letter for letter in row["systems"].split("+") if letter not in without.split("+")]
    return Scenario(tuple(letters)).label


def _place(row: dict[str, Any]) -> str:
    return f"at {row['station']} with a {row['mask_deg']:g} degree mask"


def percent_text(value: float) -> str:
    """One decimal, but neither a complete nor an absent coverage where it is not quite so."""
    if 0.0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100.0:
        return "over 99.9 %"
    return f"{value:.1f} %"


def _availabilities(step: dict[str, Any]) -> str:
    alone, joint = percent_text(step["availability_pct"]), percent_text(step["joint"]["availability_pct"])
    return f"{joint} of the time, as without" if alone == joint else f"{joint} of the time instead of {alone}"


def _medians(step: dict[str, Any]) -> str:
    alone, joint = step["pdop_median"], step["joint"]["pdop_median"]
    if not math.isfinite(joint):
        return "half of the epochs or more still have no solution"
    if not math.isfinite(alone):
        return f"the median PDOP is {joint:.1f}, where before half of the epochs or more had no solution"
    if f"{alone:.1f}" == f"{joint:.1f}":
        return f"the median PDOP stays near {joint:.1f}"
    return f"the median PDOP is {joint:.1f} instead of {alone:.1f}"
