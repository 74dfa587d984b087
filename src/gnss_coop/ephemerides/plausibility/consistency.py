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

from gnss_coop.ephemerides.messages import OrbitModel
from gnss_coop.ephemerides.plausibility import tracks
from gnss_coop.ephemerides.plausibility.system_jumps import Jump, wrong_sides
from gnss_coop.ephemerides.plausibility.tracks import Track, distances_m
from gnss_coop.ephemerides.records import MESSAGE_LIMIT_NS, Booleans, Derived, Integers, RecordTable, groups
from gnss_coop.kernels import orbits

#: Neighbours in time that are further apart than this half way between them disagree [m].
NEIGHBOUR_LIMIT_M: Final = 1e3
#: No manoeuvre without an unhealthy spell moves a satellite further than this [m]: misfiled satellites were seen 18,000
#: to 51,000 km off, a change of inclination by 1 deg 730 km.
OTHER_SATELLITE_M: Final = 2e6
#: A track that lies as near as this to records of another satellite at its time is of that satellite [m].
_SAME_SATELLITE_M: Final = 2e4
_NAMED: Final = "orbit is another satellite's: that of"
_NO_ORBIT: Final = f"orbit cannot be told: the satellite's records make more than {tracks.MOST_TRACKS} different ones"
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

    def matrix(self, records: Integers) -> tuple[Integers, Booleans]:
        """Return files, and which of them (columns) hold the given records (rows)."""
        start, stop = (np.searchsorted(self.record, records, side=side) for side in ("left", "right"))
        holding = [self.file[a:b] for a, b in zip(start, stop, strict=True)]
        files, column = np.unique(np.concatenate(holding), return_inverse=True)
        result = np.zeros((len(records), len(files)), dtype=bool)
        result[np.repeat(np.arange(len(records)), stop - start), column] = True
        return files, result


@dataclass(slots=True)
class Findings:
    """What the comparison found: reasons by row, conflicts between files, and jumps that may be manoeuvres."""

    reasons: dict[int, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)


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
    alive = np.ones(len(table), dtype=bool)
    judges = [
        _Judge(table, derived, alive, start, *holders.matrix(records[start:stop]))
        for start, stop in _doubtful_groups(table, derived)
    ]
    for _ in range(_ROUNDS):
        results = [judge.decide() for judge in judges]
        final = [result for result in results if not result.reasons]
        found.conflicts += [conflict for result in final for conflict in result.conflicts]
        found.jumps += [jump for result in final for jump in result.jumps]
        # Only a satellite that lost records is judged once more.
        judges = [judge for judge, result in zip(judges, results, strict=True) if result.reasons]
        if not judges:
            break
        for result in results:
            found.reasons |= result.reasons
            alive[list(result.reasons)] = False
    found.reasons |= wrong_sides(found.jumps, table, derived)
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
    wide = np.flatnonzero((gap_ns > reach_ns[:-1]) & (gap_ns <= tracks.COMPARABLE_NS))
    parted = wide[distances_m(wide, wide + 1, derived) > tracks.FAR_TRACK_M]
    group = np.searchsorted(starts, parted, side="right") - 1
    inside = (group >= 0) & (parted + 1 < stops[group])
    doubtful[group[inside]] = True
    yield from zip(starts[doubtful].tolist(), stops[doubtful].tolist(), strict=True)


class _Judge:
    """Decides about the records of one satellite and message.

    Parameters
    ----------
    table, derived
        All records, ordered.
    alive : bool array
        Those that are not rejected yet; changes between decisions.
    start : int
        First row of the satellite and message.
    files : int array (n_file,)
        Files that hold its rows.
    held : bool array (n, n_file)
        Which of them hold which.
    """

    def __init__(
        self, table: RecordTable, derived: Derived, alive: Booleans, start: int, files: Integers, held: Booleans
    ) -> None:
        self.table, self.derived, self.alive, self.start = table, derived, alive, start
        self.files, self.held = files, held
        self.sv = table.take(np.array([start])).names()[0]
        self.reach_ns = int(2 * MESSAGE_LIMIT_NS[table.message[start]])

    def decide(self) -> Findings:
        """Return what is to be rejected, and conflicts."""
        found = Findings()
        alive = self.alive[self.start : self.start + len(self.held)]
        n_files = self.held.shape[1]
        votes: dict[int, list[str]] = {}
        for file in range(n_files):
            rows = self.start + np.flatnonzero(self.held[:, file] & alive)
            for row, reason in self._view(rows, found if n_files == 1 else None).items():
                votes.setdefault(row, []).append(reason)
        for row, reasons in votes.items():
            if 2 * len(reasons) > self._n_files([row]):
                found.reasons[row] = reasons[0]
        if n_files > 1:
            left = self.start + np.flatnonzero(alive)
            left = left[~np.isin(left, list(found.reasons))]
            found.reasons |= self._view(left, found)
        return found

    def _view(self, rows: Integers, found: Findings | None) -> dict[int, str]:
        """Judge the records that one file holds, or those of all files together."""
        reasons: dict[int, str] = {}
        found_tracks = tracks.sort_into_tracks(rows, self.derived, self.reach_ns)
        of_one_file = found is None or self.held.shape[1] == 1
        if len(rows) and not found_tracks and of_one_file:
            return dict.fromkeys(rows.tolist(), _NO_ORBIT)
        if len(found_tracks) > 1:
            self._describe(found_tracks)
            own = _own(found_tracks)
            for track in found_tracks:
                if track is not own:
                    reasons |= self._against(track, own, rows, found)
        named = {row: reason for row, reason in reasons.items() if _NAMED in reason}
        return reasons | self._lone(rows[self.derived.healthy[rows]], found_tracks) | named

    def _files_of(self, rows: Sequence[int]) -> frozenset[int]:
        return frozenset(self.files[self.held[np.asarray(rows) - self.start].any(axis=0)].tolist())

    def _n_files(self, rows: Sequence[int]) -> int:
        return len(self._files_of(rows))

    def _describe(self, found_tracks: Iterable[Track]) -> None:
        for track in found_tracks:
            track.n_healthy = int(self.derived.healthy[track.rows].sum())
            track.files = self._files_of(track.rows)
            track.other = self._other_satellite(track)

    def _other_satellite(self, track: Track) -> str:
        """Return another satellite on whose records at the time most of a track lies; empty if there is none.

        Only records of the same files tell: another file may be wrong about the other satellite.
        """
        sample = np.unique(np.linspace(0, len(track.rows) - 1, _SAMPLES).round().astype(int))
        rows = np.array(track.rows)[sample]
        others = self.alive & (self.table.message == self.table.message[self.start])
        others &= np.isin(self.table.file, list(track.files))
        others[self.start : self.start + len(self.held)] = False
        found: list[str] = []
        for row in rows:
            near = np.flatnonzero(others & (np.abs(self.derived.toe_ns - self.derived.toe_ns[row]) <= self.reach_ns))
            apart_m = distances_m(np.full(len(near), row), near, self.derived)
            if near.size and apart_m.min() <= _SAME_SATELLITE_M:
                found += self.table.take(near[[apart_m.argmin()]]).names()
        return max(found, key=found.count) if 2 * len(found) > len(rows) else ""

    def _against(self, track: Track, own: Track, rows: Integers, found: Findings | None) -> dict[int, str]:
        """Return the records of a track that are not the satellite's, when `own` is its own."""
        between = tracks.distance(track, own, rows, self.derived)
        km, far = between.apart_m / 1e3, between.apart_m > OTHER_SATELLITE_M
        if not np.isfinite(km):
            return {}
        if track.other and not own.other:
            return dict.fromkeys(track.rows, f"{_NAMED} {track.other}, {km:.0f} km from the other records")
        if own.n_healthy == 0:
            return {}
        outvoted = len(own.files) > len(track.files)
        if (
            (between.returns or (far and not between.unhealthy_between))
            and (outvoted or own.files & track.files)
            and (between.returns or outvoted or own.n_healthy > track.n_healthy)
        ):
            kind = "another satellite's" if far else "wrong"
            where = "that of the other records" if far else "that of the records before and after, which agree"
            # Unhealthy records may be of a satellite under test: only what cannot be its orbit is not its health.
            guilty = [row for row in track.rows if self.derived.healthy[row] or (far and (between.returns or outvoted))]
            return dict.fromkeys(guilty, f"orbit is {kind}: {km:.0f} km from {where}")
        if found is not None:
            self._note(track, own, between, found)
        return {}

    def _note(self, track: Track, own: Track, between: tracks.Distance, found: Findings) -> None:
        """Note two tracks that stay: files against each other, or a satellite that went from one to the other."""
        if not own.files & track.files:
            if between.returns or not between.follow or between.apart_m > OTHER_SATELLITE_M:
                found.conflicts.append(Conflict(self.sv, between.apart_m, tuple(sorted(own.files | track.files))))
        elif between.follow and not between.unhealthy_between:
            before, after = sorted((track.rows, own.rows), key=lambda part: int(self.derived.toe_ns[part[0]]))
            at_ns = int(self.derived.toe_ns[after[0]])
            found.jumps.append(Jump(self.sv, at_ns, between.apart_m, tuple(before), tuple(after)))

    def _lone(self, rows: Integers, found_tracks: Sequence[Track]) -> dict[int, str]:
        """Return healthy records that agree with none of at least two neighbours.

        Not where it is one file against another, nor next to a jump, where the neighbours are of another track.
        """
        track_of = {row: track for track in found_tracks for row in track.rows}
        derived = self.derived.take(rows)
        apart_m = np.zeros(len(rows))
        orbits.find_disagreements(
            np.zeros(1, dtype=np.int64), np.array([len(rows)]), derived.toe_ns, np.full(len(rows), self.reach_ns),
            derived.model, derived.elements, NEIGHBOUR_LIMIT_M, apart_m,
        )  # fmt: skip
        reasons: dict[int, str] = {}
        for i in np.flatnonzero(apart_m).tolist():
            around = [int(row) for row in rows[max(0, i - 2) : i + 3] if row != rows[i]]
            track = track_of.get(int(rows[i]))
            near = [row for row in around if abs(derived.toe_ns[i] - self.derived.toe_ns[row]) <= self.reach_ns]
            if track and len(track.rows) > 1 and not any(track_of[row] is track for row in near):
                continue
            held = self.held[np.array([int(rows[i]), *around]) - self.start]
            if (held[0] & held[1:]).any() or self._n_files(around) > self._n_files([int(rows[i])]):
                reasons[int(rows[i])] = f"orbit disagrees with its neighbours by {apart_m[i] / 1e3:.0f} km or more"
        return reasons


def _own(candidates: Sequence[Track]) -> Track:
    """Return the track that is the satellite's own: the weightiest, unless more of other files hold another one."""
    own = max(candidates, key=lambda track: track.weight)
    rivals = [
        track
        for track in candidates
        if not track.files & own.files and len(track.files) > len(own.files) and track.n_healthy and not track.other
    ]
    return max(rivals, key=lambda track: track.weight) if rivals else own
