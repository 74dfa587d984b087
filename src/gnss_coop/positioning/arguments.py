"""Arguments of a positioning: what is refused, and with what words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gnss_coop.errors import ScenarioError
from gnss_coop.model.scenario import COMMON, PER_SYSTEM, Scenario
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.positioning import truth as where
from gnss_coop.positioning.measurements import Measurements
from gnss_coop.positioning.solution import WEIGHTS
from gnss_coop.positioning.truth import Truth

#: How the standard deviations of the systems come about, besides given ones.
ESTIMATED, EQUAL = "estimate", "equal"
_LARGEST_SIGMA_M: Final = 1e4


def masks_of(mask_deg: float | Iterable[float]) -> tuple[float, ...]:
    """Return the masks, each once."""
    masks = (mask_deg,) if isinstance(mask_deg, (int, float)) else tuple(mask_deg)
    for mask in masks:
        if not 0 <= mask < 90:
            raise ScenarioError(f"an elevation mask outside 0 to 90 deg: {mask:g}")
    if not masks:
        raise ScenarioError("no elevation mask is given; name at least one, such as 10")
    return tuple(dict.fromkeys(float(m) for m in masks))


def check_arguments(
    weights: str, sigma_m: str | Mapping[str, float], truth: str | Truth, hours: float, scenarios: Sequence[Scenario]
) -> None:
    """Refuse arguments that make no sense."""
    if weights not in WEIGHTS:
        raise ScenarioError(f"unknown weights {weights!r}: write {', '.join(WEIGHTS)}")
    if isinstance(truth, str) and truth not in where.TRUTHS:
        raise ScenarioError(f"unknown truth {truth!r}: write {', '.join(where.TRUTHS)}")
    if not 0 <= hours <= 24:
        raise ScenarioError(f"calibration takes 0 to 24 hours, not {hours:g}")
    if hours and scenarios[0].clocks == PER_SYSTEM:
        raise ScenarioError(f"calibration is for the clocks {COMMON} and prior: clocks per system are estimated anyway")
    if isinstance(sigma_m, str):
        if sigma_m not in (ESTIMATED, EQUAL):
            raise ScenarioError(f"unknown sigma {sigma_m!r}: write {ESTIMATED}, {EQUAL}, or metres such as R=2.2,C=1.3")
        return
    for letter, sigma in sigma_m.items():
        if letter not in SYSTEMS:
            raise ScenarioError(f"sigma of an unknown system {letter!r}: known are {', '.join(SYSTEMS)}")
        if not 0 < sigma < _LARGEST_SIGMA_M:
            raise ScenarioError(
                f"sigma of {letter} is {sigma:g} m: it must be above 0 and below {_LARGEST_SIGMA_M:g} m"
            )


def possible_scenarios(scenarios: Sequence[Scenario], measured: Measurements) -> tuple[Scenario, ...]:
    """Leave out scenarios of systems that have no measurements; refuse when none is left."""
    kept = tuple(s for s in scenarios if set(s.systems) <= set(measured.systems))
    absent = [str(s) for s in scenarios if s not in kept]
    if not kept:
        there = ", ".join(measured.systems)
        raise ScenarioError(f"no measurements for {', '.join(absent)}: the files have those of {there}")
    if absent:
        measured.notes.append(f"skipped, no measurements: {', '.join(absent)}")
    return kept
