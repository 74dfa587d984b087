"""Maps in a few numbers: means weighted by area, worst places, and published rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.model.rules import Rule

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Floats = npt.NDArray[np.float64]


def map_summary(world: xr.Dataset) -> pd.DataFrame:
    """Summarise a map per scenario and mask.

    Parameters
    ----------
    world : xarray.Dataset
        As `dop_map` gives it. Cells of a grid weigh by the cosine of their latitude, points all the same.

    Returns
    -------
    pandas.DataFrame
        systems, mask_deg, pdop_median (median over the area of the medians over time), pdop_median_worst
        (largest median), availability_mean_pct, availability_worst_pct with worst_latitude_deg and
        worst_longitude_deg (the first of several; NaN where all are equal), n_used_mean, n_used_min.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=3600), systems="RC")
    >>> summary = gc.map_summary(gc.dop_map(sky, gc.GeoGrid(step_deg=15), mask_deg=25))
    >>> summary[["systems", "availability_mean_pct"]].round(0).values.tolist()
    [['R', 46.0], ['C', 87.0], ['R+C', 98.0]]
    """
    import pandas as pd

    if "mask_deg" not in world.dims:
        world = world.expand_dims("mask_deg")
    latitude, longitude = places_of(world)
    weights = np.cos(np.radians(latitude)) if "lat" in world.dims else np.ones(latitude.size)
    rows = []
    for c, system in enumerate(world["systems"].values):
        for k, mask in enumerate(world["mask_deg"].values):
            layer = world.isel(systems=c, mask_deg=k)
            rows.append({"systems": str(system), "mask_deg": float(mask), **_row(layer, latitude, longitude, weights)})
    return pd.DataFrame(rows)


def places_of(world: xr.Dataset) -> tuple[Floats, Floats]:
    """Return latitude and longitude [deg] of the cells or points of a map, flat."""
    if "lat" not in world.dims:
        return world["latitude"].values, world["longitude"].values
    latitude, longitude = np.meshgrid(world["lat"].values, world["lon"].values, indexing="ij")
    return latitude.ravel(), (longitude.ravel() + 180.0) % 360.0 - 180.0


def _row(layer: xr.Dataset, latitude: Floats, longitude: Floats, weights: Floats) -> dict[str, Any]:
    values = {
        name: layer[name].values.astype(np.float64).ravel()
        for name in ("pdop_median", "availability_pct", "n_used_mean", "n_used_min")
    }
    available = values["availability_pct"]
    worst = int(np.argmin(available))
    alike = available[worst] == available.max()
    return {
        "pdop_median": weighted_median(values["pdop_median"], weights),
        "pdop_median_worst": float(values["pdop_median"].max()),
        "availability_mean_pct": float(np.average(available, weights=weights)),
        "availability_worst_pct": float(available[worst]),
        "worst_latitude_deg": np.nan if alike else float(latitude[worst]),
        "worst_longitude_deg": np.nan if alike else float(longitude[worst]),
        "n_used_mean": float(np.average(values["n_used_mean"], weights=weights)),
        "n_used_min": int(values["n_used_min"].min()),
    }


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value up to which half of the weight lies.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 5.0, 9.0]), np.array([1.0, 1.0, 3.0]))
    9.0
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1])])


def rule_verdicts(summary: pd.DataFrame, rule: Rule, span_days: float, *, globe: bool = True) -> list[str]:
    """Say for each scenario whether a published rule is met.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `map_summary` gives it.
    rule : Rule
        From `RULES`.
    span_days : float
        Length of the data [d].
    globe : bool
        Whether the summary is of the whole globe; of a part there are figures, but no verdict.

    Returns
    -------
    list of str
        A line on the rule and its source, then one a scenario.

    Examples
    --------
    >>> import pandas as pd, gnss_coop as gc
    >>> summary = pd.DataFrame(
    ...     {"systems": ["R+C"], "availability_mean_pct": [99.99], "availability_worst_pct": [97.5]}
    ... )
    >>> rule_verdicts(summary, gc.rule_named("gps-sps"), span_days=1.0)[1]
    'R+C: 99.99 % over the area, 97.50 % at the worst place: met'
    """
    head = f"{rule.title} ({rule.source}): PDOP <= {rule.max_pdop:g} above {rule.mask_deg:g} deg"
    if rule.global_pct is not None:
        head += f", at least {rule.global_pct:g} % over the globe and {rule.worst_pct:g} % at the worst place"
    else:
        head += "; no threshold is published"
    head += f"; stated over {rule.days:g} d, computed over {span_days:.3g} d."
    if not globe:
        head += " Not the whole globe: no verdict."
    lines = [head]
    for row in summary.to_dict("records"):
        text = (
            f"{row['systems']}: {row['availability_mean_pct']:.2f} % over the area, "
            f"{row['availability_worst_pct']:.2f} % at the worst place"
        )
        met = is_met({str(name): value for name, value in row.items()}, rule) if globe else None
        lines.append(text + {True: ": met", False: ": not met", None: ""}[met])
    return lines


def is_met(row: Mapping[str, Any], rule: Rule) -> bool | None:
    """Tell whether a row of a summary meets a rule; None where the rule promises nothing."""
    if rule.global_pct is None or rule.worst_pct is None:
        return None
    return bool(row["availability_mean_pct"] >= rule.global_pct and row["availability_worst_pct"] >= rule.worst_pct)
