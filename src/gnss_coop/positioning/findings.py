"""What the numbers of a positioning say, as data: kinds of findings with their values, in order of weight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from gnss_coop.positioning.result import Positioning

#: Errors that fall by less than this have gained nothing [%], and those that rise by more than that are worse: a day's
#: percentiles scatter so from one day to the next.
NOTHING_PCT: Final = 5.0
WORSE_PCT: Final = 10.0
#: Measured over expected error beyond which the expectation does not hold.
BEYOND_EXPECTED: Final = 1.5
_MANY_OUTLIERS: Final = 0.05  # share of a satellite's observations
_MANY_UNCHECKED_PCT: Final = 5.0
_FEWEST: Final = 20  # outliers of a satellite that is named


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement.

    Attributes
    ----------
    kind : str
        ``gain``, ``sigma``, ``expected``, ``unchecked``, ``clock_offset``, ``bad_satellite``.
    values : dict
        Its numbers and names.
    """

    kind: str
    values: dict[str, Any] = field(default_factory=dict)


def findings(result: Positioning) -> list[Finding]:
    """Return what a positioning shows.

    Parameters
    ----------
    result : Positioning

    Returns
    -------
    list of Finding
        Gains first, per joint scenario, user and mask, each with equal weights and with those in use.
    """
    found = [Finding("gain", row) for row in _gain_rows(result)]
    found.append(Finding("sigma", {"sigma_m": dict(result.sigma_m), "estimated": result.sigma_estimated}))
    for row in result.details().to_dict("records"):
        ratio = row["d3_p95_m"] / row["expected_d3_p95_m"] if row["expected_d3_p95_m"] > 0 else np.nan
        values = {k: row[k] for k in ("scenario", "mask_deg", "d3_p95_m", "expected_d3_p95_m", "checked_pct")}
        if ratio > BEYOND_EXPECTED or ratio < 1 / BEYOND_EXPECTED:
            found.append(Finding("expected", values | {"ratio": ratio}))
        if 100.0 - row["checked_pct"] > _MANY_UNCHECKED_PCT:
            found.append(Finding("unchecked", values))
    found += _offsets(result)
    found += _bad_satellites(result)
    return found


def _gain_rows(result: Positioning) -> list[dict[str, Any]]:
    table = result.gains()
    rows = []
    for row in table.to_dict("records"):
        added = [s for s in row["scenario"].split("+") if s not in row["user"].split("+")]
        median, p95 = row["median_drop_pct"], row["p95_drop_pct"]
        verdict = "mixed"
        if max(median, p95) < NOTHING_PCT:
            verdict = "nothing" if min(median, p95) > -WORSE_PCT else "worse"
        elif min(median, p95) > -NOTHING_PCT:
            verdict = "better"
        rows.append({str(k): v for k, v in row.items()} | {"added": added, "verdict": verdict})
    return rows


def _offsets(result: Positioning) -> list[Finding]:
    table = result.clock_offsets()
    found = []
    for pair, of_pair in table[table["pair"] == "R-C"].groupby("pair"):
        offset_ns = of_pair["offset_ns"].to_numpy()
        spread_ns = float(np.percentile(offset_ns, 84) - np.percentile(offset_ns, 16)) / 2
        found.append(
            Finding("clock_offset", {
                "pair": pair, "median_ns": float(np.median(offset_ns)), "spread_ns": spread_ns,
                "broadcast_ns": float(of_pair["broadcast_ns"].median()),
            })
        )  # fmt: skip
    return found


def _bad_satellites(result: Positioning) -> list[Finding]:
    table = result.residuals()
    total = table["n"] + table["outliers"]
    bad = table[(table["outliers"] > _MANY_OUTLIERS * total) & (table["outliers"] >= _FEWEST)]
    return [
        Finding(
            "bad_satellite", {"sv": row["sv"], "outliers": int(row["outliers"]), "n": int(row["n"] + row["outliers"])}
        )
        for row in bad.to_dict("records")
    ]
