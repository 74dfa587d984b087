"""What each station of a network is worth: with and without it, and its fair share of the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H
from gnss_coop.networks.table import network_attributes
from gnss_coop.networks.value import QUANTITIES, NetworkValue

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.networks.views import NetworkViews

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

#: Up to so many players all subsets are computed; above, random orders are sampled.
MAX_EXACT_PLAYERS: Final = 12
SAMPLES: Final = 200
PLAYERS: Final = ("stations", "countries")


def station_worth(
    views: NetworkViews,
    network: str | None = None,
    *,
    players: str = "stations",
    orbit: str = "all",
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Tell what each station, or each country's stations together, are worth to a network.

    The Shapley value of a station is what it adds, averaged over all orders in which the stations may have joined:
    the one way to share the whole that treats equal stations equally, gives a useless one nothing, and adds up.

    Parameters
    ----------
    views : NetworkViews
        From `network_views`.
    network : str, optional
        Network of the views whose stations are judged; the last one by default.
    players : {"stations", "countries"}
        Who is judged: each station, or each country's stations as one.
    orbit : str
        MEO, IGSO, GEO or ``all``: the satellites that count.
    window_h, range_interval_s, clock_known
        As for `network_table`.
    samples : int
        Random orders, where there are more than 12 players.
    seed : int
        Of the random orders.
    progress : callable, optional
        Called with how many evaluations are done and how many there are.

    Returns
    -------
    pandas.DataFrame
        One row per system, quantity and player: ``system, orbit, network, quantity, player, unit, alone, without,
        with, marginal, shapley, value_unit, standard_error, total``. ``alone``, ``without`` and ``with`` are the
        quantity for the player alone, the others, and all; ``marginal`` is how far the player improves it (NaN where
        it does not exist). ``shapley`` shares out ``total``, the value of the whole network: percent and depth as
        they are, gaps by how far they fall from no station at all, orbits by 1/sigma. ``standard_error`` is 0 where
        all subsets were computed.

    Raises
    ------
    StationError
        For an unknown network.
    ScenarioError
        For an unknown kind of players, orbit, or fewer than 2 samples.

    Notes
    -----
    Shapley (1953), A value for n-person games. Sampling: Castro, Gomez and Tejada (2009), Polynomial calculation of
    the Shapley value based on sampling.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=600))
    >>> worth = gc.station_worth(gc.network_views(sky), players="countries")
    >>> print(worth.query("quantity == 'depth'")[["player", "alone", "shapley", "total"]].round(3))
      player  alone  shapley  total
    6     RU  1.078    1.078  2.067
    7     CN  0.988    0.988  2.067
    """
    import pandas as pd

    if samples < 2:
        raise ScenarioError(f"at least 2 samples are needed for a standard error, not {samples}")
    groups = _players(views, network, players)
    game = NetworkValue.of(
        views, orbit=orbit, window_h=window_h, range_interval_s=range_interval_s, clock_known=clock_known
    )
    n = len(groups)
    exact = n <= MAX_EXACT_PLAYERS
    figures = _Figures(game, list(groups.values()), progress, 2**n if exact else samples * n + 2)
    everyone = (1 << n) - 1
    shapley, error = _exact(figures, n) if exact else _sampled(figures, n, samples, seed)
    total = figures.values(everyone)
    name = network or views.networks.names[-1]
    rows = []
    for g, (letter, class_name, _) in enumerate(game.groups):
        for q, quantity in enumerate(QUANTITIES):
            for p, player in enumerate(groups):
                alone, without, with_all = (
                    float(figures(subset)[g, q]) for subset in (1 << p, everyone ^ (1 << p), everyone)
                )
                rows.append(
                    {
                        "system": letter,
                        "orbit": class_name,
                        "network": name,
                        "quantity": quantity.name,
                        "player": player,
                        "unit": quantity.unit,
                        "alone": alone,
                        "without": without,
                        "with": with_all,
                        "marginal": with_all - without if quantity.rises else without - with_all,
                        "shapley": float(shapley[p, g, q]),
                        "value_unit": quantity.value_unit,
                        "standard_error": float(error[p, g, q]),
                        "total": float(total[g, q]),
                    }
                )
    table = pd.DataFrame(rows)
    table.attrs.update(network_attributes(views, game.orbits, range_interval_s, clock_known))
    table.attrs.update({"players": players, "exact": exact, "n_evaluations": figures.n_evaluations})
    return table


def _players(views: NetworkViews, network: str | None, players: str) -> dict[str, Bools]:
    """Return which stations each player brings."""
    names = views.networks.names
    if network is not None and network not in names:
        raise StationError(f"There is no network {network!r} among {', '.join(names)}.")
    members = views.networks.members[names.index(network) if network else -1]
    if players not in PLAYERS:
        raise ScenarioError(f"players are {' or '.join(PLAYERS)}, not {players!r}")
    groups: dict[str, Bools] = {}
    for p, station in enumerate(views.networks.stations):
        if members[p]:
            player = station.name if players == "stations" else station.country or "unknown"
            groups.setdefault(player, np.zeros(len(members), bool))[p] = True
    return groups


class _Figures:
    """Figures of each set of players, computed once."""

    def __init__(self, game: NetworkValue, groups: list[Bools], progress: Progress | None, n_planned: int) -> None:
        self._game, self._groups, self._progress, self._n_planned = game, groups, progress, n_planned
        self._known: dict[int, Floats] = {}

    @property
    def n_evaluations(self) -> int:
        return len(self._known)

    def __call__(self, subset: int) -> Floats:
        """Figures (group, quantity) of the players whose bits are set."""
        if subset not in self._known:
            members = np.zeros(len(self._groups[0]), bool)
            for p, stations in enumerate(self._groups):
                if subset >> p & 1:
                    members |= stations
            self._known[subset] = self._game.figures(members)
            if self._progress is not None:
                self._progress(len(self._known), max(self._n_planned, len(self._known)))
        return self._known[subset]

    def values(self, subset: int) -> Floats:
        """Values (group, quantity); see `NetworkValue.values`."""
        return self._game.values(self(subset))


def _exact(figures: _Figures, n: int) -> tuple[Floats, Floats]:
    """Shapley values (player, group, quantity) from all subsets, and their error, which is nothing."""
    values = np.array([figures.values(subset) for subset in range(1 << n)])
    shapley = np.zeros((n, *values.shape[1:]))
    for subset in range(1 << n):
        size = subset.bit_count()
        for p in range(n):
            if not subset >> p & 1:
                weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
                shapley[p] += weight * (values[subset | 1 << p] - values[subset])
    return shapley, np.zeros_like(shapley)


def _sampled(figures: _Figures, n: int, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Shapley values from random orders of joining, and their standard errors."""
    random = np.random.default_rng(seed)
    added: list[Any] = []
    for _ in range(samples):
        steps: list[Any] = [None] * n
        subset, before = 0, figures.values(0)
        for p in random.permutation(n).tolist():
            subset |= 1 << p
            after = figures.values(subset)
            steps[p] = after - before
            before = after
        added.append(steps)
    table = np.array(added)
    return table.mean(axis=0), table.std(axis=0, ddof=1) / math.sqrt(samples)
