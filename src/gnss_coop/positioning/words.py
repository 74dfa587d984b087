"""Findings in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from gnss_coop.model.systems import SYSTEMS
from gnss_coop.positioning.findings import Finding


def sentence(finding: Finding) -> str:
    """Return a finding as an English sentence.

    Examples
    --------
    >>> values = {"pair": "R-C", "median_ns": -52.3, "spread_ns": 5.5, "broadcast_ns": float("nan")}
    >>> sentence(Finding("clock_offset", values))
    'The receiver sees an offset R-C of -52.3 ns, +-5.5 ns over the epochs; the navigation files give none.'
    """
    return _SENTENCES[finding.kind](finding.values)


def _names(letters: list[str]) -> str:
    return " and ".join(SYSTEMS[s].name for s in letters)


def _gain(v: Mapping[str, Any]) -> str:
    added, user = _names(v["added"]), _names(v["user"].split("+"))
    how = {"equal": "with equal weights", "by system": "weighted by system"}[v["weights"]]
    promise = f"PDOP is {v['pdop_drop_pct']:.0f} % lower" if v["pdop_drop_pct"] >= 0.5 else "PDOP is no lower"
    measured = f"median {_change(v['median_drop_pct'])}, 95th percentile {_change(v['p95_drop_pct'])}"
    gained = v["availability_gain_points"]
    more = f"; fixes at {gained:.1f} % more of the epochs" if gained >= 0.05 else ""
    verdict = {
        "nothing": f"Adding {added} {how} brings nothing here to {user}",
        "better": f"Adding {added} {how} makes positions of {user} better",
        "worse": f"Adding {added} {how} makes positions of {user} worse",
        "mixed": f"Adding {added} {how} changes positions of {user} both ways",
    }[v["verdict"]]
    if v["verdict"] == "nothing" and gained >= 0.05:
        verdict = f"Adding {added} {how} brings {user} no smaller errors here"
    return f"{verdict} above {v['mask_deg']:g} deg: {promise}, the measured 3D error: {measured}{more}."


def _change(drop_pct: float) -> str:
    if math.isnan(drop_pct):
        return "unknown"
    if abs(drop_pct) < 0.5:
        return "the same"
    return f"{abs(drop_pct):.0f} % {'smaller' if drop_pct > 0 else 'larger'}"


def _sigma(v: Mapping[str, Any]) -> str:
    listed = ", ".join(f"{SYSTEMS[s].name} {m:.2f} m" for s, m in v["sigma_m"].items())
    how = "estimated from the residuals" if v["estimated"] else "given"
    return f"Standard deviation of a pseudorange at the zenith, {how}: {listed}."


def _expected(v: Mapping[str, Any]) -> str:
    side = "times what DOP and sigma promise" if v["ratio"] > 1 else "of what DOP and sigma promise"
    size = f"{v['ratio']:.1f}" if v["ratio"] > 1 else f"{100 * v['ratio']:.0f} %"
    return (
        f"{v['scenario']} above {v['mask_deg']:g} deg: 95 % of the 3D errors are within {v['d3_p95_m']:.1f} m, "
        f"{size} {side} ({v['expected_d3_p95_m']:.1f} m)."
    )


def _unchecked(v: Mapping[str, Any]) -> str:
    return (
        f"{v['scenario']} above {v['mask_deg']:g} deg: {100 - v['checked_pct']:.0f} % of the fixes have no redundancy, "
        "so that a bad satellite goes unseen."
    )


def _clock_offset(v: Mapping[str, Any]) -> str:
    sent = v["broadcast_ns"]
    other = "the navigation files give none" if math.isnan(sent) else f"the navigation files give {sent:.1f} ns"
    return (
        f"The receiver sees an offset {v['pair']} of {v['median_ns']:.1f} ns, +-{v['spread_ns']:.1f} ns over the "
        f"epochs; {other}."
    )


def _bad_satellite(v: Mapping[str, Any]) -> str:
    return f"{v['sv']}: {v['outliers']} of {v['n']} observations are outliers; single systems may not notice."


_SENTENCES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "gain": _gain,
    "sigma": _sigma,
    "expected": _expected,
    "unchecked": _unchecked,
    "clock_offset": _clock_offset,
    "bad_satellite": _bad_satellite,
}
