"""Maps in a few numbers: means weighted by area, worst places, and published rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.maps.rules import Rule
from gnss_coop.model.grid import row_blocks
from gnss_coop.orbits.completeness import scenario_pct

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

#: Bits of a float32 that one count of `weighted_median` tells apart: half of them.
_DIGIT_BITS = 16
#: Columns of the summary that are of the cells shown.
_FIGURES = (
    "pdop_median", "pdop_median_worst", "availability_mean_pct", "availability_worst_pct", "worst_latitude_deg",
    "worst_longitude_deg", "n_used_mean", "n_used_least",
)  # fmt: skip


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
        worst_longitude_deg (the first of several; NaN where all are equal), n_used_mean, n_used_least, completeness_pct
        (how much of the systems the files hold) and shown_pct: of how much of the area there are figures, since the
        files hold what is in view there. The others are NaN where that is nowhere.

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

    weights = _weights(world)
    rows = []
    for c, system in enumerate(world["systems"].values):
        for k, mask in enumerate(np.atleast_1d(world["mask_deg"].values)):
            layer = world.isel({"systems": c, "mask_deg": k}, missing_dims="ignore")
            held = {"completeness_pct": scenario_pct(str(system), world.attrs)}
            rows.append({"systems": str(system), "mask_deg": float(mask), **_row(layer, weights, held)})
    return pd.DataFrame(rows)


def _weights(world: xr.Dataset) -> Floats:
    """Return the weight of the cells of each row of a grid, or of each point."""
    return np.cos(np.radians(world["lat"].values)) if "lat" in world.dims else np.ones(world.sizes["point"])


def _row(layer: xr.Dataset, weights: Floats, held: dict[str, float]) -> dict[str, Any]:
    blocks = list(row_blocks(layer["pdop_median"].shape))

    def values_of(name: str) -> Iterator[tuple[Singles, Floats]]:
        """Read a variable block by block, with the weights of its cells; those that are not shown have none."""
        for rows in blocks:
            values = layer[name][rows].values
            missing = np.isnan(values)
            spread = _spread(weights[rows], values.shape)
            yield values, np.where(missing, 0.0, spread) if missing.any() else spread

    shown_pct = 100.0 * _mean(
        (~np.isnan(values), _spread(weights[rows], values.shape))
        for rows, values in ((rows, layer["availability_pct"][rows].values) for rows in blocks)
    )
    held = {**held, "shown_pct": shown_pct}
    if shown_pct == 0.0:
        return {**dict.fromkeys(_FIGURES, np.nan), **held}
    lowest, highest, worst = _extremes(values for values, _ in values_of("availability_pct"))
    latitude, longitude = (np.nan, np.nan) if lowest == highest else _place(layer, worst)
    return {
        "pdop_median": weighted_median(lambda: values_of("pdop_median")),
        "pdop_median_worst": _extremes(values for values, _ in values_of("pdop_median"))[1],
        "availability_mean_pct": _mean(values_of("availability_pct")),
        "availability_worst_pct": lowest,
        "worst_latitude_deg": latitude,
        "worst_longitude_deg": longitude,
        "n_used_mean": _mean(values_of("n_used_mean")),
        "n_used_least": int(_extremes(values for values, _ in values_of("n_used_least"))[0]),
        **held,
    }


def _spread(weights: Floats, shape: tuple[int, ...]) -> Floats:
    """Give each cell the weight of its row."""
    return np.broadcast_to(weights.reshape(-1, *(1,) * (len(shape) - 1)), shape)


def _extremes(blocks: Iterable[Singles]) -> tuple[float, float, int]:
    """Return the least and the greatest value, and the first place of the least in the whole."""
    lowest, highest, place, start = np.inf, -np.inf, 0, 0
    for values in blocks:
        least = int(np.where(np.isnan(values), np.inf, values).argmin())
        if (found := float(values.flat[least])) < lowest:
            lowest, place = found, start + least
        highest = max(highest, float(np.where(np.isnan(values), -np.inf, values).max()))
        start += values.size
    return lowest, highest, place


def _place(layer: xr.Dataset, index: int) -> tuple[float, float]:
    """Return latitude and longitude [deg] of a cell or point by its place in the whole."""
    if "lat" not in layer.dims:
        return float(layer["latitude"][index]), float(layer["longitude"][index])
    row, column = divmod(index, layer.sizes["lon"])
    return float(layer["lat"][row]), (float(layer["lon"][column]) + 180.0) % 360.0 - 180.0


def _mean(blocks: Iterable[tuple[Singles, Floats]]) -> float:
    total = of_all = 0.0
    for values, weights in blocks:
        total += float((np.where(weights > 0.0, values, 0.0) * weights).sum())
        of_all += float(weights.copy().sum())
    return total / of_all


def weighted_median(read: Callable[[], Iterable[tuple[Singles, Floats]]]) -> float:
    """Return the value up to which half of the weight lies, without sorting and without holding all values.

    The weights are counted up by the first half of the values' bits, which find the median nearly, then by the
    other half of the bits of those values alone.

    Parameters
    ----------
    read : callable
        Gives float32 values, none of them negative, with their weights, block by block; it is called twice.

    Examples
    --------
    >>> values, weights = np.array([1.0, 9.0, 5.0], np.float32), np.array([1.0, 3.0, 1.0])
    >>> weighted_median(lambda: [(values, weights)])
    9.0
    """
    found = 0  # the first bits of the median, as many as are known
    below = half = 0.0
    for shift in (_DIGIT_BITS, 0):
        weight_of = np.zeros(2**_DIGIT_BITS)
        for values, weights in read():
            bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
            digits = (bits >> np.uint32(shift)) - np.uint32(found << _DIGIT_BITS)  # wraps round where others come first
            alike = digits < weight_of.size
            weight_of += np.bincount(digits[alike], weights[alike], weight_of.size)
        present = np.flatnonzero(weight_of)
        reached = below + np.cumsum(weight_of[present])
        half = half or 0.5 * float(reached[-1])
        place = min(int(np.searchsorted(reached, half)), present.size - 1)  # rounding may leave the last short of it
        below = float(reached[place - 1]) if place else below
        found = found << _DIGIT_BITS | int(present[place])
    return float(np.uint32(found).view(np.float32))


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
