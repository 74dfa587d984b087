"""Scenarios: which systems a receiver uses, and what it knows about their clocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gnss_coop.constants import LIGHT_SPEED_MPS, NS_PER_S
from gnss_coop.errors import ScenarioError
from gnss_coop.model.systems import SYSTEMS

PER_SYSTEM: Final = "per-system"
COMMON: Final = "common"
PRIOR: Final = "prior"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A set of systems used together.

    Attributes
    ----------
    systems : tuple of str
        RINEX letters, in the order given.
    clocks : str
        ``"per-system"``: the receiver estimates one clock per system; ``"common"``: the offsets between
        the system times are known; ``"prior"``: they are known with an uncertainty.
    prior_sigma_ns : float or None
        Standard deviation of the offset between any two systems, used with ``"prior"`` [ns].

    Raises
    ------
    ScenarioError
        For an unknown or repeated letter, no letter at all, or an unknown clock model.

    Examples
    --------
    >>> joint = Scenario.parse("R+C", clocks="prior:5")
    >>> str(joint), joint.label, joint.prior_sigma_ns
    ('R+C', 'GLONASS + BeiDou', 5.0)
    """

    systems: tuple[str, ...]
    clocks: str = PER_SYSTEM
    prior_sigma_ns: float | None = None

    def __post_init__(self) -> None:
        known = ", ".join(f"{letter} ({system.name})" for letter, system in SYSTEMS.items())
        if not self.systems or "" in self.systems:
            raise ScenarioError(f"A scenario is letters joined by '+', such as R+C; known are {known}.")
        for letter in self.systems:
            if letter not in SYSTEMS:
                raise ScenarioError(f"Unknown system {letter!r} in {str(self)!r}; known are {known}.")
        if len(set(self.systems)) < len(self.systems):
            raise ScenarioError(f"Scenario {str(self)!r} names a system twice; known are {known}.")
        if self.clocks not in (PER_SYSTEM, COMMON, PRIOR):
            raise ScenarioError(_clocks_fault(self.clocks))
        if self.clocks == PRIOR and not (self.prior_sigma_ns is not None and self.prior_sigma_ns >= 0.0):
            raise ScenarioError(_clocks_fault(f"{PRIOR}:{self.prior_sigma_ns}"))

    @classmethod
    def parse(cls, text: str, clocks: str = PER_SYSTEM) -> Scenario:
        """Read a scenario as users write it.

        Parameters
        ----------
        text : str
            Letters joined by ``+``.
        clocks : str
            ``per-system``, ``common`` or ``prior:NS`` with a standard deviation in nanoseconds.

        Returns
        -------
        Scenario

        Raises
        ------
        ScenarioError
            Where either text cannot be understood.
        """
        letters = tuple(letter.strip() for letter in text.split("+"))
        mode, colon, sigma = clocks.partition(":")
        if (mode == PRIOR) != bool(colon):
            raise ScenarioError(_clocks_fault(clocks))
        if not colon:
            return cls(letters, mode)
        try:
            return cls(letters, mode, float(sigma))
        except ValueError:
            raise ScenarioError(_clocks_fault(clocks)) from None

    @property
    def label(self) -> str:
        """Names of the systems, for readers."""
        return " + ".join(SYSTEMS[letter].name for letter in self.systems)

    @property
    def offset_variance_m2(self) -> float:
        """Variance of each system's clock about the common clock [m^2].

        Half of the variance of the difference between two systems; 0 for a common clock, infinite for a
        clock per system.

        Examples
        --------
        >>> round(Scenario.parse("R+C", clocks="prior:5").offset_variance_m2, 4)
        1.1234
        """
        if self.clocks == PRIOR and self.prior_sigma_ns is not None:
            sigma_m = self.prior_sigma_ns / NS_PER_S * LIGHT_SPEED_MPS
            return sigma_m * sigma_m / 2.0  # a product overflows to infinity, a power raises
        return 0.0 if self.clocks == COMMON else math.inf

    def __str__(self) -> str:
        return "+".join(self.systems)


def parse_scenarios(systems: str | Sequence[str], clocks: str = PER_SYSTEM) -> tuple[Scenario, ...]:
    """Read several scenarios.

    Parameters
    ----------
    systems : str or sequence of str
        Scenarios, in a string divided by commas.
    clocks : str
        As for `Scenario.parse`; the same for all.

    Returns
    -------
    tuple of Scenario
        In the order given.

    Raises
    ------
    ScenarioError
        Where one cannot be understood or the same set of systems comes twice.

    Examples
    --------
    >>> [str(scenario) for scenario in parse_scenarios("R,C,R+C")]
    ['R', 'C', 'R+C']
    """
    texts = systems.split(",") if isinstance(systems, str) else systems
    scenarios = tuple(Scenario.parse(text, clocks) for text in texts)
    if not scenarios:
        raise ScenarioError("No scenario is given; name at least one, such as R,C,R+C.")
    seen: dict[frozenset[str], Scenario] = {}
    for scenario in scenarios:
        twin = seen.setdefault(frozenset(scenario.systems), scenario)
        if twin is not scenario:
            raise ScenarioError(f"Scenarios {str(twin)!r} and {str(scenario)!r} are the same; leave one out.")
    return scenarios


def _clocks_fault(clocks: str) -> str:
    return (
        f"Unknown clock model {clocks!r}; write {PER_SYSTEM}, {COMMON} or {PRIOR}:NS "
        "with a standard deviation of zero or more nanoseconds, such as prior:5."
    )
