"""Tracks: records of one satellite and message that continue each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.ephemerides.records import Booleans, Derived, Floats, Integers
from gnss_coop.kernels import orbits

#: Records further apart than this half way between them are of two tracks [m]: neighbours in time, and records up to a
#: day apart.
NEAR_TRACK_M, FAR_TRACK_M = 1e4, 1e5
#: Latest tracks that a record is tried on, and number of tracks beyond which records are no orbit at all: so damaged a
#: file takes no longer than others.
_TRIED, MOST_TRACKS = 12, 50
COMPARABLE_NS: Final = const.SECONDS_PER_DAY * const.NS_PER_S


@dataclass(slots=True, eq=False)
class Track:
    """Records of a satellite and message that continue each other.

    Attributes
    ----------
    rows : list of int
        The records, in time.
    files : frozenset of int
        Files that hold one of them.
    n_healthy : int
        How many are flagged healthy.
    other : str
        Another satellite on whose records they lie; empty for none.
    """

    rows: list[int]
    files: frozenset[int] = frozenset()
    n_healthy: int = 0
    other: str = ""

    @property
    def weight(self) -> tuple[bool, bool, int, int, int]:
        """What makes a track the satellite's own: the largest is."""
        return (not self.other, self.n_healthy > 0, self.n_healthy, len(self.files), len(self.rows))


@dataclass(frozen=True, slots=True)
class Distance:
    """How two tracks stand to each other.

    Attributes
    ----------
    apart_m : float
        Least distance [m]; infinite where they are more than a day apart.
    returns : bool
        Whether the second has records before and after the first, within a day.
    unhealthy_between : bool
        Whether they follow each other with an unhealthy record from the last of one to the first of the other.
    follow : bool
        Whether they follow each other.
    """

    apart_m: float
    returns: bool
    unhealthy_between: bool
    follow: bool


def distances_m(first: Integers, second: Integers, derived: Derived) -> Floats:
    """Return how far apart pairs of rows put a satellite half way between them [m]; infinite beyond a day."""
    apart_m = np.full(len(first), np.inf)
    near = np.flatnonzero(np.abs(derived.toe_ns[second] - derived.toe_ns[first]) <= COMPARABLE_NS)
    found_m = np.empty(len(near))
    orbits.distances(first[near], second[near], derived.toe_ns, derived.model, derived.elements, found_m)
    apart_m[near] = found_m
    return apart_m


def sort_into_tracks(rows: Integers, derived: Derived, reach_ns: int) -> list[Track]:
    """Sort records into tracks: each goes to that of the record before it, or else to the latest that it continues.

    Returns nothing where records make more than `MOST_TRACKS`.

    Parameters
    ----------
    rows : int array (n,)
        Records of one satellite and message, in time.
    derived : Derived
        All records.
    reach_ns : int
        Up to which time records are neighbours [ns].
    """
    if not len(rows):
        return []

    def continues(first: Integers, second: Integers) -> Booleans:
        gap_ns = np.abs(derived.toe_ns[second] - derived.toe_ns[first])
        limit_m = np.where(gap_ns <= reach_ns, NEAR_TRACK_M, FAR_TRACK_M)
        return np.asarray(distances_m(first, second, derived) <= limit_m)

    follows = continues(rows[:-1], rows[1:])
    tracks = [Track([int(rows[0])])]
    current = tracks[0]
    for row, joined in zip(rows[1:].tolist(), follows.tolist(), strict=True):
        if not joined:
            latest = sorted(tracks, key=lambda track: track.rows[-1])[-_TRIED:]
            ends = np.array([track.rows[-1] for track in latest])
            fits = np.flatnonzero(continues(ends, np.full(len(ends), row)))
            if fits.size:
                current = latest[int(fits[-1])]
            elif len(tracks) == MOST_TRACKS:
                return []
            else:
                current = Track([])
                tracks.append(current)
        current.rows.append(row)
    return tracks


def distance(track: Track, own: Track, rows: Integers, derived: Derived) -> Distance:
    """Compare two tracks among all records `rows` of their satellite."""
    toe_ns = derived.toe_ns
    theirs, first, last = np.array(own.rows), track.rows[0], track.rows[-1]
    earlier, later = theirs[toe_ns[theirs] < toe_ns[first]], theirs[toe_ns[theirs] > toe_ns[last]]
    pairs = [(int(row), first) for row in earlier[-1:]] + [(last, int(row)) for row in later[:1]]
    pairs.append((int(theirs[np.abs(toe_ns[theirs] - toe_ns[first]).argmin()]), first))
    ends = np.array(pairs)
    apart_m = distances_m(ends[:, 0], ends[:, 1], derived)
    returns = len(pairs) > 2 and bool(np.isfinite(apart_m[:2]).all())
    before, after = sorted((track, own), key=lambda t: int(toe_ns[t.rows[0]]))
    start, stop = toe_ns[before.rows[-1]], toe_ns[after.rows[0]]
    within = rows[(toe_ns[rows] >= start) & (toe_ns[rows] <= stop)]
    return Distance(
        float(apart_m.min()), returns, bool(start <= stop and (~derived.healthy[within]).any()), bool(start <= stop)
    )
