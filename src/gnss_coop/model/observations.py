"""What a receiver tracked: satellites and signals per epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import EphemerisGapError
from gnss_coop.model import timescales
from gnss_coop.model.rejects import Reject

if TYPE_CHECKING:
    import pandas as pd

Integers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ObsEvent:
    """An event in the body of an observation file.

    Attributes
    ----------
    file : str
        Where it stands.
    line : int
        Its line, from 1.
    kind : str
        What it is, in words.
    position_m : tuple of 3 float, or None
        New approximate position, where its header lines give one [m].
    """

    file: str
    line: int
    kind: str
    position_m: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ObsValues:
    """Pseudoranges and signal strengths of the rows of `Observations`, one column per code.

    Attributes
    ----------
    codes : dict of str to tuple of str
        Pseudorange code of each column by system, such as ``C2I`` (version 2: ``C1``, ``P2``).
    pseudorange_m : float64 (n_row, n_column)
        Pseudoranges [m]; NaN without a value. Systems with fewer codes leave the last columns empty.
    cn0_dbhz : float64 (n_row, n_column)
        Signal strength of the same signal as the file gives it, C/N0 [dB-Hz] with most receivers; NaN without.
    """

    codes: Mapping[str, tuple[str, ...]]
    pseudorange_m: npt.NDArray[np.float64]
    cn0_dbhz: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Epochs of one receiver, ordered in time, with the satellites and signals that have values.

    Made by `gnss_coop.read_obs`; `gnss_coop.tracked` takes it. A signal has a value where a pseudorange or a carrier
    phase is there and not zero; a satellite is tracked where any signal of it has.

    Attributes
    ----------
    files : tuple of str
        The files.
    headers : tuple
        One `ObsHeader` a file.
    time_ns : int64 (n_epoch,)
        Epochs [ns of GPST], whatever the file uses.
    power_failure : bool (n_epoch,)
        Whether the receiver was without power since the epoch before.
    satellites : tuple of str
        All satellites that occur, in order.
    row_epoch, row_sv : int32 (n_row,)
        Index of epoch and satellite of each pair that stands in the file.
    signals : uint64 (n_row,)
        Bit i stands for the i-th code of `codes`, by the satellite's system.
    codes : dict of str to tuple of str
        Codes of pseudoranges and phases of each system, such as ``C2I``; ``?`` for any value of a system whose codes
        the header does not announce.
    interval_s : float
        Most frequent distance of two epochs [s]; that of the header where there is one epoch; else NaN.
    rejects : tuple of Reject
        What was left out, with file, line and reason: epochs, satellites and values; line 0 is of the whole file.
    repairs : tuple of Reject
        What was damaged or against the format and is read all the same.
    events : tuple of ObsEvent
        Events and header lines within the body.
    values : ObsValues or None
        Pseudoranges and signal strengths, where `read_obs` was asked for them.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> obs
    <Observations: CIBG, 48 epochs of 1800 s, 137 satellites, 0 rejected>
    >>> obs.tracked.shape, obs.codes["I"]
    ((48, 137), ('C5A', 'L5A'))
    """

    files: tuple[str, ...]
    headers: tuple[Any, ...]
    time_ns: npt.NDArray[np.int64]
    power_failure: npt.NDArray[np.bool_]
    satellites: tuple[str, ...]
    row_epoch: Integers
    row_sv: Integers
    signals: npt.NDArray[np.uint64]
    codes: Mapping[str, tuple[str, ...]]
    interval_s: float
    rejects: tuple[Reject, ...] = ()
    events: tuple[ObsEvent, ...] = ()
    repairs: tuple[Reject, ...] = ()
    values: ObsValues | None = None

    def __len__(self) -> int:
        return len(self.time_ns)

    def __repr__(self) -> str:
        return (
            f"<Observations: {self.marker or 'no marker'}, {len(self)} epochs of {self.interval_s:g} s, "
            f"{len(self.satellites)} satellites, {len(self.rejects)} rejected>"
        )

    @property
    def damage(self) -> tuple[str, ...]:
        """What was left out and what was repaired, in a sentence for each kind, with their numbers."""
        texts = []
        for of_which, entries in (("left out", self.rejects), ("read all the same", self.repairs)):
            counts = Counter(entry.reason for entry in entries if entry.line)
            texts += [f"{of_which} in the observations: {n} x {reason}" for reason, n in counts.items()]
            texts += [entry.reason for entry in entries if not entry.line]
        return tuple(texts)

    @property
    def marker(self) -> str:
        """Name of the marker, as written; empty where no file names one."""
        return next((h.marker for h in self.headers if h.marker), "")

    @property
    def systems(self) -> tuple[str, ...]:
        """RINEX letters of the systems that were tracked."""
        seen = np.unique(self.row_sv[self.signals != 0])
        return tuple(dict.fromkeys(self.satellites[i][0] for i in seen))

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last epoch [ns of GPST]."""
        if len(self) == 0:
            raise EphemerisGapError("there are no usable epochs in the observation files")
        return int(self.time_ns[0]), int(self.time_ns[-1])

    @property
    def tracked(self) -> npt.NDArray[np.bool_]:
        """Whether each satellite was tracked at each epoch, shape (n_epoch, n_satellite)."""
        result = np.zeros((len(self), len(self.satellites)), dtype=bool)
        result[self.row_epoch, self.row_sv] = self.signals != 0
        return result

    def signal_names(self, sv: str, mask: int) -> tuple[str, ...]:
        """Return the codes whose bits are set in a mask of a satellite."""
        return tuple(code for bit, code in enumerate(self.codes.get(sv[0], ())) if mask >> bit & 1)

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row per epoch and satellite tracked: time_gpst, sv, signals (codes with blanks between)."""
        import pandas as pd

        rows = np.flatnonzero(self.signals)
        names = np.array(self.satellites, dtype=object)
        letters = np.array([ord(sv[0]) for sv in self.satellites], dtype=np.int64)[self.row_sv[rows]]
        words = np.empty(len(rows), dtype=object)
        for letter in np.unique(letters):
            of_system = letters == letter
            masks, index = np.unique(self.signals[rows[of_system]], return_inverse=True)
            texts = [" ".join(self.signal_names(chr(letter), int(mask))) for mask in masks]
            words[of_system] = np.array(texts, dtype=object)[index]
        times = timescales.to_datetime64(self.time_ns[self.row_epoch[rows]])
        return pd.DataFrame({"time_gpst": times, "sv": names[self.row_sv[rows]], "signals": words})

    def rejected(self) -> pd.DataFrame:
        """Return what was left out: file, line, reason."""
        import pandas as pd

        return pd.DataFrame([(r.file, r.line, r.reason) for r in self.rejects], columns=["file", "line", "reason"])
