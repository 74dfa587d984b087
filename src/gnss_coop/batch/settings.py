"""What figures depend on, in one form, and the keys that follow from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from gnss_coop._version import __version__
from gnss_coop.constants import DEFAULT_STEP_S
from gnss_coop.model.network import Network
from gnss_coop.model.scenario import Scenario, parse_scenarios
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.networks.networks import Networks

#: Form of archive and ledger; part of every key.
FORM: Final = 1
_LETTERS: Final = "".join(SYSTEMS)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that decide about figures; those that ask the same are equal.

    Scenarios, masks, clock models, stations and satellites are put into one order, so it does not
    matter in which one they are given.

    Attributes
    ----------
    systems, clocks : tuple of str
        Scenarios and receiver clock models.
    mask_deg : tuple of float
    stations : Network
        By name.
    max_pdop, step_s : float
    exclude_sv : tuple of str
    max_age_s : float, or tuple of (letter, float), or None
        As `satellite_positions` takes it, mappings as sorted pairs.
    map_grid_deg, map_region, map_step_s, map_percentiles
        Of the product ``map``.
    networks : Networks
        Of the product ``network``, by name.
    """

    systems: tuple[str, ...]
    clocks: tuple[str, ...]
    mask_deg: tuple[float, ...]
    stations: Network
    max_pdop: float = 6.0
    step_s: float = DEFAULT_STEP_S
    exclude_sv: tuple[str, ...] = ()
    max_age_s: float | tuple[tuple[str, float], ...] | None = None
    map_grid_deg: float = 1.0
    map_region: tuple[float, float, float, float] = (-90.0, 90.0, -180.0, 180.0)
    map_step_s: float = DEFAULT_STEP_S
    map_percentiles: tuple[float, ...] = (50.0, 95.0, 100.0)
    networks: Networks = field(default_factory=Networks.of)

    def __post_init__(self) -> None:
        by_name = tuple(sorted(self.stations, key=lambda station: station.name))
        age = self.max_age_s
        if age is not None:
            age = tuple(sorted((letter, float(s)) for letter, s in age)) if isinstance(age, tuple) else float(age)
        for name, value in {
            "systems": in_one_order(self.systems),
            "clocks": tuple(sorted({_plain_clocks(c) for c in self.clocks})),
            "mask_deg": tuple(sorted({float(m) for m in self.mask_deg})),
            "stations": Network(", ".join(s.name for s in by_name), by_name),
            "max_pdop": float(self.max_pdop),
            "step_s": float(self.step_s),
            "map_grid_deg": float(self.map_grid_deg),
            "map_region": tuple(map(float, self.map_region)),
            "map_step_s": float(self.map_step_s),
            "exclude_sv": tuple(sorted(set(self.exclude_sv))),
            "max_age_s": age,
            "networks": Networks.of({name: self.networks.network(name) for name in sorted(self.networks.names)}),
            "map_percentiles": tuple(sorted({float(p) for p in self.map_percentiles})),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def letters(self) -> tuple[str, ...]:
        """Letters of all systems in the scenarios."""
        return letters_of(self.systems)

    @property
    def age_limits_s(self) -> float | Mapping[str, float] | None:
        """The age limits as `satellite_positions` takes them [s]."""
        return dict(self.max_age_s) if isinstance(self.max_age_s, tuple) else self.max_age_s

    def plain(self, names: Sequence[str]) -> dict[str, Any]:
        """Return some settings as what JSON knows; of stations what figures depend on."""
        return {name: _plain(getattr(self, name)) for name in names}


def letters_of(scenarios: Sequence[str]) -> tuple[str, ...]:
    """Return the letters that occur in scenarios, in the order of the table of systems."""
    used = {letter for scenario in scenarios for letter in scenario.split("+")}
    return tuple(letter for letter in _LETTERS if letter in used)


def in_one_order(scenarios: Sequence[str]) -> tuple[str, ...]:
    """Return scenarios by their number of systems, then as in the table of systems, and their letters so too.

    Examples
    --------
    >>> in_one_order(["C+R", "C", "R"])
    ('R', 'C', 'R+C')
    """
    parsed = [sorted(s.systems, key=_LETTERS.index) for s in parse_scenarios(list(scenarios))]
    ranked = sorted(parsed, key=lambda letters: (len(letters), [_LETTERS.index(letter) for letter in letters]))
    return tuple("+".join(letters) for letters in ranked)


def _plain_clocks(text: str) -> str:
    """Return a clock model as it is written with the fewest digits: prior:5.0 is prior:5."""
    scenario = Scenario.parse("R", text)
    sigma = scenario.prior_sigma_ns
    return scenario.clocks if sigma is None else f"{scenario.clocks}:{sigma:.12g}"


def _plain(value: Any) -> Any:
    if isinstance(value, Networks):
        return {name: sorted(_plain(value.network(name)), key=itemgetter("name")) for name in value.names}
    if isinstance(value, Network):
        return [
            s.model_dump(mode="json", include={"name", "ecef_m", "geodetic", "antenna_height_m", "horizon"})
            for s in value
        ]
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Part:
    """One result of a product and day: for one mask, one clock model, or all at once.

    Attributes
    ----------
    product : str
    mask_deg : float or None
    clocks : str or None
        None where the product is not divided by it.
    """

    product: str
    mask_deg: float | None = None
    clocks: str | None = None

    @property
    def name(self) -> str:
        """Name within product and day, fit for a file name: ``mask5-per-system``; ``all`` of an undivided one.

        Examples
        --------
        >>> Part("compare", 7.5, "prior:5").name
        'mask7.5-prior5'
        """
        words = [] if self.mask_deg is None else [f"mask{self.mask_deg:.12g}"]
        words += [] if self.clocks is None else [self.clocks.replace(":", "")]
        return "-".join(words) or "all"


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes the keys of one product's parts, with what is equal for all days worked out once.

    Attributes
    ----------
    product : str
    revision : int
        Of the product: raised when its figures change.
    settings : dict
        All that the product looks at, as what JSON knows.
    """

    product: str
    revision: int
    settings: Mapping[str, Any]
    _digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digest", digest(dict(self.settings)))

    def of(self, day: str, part: Part, inputs: Sequence[str]) -> str:
        """Return the key of a part of a day, made from inputs with these hashes, in any order."""
        return digest(
            [FORM, __version__, self.product, self.revision, self._digest, part.name, day, sorted(set(inputs))]
        )


def digest(value: Any) -> str:
    """Return the SHA-256 of a value as JSON in one form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
