"""Satellites at emission: which records serve a combination of signals, where they put satellites, and their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.ephemerides import messages as msg
from gnss_coop.ephemerides import records as rec
from gnss_coop.kernels import orbits
from gnss_coop.model import frames
from gnss_coop.orbits.broadcast import limits_ns
from gnss_coop.positioning.signals import Combination

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]

_UNKNOWN_DELAY_S: Final = 1e-3  # group delays are tens of nanoseconds; RINEX writes .999999999999E+09 for unknown
_RELATIVITY_STEP_S: Final = 1.0


@dataclass(slots=True)
class ServingRecords:
    """The records that serve one combination."""

    nav: Ephemerides
    combination: Combination
    satellites: dict[str, int]  # column of `choose` by satellite

    def choose(self, time_ns: npt.NDArray[np.int64], max_age_s: float | Mapping[str, float] | None) -> Integers:
        """Return the record of each epoch and satellite, -1 for none: shape (n_epoch, n_satellite)."""
        table, derived = self.nav.table, self.nav.derived
        start, stop = rec.groups(table)
        # Within a satellite the combination's own order of messages counts, not the one for orbits.
        rank = {m: i for i, m in enumerate(self.combination.delays)}
        order = sorted(range(len(start)), key=lambda g: rank[msg.MESSAGES[table.message[start[g]]].name])
        start, stop = start[order], stop[order]
        names = table.take(start).names()
        group_sv = np.array([self.satellites[name] for name in names], dtype=np.int64)
        shape = (time_ns.size, len(self.satellites))
        chosen, usable = np.full(shape, -1, np.int64), np.zeros(shape, np.int8)
        if start.size:
            limit_ns = limits_ns(max_age_s)[table.message]
            orbits.select(
                time_ns, start, stop, group_sv, derived.toe_ns, derived.sent_ns, limit_ns, derived.healthy, False,
                chosen, usable,
            )  # fmt: skip
        return chosen

    def at_emission(self, received_ns: Integers, pseudorange_m: Floats, record: Integers) -> tuple[Floats, Floats]:
        """Return positions at emission [m] and clock errors with relativity [s].

        Reception less travel time as measured is emission on the satellite's own clock, whatever the receiver's says.
        """
        own_ns = received_ns - np.rint(pseudorange_m / const.LIGHT_SPEED_MPS * const.NS_PER_S).astype(np.int64)
        clock_s = self._clock_s(own_ns, record)
        emitted_ns = own_ns - np.rint(clock_s * const.NS_PER_S).astype(np.int64)
        clock_s = self._clock_s(emitted_ns, record)
        xyz_m = self._positions(emitted_ns, record)
        if self.combination.system == "R":  # relativity is in its broadcast clock
            return np.asarray(frames.pz90_to_itrf(xyz_m, emitted_ns)), clock_s
        # -2 r.v / c^2; r.v is half the rate of r^2, in a rotating frame too.
        step_ns = round(_RELATIVITY_STEP_S * const.NS_PER_S)
        before, after = (np.linalg.norm(self._positions(emitted_ns + d, record), axis=1) for d in (-step_ns, step_ns))
        rate = (after - before) * (after + before) / (4.0 * _RELATIVITY_STEP_S)
        return xyz_m, clock_s - 2.0 * rate / const.LIGHT_SPEED_MPS**2

    def _positions(self, time_ns: Integers, record: Integers) -> Floats:
        derived = self.nav.derived
        xyz_m = np.empty((time_ns.size, 1, 3))
        orbits.positions(time_ns, record[:, None], derived.toe_ns, derived.model, derived.elements, xyz_m)
        return np.asarray(xyz_m[:, 0])

    def _clock_s(self, time_ns: Integers, record: Integers) -> Floats:
        """Return the polynomial of the record; GLONASS files hold -tau_n and +gamma_n in its first two places."""
        a0, a1, a2 = self.nav.table.fields[record, :3].T
        age_s = (time_ns - self.nav.table.toc_ns[record]) / const.NS_PER_S
        if self.combination.system == "R":
            return np.asarray(a0 + a1 * age_s)
        return np.asarray(a0 + age_s * (a1 + np.nan_to_num(a2) * age_s))

    def delays_s(self, record: Integers) -> tuple[Floats, int]:
        """Return what is to be taken from the clocks [s], and how many records lack it (they take nothing)."""
        total = np.zeros(record.size)
        unknown = np.zeros(record.size, dtype=bool)
        message = self.nav.table.message[record]
        for name, terms in self.combination.delays.items():
            rows = np.flatnonzero(message == msg.MESSAGE_INDEX[self.combination.system, name])
            for index, factor in terms:
                value = self.nav.table.fields[record[rows], index]
                known = np.abs(value) < _UNKNOWN_DELAY_S  # false for NaN
                unknown[rows] |= ~known
                total[rows] += factor * np.where(known, value, 0.0)
        return total, int(unknown.sum())

    def messages(self, row_sv: Integers, record: Integers) -> dict[int, str]:
        """Return the names of the messages that each satellite's records come from."""
        pairs = np.unique(np.stack([row_sv, self.nav.table.message[record]]), axis=1)
        found: dict[int, list[str]] = {}
        for sv, message in pairs.T.tolist():
            found.setdefault(sv, []).append(msg.MESSAGES[message].name)
        return {sv: "+".join(names) for sv, names in found.items()}


def serving_records(nav: Ephemerides, combination: Combination, names: list[str]) -> ServingRecords:
    """Return the records of the messages that a combination can use, of some satellites."""
    allowed = [msg.MESSAGE_INDEX[combination.system, m] for m in combination.delays]
    keys = [ord(name[0]) * 1000 + int(name[1:]) for name in names]
    clocks = np.isfinite(nav.table.fields[:, 0]) & np.isfinite(nav.table.fields[:, 1])
    keep = np.isin(nav.table.message, allowed) & np.isin(rec.satellite_key(nav.table), keys) & clocks
    subset = replace(nav, table=nav.table.take(keep), derived=nav.derived.take(keep))
    return ServingRecords(subset, combination, {name: i for i, name in enumerate(subset.satellites)})
