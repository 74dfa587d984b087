"""Positions from observations: what a receiver's pseudoranges give, beside what DOP promises.

Examples
--------
>>> import gnss_coop as gc
>>> from gnss_coop import positioning
>>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz", values=True)
>>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
>>> positioning.position_fixes(obs, nav, "C,R+C")
<Positioning: CIBG, 48 epochs, C, R+C>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnss_coop.positioning.findings import Finding
    from gnss_coop.positioning.fixes import position_fixes
    from gnss_coop.positioning.plots import plot_errors, plot_expected, plot_offsets, plot_residuals, plot_scatter
    from gnss_coop.positioning.result import Positioning
    from gnss_coop.positioning.text import positioning_text
    from gnss_coop.positioning.truth import Truth, sinex_truth
    from gnss_coop.positioning.words import sentence

#: Where each public name lives; modules are imported when a name is first used.
_HOME = {
    "Finding": "findings",
    "Positioning": "result",
    "Truth": "truth",
    "plot_errors": "plots",
    "plot_expected": "plots",
    "plot_offsets": "plots",
    "plot_residuals": "plots",
    "plot_scatter": "plots",
    "position_fixes": "fixes",
    "positioning_text": "text",
    "sentence": "words",
    "sinex_truth": "truth",
}

__all__ = [
    "Finding",
    "Positioning",
    "Truth",
    "plot_errors",
    "plot_expected",
    "plot_offsets",
    "plot_residuals",
    "plot_scatter",
    "position_fixes",
    "positioning_text",
    "sentence",
    "sinex_truth",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gnss_coop.positioning' has no attribute {name!r}")
    value = getattr(import_module(f"gnss_coop.positioning.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
