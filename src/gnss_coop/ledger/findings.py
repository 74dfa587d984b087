"""What the ledger of mutual gain shows, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gnss_coop.geometry.comparison import percent_text
from gnss_coop.ledger.mutual_gain import ALL_HOSTED, ALL_SITES
from gnss_coop.ledger.quantities import HOSTING, SIGNALS
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import pandas as pd

#: Changes below both are no gain: percentage points of a share, percent of a median. They print as 0.0.
NO_GAIN: Final = 0.05
#: Gains below both are called small.
SMALL_POINTS, SMALL_DROP_PCT = 1.0, 10.0

Row: TypeAlias = dict[Any, Any]


def ledger_findings(table: pd.DataFrame) -> list[str]:
    """State in plain sentences what each side gains from the other, also where that is little or nothing.

    Parameters
    ----------
    table : pandas.DataFrame
        As `mutual_gain` gives it.

    Returns
    -------
    list of str
        For each system what the other one's signals bring its users over all sites, at the mask where that is
        most and at the one where it is least; for each what hosting brings its network, and which of the hosted
        stations matters most and least to its orbits; then both sides against each other.

    Notes
    -----
    A gain of shares is told in percentage points, one of PDOP or sigma in percent of the standalone figure. Both
    below 0.05 is no gain; below 1 point and 10 % it is small.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R,C", gc.epochs("2024-01-10", hours=24, step_s=900))
    >>> for sentence in ledger_findings(gc.mutual_gain(sky, mask_deg=25))[-2:]:
    ...     print(sentence)
    Of signals, with a 25 degree mask, GLONASS gains more in availability (43.9 points against 8.7) and the median
    PDOP (46.4 % less against 26.9).
    Of hosted stations, BeiDou gains more in time in view of at least one station (11.1 points against 3.3), time in
    view of at least two (8.8 points against 6.6) and the orbit sigma (80.5 % less against 57.7).
    """
    pair = tuple(table.attrs["systems"])
    sides = (pair, pair[::-1])
    signals = [_signals(table, side) for side in sides]
    stations = [_stations(table, side) for side in sides]
    return [*signals, *stations, *_balance(table, pair)]


def totals(table: pd.DataFrame, beneficiary: str, kind: str, mask_deg: float | None = None) -> dict[str, Row]:
    """Return the rows of one side over all sites or with all hosted stations, by quantity."""
    place, orbit = {SIGNALS: (ALL_SITES, ""), HOSTING: (ALL_HOSTED, "all")}[kind]
    chosen = (table["beneficiary"] == beneficiary) & (table["kind"] == kind)
    chosen &= (table["place"] == place) & (table["orbit"] == orbit)
    if mask_deg is not None:
        chosen &= table["mask_deg"] == mask_deg
    return {row["quantity"]: row for row in table[chosen].to_dict("records")}


def drop_pct(row: Row) -> float:
    """Return how far a figure falls [percent of the standalone one], 100 where there is one only jointly.

    Examples
    --------
    >>> drop_pct({"standalone": 20.0, "joint": 5.0}), drop_pct({"standalone": math.nan, "joint": 5.0})
    (75.0, 100.0)
    """
    before, after = row["standalone"], row["joint"]
    if not math.isfinite(after):
        return 0.0
    return 100.0 * (1.0 - after / before) if math.isfinite(before) else 100.0


def widest_mask(table: pd.DataFrame) -> float:
    """Return the mask with which the signals bring most over all sites, to either side."""
    pair = table.attrs["systems"]
    return float(max(table.attrs["masks_deg"], key=lambda mask: max(_usefulness(table, s, mask) for s in pair)))


def _usefulness(table: pd.DataFrame, beneficiary: str, mask_deg: float) -> tuple[float, float]:
    """Order of gains from signals: by availability, then by the median PDOP."""
    rows = totals(table, beneficiary, SIGNALS, mask_deg)
    return float(rows["availability_pct"]["difference"]), drop_pct(rows["pdop_median"])


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _size(points: float, drop: float) -> str:
    """Call a gain by its size: none, small or noticeable."""
    if points < NO_GAIN and drop < NO_GAIN:
        return "none"
    return "small" if points < SMALL_POINTS and drop < SMALL_DROP_PCT else "noticeable"


# --- Signals --------------------------------------------------------------------------------------------------


def _signals(table: pd.DataFrame, side: Sequence[str]) -> str:
    own, other = (SYSTEMS[letter].name for letter in side)
    masks = sorted(table.attrs["masks_deg"], key=lambda mask: _usefulness(table, side[0], mask))
    least, most = masks[0], masks[-1]
    n_sites = len(table.attrs["sites"])
    where = "at the one site" if n_sites == 1 else f"over all {n_sites} sites"
    start = {
        "none": f"{other} signals bring {own} users no noticeable gain {where},",
        "small": f"{other} signals bring {own} users a small gain {where},",
        "noticeable": f"{other} signals help {own} users {where},",
    }[_size(*_usefulness(table, side[0], most))]
    several = "most " if len(masks) > 1 else ""
    text = f"{start} {several}{_at_mask(table, side[0], most)}{_best_site(table, side[0], most)}."
    if len(masks) > 1:
        text += f" They matter least {_at_mask(table, side[0], least)}."
    return text


def _at_mask(table: pd.DataFrame, beneficiary: str, mask_deg: float) -> str:
    rows = totals(table, beneficiary, SIGNALS, mask_deg)
    limit = f"PDOP <= {table.attrs['limit']:g}"
    share, median = rows["availability_pct"], rows["pdop_median"]
    alone, joint = percent_text(share["standalone"]), percent_text(share["joint"])
    holds = f"{joint} of the time, as without" if alone == joint else f"{joint} of the time instead of {alone}"
    return f"with a {mask_deg:g} degree mask: {limit} holds {holds}, and {_median_pdop(median)}"


def _median_pdop(row: Row) -> str:
    alone, joint = row["standalone"], row["joint"]
    if not math.isfinite(joint):
        return "half of the epochs or more still have no solution"
    if not math.isfinite(alone):
        return f"the median PDOP is {joint:.2f}, where before half of the epochs or more had no solution"
    if f"{alone:.2f}" == f"{joint:.2f}":
        return f"the median PDOP stays near {joint:.2f}"
    return f"the median PDOP is {joint:.2f} instead of {alone:.2f}"


def _best_site(table: pd.DataFrame, beneficiary: str, mask_deg: float) -> str:
    """Tell the site where the availability rises most, if there are several and it does anywhere."""
    chosen = (table["beneficiary"] == beneficiary) & (table["quantity"] == "availability_pct")
    chosen &= (table["mask_deg"] == mask_deg) & (table["place"] != ALL_SITES)
    rows = table[chosen].to_dict("records")
    best = max(rows, key=lambda row: float(row["difference"]))
    if len(rows) < 2 or best["difference"] < NO_GAIN:
        return ""
    return f"; most at {best['place']} ({percent_text(best['joint'])} instead of {percent_text(best['standalone'])})"


# --- Stations -------------------------------------------------------------------------------------------------


def _stations(table: pd.DataFrame, side: Sequence[str]) -> str:
    rows = totals(table, side[0], HOSTING)
    own, where = SYSTEMS[side[0]].name, table.attrs["hosted_at"][side[0]]
    points = max(rows[name]["difference"] for name in ("k1_pct", "k2_pct"))
    size = _size(points, drop_pct(rows["sigma_3d_m"]))
    start = {
        "none": f"{own} stations hosted {where} bring no noticeable gain",
        "small": f"{own} stations hosted {where} bring a small gain",
        "noticeable": f"{own} stations hosted {where} help",
    }[size]
    clauses = [
        _moved("the time in view of at least one station", rows["k1_pct"], percent_text),
        _moved("that in view of two", rows["k2_pct"], percent_text),
        _moved("the longest time out of view", rows["gap_max_min"], _minutes),
        _sigma(rows["sigma_3d_m"], table.attrs),
    ]
    return f"{start}: {_listed(clauses)}.{_members(table, side[0], rows['sigma_3d_m'])}"


def _moved(what: str, row: Row, text: Callable[[float], str]) -> str:
    before, after = text(row["standalone"]), text(row["joint"])
    if before == after:
        return f"{what} stays {after}"
    return f"{what} is {after} instead of {before}"


def _minutes(value: float) -> str:
    return f"{value:.0f} min"


def _metres(value: float) -> str:
    return "undetermined" if math.isnan(value) else f"{value:.1f} m"


def _sigma(row: Row, attrs: Mapping[Any, Any]) -> str:
    what = _moved("the median formal orbit sigma", row, _metres)
    return (
        f"{what} (ranges of 1 m at the zenith every {attrs['range_interval_s']:g} s over {attrs['window_h']:g} h, "
        f"satellite clock {attrs['satellite_clock']})"
    )


def _members(table: pd.DataFrame, beneficiary: str, total: Row) -> str:
    """Tell which hosted station the orbits need most and least; nothing where that cannot be told apart."""
    chosen = (table["beneficiary"] == beneficiary) & (table["quantity"] == "sigma_3d_m") & (table["orbit"] == "all")
    rows = table[chosen & (table["place"] != ALL_HOSTED)].to_dict("records")
    if len(rows) < 2 or math.isnan(total["joint"]):
        return ""

    def without(row: Row) -> float:
        return math.inf if math.isnan(row["standalone"]) else float(row["standalone"])

    least, *_, most = sorted(rows, key=without)
    if _metres(least["standalone"]) == _metres(most["standalone"]):
        return f" The orbits need each of them alike: without one the sigma is {_metres(most['standalone'])}."
    return (
        f" The orbits need {most['place']} most (without it the sigma is {_metres(most['standalone'])}) and "
        f"{least['place']} least ({_metres(least['standalone'])})."
    )


# --- Both sides -----------------------------------------------------------------------------------------------

#: What is set against each other: quantity, its words, and whether the gain is a fall in percent, not a difference.
_SET_AGAINST: Final = {
    SIGNALS: (("availability_pct", "availability", False), ("pdop_median", "the median PDOP", True)),
    HOSTING: (
        ("k1_pct", "time in view of at least one station", False),
        ("k2_pct", "time in view of at least two", False),
        ("sigma_3d_m", "the orbit sigma", True),
    ),
}


def _balance(table: pd.DataFrame, pair: Sequence[str]) -> list[str]:
    mask = widest_mask(table)
    heads = {SIGNALS: f"Of signals, with a {mask:g} degree mask", HOSTING: "Of hosted stations"}
    sentences = []
    for kind, quantities in _SET_AGAINST.items():
        sides = [totals(table, letter, kind, mask if kind == SIGNALS else None) for letter in pair]
        by_verdict: dict[str, list[str]] = {}
        for name, words, falls in quantities:
            verdict, part = _against([rows[name] for rows in sides], pair, words, falls)
            by_verdict.setdefault(verdict, []).append(part)
        groups = [f"{verdict} {_listed(parts)}" for verdict, parts in by_verdict.items()]
        sentences.append(f"{heads[kind]}, {'; '.join(groups)}.")
    return sentences


def _against(rows: Sequence[Row], pair: Sequence[str], words: str, falls: bool) -> tuple[str, str]:
    """Say whose gain is larger in one quantity, and what both are."""
    if any(not math.isfinite(row["difference"]) for row in rows):
        return "the sides cannot be set against each other in", f"{words}, where a figure is missing"
    gains = [drop_pct(row) if falls else float(row["difference"]) for row in rows]
    unit = "% less" if falls else "points"
    larger = 0 if gains[0] >= gains[1] else 1
    first, second = (f"{round(gains[i], 1) + 0.0:.1f}" for i in (larger, 1 - larger))
    if first == second:
        return ("neither gains in", words) if first == "0.0" else ("both gain alike in", f"{words} ({first} {unit})")
    return f"{SYSTEMS[pair[larger]].name} gains more in", f"{words} ({first} {unit} against {second})"
