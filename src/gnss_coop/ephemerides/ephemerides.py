"""Ephemerides: the usable records of one or many navigation files, in order, with what was left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.ephemerides import records as rec
from gnss_coop.ephemerides.messages import MESSAGES, NO_FIELD
from gnss_coop.ephemerides.plausibility import consistency, dates, leftovers
from gnss_coop.ephemerides.plausibility import single_records as gates
from gnss_coop.ephemerides.plausibility.glonass_planes import turned_planes
from gnss_coop.ephemerides.plausibility.glonass_tags import on_grid
from gnss_coop.ephemerides.plausibility.semicircles import in_semicircles
from gnss_coop.ephemerides.records import Derived, RecordTable
from gnss_coop.errors import EphemerisGapError, GnssCoopWarning, ScenarioError
from gnss_coop.model import timescales
from gnss_coop.model.rejects import Reject
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, slots=True)
class NavFrame:
    """A RINEX 4 frame that is no ephemeris: a system time offset, Earth orientation or ionosphere.

    Attributes
    ----------
    kind : str
        STO, EOP or ION.
    sv : str
        Source, as written: a satellite (``C35``) or a system (``R``).
    message : str
        CNVX, LNAV, D1D2, IFNV, FDMA, ...
    epoch_ns : int
        Reference epoch [ns], as written, in the scale of the source's system.
    label : str
        What the offset is between, and of which UTC: ``BDGP``, ``GLUT UTC(SU)``.
    values : tuple of float
        The fields in the order of the file; NaN where blank.
    file : str
        Where it stands.
    line : int
        Line of its ``>``.
    """

    kind: str
    sv: str
    message: str
    epoch_ns: int
    label: str
    values: tuple[float, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Ephemerides:
    """Usable navigation records, ordered by satellite, message, reference time and transmission.

    Made by `gnss_coop.read_nav`; `satellite_positions` takes it.

    Attributes
    ----------
    table : RecordTable
        The records as written.
    derived : Derived
        Times, health and elements that follow from them.
    files : tuple of str
        The files, as `table.file` counts them.
    headers : tuple
        One `NavHeader` a file.
    rejects : tuple of Reject
        Records that were left out, with file, line and reason.
    repairs : tuple of Reject
        What is against the format and has only one meaning, and was read so; unreadable fields that nothing needs.
    n_duplicates : int
        Records that said the same as another one and are counted once.
    frames : tuple of NavFrame
        RINEX 4 system time offsets, Earth orientation and ionosphere.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> nav.systems
    ('C', 'E', 'G', 'I', 'J', 'R', 'S')
    >>> nav.select("R").satellites[:3]
    ('R01', 'R02', 'R03')
    """

    table: RecordTable
    derived: Derived
    files: tuple[str, ...]
    headers: tuple[Any, ...] = ()
    rejects: tuple[Reject, ...] = ()
    n_duplicates: int = 0
    frames: tuple[NavFrame, ...] = field(default=())
    repairs: tuple[Reject, ...] = ()

    @classmethod
    def from_records(
        cls,
        table: RecordTable,
        n_lines: npt.NDArray[Any],
        files: Sequence[str],
        *,
        headers: Sequence[Any] = (),
        rejects: Sequence[Reject] = (),
        repairs: Sequence[Reject] = (),
        frames: Sequence[NavFrame] = (),
    ) -> Ephemerides:
        """Derive, order, count duplicates once and apply the gates to what a reader found.

        Parameters
        ----------
        table : RecordTable
            Records in any order.
        n_lines : int array (n,)
            Lines that each record has behind its epoch line.
        files : sequence of str
            Names of the files.
        headers, rejects, repairs, frames
            What else the reader found.
        """
        table, retagged = on_grid(table)
        repairs = [*repairs, *_rejects(table, files, retagged)]
        derived = rec.derive(table)
        rows = rec.order(table, derived)
        table, derived, n_lines = table.take(rows), derived.take(rows), n_lines[rows]
        stands_for = rec.representatives(table, derived)
        holders = consistency.Holders.of(stands_for, table.file)
        number = np.flatnonzero(stands_for == np.arange(len(table)))
        n_duplicates = len(table) - len(number)
        table, derived, n_lines = table.take(number), derived.take(number), n_lines[number]
        reasons = _implausible(table, derived, n_lines, number, holders)
        rejected = [*rejects, *_rejects(table, files, reasons)]
        good = _all_but(len(table), reasons)
        table, derived, number = table.take(good), derived.take(good), number[good]
        found = consistency.compare_orbits(table, derived, number, holders)
        _warn_of(found.conflicts, files)
        rejected += _rejects(table, files, found.reasons)
        good = _all_but(len(table), found.reasons)
        result = cls(
            table.take(good), derived.take(good), tuple(files), tuple(headers), (), n_duplicates, tuple(frames)
        )
        lonely = leftovers.lonely_dates(result)
        rejected += _rejects(result.table, files, lonely)
        good = _all_but(len(result), lonely)
        place = {name: i for i, name in enumerate(files)}
        lost = {(r.file, r.line) for r in rejected} if repairs else set()
        return replace(
            result,
            table=result.table.take(good),
            derived=result.derived.take(good),
            rejects=_in_order(rejected, place),
            repairs=_in_order([r for r in repairs if (r.file, r.line) not in lost], place),
        )

    @classmethod
    def from_georinex(cls, dataset: xr.Dataset) -> Ephemerides:
        """Take the records of a navigation dataset that georinex made (RINEX 2 and 3, GLONASS and BeiDou).

        Parameters
        ----------
        dataset : xarray.Dataset
            What ``georinex.load`` returned for a navigation file.

        Returns
        -------
        Ephemerides
            Without line numbers; records whose orbit georinex left empty are in `rejects`.

        Raises
        ------
        RinexError
            Where the dataset holds no GLONASS or BeiDou records.

        Examples
        --------
        >>> import georinex, gnss_coop as gc
        >>> dataset = georinex.load("sample_rinex/brdc0100.24g.gz")
        >>> len(gc.Ephemerides.from_georinex(dataset).satellites)
        26
        """
        from gnss_coop.ephemerides.georinex_dataset import records_of

        table, n_lines, name = records_of(dataset)
        return cls.from_records(table, n_lines, [name])

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        counts = ", ".join(f"{s} {len(self.select(s))}" for s in self.systems)
        return f"<Ephemerides: {len(self)} records ({counts}), {len(self.rejects)} rejected>"

    @property
    def satellites(self) -> tuple[str, ...]:
        """Names of the satellites that have records, in order."""
        keys = np.unique(rec.satellite_key(self.table))
        return tuple(f"{chr(key // 1000)}{key % 1000:02d}" for key in keys)

    @property
    def systems(self) -> tuple[str, ...]:
        """RINEX letters of the systems that have records, in order."""
        return tuple(chr(s) for s in np.unique(self.table.system))

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last reference time [ns of GPST]."""
        if len(self) == 0:
            raise EphemerisGapError("there are no usable navigation records")
        return int(self.derived.toe_ns.min()), int(self.derived.toe_ns.max())

    def select(self, systems: str | Iterable[str] | None = None, exclude_sv: Iterable[str] = ()) -> Ephemerides:
        """Return the records of some systems, without some satellites.

        Parameters
        ----------
        systems : str or iterable of str, optional
            RINEX letters; all by default.
        exclude_sv : iterable of str
            Satellites to leave out, such as ``["C03", "R06"]``.

        Raises
        ------
        ScenarioError
            For an unknown system letter or a satellite name that is none.
        """
        keep = np.ones(len(self), dtype=bool)
        if systems is not None:
            letters = list(systems)
            unknown = [s for s in letters if s not in SYSTEMS]
            if unknown:
                raise ScenarioError(f"unknown system {unknown[0]!r}: known are {', '.join(SYSTEMS)}")
            keep &= np.isin(self.table.system, [ord(s) for s in letters])
        keys = [_satellite_key(sv) for sv in exclude_sv]
        keep &= ~np.isin(rec.satellite_key(self.table), keys)
        return replace(self, table=self.table.take(keep), derived=self.derived.take(keep))

    def to_dataframe(self) -> pd.DataFrame:
        """Return the records as a table.

        Returns
        -------
        pandas.DataFrame
            One row a record: sv, message, toc_gpst, toe_gpst, sent_gpst, iod, health, healthy, accuracy
            (as written: metres, or an index in B-CNAV and GLONASS), file, line.
        """
        import pandas as pd

        table, derived = self.table, self.derived
        columns: Mapping[str, Any] = {
            "sv": table.names(),
            "message": [MESSAGES[m].name for m in table.message],
            "toc_gpst": timescales.to_datetime64(table.toc_ns),
            "toe_gpst": timescales.to_datetime64(derived.toe_ns),
            "sent_gpst": timescales.to_datetime64(derived.sent_ns),
            "iod": self._column("iod"),
            "health": derived.health,
            "healthy": derived.healthy,
            "accuracy": self._column("accuracy"),
            "file": [self.files[i] for i in table.file],
            "line": table.line,
        }
        return pd.DataFrame(columns)

    def rejected(self) -> pd.DataFrame:
        """Return what was left out: file, line, sv, reason."""
        import pandas as pd

        rows = [(r.file, r.line, r.sv, r.reason) for r in self.rejects]
        return pd.DataFrame(rows, columns=["file", "line", "sv", "reason"])

    def repaired(self) -> pd.DataFrame:
        """Return what was read otherwise than it is written: file, line, sv, repair."""
        import pandas as pd

        rows = [(r.file, r.line, r.sv, r.reason) for r in self.repairs]
        return pd.DataFrame(rows, columns=["file", "line", "sv", "repair"])

    def _column(self, name: str) -> npt.NDArray[np.float64]:
        index = np.array([getattr(m, name) for m in MESSAGES])[self.table.message]
        values = self.table.fields[np.arange(len(self)), index]
        return np.where(index == NO_FIELD, np.nan, values)


def _satellite_key(sv: str) -> int:
    if len(sv) != 3 or sv[0] not in SYSTEMS or not sv[1:].isdigit():
        raise ScenarioError(f"{sv!r} is not a satellite name: write a system letter and two digits, such as R06 or C20")
    return ord(sv[0]) * 1000 + int(sv[1:])


def _rejects(table: RecordTable, files: Sequence[str], reasons: Mapping[int, str]) -> list[Reject]:
    return [
        Reject(
            files[table.file[row]],
            int(table.line[row]),
            f"{chr(table.system[row])}{table.number[row]:02d}",
            reason,
            MESSAGES[table.message[row]].name,
        )
        for row, reason in reasons.items()
    ]


def _implausible(
    table: RecordTable,
    derived: Derived,
    n_lines: npt.NDArray[Any],
    number: npt.NDArray[Any],
    holders: consistency.Holders,
) -> dict[int, str]:
    """Return the rows that cannot be right by themselves, and what is left of series of such rows."""
    incomplete = gates.incomplete(table, n_lines)
    impossible = dates.misdated(table, derived) | gates.gate(table, derived) | in_semicircles(table)
    impossible = {row: reason for row, reason in impossible.items() if row not in incomplete}
    usable = _all_but(len(table), impossible | incomplete)
    impossible |= turned_planes(table, derived, usable)
    left_over = leftovers.survivors(table, ~_all_but(len(table), impossible), number, holders)
    off_grid = gates.off_grid(table, timescales.gpst_to_utc_ns(table.toc_ns))
    return left_over | off_grid | impossible | incomplete


def _warn_of(conflicts: Sequence[consistency.Conflict], files: Sequence[str]) -> None:
    """Warn where files contradict each other and neither can be told to be wrong."""
    if conflicts:
        names = sorted({c.sv for c in conflicts})
        worst = max(conflicts, key=lambda c: c.apart_m)
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        warnings.warn(
            f"files contradict each other on the orbits of {shown}, by up to {worst.apart_m / 1e3:.0f} km: "
            f"{' and '.join(files[i] for i in worst.files)}; both are kept: read them apart to find the wrong one",
            GnssCoopWarning,
            stacklevel=3,
        )


def _in_order(entries: Iterable[Reject], place: Mapping[str, int]) -> tuple[Reject, ...]:
    return tuple(sorted(entries, key=lambda r: (place.get(r.file, -1), r.line)))


def _all_but(n: int, rows: Iterable[int]) -> npt.NDArray[np.bool_]:
    keep = np.ones(n, dtype=bool)
    keep[list(rows)] = False
    return keep
