"""Colours, steps and words of the maps: a table by quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Literal

Extend = Literal["neither", "min", "max", "both"]

#: Grey of cells without a solution: in none of the colour maps, also for colour-blind readers.
MISSING_COLOR: Final = "#b9b9b9"
_FILES_NAMED: Final = 2


@dataclass(frozen=True, slots=True)
class Style:
    """How a quantity is drawn.

    Attributes
    ----------
    words : str
        What it is, with its unit.
    color_map : str
        Name of a matplotlib colour map that colour-blind readers can read; good values are bright.
    steps : tuple of float
        Boundaries of the colours; empty where they follow from the values.
    extend : {"neither", "min", "max", "both"}
        Ends beyond which values may lie.
    missing : str
        What a missing value means.
    """

    words: str
    color_map: str
    steps: tuple[float, ...] = ()
    extend: Extend = "neither"
    missing: str = "no data"


_DOP_STEPS: Final = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 10.0, 20.0)
#: A horizontal or time DOP alone is about half of the PDOP.
_FINE_STEPS: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
_NO_SOLUTION: Final = "no solution"


def _dop(words: str, steps: tuple[float, ...] = _DOP_STEPS) -> Style:
    return Style(words, "viridis_r", steps, "both", _NO_SOLUTION)


#: Styles by the start of a variable's name.
_STYLES: Final = {
    "pdop_ratio": Style(
        "Median PDOP with the supplement over that without [ratio]", "viridis_r",
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), "min", "no solution to compare",
    ),
    "availability_gain_points": Style(
        "Availability gained [percentage points]", "viridis",
        (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 70.0, 100.0)
    ),
    "availability_pct": Style(
        "Availability [% of epochs]", "viridis",
        (0.0, 50.0, 70.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 100.0)
    ),
    "n_used_mean": Style("Satellites used, mean [number]", "viridis"),
    "n_used_least": Style("Satellites used, least [number]", "viridis"),
    "gdop": _dop("Geometric DOP"),
    "pdop": _dop("Position DOP"),
    "hdop": _dop("Horizontal DOP", _FINE_STEPS),
    "vdop": _dop("Vertical DOP"),
    "tdop": _dop("Time DOP", _FINE_STEPS),
}  # fmt: skip
#: The gain that belongs to a variable, by the start of its name.
_GAINS: Final = {"availability": "availability_gain_points", "pdop": "pdop_ratio"}
GAINS: Final = frozenset(_GAINS.values())
#: What stands in the title, where the words of the style do not do.
_HEADINGS: Final = {
    "pdop_ratio": "Median PDOP with the supplement over that without",
    "availability_gain_points": "Availability gained by the supplement",
    "availability_pct": "Availability",
    "n_used_mean": "Mean number of satellites used",
    "n_used_least": "Least number of satellites used",
}
_STATISTICS: Final = {"median": "Median {}", "worst": "Worst {}"}
_ORDINALS: Final = {"1": "st", "2": "nd", "3": "rd"}


def style_of(variable: str) -> Style:
    """Return how a variable is drawn.

    Examples
    --------
    >>> style_of("pdop_p95").color_map
    'viridis_r'
    """
    known = (style for start, style in _STYLES.items() if variable.startswith(start))
    return next(known, Style(variable.replace("_", " "), "viridis"))


def missing_of(style: Style, attrs: dict[Any, Any]) -> str:
    """Return what a cell without a value means on a map with these attributes.

    Examples
    --------
    >>> missing_of(style_of("pdop_p95"), {"completeness_R_pct": 40.0})
    'no solution, or not judged from files that lack satellites'
    """
    from gnss_coop.orbits.completeness import incomplete_systems

    return (
        f"{style.missing}, or not judged from files that lack satellites" * bool(incomplete_systems(attrs))
        or style.missing
    )


def gain_of(variable: str) -> str:
    """Return the variable that holds the gain in another one: the ratio of medians unless in availability."""
    return next((gain for start, gain in _GAINS.items() if variable.startswith(start)), "pdop_ratio")


def heading_of(variable: str, attrs: dict[Any, Any]) -> str:
    """Return what a map shows, for its title: variable and statistic.

    Examples
    --------
    >>> heading_of("pdop_p95", {}), heading_of("availability_gain_points", {})
    ('95th percentile of PDOP', 'Availability gained by the supplement')
    >>> heading_of("pdop_median", {"n_epochs": 1})
    'PDOP'
    """
    style = style_of(variable)
    if style.missing == _NO_SOLUTION and variable not in _HEADINGS:
        dop, _, statistic = variable.partition("_")
        one = attrs.get("n_epochs") == 1
        return (
            dop.upper() if one else _STATISTICS.get(statistic, f"{_percentile(statistic)} of {{}}").format(dop.upper())
        )
    heading = _HEADINGS.get(variable, style.words.partition(" [")[0])
    if variable == "availability_pct" and "max_pdop" in attrs:
        heading += f" (PDOP ≤ {attrs['max_pdop']:g})"
    return heading


def _percentile(statistic: str) -> str:
    """Name a percentile by the end of a variable's name.

    Examples
    --------
    >>> _percentile("p95"), _percentile("p99_9"), _percentile("p1")
    ('95th percentile', '99.9th percentile', '1st percentile')
    """
    number = statistic.removeprefix("p").replace("_", ".")
    ending = "th" if "." in number or number[-2:] in ("11", "12", "13") else _ORDINALS.get(number[-1:], "th")
    return f"{number}{ending} percentile"


def label_of(variable: str, attrs: dict[Any, Any]) -> str:
    """Return what a variable is, with statistic and unit, for the colour bar.

    Examples
    --------
    >>> label_of("hdop_p95", {})
    'Horizontal DOP, 95th percentile over time [dimensionless]'
    """
    style = style_of(variable)
    if variable == "availability_pct" and "max_pdop" in attrs:
        return f"Availability, PDOP \N{LESS-THAN OR EQUAL TO} {attrs['max_pdop']:g} [% of epochs]"
    if style.missing != _NO_SOLUTION:
        return style.words
    if attrs.get("n_epochs") == 1:
        return f"{style.words} [dimensionless]"
    statistic = variable.partition("_")[2]
    words = {"median": "median over time", "worst": "worst over time"}
    return f"{style.words}, {words.get(statistic, f'{_percentile(statistic)} over time')} [dimensionless]"


def title_of(attrs: dict[Any, Any], mask_deg: float, heading: str) -> str:
    """Return the title of a map: what it shows, mask and span.

    Examples
    --------
    >>> attrs = {"time_start": "2024-01-10T00:00:00", "time_end": "2024-01-10T23:45:00"}
    >>> title_of(attrs, 5.0, "Median PDOP")
    'Median PDOP, elevation mask 5°, 2024-01-10 00:00 to 23:45 GPST'
    """
    items = [
        heading,
        f"elevation mask {mask_deg:g}\N{DEGREE SIGN}",
    ]
    if {"time_start", "time_end"} <= attrs.keys():
        start, end = (str(attrs[name]).removesuffix(":00").split("T") for name in ("time_start", "time_end"))
        last = end[1:] if start[0] == end[0] else end
        until = "" if start == end else f" to {' '.join(last)}"
        items.append(f"{' '.join(start)}{until} {attrs.get('time_scale', 'GPST')}")
    return ", ".join(items)


def caption_of(attrs: dict[Any, Any]) -> str:
    """Return what else the reader must know: clocks, epochs, rule, files or constellation, and forecasts.

    Examples
    --------
    >>> caption_of({"clocks": "common", "n_epochs": 96, "step_s": 900.0, "files": ["a/brdc0100.24n"]})
    'Receiver clocks: common. 96 epochs every 900 s. Data: brdc0100.24n.'
    """
    step = f" every {attrs['step_s']:g} s" if attrs.get("step_s") else ""
    items = {
        "Receiver clocks: {}.": attrs.get("clocks"),
        f"{{}} epochs{step}." if attrs.get("n_epochs") != 1 else "{} epoch.": attrs.get("n_epochs"),
        "Rule: {}.": attrs.get("rule"),
        "Data: {}.": _files(attrs.get("files") or ()) or attrs.get("constellation"),
        "Satellites beyond their ephemerides in {:.3g} % of the epochs.": attrs.get("forecast_epochs_pct"),
    }
    return " ".join(words.format(value) for words, value in items.items() if value)


def _files(files: str | Sequence[str]) -> str:
    names = [PurePath(name).name for name in (files.split(", ") if isinstance(files, str) else files)]
    more = len(names) - _FILES_NAMED
    return ", ".join(names[:_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")
