"""What ground networks see of each constellation, and how well they can determine its orbits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.geometry.statistics import worst_last_quantile
from gnss_coop.networks.coverage import coverage_figures, satellite_rows
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H, OrbitInformation
from gnss_coop.orbits.completeness import scenario_pct

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.networks.views import NetworkViews

Floats = npt.NDArray[np.float64]

SIGMAS: Final = ("sigma_radial_m", "sigma_along_m", "sigma_cross_m", "sigma_3d_m")


def network_table(
    views: NetworkViews,
    *,
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
) -> pd.DataFrame:
    """Compare what networks see of each constellation, and how well their ranges determine its orbits.

    Parameters
    ----------
    views : NetworkViews
        From `network_views`.
    window_h : float
        Window of the orbit determination, from the first epoch [h].
    range_interval_s : float
        Time between independent ranges of 1 m noise at the zenith [s]; the sigma grow with its square root.
    clock_known : bool
        Whether the satellites' clocks are known, rather than unknowns of each epoch.

    Returns
    -------
    pandas.DataFrame
        One row per system, orbit class (``all`` for all of them) and network. ``k1`` to ``k4`` are percent of the
        usable satellite-epochs with at least so many stations in view, ``depth`` their mean number;
        ``gap_max_min``, ``gap_mean_min``, ``arc_mean_min`` as in `coverage_figures`; ``sigma_*_m`` are medians
        over the satellites in which an orbit that cannot be determined counts as the worst: NaN where it is the
        median; ``completeness_pct`` how much of the system the files hold, see `completeness_pct`: below 85 the figures
        are those of what one receiver saw. ``attrs`` holds the span, mask, window, interval, the number of
        satellite-epochs left out, and
        ``undetermined``: network, system, orbit class and reason of each row without sigma.

    Notes
    -----
    Fisher information of the pseudoranges of all arcs in the window about position and velocity at one epoch; the
    clock is eliminated at each epoch. See `gnss_coop.kernels.orbit_information`. Biases, troposphere and the
    stations' own positions are taken as known: it is the geometry alone that is compared.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=300), systems="RC")
    >>> table = gc.network_table(gc.network_views(sky))
    >>> print(table.query("orbit == 'all'")[["system", "network", "k2", "sigma_3d_m"]].round(1).to_string(index=False))
    system network   k2  sigma_3d_m
         C  russia 50.0        25.4
         C   china 51.5        39.7
         C   joint 58.2         9.2
         R  russia 36.0        21.1
         R   china 32.4        27.9
         R   joint 42.9         8.7
    """
    import pandas as pd

    orbits = OrbitInformation.of(views, window_h=window_h, range_interval_s=range_interval_s)
    by_network = []
    for members in views.networks.members:
        by_network.append((views.coverage(members), *orbits.sigma_m(members, clock_known=clock_known)))
    rows, undetermined = [], []
    for letter, orbit, chosen in views.groups():
        for network, (sums, sigma, reasons) in zip(views.networks.names, by_network, strict=True):
            key = {"system": letter, "orbit": orbit, "network": network, "n_satellites": int(chosen.sum())}
            figures = coverage_figures(sums[chosen], views.step_s)
            sigmas = dict(zip(SIGMAS, median_sigma(sigma[chosen]), strict=True))
            rows.append({**key, **figures, **sigmas, "completeness_pct": scenario_pct(letter, views.attrs)})
            if np.isnan(rows[-1]["sigma_3d_m"]):
                undetermined.append((network, letter, orbit, _most_common(reasons, chosen)))
    table = pd.DataFrame(rows)
    table.attrs.update(network_attributes(views, orbits, range_interval_s, clock_known))
    table.attrs["undetermined"] = undetermined
    return table


def _most_common(reasons: list[str], chosen: npt.NDArray[np.bool_]) -> str:
    """Return the reason why most of some satellites have no orbit."""
    given = [reasons[s] for s in np.flatnonzero(chosen) if reasons[s]]
    return max(dict.fromkeys(given), key=given.count)


def satellite_table(
    views: NetworkViews, *, window_h: float = WINDOW_H, range_interval_s: float = RANGE_INTERVAL_S
) -> pd.DataFrame:
    """Tell of each satellite what networks see of it, and how well their ranges determine its orbit.

    Parameters
    ----------
    views, window_h, range_interval_s
        As for `network_table`.

    Returns
    -------
    pandas.DataFrame
        One row per network and satellite: ``sv``, ``system``, ``orbit``, ``network``, ``usable_pct``, ``k1`` up to the
        number of stations, ``depth``, gaps and arcs, ``sigma_*_m``, ``sigma_*_clock_known_m``, and
        ``undetermined``: why there is no sigma, empty where there is.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=300))
    >>> table = gc.satellite_table(gc.network_views(sky, "Irkutsk"))
    >>> table.undetermined.unique().tolist()
    ["one station cannot tell the orbit from the satellite's clock; at least two are needed"]
    """
    import pandas as pd

    orbits = OrbitInformation.of(views, window_h=window_h, range_interval_s=range_interval_s)
    table = pd.DataFrame(list(satellite_rows(views)))
    estimated = [orbits.sigma_m(members) for members in views.networks.members]
    known = [orbits.sigma_m(members, clock_known=True)[0] for members in views.networks.members]
    for suffix, sigmas in (("_m", [sigma for sigma, _ in estimated]), ("_clock_known_m", known)):
        for d, name in enumerate(SIGMAS):
            table[name.removesuffix("_m") + suffix] = np.concatenate([sigma[:, d] for sigma in sigmas])
    table["undetermined"] = [reason for _, reasons in estimated for reason in reasons]
    table.attrs.update(network_attributes(views, orbits, range_interval_s, False))
    table.attrs["satellite_clock"] = "estimated, and known"
    return table


def median_sigma(sigma: Floats) -> Floats:
    """Median over satellites of each column, an undetermined orbit being the worst; NaN where it is such a one.

    Examples
    --------
    >>> median_sigma(np.array([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan]]))
    array([ 3., nan])
    """
    median = worst_last_quantile(sigma.T, 0.5)
    return np.where(np.isinf(median), np.nan, median)


def network_attributes(
    views: NetworkViews, orbits: OrbitInformation, range_interval_s: float, clock_known: bool
) -> dict[str, Any]:
    """Return what a table of network figures says about how it was made."""
    return {
        **views.conditions(),
        "window_h": orbits.n_epochs * views.step_s / 3600.0,
        "range_interval_s": float(range_interval_s),
        "satellite_clock": "known" if clock_known else "estimated",
    }
