"""How much of the satellites' time the records of a file hold: a receiver's file knows only what it saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.model.scenario import Scenario
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.model.timescales import as_gpst_ns
from gnss_coop.orbits.unseen import unseen_above

if TYPE_CHECKING:
    import xarray as xr

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: From this share on, files count as those of the whole constellation [%]. Over 20 files of 2009 to 2026: those of one
#: receiver hold 22 to 76 % of GLONASS, BeiDou, GPS and Galileo, those merged from many 94 to 100 %.
COMPLETE_PCT: Final = 85.0
#: System, first day and number of satellites that it has had in service since, by the operators' announcements: full
#: GPS 1995, BDS-2 2012, GLONASS restored 2011, BDS-3 2018 and 2020; Galileo by merged files. What a short file lacks
#: of them it lacks altogether.
_FLEETS: Final = (
    ("G", "1995-07-17", 24),
    ("R", "2011-12-08", 24),
    ("C", "2012-12-27", 14),
    ("C", "2018-12-27", 30),
    ("E", "2019-01-01", 20),
)
#: Systems of which one receiver's file may hold all, since their satellites stand above one region.
_UNJUDGED: Final = ("S",)
_HEAD: Final = "these files hold"
_SHARE: Final = "completeness_{}_pct"
_FLEET: Final = "n_fleet_{}"


def completeness_pct(sky: xr.Dataset) -> dict[str, float]:
    """Tell how much of each system's satellites the records behind positions hold.

    The share is of satellite-epochs with a record within its maximum age, whatever its health, over the epochs at which
    the system has any: holes in time are another matter. Of satellites count those of the files and, where
    these are fewer, as many as the system has in service at the time. One receiver's file holds 22 to 76 %,
    a merged one 94 to 100 %; from 85 % on (`COMPLETE_PCT`) files count as complete.

    Parameters
    ----------
    sky : xarray.Dataset
        As `satellite_positions` gives it.

    Returns
    -------
    dict of str to float
        By RINEX letter [%]; empty where positions are no question of records: forecasts, almanacs, nominal
        constellations.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> times = gc.epochs("2022-06-08T10:00:00", hours=0.5)
    >>> nav = gc.read_nav("sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx")  # of one receiver
    >>> {s: round(pct) for s, pct in completeness_pct(gc.satellite_positions(nav, times, systems="RC")).items()}
    {'C': 48, 'R': 38}
    """
    shares = {letter: sky.attrs.get(_SHARE.format(letter)) for letter in sorted(SYSTEMS)}
    return {letter: float(pct) for letter, pct in shares.items() if pct is not None}


def incomplete_systems(attrs: Mapping[Any, Any]) -> dict[str, float]:
    """Return the systems that files do not hold completely, with their share [%], from the attributes of a result."""
    shares = {letter: attrs.get(_SHARE.format(letter)) for letter in sorted(SYSTEMS)}
    return {letter: float(pct) for letter, pct in shares.items() if pct is not None and pct < COMPLETE_PCT}


def completeness_attributes(attrs: Mapping[Any, Any]) -> dict[str, float]:
    """Return what a result made from positions says of their completeness."""
    names = [_SHARE.format(letter) for letter in SYSTEMS]
    return {name: float(attrs[name]) for name in names if name in attrs}


def scenario_pct(label: str, attrs: Mapping[Any, Any]) -> float:
    """Return the share of the system of a scenario of which the files hold least [%]; 100 where nothing is said."""
    return min(float(attrs.get(_SHARE.format(letter), 100.0)) for letter in label.split("+"))


def shares_of(
    in_reach: Bools, names: Sequence[str], epoch_ns: npt.NDArray[np.int64], excluded: Iterable[str]
) -> dict[str, float]:
    """Return the attributes of positions that tell their completeness.

    Parameters
    ----------
    in_reach : (time, sv) bool
        Where there is a record, healthy or not.
    names : sequence of str
        Satellites of the files.
    epoch_ns : (time,) int64
    excluded : iterable of str
        Satellites that were left out on purpose.
    """
    attrs: dict[str, float] = {}
    excluded = set(excluded)
    for letter in sorted({name[0] for name in names} - set(_UNJUDGED)):
        own = in_reach[:, [name[0] == letter for name in names]]
        own = own[own.any(axis=1)]
        if own.size == 0:
            continue
        n_out = sum(sv[0] == letter for sv in excluded)
        fleet = max(own.shape[1], _in_service(letter, int(epoch_ns.min())) - n_out)
        attrs[_SHARE.format(letter)] = 100.0 * float(own.sum()) / (own.shape[0] * fleet)
        attrs[_FLEET.format(letter)] = fleet
    return attrs


def _in_service(letter: str, gpst_ns: int) -> int:
    numbers = [n for system, since, n in _FLEETS if system == letter and gpst_ns >= as_gpst_ns(since)]
    return max(numbers, default=0)


def filled(sky: xr.Dataset) -> xr.Dataset | None:
    """Return positions with the satellites beyond their records where these orbits lead; None for complete files."""
    if "continued" not in sky:
        return None
    positions = sky["positions"]
    return sky.drop_vars("continued").assign(positions=positions.where(np.isfinite(positions), sky["continued"]))


def single_scenarios(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return each system of some scenarios as a scenario of its own."""
    return [Scenario((letter,)) for letter in dict.fromkeys(s for scenario in scenarios for s in scenario.systems)]


def held_pct(
    sky: xr.Dataset, scenarios: Sequence[Scenario], used: npt.NDArray[Any], expected: npt.NDArray[Any],
    directions: Floats, mask_rad: Floats,
) -> Floats:  # fmt: skip
    """Return how much of what is in view at places the files hold, of the system of each scenario that they lack most.

    Parameters
    ----------
    sky : xarray.Dataset
    scenarios : sequence of Scenario
    used, expected : (system, mask, place) array
        Satellite-epochs in view that have a record, and those that would be with every orbit continued; of the
        systems in the order of `single_scenarios`. Satellites that the files never name come in addition, see
        `unseen_above`.
    directions : (place, 3) float64
        From the Earth's centre to the places, of length 1.
    mask_rad : (mask,) float64

    Returns
    -------
    (scenario, mask, place) float64
        [%]
    """
    letters = [s.systems[0] for s in single_scenarios(scenarios)]
    names = sky["sv"].values.astype("U1")
    shares = {}
    for letter, own, full in zip(letters, used, expected, strict=True):
        known = int((names == letter).sum())
        fleet = float(sky.attrs.get(_FLEET.format(letter), known))
        unseen = sky.sizes["time"] * unseen_above(sky, letter, fleet - known, directions, mask_rad)
        of_all = np.asarray(full, np.float64) + unseen
        # Where the orbits lead to nothing in view, all that is known is what the files hold of the system.
        overall = float(sky.attrs.get(_SHARE.format(letter), 100.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            here = 100.0 * np.asarray(own, np.float64) / of_all
        shares[letter] = np.where(of_all > 0, here, overall)
    return np.stack([np.min([shares[s] for s in scenario.systems], axis=0) for scenario in scenarios])


def incomplete_text(attrs: Mapping[Any, Any]) -> str:
    """Say which systems files do not hold completely, and what that means; empty where they do."""
    lacking = incomplete_systems(attrs)
    if not lacking:
        return ""
    shares = ", ".join(f"{pct:.0f} % of {SYSTEMS[letter].name}" for letter, pct in lacking.items())
    return (
        f"{_HEAD} {shares} (of the satellites' time in the span; merged files hold over 90 %), as those of one "
        "receiver do: figures are right near that receiver only; take a merged file"
    )


def is_incomplete_text(note: str) -> bool:
    """Tell whether a note is one of `incomplete_text`."""
    return note.startswith(_HEAD)
