"""Which candidate sites a network should take next: step by step, and the best of all sets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.grid import GeoPoints
from gnss_coop.model.network import Geodetic, Network, Station, stations
from gnss_coop.networks.networks import Networks
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H
from gnss_coop.networks.site_gain import MAP_STEP_S
from gnss_coop.networks.table import network_attributes
from gnss_coop.networks.value import NAMES, QUANTITIES, NetworkValue
from gnss_coop.networks.views import network_views

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.model.network import Selection

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

#: Up to so many sets of sites are searched for the best one.
MAX_SETS: Final = 5000


def best_sites(
    sky: xr.Dataset,
    candidates: GeoPoints | Selection,
    n_sites: int = 1,
    *,
    network: Selection = "joint",
    objective: str = "k2_pct",
    orbit: str = "all",
    mask_deg: float = 5.0,
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Find the candidate sites that improve a network most.

    Greedy takes the best site, then the best beside it, and so on; exact compares all sets of a size, as long as
    there are at most 5000.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` at evenly spaced epochs, as `satellite_positions` gives them.
    candidates : GeoPoints, or what `stations` takes
        Sites to choose from, such as `read_points` reads.
    n_sites : int
        How many to choose.
    network : what `stations` takes
        The network that gets them.
    objective : str
        ``k1_pct``, ``k2_pct``, ``k4_pct``, ``depth``, ``gap_max_min`` or ``sigma_3d_m``.
    orbit : str
        MEO, IGSO, GEO or ``all``: the satellites that count.
    mask_deg, window_h, range_interval_s, clock_known
        As for `network_views` and `network_table`.
    progress : callable, optional
        Called with how many sets are computed and how many there are.

    Returns
    -------
    pandas.DataFrame
        One row per system, method and number of sites: ``system, orbit, method, n_sites, sites, objective, unit,
        before, after, gain, n_compared``. ``gain`` is how far the objective improves, NaN where it
        does not exist before. ``attrs["not_searched"]`` lists the numbers of sites of which there were too many sets.

    Raises
    ------
    ScenarioError
        For an unknown objective, or a number of sites that the candidates do not allow.
    StationError
        For candidates with the name of a station of the network, or too many.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=900))
    >>> places = gc.GeoPoints.of(["Quito", "Oslo", "Perth"], [-0.2, 59.9, -31.9], [-78.5, 10.7, 115.9])
    >>> gc.best_sites(sky, places, 2)[["method", "n_sites", "sites"]]
       method  n_sites         sites
    0  greedy        1 ...
    """
    import pandas as pd

    if objective not in NAMES:
        raise ScenarioError(f"unknown objective {objective!r}: known are {', '.join(NAMES)}")
    base, sites = stations(network), _as_network(candidates)
    if not 1 <= n_sites <= len(sites):
        raise ScenarioError(f"of {len(sites)} candidates 1 to {len(sites)} can be chosen, not {n_sites}")
    _check_names(base, sites)
    views = network_views(sky, Networks.of({"network": base, "candidates": sites}), mask_deg=mask_deg)
    value = NetworkValue.of(
        views.thinned(MAP_STEP_S),
        orbit=orbit,
        window_h=window_h,
        range_interval_s=range_interval_s,
        clock_known=clock_known,
    )
    sizes = range(1, n_sites + 1)
    n_greedy = sum(len(sites) - k for k in range(n_sites))
    searched = [k for k in sizes if k > 1 and math.comb(len(sites), k) <= MAX_SETS]
    n_sets = n_greedy * len(value.groups) + sum(math.comb(len(sites), k) for k in searched)
    search = _Search(value, len(base), len(sites), objective, progress, n_sets)
    rows = []
    for g, (letter, class_name, _) in enumerate(value.groups):
        found = [("greedy", *step) for step in search.greedy(g, n_sites)]
        found += [("exact", *search.exact(g, k)) for k in searched]
        for method, chosen, n_compared in found:
            rows.append(
                {
                    "system": letter,
                    "orbit": class_name,
                    "method": method,
                    "n_sites": len(chosen),
                    "sites": ", ".join(sites.names[i] for i in chosen),
                    "objective": objective,
                    "unit": QUANTITIES[NAMES.index(objective)].unit,
                    **search.gain(g, chosen),
                    "n_compared": n_compared,
                }
            )
    table = pd.DataFrame(rows)
    table.attrs.update(network_attributes(value.views, value.orbits, range_interval_s, clock_known))
    table.attrs["not_searched"] = [k for k in sizes if k > 1 and k not in searched]
    return table


def candidate_table(
    sky: xr.Dataset,
    candidates: GeoPoints | Selection,
    *,
    network: Selection = "joint",
    orbit: str = "all",
    mask_deg: float = 5.0,
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
) -> pd.DataFrame:
    """Compare all candidates by all objectives: what each alone, added to the network, would improve.

    Parameters
    ----------
    sky, candidates, network, orbit, mask_deg, window_h, range_interval_s, clock_known
        As for `best_sites`.

    Returns
    -------
    pandas.DataFrame
        One row per system, objective and candidate, the best first: ``system, orbit, objective, unit, rank, site,
        latitude_deg, longitude_deg, before, after, gain``; ``gain`` as in `best_sites`.

    Raises
    ------
    StationError
        For candidates with the name of a station of the network.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=900))
    >>> places = gc.GeoPoints.of(["Quito", "Oslo", "Perth"], [-0.2, 59.9, -31.9], [-78.5, 10.7, 115.9])
    >>> table = gc.candidate_table(sky, places)
    >>> len(table), sorted(table.query("objective == 'depth'").site)
    (18, ['Oslo', 'Perth', 'Quito'])
    """
    import pandas as pd

    base, sites = stations(network), _as_network(candidates)
    _check_names(base, sites)
    views = network_views(sky, Networks.of({"network": base, "candidates": sites}), mask_deg=mask_deg).thinned(
        MAP_STEP_S
    )
    value = NetworkValue.of(
        views, orbit=orbit, window_h=window_h, range_interval_s=range_interval_s, clock_known=clock_known
    )
    members = np.arange(len(base) + len(sites)) < len(base)
    before = value.figures(members)
    after = np.array([value.figures(members | (np.arange(members.size) == len(base) + i)) for i in range(len(sites))])
    rows = [
        {
            "system": letter,
            "orbit": class_name,
            "objective": quantity.name,
            "unit": quantity.unit,
            "site": site.name,
            "latitude_deg": site.latitude_deg,
            "longitude_deg": site.longitude_deg,
            "before": float(before[g, k]),
            "after": float(after[i, g, k]),
            "gain": float(after[i, g, k] - before[g, k]) * (1.0 if quantity.rises else -1.0) + 0.0,  # no -0
        }
        for g, (letter, class_name, _) in enumerate(value.groups)
        for k, quantity in enumerate(QUANTITIES)
        for i, site in enumerate(sites)
    ]
    # By what is reached, so that an orbit that only some candidates determine is ordered too.
    table = pd.DataFrame(rows)
    rises = {quantity.name: quantity.rises for quantity in QUANTITIES}
    reached = table["after"] * np.where(table["objective"].map(rises), 1.0, -1.0)
    groups = ["system", "objective"]
    table.insert(
        4, "rank", reached.fillna(-np.inf).groupby([table[g] for g in groups]).rank(ascending=False, method="min")
    )
    table["rank"] = table["rank"].astype(np.int64)
    order = table[groups].agg("/".join, axis=1)
    position = {key: i for i, key in enumerate(dict.fromkeys(order))}
    table = table.assign(_at=order.map(position)).sort_values(["_at", "rank"], kind="stable", ignore_index=True)
    table = table.drop(columns="_at")
    table.attrs.update(network_attributes(views, value.orbits, range_interval_s, clock_known))
    return table


def _as_network(candidates: GeoPoints | Selection) -> Network:
    if not isinstance(candidates, GeoPoints):
        return stations(candidates)
    longitude_deg = (candidates.longitude_deg + 180.0) % 360.0 - 180.0
    places = np.stack([candidates.latitude_deg, longitude_deg, candidates.height_m], axis=1).tolist()
    return stations(
        [
            Station(name=name, geodetic=Geodetic(latitude_deg=place[0], longitude_deg=place[1], height_m=place[2]))
            for name, place in zip(candidates.names, places, strict=True)
        ]
    )


def _check_names(base: Network, sites: Network) -> None:
    taken = sorted(set(base.names) & set(sites.names))
    if taken:
        raise StationError(f"Candidates that belong to the network already: {', '.join(taken)}; leave them out.")


class _Search:
    """Sets of candidates and what the network achieves with them."""

    def __init__(
        self,
        value: NetworkValue,
        n_base: int,
        n_sites: int,
        objective: str,
        progress: Progress | None,
        n_planned: int,
    ) -> None:
        self._value, self._n_base, self._n_sites = value, n_base, n_sites
        self._name, self._rises = objective, QUANTITIES[NAMES.index(objective)].rises
        self._progress, self._n_planned = progress, n_planned
        self._known: dict[frozenset[int], Floats] = {}

    def figure(self, chosen: Iterable[int]) -> Floats:
        """Return the objective of each group with some sites."""
        key = frozenset(chosen)
        if key not in self._known:
            members = np.arange(self._n_base + self._n_sites) < self._n_base
            members[[self._n_base + i for i in key]] = True
            self._known[key] = self._value.figure(members, self._name)
            if self._progress is not None:
                self._progress(min(len(self._known), self._n_planned), self._n_planned)
        return self._known[key]

    def _score(self, g: int, chosen: Iterable[int]) -> float:
        figure = float(self.figure(chosen)[g])
        if math.isnan(figure):
            return -math.inf
        return figure if self._rises else -figure

    def greedy(self, g: int, n: int) -> list[tuple[tuple[int, ...], int]]:
        """Return sets of 1 to n sites, each the one before and the best beside it, and how many were compared."""
        steps: list[tuple[tuple[int, ...], int]] = []
        chosen: tuple[int, ...] = ()
        for _ in range(n):
            left = [i for i in range(self._n_sites) if i not in chosen]
            chosen = (*chosen, max(left, key=lambda i: self._score(g, (*chosen, i))))  # used at once
            steps.append((chosen, len(left)))
        return steps

    def exact(self, g: int, n: int) -> tuple[tuple[int, ...], int]:
        """Return the best set of n sites, and how many were compared."""
        sets = list(itertools.combinations(range(self._n_sites), n))
        return max(sets, key=lambda chosen: self._score(g, chosen)), len(sets)

    def gain(self, g: int, chosen: tuple[int, ...]) -> dict[str, Any]:
        """Return the objective before and after, and how far it improves."""
        before, after = float(self.figure(())[g]), float(self.figure(chosen)[g])
        return {"before": before, "after": after, "gain": after - before if self._rises else before - after}
