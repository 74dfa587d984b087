"""From observations and ephemerides to measurements: satellites at emission, pseudoranges less what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.ephemerides import messages as msg
from gnss_coop.errors import EphemerisGapError, RinexError, ScenarioError
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.positioning.emission import ServingRecords, serving_records
from gnss_coop.positioning.signals import (
    FREE,
    IONOSPHERES,
    R_L1,
    R_L1_STEP,
    SYSTEMS_USED,
    Combination,
    combinations,
)

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.observations import Observations

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]

#: A signal counts as a satellite's own where it is there at this share of the epochs of its best one.
_ENOUGH: Final = 0.8
#: Pseudoranges of satellites in any orbit, with receiver clocks a hundred milliseconds off [m].
_PSEUDORANGE_M: Final = (1.0e6, 8.0e7)
_CHANNEL: Final = msg.field(2, 3)
_CHANNELS: Final = (-7, 6)


@dataclass(slots=True)
class Measurements:
    """Pseudoranges that can be used, ordered by epoch and satellite.

    Attributes
    ----------
    time_ns : int64 (n_epoch,)
        Epochs of the observations [ns of GPST].
    satellites : tuple of str
        All satellites of the observations.
    systems : tuple of str
        Letters of the systems that have measurements.
    epoch, sv, system : int64 (n_row,)
        Indices into these.
    satellite_m : float64 (n_row, 3)
        Earth-fixed at emission, GLONASS carried to ITRF.
    corrected_m : float64 (n_row,)
        Pseudorange plus the satellite's clock, with relativity and group delays.
    frequency_hz : float64 (n_row,)
        Of a single frequency; infinite without ionosphere.
    signals : dict of str to str
        What was combined of each satellite, with its message: ``B1I/B3I (C2I C6I, D1)``.
    counts : dict of str to int
        How many observations were left out, by reason.
    notes : list of str
        What the reader of the results must know.
    """

    time_ns: npt.NDArray[np.int64]
    satellites: tuple[str, ...]
    systems: tuple[str, ...]
    epoch: Integers
    sv: Integers
    system: Integers
    satellite_m: Floats
    corrected_m: Floats
    frequency_hz: Floats
    signals: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def row_start(self) -> npt.NDArray[np.int64]:
        """First row of each epoch, and the number of rows."""
        return np.searchsorted(self.epoch, np.arange(len(self.time_ns) + 1)).astype(np.int64)


def measure(
    obs: Observations,
    nav: Ephemerides,
    *,
    ionosphere: str = FREE,
    systems: Iterable[str] | None = None,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
) -> Measurements:
    """Combine pseudoranges, and take from them what the satellites' messages say.

    Parameters
    ----------
    obs : Observations
        From ``read_obs(..., values=True)``.
    nav : Ephemerides
        From `read_nav`.
    ionosphere : {"free", "klobuchar", "none"}
        Two frequencies that remove it, or one, with the broadcast model or without.
    systems : iterable of str, optional
        Letters; all by default.
    exclude_sv, max_age_s
        As `satellite_positions` takes them.

    Raises
    ------
    RinexError
        If no system has the pseudoranges that are needed.
    EphemerisGapError
        If no observation has a usable ephemeris.
    ScenarioError
        If `ionosphere` is unknown.
    """
    if ionosphere not in IONOSPHERES:
        raise ScenarioError(f"unknown ionosphere {ionosphere!r}: write {', '.join(IONOSPHERES)}")
    if obs.values is None:
        raise RinexError("the observations were read without values: use read_obs(..., values=True)", obs.files[0])
    wanted = [s for s in SYSTEMS_USED if systems is None or s in set(systems)]
    nav = nav.select([s for s in wanted if s in nav.systems], exclude_sv)
    excluded = set(exclude_sv)
    builder = _Builder(obs, nav, max_age_s)
    for letter in wanted:
        known = {sv for sv in nav.satellites if sv[0] == letter} - excluded
        builder.add_system(letter, combinations(letter, ionosphere), known)
    if not builder.parts:
        raise builder.nothing(ionosphere, wanted)
    return builder.result()


class _Builder:
    """Collects the measurements of system after system."""

    def __init__(self, obs: Observations, nav: Ephemerides, max_age_s: float | Mapping[str, float] | None) -> None:
        assert obs.values is not None
        self.obs, self.nav, self.values, self.max_age_s = obs, nav, obs.values, max_age_s
        self.letters = np.array([ord(sv[0]) for sv in obs.satellites])[obs.row_sv]
        self.parts: list[tuple[Integers, Floats, Floats, Floats]] = []
        self.signals: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.notes: list[str] = []
        self.with_signals = False
        self.unknown: list[str] = []
        self.lacking: dict[str, tuple[int, int]] = {}  # observations with a combination, and those without its delay

    def nothing(self, ionosphere: str, wanted: list[str]) -> Exception:
        """Return the error of observations of which nothing can be used."""
        names = ", ".join(SYSTEMS[s].name for s in wanted)
        if self.with_signals:
            first, last = (str(np.datetime64("1980-01-06", "ns") + t)[:19] for t in self.obs.span_ns)
            return EphemerisGapError(
                f"no observation of {names} has a usable ephemeris: the observations are of {first} to {last} GPST; "
                "give the navigation files of that time",
                first,
                last,
            )
        held = {s: c for s, c in self.values.codes.items() if s in wanted}
        name = self.obs.files[0]
        if not held or not np.isfinite(self.values.pseudorange_m[np.isin(self.letters, [ord(s) for s in held])]).any():
            return RinexError(f"there are no code pseudoranges of {names}: give a file that has them", name)
        listed = "; ".join(f"{SYSTEMS[s].name} {' '.join(c)}" for s, c in held.items())
        hint = ": use one frequency with the broadcast ionosphere (klobuchar)" if ionosphere == FREE else ""
        return RinexError(f"no two frequencies of one satellite can be combined ({listed}){hint}", name)

    def add_system(self, letter: str, table: tuple[Combination, ...], known: set[str]) -> None:
        """Choose a combination for each satellite of a system, and measure those that share one."""
        rows = np.flatnonzero(self.letters == ord(letter))
        codes = self.values.codes.get(letter, ())
        if rows.size == 0 or not codes:
            return
        there = np.isfinite(self.values.pseudorange_m[rows])
        members: dict[tuple[Combination, int, int], list[int]] = {}
        without = []
        for sv in np.unique(self.obs.row_sv[rows]).tolist():
            of_sv = there[self.obs.row_sv[rows] == sv]
            choice = _choose(table, codes, of_sv)
            if choice is None:
                without += [self.obs.satellites[sv]] if of_sv.any() else []
            elif self.obs.satellites[sv] in known:
                members.setdefault(choice, []).append(sv)
                self.with_signals = True
            else:
                self.with_signals = True
                self.unknown.append(self.obs.satellites[sv])
        for (combination, first, second), svs in members.items():
            self._add(letter, combination, codes, first, second, svs, rows)
        if without:
            self.notes.append(
                f"{SYSTEMS[letter].name}: {len(without)} satellites lack the signals ({' '.join(without)})"
            )

    def _add(
        self, letter: str, combination: Combination, codes: tuple[str, ...], first: int, second: int, svs: list[int],
        rows: Integers,
    ) -> None:  # fmt: skip
        rows = rows[np.isin(self.obs.row_sv[rows], svs)]
        a, b = combination.factors
        measured = a * self.values.pseudorange_m[rows, first]
        if b:
            measured = measured + b * self.values.pseudorange_m[rows, second]
        inside = (measured > _PSEUDORANGE_M[0]) & (measured < _PSEUDORANGE_M[1])
        self._count("pseudoranges that no satellite can have", int((np.isfinite(measured) & ~inside).sum()))
        rows, measured = rows[inside], measured[inside]
        records = serving_records(self.nav, combination, [self.obs.satellites[sv] for sv in svs])
        if not records.satellites:
            self._count("observations without a healthy ephemeris within its age", rows.size)
            return
        chosen = records.choose(self.obs.time_ns, self.max_age_s)
        place = np.full(len(self.obs.satellites), -1)
        for sv in svs:
            place[sv] = records.satellites.get(self.obs.satellites[sv], -1)
        column = place[self.obs.row_sv[rows]]
        record = np.where(column >= 0, chosen[self.obs.row_epoch[rows], column], -1)
        usable = record >= 0
        self._count("observations without a healthy ephemeris within its age", int((~usable).sum()))
        rows, measured, record = rows[usable], measured[usable], record[usable]
        if rows.size == 0:
            return
        received_ns = self.obs.time_ns[self.obs.row_epoch[rows]]
        xyz_m, clock_s = records.at_emission(received_ns, measured, record)
        delays_s, n_unknown = records.delays_s(record)
        if n_unknown:
            what = "delta tau" if letter == "R" else "group delay"
            words = (
                f"{SYSTEMS[letter].name} {combination.name}: without {what}, which the navigation files lack for {{}}"
            )
            n, n_lacking = self.lacking.get(words, (0, 0))
            self.lacking[words] = (n + rows.size, n_lacking + n_unknown)
        frequency_hz = np.full(rows.size, np.inf)
        if not b:
            frequency_hz[:] = combination.frequency_hz[0]
            if letter == "R":
                frequency_hz = self._glonass_hz(rows, records, record)
        self.parts.append((rows, xyz_m, measured + const.LIGHT_SPEED_MPS * (clock_s - delays_s), frequency_hz))
        used = {codes[first], codes[second]} if b else {codes[first]}
        for sv, message in records.messages(self.obs.row_sv[rows], record).items():
            name = " ".join(sorted(used))
            self.signals[self.obs.satellites[sv]] = f"{combination.name} ({name}, {message})"

    def _glonass_hz(self, rows: Integers, records: ServingRecords, record: Integers) -> Floats:
        """Return the L1 carriers of the channels that the observations' header or the message names."""
        listed = {sv: k for h in self.obs.headers for sv, k in h.glonass_channels.items()}
        channel = np.array([listed.get(sv, np.nan) for sv in self.obs.satellites])[self.obs.row_sv[rows]]
        sent = records.nav.table.fields[record, _CHANNEL]
        sent = np.where(sent > 128, sent - 256, sent)
        channel = np.where(np.isnan(channel), sent, channel)
        unknown = ~((channel >= _CHANNELS[0]) & (channel <= _CHANNELS[1]))
        if unknown.any():
            names = sorted({self.obs.satellites[sv] for sv in self.obs.row_sv[rows][unknown].tolist()})
            self.notes.append(
                f"GLONASS: the frequency channel of {' '.join(names)} is in neither file; the ionosphere is taken at "
                "1602 MHz, which is right to 0.5 % of its delay"
            )
        return np.asarray(R_L1 + R_L1_STEP * np.where(unknown, 0.0, channel))

    def _count(self, reason: str, n: int) -> None:
        if n:
            self.counts[reason] = self.counts.get(reason, 0) + n

    def result(self) -> Measurements:
        """Return all measurements in the order of epochs."""
        rows, xyz_m, corrected_m, frequency_hz = (np.concatenate(columns) for columns in zip(*self.parts, strict=True))
        order = np.argsort(rows, kind="stable")  # rows of observations are ordered by epoch and satellite
        rows = rows[order]
        for words, (n, n_lacking) in self.lacking.items():
            self.notes.append(words.format(f"{100.0 * n_lacking / n:.0f} % of the observations"))
        if self.unknown:
            self.notes.append(f"no record in the navigation files: {' '.join(self.unknown)}")
        letters = self.letters[rows]
        systems = tuple(s for s in SYSTEMS_USED if (letters == ord(s)).any())
        index = np.zeros(128, np.int64)
        index[[ord(s) for s in systems]] = np.arange(len(systems))
        return Measurements(
            self.obs.time_ns, self.obs.satellites, systems, self.obs.row_epoch[rows].astype(np.int64),
            self.obs.row_sv[rows].astype(np.int64), index[letters], xyz_m[order], corrected_m[order],
            frequency_hz[order], dict(sorted(self.signals.items())), self.counts, self.notes,
        )  # fmt: skip


def _choose(
    table: tuple[Combination, ...], codes: tuple[str, ...], there: Booleans
) -> tuple[Combination, int, int] | None:
    """Return the combination of a satellite with the columns of its codes.

    The first one in order of preference that has nearly as many epochs as the best; so of the codes of each signal.
    """
    options: list[tuple[int, Combination, int, int]] = []
    for combination in table:
        first = _column(combination.first, codes, there)
        second = _column(combination.second, codes, there) if combination.second else first
        if first is not None and second is not None:
            options.append((int((there[:, first] & there[:, second]).sum()), combination, first, second))
    most = max((n for n, *_ in options), default=0)
    return next(((c, i, j) for n, c, i, j in options if n and n >= _ENOUGH * most), None)


def _column(preferred: tuple[str, ...], codes: tuple[str, ...], there: Booleans) -> int | None:
    counts = [(int(there[:, codes.index(c)].sum()), codes.index(c)) for c in preferred if c in codes]
    most = max((n for n, _ in counts), default=0)
    return next((i for n, i in counts if n and n >= _ENOUGH * most), None)
