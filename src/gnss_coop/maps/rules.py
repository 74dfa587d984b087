"""Published rules by which systems state the availability of their geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gnss_coop.errors import ScenarioError


@dataclass(frozen=True, slots=True)
class Rule:
    """How availability is computed, and what must be reached.

    Attributes
    ----------
    name : str
        Short name.
    title : str
        What it is called in its source.
    source : str
        Where it is published.
    mask_deg, max_pdop : float
        Elevation mask [deg] and largest PDOP.
    step_s, grid_deg : float
        Steps in time and space; where the source leaves them open, those of GLONASS IAC.
    days : float
        Length of time that the statement is about [d].
    global_pct, worst_pct : float or None
        What the mean over the globe and the worst place must reach [%]; None where nothing is promised.

    Examples
    --------
    >>> rule_named("iac").global_pct is None
    True
    """

    name: str
    title: str
    source: str
    mask_deg: float
    max_pdop: float
    step_s: float
    grid_deg: float
    days: float
    global_pct: float | None
    worst_pct: float | None


RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule(
            "iac", "integral availability", "GLONASS Information and Analysis Centre, glonass-iac.ru",
            5.0, 6.0, 240.0, 1.0, 1.0, None, None,
        ),
        Rule(
            "gps-sps", "PDOP availability standard", "GPS SPS Performance Standard, 5th edition, 2020",
            5.0, 6.0, 240.0, 1.0, 1.0, 98.0, 88.0,
        ),
        Rule(
            "bds-os", "PDOP availability", "BeiDou OS Performance Standard 3.0 (BDS-OS-PS-3.0)",
            5.0, 6.0, 240.0, 1.0, 7.0, 98.0, 88.0,
        ),
        Rule(
            "galileo-os", "availability of Galileo PDOP", "Galileo OS Service Definition Document 1.3",
            5.0, 6.0, 240.0, 1.0, 30.0, 90.0, 87.0,
        ),
    )
}  # fmt: skip


def rule_named(name: str) -> Rule:
    """Return a rule by its name.

    Raises
    ------
    ScenarioError
        For an unknown name.

    Examples
    --------
    >>> rule_named("gps-sps").worst_pct
    88.0
    """
    if name not in RULES:
        raise ScenarioError(f"unknown rule {name!r}: known are {', '.join(RULES)}")
    return RULES[name]
