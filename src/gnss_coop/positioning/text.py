"""A positioning as text for terminals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gnss_coop.positioning.words import sentence

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.positioning.result import Positioning

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
#: Head, its second line, column, decimals of the table.
_COLUMNS: Final = (
    ("avail-", "ability", "availability_pct", 2),
    ("satel-", "lites", "n_used_mean", 1),
    ("PDOP", "median", "pdop_median", 2),
    ("horizontal", "95 %", "h95_m", 2),
    ("vertical", "95 %", "v95_m", 2),
    ("3D", "median", "d3_median_m", 2),
    ("3D", "95 %", "d3_p95_m", 2),
    ("expected", "3D 95 %", "expected_d3_p95_m", 2),
)
_WIDTH: Final = 12


def positioning_text(result: Positioning, *, color: bool = False) -> str:
    """Return summary, conditions, findings and notes.

    Parameters
    ----------
    result : Positioning
    color : bool
        Whether to emphasise with terminal codes.
    """
    m = result.measured
    bold, plain = (_BOLD, _PLAIN) if color else ("", "")
    how = {"elevation": "sigma^2 (1 + 1/sin^2 e)/2", "sine": "sigma^2/sin^2 e", "equal": "sigma^2"}[result.weights]
    lines = [
        f"{bold}{result.station}{plain}: {len(m.time_ns)} epochs of {result.interval_s:g} s",
        f"truth       {result.truth.words}",
        f"ionosphere  {result.ionosphere}",
        f"variance    {how}, clocks {result.clocks}",
        f"signals     {_signals(result)}",
        "",
    ]
    units = ["[%]", "", "", *["[m]"] * 5]
    for k in range(2):
        lines.append(f"{bold}{'mask' if k == 0 else '[deg]':>6}  {'scenario' if k == 0 else '':<10}"
                     + "".join(f"{c[k]:>{_WIDTH}}" for c in _COLUMNS) + plain)  # fmt: skip
    lines.append(" " * 18 + "".join(f"{u:>{_WIDTH}}" for u in units))
    rows = result.details().sort_values("mask_deg", kind="stable").to_dict("records")
    for row in rows:
        cells = "".join(f"{_number(row[c[2]], c[3]):>{_WIDTH}}" for c in _COLUMNS)
        lines.append(f"{row['mask_deg']:>6g}  {row['scenario']:<10}{cells}")
    lines += ["", "findings:"] + [f"- {sentence(f)}" for f in result.findings()]
    if result.notes:
        lines += ["", "notes:"] + [f"- {note}" for note in result.notes]
    return "\n".join(lines) + "\n"


def times_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its instants as ISO 8601 text."""
    from gnss_coop.model import timescales

    instants = [name for name in table.columns if str(name).endswith("_gpst")]
    return table.assign(
        **{name: timescales.format_times(timescales.from_datetime64(table[name].to_numpy())) for name in instants}
    )


def _number(value: float, decimals: int) -> str:
    return "none" if math.isnan(value) else f"{value:.{decimals}f}"


def _signals(result: Positioning) -> str:
    """Return how many satellites use which combination, by system."""
    counts: dict[str, int] = {}
    for sv, words in result.measured.signals.items():
        name = f"{sv[0]} {words.partition(' ')[0]}"
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{name} {n}" for name, n in counts.items())
