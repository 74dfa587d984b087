"""Orbits of a satellite's records against each other, when some of them may be of another satellite.

A satellite's records are sorted into tracks: sets of records that continue each other. Which of several tracks is the
satellite's own is decided within each file first. Files against each other have one vote each, so that a wrong file
does not cost a good one its records; where the votes are equal nothing is rejected and a conflict is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.kernels import orbits
from gnss_coop.model.messages import OrbitModel
from gnss_coop.model.records import (
    MESSAGE_LIMIT_NS,
    Booleans,
    Derived,
    Floats,
    Integers,
    RecordTable,
    groups,
    satellite_key,
)

#: Neighbours in time that are further apart than this half way between them disagree [m].
NEIGHBOUR_LIMIT_M: Final = 1e3
#: Records further apart than this are of two tracks [m]: neighbours in time, and records up to a day apart.
_NEAR_TRACK_M, _FAR_TRACK_M = 1e4, 1e5
#: No manoeuvre without an unhealthy spell moves a satellite further than this [m]: misfiled satellites were seen 18,000
#: to 51,000 km off, a change of inclination by 1 deg 730 km.
OTHER_SATELLITE_M: Final = 2e6
#: A track that lies as near as this to records of another satellite at its time is of that satellite [m].
_SAME_SATELLITE_M: Final = 2e4
_COMPARABLE_NS: Final = const.SECONDS_PER_DAY * const.NS_PER_S
_NAMED: Final = "orbit is another satellite's: that of"
_SAMPLES: Final = 5
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Conflict:
    """A satellite on whose orbit files contradict each other, with equal votes.

    Attributes
    ----------
    sv : str
        Satellite.
    apart_m : float
        Distance between the orbits [m].
    files : tuple of int
        Indices of the files on both sides.
    """

    sv: str
    apart_m: float
    files: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Holders:
    """Which files hold which records, duplicates that are counted once included.

    Attributes
    ----------
    record : int (n,), ordered: number of a record
    file : int (n,): a file that holds it
    """

    record: Integers
    file: Integers

    @classmethod
    def of(cls, stands_for: Integers, file: Integers) -> Holders:
        """Take the row that stands for each row, and each row's file."""
        order = np.argsort(stands_for, kind="stable")
        return cls(stands_for[order], file[order])

    def matrix(self, records: Integers) -> Booleans:
        """Return which of their files (columns) hold the given records (rows)."""
        start, stop = (np.searchsorted(self.record, records, side=side) for side in ("left", "right"))
        files = [self.file[a:b] for a, b in zip(start, stop, strict=True)]
        _, column = np.unique(np.concatenate(files), return_inverse=True)
        result = np.zeros((len(records), int(column.max()) + 1), dtype=bool)
        result[np.repeat(np.arange(len(records)), stop - start), column] = True
        return result


@dataclass(slots=True, eq=False)
class _Track:
    """Records of a satellite and message that continue each other."""

    rows: list[int]
    n_healthy: int = 0
    n_files: int = 1
    other: str = ""

    @property
    def weight(self) -> tuple[bool, bool, int, int, int]:
        """What makes a track the satellite's own: the largest is."""
        return (not self.other, self.n_healthy > 0, self.n_healthy, self.n_files, len(self.rows))


@dataclass(slots=True)
class Findings:
    """What the comparison found: reasons by row, and conflicts between files."""

    reasons: dict[int, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def compare_orbits(table: RecordTable, derived: Derived, records: Integers, holders: Holders) -> Findings:
    """Compare the orbits of each satellite's records, again and again until nothing more is rejected.

    Parameters
    ----------
    table, derived
        Ordered records.
    records : int array (n,)
        Their numbers in `holders`.
    holders : Holders
        Which files hold them.
    """
    found = Findings()
    left = np.arange(len(table))
    for _ in range(_ROUNDS):
        part, there = table.take(left), derived.take(left)
        result = Findings()
        for start, stop in _doubtful_groups(part, there):
            _Judge(part, there, np.arange(start, stop), holders.matrix(records[left[start:stop]])).decide(result)
        found.conflicts = result.conflicts
        if not result.reasons:
            break
        found.reasons |= {int(left[i]): reason for i, reason in result.reasons.items()}
        keep = np.ones(len(left), dtype=bool)
        keep[list(result.reasons)] = False
        left = left[keep]
    return found


def _doubtful_groups(table: RecordTable, derived: Derived) -> Iterator[tuple[int, int]]:
    """Yield the range of each satellite and message of which some record disagrees with the next one."""
    starts, stops = groups(table)
    if not len(starts):
        return
    kept = derived.model[starts] != OrbitModel.SBAS
    starts, stops = starts[kept], stops[kept]
    doubtful = np.zeros(len(starts), dtype=bool)
    reach_ns = 2 * MESSAGE_LIMIT_NS[table.message]
    orbits.find_doubtful(
        starts, stops, derived.toe_ns, reach_ns, derived.model, derived.elements, NEIGHBOUR_LIMIT_M, doubtful
    )
    # Over longer gaps, which find_doubtful passes over, tracks part.
    gap_ns = np.diff(derived.toe_ns)
    wide = np.flatnonzero((gap_ns > reach_ns[:-1]) & (gap_ns <= _COMPARABLE_NS))
    parted = wide[distances_m(wide, wide + 1, derived) > _FAR_TRACK_M]
    group = np.searchsorted(starts, parted, side="right") - 1
    inside = (group >= 0) & (parted + 1 < stops[group])
    doubtful[group[inside]] = True
    yield from zip(starts[doubtful].tolist(), stops[doubtful].tolist(), strict=True)


def distances_m(first: Integers, second: Integers, derived: Derived) -> Floats:
    """Return how far apart pairs of rows put a satellite half way between them [m]; infinite beyond a day."""
    apart_m = np.full(len(first), np.inf)
    near = np.flatnonzero(np.abs(derived.toe_ns[second] - derived.toe_ns[first]) <= _COMPARABLE_NS)
    found_m = np.empty(len(near))
    orbits.distances(first[near], second[near], derived.toe_ns, derived.model, derived.elements, found_m)
    apart_m[near] = found_m
    return apart_m


class _Judge:
    """Decides about the records of one satellite and message.

    Parameters
    ----------
    table, derived
        All records, ordered.
    rows : int array (n,)
        Those of the satellite and message.
    held : bool array (n, n_file)
        Which files hold them.
    """

    def __init__(self, table: RecordTable, derived: Derived, rows: Integers, held: Booleans) -> None:
        self.table, self.derived, self.rows, self.held = table, derived, rows, held
        self.sv = table.take(rows[:1]).names()[0]
        self.reach_ns = int(2 * MESSAGE_LIMIT_NS[table.message[rows[0]]])

    def decide(self, found: Findings) -> None:
        """Add what is to be rejected, and conflicts."""
        n_files = self.held.shape[1]
        votes: dict[int, list[str]] = {}
        for file in range(n_files):
            for row, reason in self._view(self.rows[self.held[:, file]], found if n_files == 1 else None).items():
                votes.setdefault(row, []).append(reason)
        for row, reasons in votes.items():
            if 2 * len(reasons) > self._n_files([row]):
                found.reasons[row] = reasons[0]
        if n_files > 1:
            left = np.array([row for row in self.rows.tolist() if row not in found.reasons], dtype=np.int64)
            found.reasons |= self._view(left, found)

    def _view(self, rows: Integers, found: Findings | None) -> dict[int, str]:
        """Judge the records that one file holds, or those of all files together."""
        reasons: dict[int, str] = {}
        tracks = self._tracks(rows)
        if len(tracks) > 1:
            self._describe(tracks)
            own = max(tracks, key=lambda track: track.weight)
            for track in tracks:
                if track is not own:
                    reasons |= self._against(track, own, rows, found)
        named = {row: reason for row, reason in reasons.items() if _NAMED in reason}
        return reasons | self._lone(rows[self.derived.healthy[rows]]) | named

    def _n_files(self, rows: Sequence[int]) -> int:
        return int(self.held[np.asarray(rows) - self.rows[0]].any(axis=0).sum())

    def _tracks(self, rows: Integers) -> list[_Track]:
        """Sort records into tracks: each goes to that of the record before it, or else to the latest it continues."""
        if not len(rows):
            return []
        follows = self._continues(rows[:-1], rows[1:])
        tracks = [_Track([int(rows[0])])]
        current = tracks[0]
        for row, joined in zip(rows[1:].tolist(), follows.tolist(), strict=True):
            if not joined:
                ends = np.array([track.rows[-1] for track in tracks])
                fits = np.flatnonzero(self._continues(ends, np.full(len(ends), row)))
                if fits.size:
                    current = tracks[int(fits[np.argmax(ends[fits])])]
                else:
                    current = _Track([])
                    tracks.append(current)
            current.rows.append(row)
        return tracks

    def _continues(self, first: Integers, second: Integers) -> Booleans:
        gap_ns = np.abs(self.derived.toe_ns[second] - self.derived.toe_ns[first])
        limit_m = np.where(gap_ns <= self.reach_ns, _NEAR_TRACK_M, _FAR_TRACK_M)
        return np.asarray(distances_m(first, second, self.derived) <= limit_m)

    def _describe(self, tracks: Iterable[_Track]) -> None:
        for track in tracks:
            track.n_healthy = int(self.derived.healthy[track.rows].sum())
            track.n_files = self._n_files(track.rows)
            track.other = self._other_satellite(track)

    def _other_satellite(self, track: _Track) -> str:
        """Return another satellite on whose records at the time most of a track lies; empty if there is none."""
        sample = np.unique(np.linspace(0, len(track.rows) - 1, _SAMPLES).round().astype(int))
        rows = np.array(track.rows)[sample]
        mine = satellite_key(self.table.take(self.rows[:1]))[0]
        others = (self.table.message == self.table.message[rows[0]]) & (satellite_key(self.table) != mine)
        found: list[str] = []
        for row in rows:
            near = np.flatnonzero(others & (np.abs(self.derived.toe_ns - self.derived.toe_ns[row]) <= self.reach_ns))
            apart_m = distances_m(np.full(len(near), row), near, self.derived)
            if near.size and apart_m.min() <= _SAME_SATELLITE_M:
                found += self.table.take(near[[apart_m.argmin()]]).names()
        return max(found, key=found.count) if 2 * len(found) > len(rows) else ""

    def _against(self, track: _Track, own: _Track, rows: Integers, found: Findings | None) -> dict[int, str]:
        """Return the records of a track that are not the satellite's, when `own` is its own."""
        apart_m, before, after = self._apart(track, own)
        if not np.isfinite(apart_m):
            return {}
        returns = before and after
        far = apart_m > OTHER_SATELLITE_M
        if track.other and not own.other:
            reason = (
                f"orbit is another satellite's: that of {track.other}, {apart_m / 1e3:.0f} km from the other records"
            )
            return dict.fromkeys(track.rows, reason)
        if own.n_healthy == 0 or not (returns or (far and not self._unhealthy_between(track, own, rows))):
            return {}
        if own.n_files <= track.n_files and self._apart_in_files(track, own):
            if found is not None:
                files = np.unique(self.table.file[[*track.rows, *own.rows]])
                found.conflicts.append(Conflict(self.sv, apart_m, tuple(files.tolist())))
            return {}
        if not returns and own.n_healthy == track.n_healthy and own.n_files <= track.n_files:
            return {}  # one word against another
        where = "from that of the other records" if far else "from that of the records before and after, which agree"
        kind = "another satellite's" if far else "wrong"
        # Unhealthy records may be of a satellite under test: only what cannot be its orbit is not its health either.
        guilty = [row for row in track.rows if self.derived.healthy[row] or (far and returns)]
        return dict.fromkeys(guilty, f"orbit is {kind}: {apart_m / 1e3:.0f} km {where}")

    def _apart(self, track: _Track, own: _Track) -> tuple[float, bool, bool]:
        """Return the distance of two tracks [m], and whether the second has records before and after the first."""
        toe_ns = self.derived.toe_ns
        theirs, first, last = np.array(own.rows), track.rows[0], track.rows[-1]
        earlier, later = theirs[toe_ns[theirs] < toe_ns[first]], theirs[toe_ns[theirs] > toe_ns[last]]
        pairs = [(row, first) for row in earlier[-1:]] + [(last, row) for row in later[:1]]
        nearest = theirs[np.abs(toe_ns[theirs] - toe_ns[first]).argmin()]
        pairs.append((int(nearest), first))
        ends = np.array(pairs)
        apart_m = distances_m(ends[:, 0], ends[:, 1], self.derived)
        day = np.isfinite(apart_m)
        return float(apart_m.min()), bool(earlier.size and day[0]), bool(later.size and day[len(pairs) - 2])

    def _unhealthy_between(self, track: _Track, own: _Track, rows: Integers) -> bool:
        """Tell whether the satellite was unhealthy from the last record of a track to the first of the other."""
        toe_ns = self.derived.toe_ns
        first, second = sorted((track, own), key=lambda t: toe_ns[t.rows[0]])
        if toe_ns[first.rows[-1]] > toe_ns[second.rows[0]]:
            return False
        within = (toe_ns[rows] >= toe_ns[first.rows[-1]]) & (toe_ns[rows] <= toe_ns[second.rows[0]])
        return bool((~self.derived.healthy[rows[within]]).any())

    def _apart_in_files(self, track: _Track, own: _Track) -> bool:
        """Tell whether no file holds records of both tracks."""
        mine, theirs = (self.held[np.array(t.rows) - self.rows[0]].any(axis=0) for t in (track, own))
        return not (mine & theirs).any()

    def _lone(self, rows: Integers) -> dict[int, str]:
        """Return healthy records that agree with none of at least two neighbours, unless it is file against file."""
        derived = self.derived.take(rows)
        apart_m = np.zeros(len(rows))
        orbits.find_disagreements(
            np.zeros(1, dtype=np.int64), np.array([len(rows)]), derived.toe_ns, np.full(len(rows), self.reach_ns),
            derived.model, derived.elements, NEIGHBOUR_LIMIT_M, apart_m,
        )  # fmt: skip
        reasons: dict[int, str] = {}
        for i in np.flatnonzero(apart_m).tolist():
            around = [int(row) for row in rows[max(0, i - 2) : i + 3] if row != rows[i]]
            held = self.held[np.array([int(rows[i]), *around]) - self.rows[0]]
            if (held[0] & held[1:]).any() or self._n_files(around) > self._n_files([int(rows[i])]):
                reasons[int(rows[i])] = f"orbit disagrees with its neighbours by {apart_m[i] / 1e3:.0f} km or more"
        return reasons
