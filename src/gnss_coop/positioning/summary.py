"""Errors over a day, what DOP promised of them, and what systems gain from each other both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels import positioning as kernel

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.positioning.result import Positioning
    from gnss_coop.positioning.solution import Solution

Floats = npt.NDArray[np.float64]

#: Columns of the summary, in order: a contract with programs that read it.
SUMMARY_COLUMNS: Final = (
    "station", "scenario", "mask_deg", "n_epochs", "availability_pct", "n_used_mean", "pdop_median", "h95_m", "v95_m",
    "d3_median_m", "d3_p95_m", "expected_d3_p95_m",
)  # fmt: skip
#: Axes of the local frame: east, north, up.
_EAST, _NORTH, _UP = range(3)


def row(result: Positioning, solution: Solution) -> dict[str, Any]:
    """Return the figures of one scenario and mask, of which `summary` and `details` show parts."""
    errors = result.errors_m(solution)[solution.fixed]
    level, height = np.hypot(errors[:, _EAST], errors[:, _NORTH]), np.abs(errors[:, _UP])
    space = np.hypot(level, height)
    n_fixes, n_epochs = len(errors), len(solution.fixed)
    used = solution.n_used[solution.fixed]
    covariance = solution.covariance_m2
    return {
        "station": result.station,
        "scenario": str(solution.scenario),
        "mask_deg": solution.mask_deg,
        "n_epochs": n_epochs,
        "availability_pct": 100.0 * n_fixes / n_epochs if n_epochs else np.nan,
        "checked_pct": 100.0 * float((solution.redundancy[solution.fixed] > 0).mean()) if n_fixes else np.nan,
        "n_used_mean": float(used.mean()) if n_fixes else np.nan,
        "pdop_median": _percentile(solution.dop[solution.fixed, 0], 50),
        "h_median_m": _percentile(level, 50),
        "h95_m": _percentile(level, 95),
        "v_median_m": _percentile(height, 50),
        "v95_m": _percentile(height, 95),
        "d3_median_m": _percentile(space, 50),
        "d3_p95_m": _percentile(space, 95),
        "expected_h95_m": kernel.expected_percentile(covariance, _EAST, _NORTH, 0.95),
        "expected_v95_m": kernel.expected_percentile(covariance, _UP, _UP, 0.95),
        "expected_d3_median_m": kernel.expected_percentile(covariance, _EAST, _UP, 0.5),
        "expected_d3_p95_m": kernel.expected_percentile(covariance, _EAST, _UP, 0.95),
        "bias_east_m": float(errors[:, _EAST].mean()) if n_fixes else np.nan,
        "bias_north_m": float(errors[:, _NORTH].mean()) if n_fixes else np.nan,
        "bias_up_m": float(errors[:, _UP].mean()) if n_fixes else np.nan,
        "outliers": int((solution.state == kernel.OUTLIER).sum()),
    }


def _percentile(values: Floats, share: float) -> float:
    return float(np.percentile(values, share)) if values.size else np.nan


def details(result: Positioning) -> pd.DataFrame:
    """Return one row per scenario and mask with all figures."""
    import pandas as pd

    return pd.DataFrame([row(result, s) for s in result.solutions.values()])


def summary(result: Positioning) -> pd.DataFrame:
    """Return one row per scenario and mask.

    Parameters
    ----------
    result : Positioning

    Returns
    -------
    pandas.DataFrame
        station, scenario, mask_deg, n_epochs, availability_pct (share of epochs with a fix), n_used_mean, pdop_median
        (of equal weights), h95_m, v95_m (95 % of the horizontal and of the vertical errors), d3_median_m, d3_p95_m
        (in space), expected_d3_p95_m (what DOP and sigma make of the same epochs). Percentiles are over the fixes.
    """
    return details(result)[list(SUMMARY_COLUMNS)]


def gains(result: Positioning) -> pd.DataFrame:
    """Return what a joint scenario changes for users of one of its parts, as DOP sees it and as it was measured.

    Returns
    -------
    pandas.DataFrame
        station, mask_deg, scenario (joint), user (the part), weights (``equal`` or ``by system``), pdop_drop_pct,
        expected_drop_pct, median_drop_pct, p95_drop_pct (by how much median PDOP, expected 95 %, median and 95 % in
        space fall, percent of the user's own), availability_gain_points. Errors are over the epochs that both have.
    """
    import pandas as pd

    rows = []
    same = result.equal_weights is result.solutions
    for label, solutions in (("equal", result.equal_weights), ("by system", result.solutions)):
        if label == "by system" and same:
            continue
        for (name, mask_deg), joint in solutions.items():
            for user, alone in ((u, s) for (u, m), s in solutions.items() if m == mask_deg and u != name):
                if set(alone.scenario.systems) < set(joint.scenario.systems):
                    rows.append({
                        "station": result.station, "mask_deg": mask_deg, "scenario": name, "user": user,
                        "weights": label, **_gain(result, joint, alone),
                    })  # fmt: skip
    columns = [
        "station", "mask_deg", "scenario", "user", "weights", "pdop_drop_pct", "expected_drop_pct", "median_drop_pct",
        "p95_drop_pct", "availability_gain_points",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _gain(result: Positioning, joint: Solution, alone: Solution) -> dict[str, float]:
    both = joint.fixed & alone.fixed
    space = [np.linalg.norm(result.errors_m(s)[both], axis=1) for s in (alone, joint)]
    dop = [s.dop[both, 0] for s in (alone, joint)]
    expected = [kernel.expected_percentile(s.covariance_m2[both], _EAST, _UP, 0.95) for s in (alone, joint)]
    return {
        "pdop_drop_pct": _drop(*(_percentile(v, 50) for v in dop)),
        "expected_drop_pct": _drop(*expected),
        "median_drop_pct": _drop(*(_percentile(v, 50) for v in space)),
        "p95_drop_pct": _drop(*(_percentile(v, 95) for v in space)),
        "availability_gain_points": 100.0 * float(joint.fixed.mean() - alone.fixed.mean()),
    }


def _drop(before: float, after: float) -> float:
    return 100.0 * (1.0 - after / before) if before > 0 else np.nan
