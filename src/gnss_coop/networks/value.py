"""What any set of stations achieves: the figures that the worth of stations and sites is told in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels.coverage import GAP_MAX, N_FIXED
from gnss_coop.networks.coverage import coverage_figures
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H, OrbitInformation
from gnss_coop.networks.table import median_sigma

if TYPE_CHECKING:
    from gnss_coop.networks.views import NetworkViews

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure of a network, and how it becomes a value: nothing for no station, more for a better network.

    Attributes
    ----------
    name, unit : str
        Of the figure, as tables call it.
    value_unit : str
        Unit of the value.
    rises : bool
        Whether a better network has the larger figure.
    """

    name: str
    unit: str
    value_unit: str
    rises: bool


#: A gap counts by how far it falls from that of no station at all, sigma by its inverse: without stations there is
#: none, and an inverse is what adds up sensibly from there.
QUANTITIES: Final = (
    Quantity("k1_pct", "%", "points", True),
    Quantity("k2_pct", "%", "points", True),
    Quantity("k4_pct", "%", "points", True),
    Quantity("depth", "stations", "stations", True),
    Quantity("gap_max_min", "min", "min", False),
    Quantity("sigma_3d_m", "m", "1/km", False),
)
NAMES: Final = tuple(quantity.name for quantity in QUANTITIES)
_GAP, _SIGMA = NAMES.index("gap_max_min"), NAMES.index("sigma_3d_m")


@dataclass(frozen=True, slots=True, eq=False)
class NetworkValue:
    """Figures and values of any subset of the stations of some views.

    Attributes
    ----------
    views : NetworkViews
    orbits : OrbitInformation
    groups : list of (str, str, (sv,) bool)
        Satellites by system and orbit class, as `NetworkViews.groups` gives them.
    nothing : (group,) float64
        Longest gap of no station at all: the longest stretch with ephemerides [min].
    clock_known : bool
        Whether sigma is that with the satellites' clocks known.
    """

    views: NetworkViews
    orbits: OrbitInformation
    groups: list[tuple[str, str, Bools]]
    nothing: Floats
    clock_known: bool = False

    @classmethod
    def of(
        cls,
        views: NetworkViews,
        *,
        orbit: str = "all",
        window_h: float = WINDOW_H,
        range_interval_s: float = RANGE_INTERVAL_S,
        clock_known: bool = False,
    ) -> NetworkValue:
        """Prepare the views; `orbit` is MEO, IGSO, GEO or ``all``: of which satellites figures are.

        Raises
        ------
        ScenarioError
            If no satellite has such an orbit.
        """
        from gnss_coop.errors import ScenarioError

        orbits = OrbitInformation.of(views, window_h=window_h, range_interval_s=range_interval_s)
        groups = [group for group in views.groups() if group[1] == orbit]
        if not groups:
            known = ", ".join(dict.fromkeys(name for _, name, _ in views.groups()))
            raise ScenarioError(f"no satellite has the orbit {orbit!r}; there are {known}")
        sums = views.coverage(np.zeros(len(views.networks.stations), bool))
        nothing = np.array([sums[chosen, GAP_MAX].max() for _, _, chosen in groups]) * views.step_s / 60.0
        return cls(views, orbits, groups, nothing, clock_known)

    def figures(self, members: Bools) -> Floats:
        """Figures of a set of stations.

        Parameters
        ----------
        members : (station,) bool

        Returns
        -------
        (group, quantity) float64
            In the order of `QUANTITIES`; sigma is NaN where the median orbit cannot be determined.
        """
        sums = self.views.coverage(members)
        sigma = self._sigma_m(members)
        return np.array([self._of_group(sums[chosen], sigma[chosen, 3:]) for _, _, chosen in self.groups])

    def figure(self, members: Bools, name: str) -> Floats:
        """One figure of a set of stations per group, (group,): what it does not need is not computed."""
        if name == "sigma_3d_m":
            sigma = self._sigma_m(members)
            return np.array([median_sigma(sigma[chosen, 3:])[0] for _, _, chosen in self.groups])
        sums = self.views.coverage(members)
        key = name.removesuffix("_pct")
        return np.array([coverage_figures(sums[chosen], self.views.step_s)[key] for _, _, chosen in self.groups])

    def _sigma_m(self, members: Bools) -> Floats:
        return self.orbits.sigma_of(self.orbits.matrices(members, clock_known=self.clock_known))

    def _of_group(self, sums: Floats, sigma_3d_m: Floats) -> list[float]:
        figures = coverage_figures(sums, self.views.step_s, sums.shape[1] - N_FIXED)
        [median_m] = median_sigma(sigma_3d_m)
        return [figures["k1"], figures["k2"], figures["k4"], figures["depth"], figures["gap_max_min"], float(median_m)]

    def values(self, figures: Floats) -> Floats:
        """Turn figures into values: larger is better, and no station is worth 0."""
        values = figures.copy()
        values[:, _GAP] = self.nothing - figures[:, _GAP]
        values[:, _SIGMA] = np.where(np.isnan(figures[:, _SIGMA]), 0.0, 1e3 / figures[:, _SIGMA])
        return values
