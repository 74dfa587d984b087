"""What networks see of their satellites: k-fold coverage, arcs and gaps, common view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.kernels.coverage import (
    ARC_MAX,
    ARC_SUM,
    DEPTH,
    GAP_MAX,
    GAP_SUM,
    N_ARCS,
    N_FIXED,
    N_GAPS,
    N_USABLE,
)
from gnss_coop.model import timescales
from gnss_coop.networks.networks import HOME

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.networks.views import NetworkViews

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: How many stations at once the summary counts.
FOLDS: Final = 4


def coverage_figures(sums: Floats, step_s: float, n_folds: int = FOLDS) -> dict[str, float]:
    """Figures of a set of satellites from their sums.

    Shares are of all usable satellite-epochs. Means of arcs and gaps are over all of them, also those that the
    span or a lack of ephemerides cuts.

    Parameters
    ----------
    sums : (sv, N_FIXED + k) float64
        As `NetworkViews.coverage` gives it.
    step_s : float
        Time that an epoch stands for [s].
    n_folds : int
        Up to how many stations in view are counted.

    Returns
    -------
    dict of str to float
        ``k1`` ... [percent], ``depth`` (mean stations in view), ``gap_max_min``, ``gap_mean_min`` and
        ``arc_mean_min``; NaN where there is no gap or arc to take the mean of.
    """
    total = sums.sum(axis=0)
    minutes = step_s / 60.0

    def ratio(part: float, whole: float, factor: float) -> float:
        return float(part / whole * factor) if whole > 0 else float("nan")

    folds = {f"k{k + 1}": ratio(total[N_FIXED + k], total[N_USABLE], 100.0) for k in range(n_folds)}
    return folds | {
        "depth": ratio(total[DEPTH], total[N_USABLE], 1.0),
        "gap_max_min": float(sums[:, GAP_MAX].max()) * minutes,
        "gap_mean_min": ratio(total[GAP_SUM], total[N_GAPS], minutes),
        "arc_mean_min": ratio(total[ARC_SUM], total[N_ARCS], minutes),
    }


def satellite_rows(views: NetworkViews) -> Iterator[dict[str, Any]]:
    """Yield coverage per network and satellite, with as many k-fold columns as the largest network has stations."""
    n_folds = int(views.networks.members.sum(axis=1).max())
    for network, members in zip(views.networks.names, views.networks.members, strict=True):
        sums = views.coverage(members, n_folds)
        for s, (sv, orbit) in enumerate(zip(views.sv.tolist(), views.orbit.tolist(), strict=True)):
            row = sums[s : s + 1]
            figures = coverage_figures(row, views.step_s, n_folds)
            yield {
                "sv": sv,
                "system": sv[0],
                "orbit": orbit,
                "network": network,
                "usable_pct": 100.0 * row[0, N_USABLE] / len(views.epoch_ns),
                **figures,
                "n_arcs": int(row[0, N_ARCS]),
                "arc_max_min": row[0, ARC_MAX] * views.step_s / 60.0,
                "n_gaps": int(row[0, N_GAPS]),
            }


def network_arcs(views: NetworkViews) -> pd.DataFrame:
    """List every arc and gap of every satellite over every network.

    Parameters
    ----------
    views : NetworkViews
        From `network_views`.

    Returns
    -------
    pandas.DataFrame
        One row an arc or gap, by network, satellite and time: ``network``, ``sv``, ``kind`` (arc or gap),
        ``start_gpst``, ``end_gpst``, ``duration_min`` and ``cut``: "" for a whole one, else what cuts it,
        "span" or "ephemeris". Times are exact to the step of the epochs, each of which stands for a step.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=300))
    >>> arcs = gc.network_arcs(gc.network_views(sky, "russia"))
    >>> arcs.columns.tolist()
    ['network', 'sv', 'kind', 'start_gpst', 'end_gpst', 'duration_min', 'cut']
    """
    import pandas as pd

    n_times = len(views.epoch_ns)
    step_ns = round(views.step_s * NS_PER_S)
    tables = []
    for network, members in zip(views.networks.names, views.networks.members, strict=True):
        in_view = views.visible[members].any(axis=0)
        state = np.where(views.usable, np.where(in_view, 1, 0), -1)
        for s, sv in enumerate(views.sv.tolist()):
            first, after = _runs(state[:, s])
            kind = state[first, s]
            keep = kind >= 0
            first, after, kind = first[keep], after[keep], kind[keep]
            at_span = (first == 0) | (after == n_times)
            before, behind = state[np.maximum(first - 1, 0), s], state[np.minimum(after, n_times - 1), s]
            at_hole = (before < 0) | (behind < 0)
            start_ns, end_ns = views.epoch_ns[first], views.epoch_ns[after - 1] + step_ns
            columns = {
                "network": np.full(len(kind), network),
                "sv": np.full(len(kind), sv),
                "kind": np.where(kind == 1, "arc", "gap"),
                "start_gpst": timescales.to_datetime64(start_ns),
                "end_gpst": timescales.to_datetime64(end_ns),
                "duration_min": (after - first) * views.step_s / 60.0,
                "cut": np.where(at_hole, "ephemeris", np.where(at_span, "span", "")),
            }
            tables.append(columns)
    arcs = pd.DataFrame({name: np.concatenate([table[name] for table in tables]) for name in tables[0]})
    arcs.attrs.update(views.conditions())
    return arcs


def all_are_cut(views: NetworkViews) -> bool:
    """Tell whether no arc and no gap of any network is whole, so that their lengths are but those of the span."""
    return not network_arcs(views)["cut"].eq("").any()


def _runs(state: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where runs of equal values begin, and where the next one does."""
    edges = np.flatnonzero(np.diff(state)) + 1
    return np.concatenate([[0], edges]), np.concatenate([edges, [len(state)]])


def common_view(views: NetworkViews) -> pd.DataFrame:
    """Tell how long two countries see the same satellites, and how long a system waits for its own stations.

    Common view of one satellite from two places is what compares their clocks (time transfer). The longest time
    without any station of the owner's home network is the longest wait for an upload.

    Parameters
    ----------
    views : NetworkViews
        From `network_views`; the countries are those of all its stations.

    Returns
    -------
    pandas.DataFrame
        One row per system and orbit class: ``system``, ``orbit``, ``n_satellites``, ``countries`` (joined by
        "+"), ``common_view_pct`` (usable satellite-epochs in view of every one of them), ``common_view_mean_n``
        (satellites so seen at once) and ``common_view_gap_max_min`` (longest time without any), both of epochs
        at which any satellite of the group is usable, ``home`` and ``upload_gap_max_min``, NaN where the home
        network is not among the networks of the views.

    Raises
    ------
    StationError
        If the stations stand in fewer than two countries.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=300))
    >>> gc.common_view(gc.network_views(sky)).countries.unique().tolist()
    ['CN+RU']
    """
    import pandas as pd

    from gnss_coop.errors import StationError

    groups = views.networks.country_groups()
    if len(groups) < 2:
        raise StationError(
            f"All stations stand in {' '.join(groups)}: common view is between two countries; add stations of another."
        )
    country = np.array([station.country or "unknown" for station in views.networks.stations])
    both = np.all([views.visible[country == name].any(axis=0) for name in groups], axis=0)
    rows = []
    for letter, orbit, chosen in views.groups():
        seen, usable = both[:, chosen], views.usable[:, chosen]
        any_usable: Bools = np.asarray(usable.any(axis=1))
        home = HOME.get(letter, "")
        upload_min = float("nan")
        if home in views.networks.names:
            sums = views.coverage(views.networks.members[views.networks.names.index(home)])
            upload_min = float(sums[chosen, GAP_MAX].max()) * views.step_s / 60.0
        rows.append(
            {
                "system": letter,
                "orbit": orbit,
                "n_satellites": int(chosen.sum()),
                "countries": "+".join(sorted(groups)),
                "common_view_pct": 100.0 * float(seen.sum() / usable.sum()),
                "common_view_mean_n": float(seen.sum() / any_usable.sum()),
                "common_view_gap_max_min": _longest_without(any_usable & ~seen.any(axis=1)) * views.step_s / 60.0,
                "home": home,
                "upload_gap_max_min": upload_min,
            }
        )
    table = pd.DataFrame(rows)
    table.attrs.update(views.conditions())
    return table


def _longest_without(waiting: Bools) -> int:
    first, after = _runs(waiting.astype(np.int64))
    lengths = (after - first)[waiting[first]]
    return int(lengths.max(initial=0))
