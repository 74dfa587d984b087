"""Tracks: each satellite's way through the spans in which it has positions, with the exact ends of the spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S
from gnss_coop.geometry.visibility import positions_m

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Spacing of the computed positions [s]; between them a polynomial is good to 1 cm (see the kernel).
NODE_STEP_S: Final = 30
_EDGE_NS: Final = NS_PER_S // 10  # how exactly the ends of an ephemeris are found
_SPEED_FACTOR, _SPEED_SLACK_MPS = 1.1, 10.0  # from the mean speed between nodes to a bound of the speed


Sky = Callable[[Ints], "xr.Dataset"]


@dataclass(frozen=True, slots=True)
class Tracks:
    """The ways of all satellites through the spans in which they have positions, as the kernel wants them.

    Attributes
    ----------
    sv : (track,) str
    start : (track + 1,) int64
        Track k owns the nodes from ``start[k]`` up to ``start[k + 1]``.
    node_s : (node,) float64
        Instants, from the start of the whole span.
    node_m : (node, 3) float64
        Positions, ECEF.
    forecast : (node,) bool
    speed_mps : (track,) float64
        A bound of the speed.
    least_radius_m : (track,) float64
        The least distance from the Earth's centre.
    """

    sv: npt.NDArray[np.str_]
    start: Ints
    node_s: Floats
    node_m: Floats
    forecast: Bools
    speed_mps: Floats
    least_radius_m: Floats


class _Way(NamedTuple):
    """One track: its satellite's column, instants [ns], positions [m], and the row of the grid next to each."""

    column: int
    ns: Ints
    xyz_m: Floats
    row: Ints


def find_tracks(sky_at: Sky, start_ns: int, end_ns: int) -> Tracks:
    """Compute positions over a span and cut each satellite's where it has none.

    Parameters
    ----------
    sky_at : function
        Of instants [ns of GPST]: ``positions`` (time, sv, ecef) [m], and ``forecast`` (time, sv) if there are any.
    start_ns, end_ns : int
        The span, both ends included [ns of GPST].

    Returns
    -------
    Tracks
        None where no satellite has a position.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> from gnss_coop.model.timescales import parse_time, to_datetime64
    >>> nav = gc.read_nav("sample_rinex/brdc0100.24g.gz")
    >>> start_ns = parse_time("2024-01-10T12:00")
    >>> tracks = find_tracks(
    ...     lambda ns: gc.satellite_positions(nav, to_datetime64(ns)), start_ns, start_ns + 3600 * NS_PER_S
    ... )
    >>> tracks.sv[:2].tolist(), tracks.start[:2].tolist()
    (['R01', 'R02'], [0, 121])
    """
    step_ns = NODE_STEP_S * NS_PER_S
    epoch_ns = np.append(np.arange(start_ns, end_ns, step_ns), end_ns)
    sky = sky_at(epoch_ns)
    grid_m = positions_m(sky)
    ahead = sky["forecast"].values if "forecast" in sky else np.zeros(grid_m.shape[:2], dtype=bool)
    ways = list(_ways(sky_at, epoch_ns, grid_m))
    columns = np.array([way.column for way in ways], dtype=np.intp)
    sizes = [way.ns.size for way in ways]
    rows = np.concatenate([np.empty(0, np.int64), *(way.row for way in ways)])
    node_ns = np.concatenate([np.empty(0, np.int64), *(way.ns for way in ways)])
    bounds = np.array([_bounds(way.ns, way.xyz_m) for way in ways]).reshape(-1, 2)
    return Tracks(
        sv=sky["sv"].values.astype(str)[columns],
        start=np.cumsum([0, *sizes], dtype=np.int64),
        node_s=(node_ns - start_ns) / NS_PER_S,
        node_m=np.concatenate([np.empty((0, 3)), *(way.xyz_m for way in ways)]),
        forecast=ahead[rows, np.repeat(columns, sizes)],
        speed_mps=np.ascontiguousarray(bounds[:, 0]),
        least_radius_m=np.ascontiguousarray(bounds[:, 1]),
    )


def _known(xyz_m: Floats) -> Bools:
    return np.asarray(np.isfinite(xyz_m).all(axis=-1))


def _edges(sky_at: Sky, epoch_ns: Ints, grid_m: Floats, known: Bools) -> dict[tuple[int, int], tuple[int, Floats]]:
    """Find where positions begin and end between epochs of the grid.

    Returns
    -------
    dict
        By index of the epoch before and of the satellite: the instant nearest to the edge that has a position
        [ns], and this position.
    """
    before, column = np.nonzero(known[1:] != known[:-1])
    begins = known[before + 1, column]
    inside = np.where(begins, before + 1, before)
    inside_ns, outside_ns = epoch_ns[inside], epoch_ns[np.where(begins, before, before + 1)]
    xyz_m = grid_m[inside, column]
    anchor_ns = epoch_ns[known.any(axis=1).argmax()]  # one epoch with a position: without any it is an error
    while (np.abs(outside_ns - inside_ns) > _EDGE_NS).any():
        middle_ns = inside_ns + (outside_ns - inside_ns) // 2
        asked_ns, row = np.unique(np.append(middle_ns, anchor_ns), return_inverse=True)
        found_m = positions_m(sky_at(asked_ns))[row[:-1], column]
        there = _known(found_m)
        inside_ns, outside_ns = np.where(there, middle_ns, inside_ns), np.where(there, outside_ns, middle_ns)
        xyz_m = np.where(there[:, None], found_m, xyz_m)
    return {
        (int(i), int(s)): (int(ns), place)
        for i, s, ns, place in zip(before, column, inside_ns, xyz_m, strict=True)
    }  # fmt: skip


def _ways(sky_at: Sky, epoch_ns: Ints, grid_m: Floats) -> Iterator[_Way]:
    """Cut each satellite's positions into spans without a gap, and bring these to their exact ends."""
    known = _known(grid_m)
    edges = _edges(sky_at, epoch_ns, grid_m, known)
    outside = np.zeros((1, known.shape[1]), dtype=bool)
    changes = np.diff(np.concatenate([outside, known, outside]).astype(np.int8), axis=0)
    columns, firsts = np.nonzero(changes.T > 0)
    _, stops = np.nonzero(changes.T < 0)
    for column, first, stop in zip(columns.tolist(), firsts.tolist(), stops.tolist(), strict=True):
        way = _Way(column, epoch_ns[first:stop], grid_m[first:stop, column], np.arange(first, stop))
        yield _prolonged(_prolonged(way, edges.get((first - 1, column)), 0), edges.get((stop - 1, column)), -1)


def _prolonged(way: _Way, edge: tuple[int, Floats] | None, end: int) -> _Way:
    """Add an edge before the first (0) or after the last (-1) node, unless it is that node itself."""
    if edge is None or edge[0] == way.ns[end]:
        return way
    place = 0 if end == 0 else way.ns.size
    return _Way(
        way.column,
        np.insert(way.ns, place, edge[0]),
        np.insert(way.xyz_m, place, edge[1], axis=0),
        np.insert(way.row, place, way.row[end]),
    )


def _bounds(ns: Ints, xyz_m: Floats) -> tuple[float, float]:
    """Return a bound of the speed [m/s] and the least distance from the Earth's centre [m] of a track."""
    mean_mps = np.linalg.norm(np.diff(xyz_m, axis=0), axis=1) / (np.diff(ns) / NS_PER_S)
    fastest_mps = float(mean_mps.max()) if mean_mps.size else np.inf
    return _SPEED_FACTOR * fastest_mps + _SPEED_SLACK_MPS, float(np.linalg.norm(xyz_m, axis=1).min())
