"""Pseudoranges and signal strengths of RINEX observation files, as columns beside what was tracked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import RinexError
from gnss_coop.formats.rinex.nav_header import header_lines
from gnss_coop.formats.rinex.obs_header import ObsHeader
from gnss_coop.kernels import rinex_obs_values as kernel
from gnss_coop.model.observations import ObsValues
from gnss_coop.model.systems import SYSTEMS

_NEITHER: Final = -1
#: First letters of pseudoranges by generation (P: precise code in version 2), and of signal strengths.
_PSEUDORANGES: Final = {2: "CP", 3: "C", 4: "C"}
_MAX_COLUMNS: Final = 60
#: What SYS / SCALE FACTOR may say (RINEX 3.05, table A2).
_FACTORS: Final = (1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the fields of a stretch of rows are laid out."""

    first_row: int
    types: dict[str, tuple[str, ...]]


class ValueColumns:
    """Which column holds which pseudorange code, by system, over all files of a receiver."""

    def __init__(self) -> None:
        self.codes: dict[str, list[str]] = {letter: [] for letter in SYSTEMS}

    @property
    def width(self) -> int:
        """Number of columns that the system with most codes needs."""
        return max(map(len, self.codes.values()))

    def targets(self, letter: str, types: tuple[str, ...], generation: int, path: str) -> list[int]:
        """Return what each field goes to: a column, -2 - column for its signal strength, -1 for none."""
        known = self.codes[letter]
        for code in types:
            if code[:1] in _PSEUDORANGES[generation] and len(code) == (2 if generation == 2 else 3):
                known += [code] if code not in known else []
        if len(known) > _MAX_COLUMNS:
            raise RinexError(f"more than {_MAX_COLUMNS} pseudoranges of {SYSTEMS[letter].name} are announced", path)
        return [self._target(known, code, generation) for code in types]

    @staticmethod
    def _target(known: list[str], code: str, generation: int) -> int:
        if code in known:
            return known.index(code)
        if code[:1] != "S":
            return _NEITHER
        # Version 2 has one strength per band: it is that of the first pseudorange of the band.
        of_signal = [i for i, other in enumerate(known) if other[1:] == code[1:]]
        return -2 - of_signal[0] if of_signal else _NEITHER


class ValueReader:
    """Reads the values of one file, once its rows are known."""

    def __init__(self, name: str, data: bytes, header: ObsHeader, columns: ValueColumns) -> None:
        self._name, self._header, self._columns = name, header, columns
        self._data = data
        self._layouts = [_Layout(0, {letter: header.types_of(letter) for letter in SYSTEMS})]
        self._factors = _scale_factors(data, header, name)

    def change(self, first_row: int, types: Mapping[str, tuple[str, ...]]) -> None:
        """Note that rows from `first_row` on have other observation types."""
        both = self._layouts[-1].types | dict(types)
        self._layouts.append(_Layout(first_row, both))

    def read(
        self, row_offset: npt.NDArray[np.int64], row_code: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return pseudoranges [m] and signal strengths [dB-Hz] of all rows, shape (n_row, n_column)."""
        generation = int(self._header.version)
        targets = [
            {letter: self._columns.targets(letter, codes, generation, self._name) for letter, codes in x.types.items()}
            for x in self._layouts
        ]
        shape = (row_offset.size, max(self._columns.width, 1))
        pseudorange_m, cn0_dbhz = np.empty(shape), np.empty(shape)
        data = np.frombuffer(self._data, np.uint8)
        stops = [x.first_row for x in self._layouts[1:]] + [row_offset.size]
        for layout, target, stop in zip(self._layouts, targets, stops, strict=True):
            rows = slice(layout.first_row, stop)
            kernel.read_values(
                data, generation == 2, layout.first_row, row_offset[rows], row_code[rows],
                *self._tables(layout.types, target), pseudorange_m, cn0_dbhz,
            )  # fmt: skip
        return pseudorange_m, cn0_dbhz

    def _tables(
        self, types: dict[str, tuple[str, ...]], targets: dict[str, list[int]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int16], npt.NDArray[np.float64]]:
        """Return number of fields, target and divisor of each field by the letter's ASCII code."""
        most = max(map(len, types.values()))
        n_types = np.zeros(128, np.int64)
        target = np.full((128, max(most, 1)), _NEITHER, np.int16)
        scale = np.ones(target.shape)
        for letter, codes in types.items():
            row = ord(letter)
            n_types[row] = len(codes)
            target[row, : len(codes)] = targets[letter]
            scale[row, : len(codes)] = [
                self._factors.get((letter, c), self._factors.get((letter, ""), 1)) for c in codes
            ]
        return n_types, target, scale


def united_values(
    values: npt.NDArray[np.float64], order: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Make one row of the rows of a satellite in an epoch: of each column the first value that is there."""
    result = values[order[starts]]
    stops = np.append(starts[1:], order.size)
    for i in np.flatnonzero(stops - starts > 1).tolist():
        for row in order[starts[i] + 1 : stops[i]]:
            result[i] = np.where(np.isnan(result[i]), values[row], result[i])
    return result


def join_values(
    parts: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    rows: npt.NDArray[np.int64],
    columns: ValueColumns,
) -> ObsValues:
    """Put the values of several files together, in the order of the observations' rows."""
    width = max(columns.width, 1)
    joined = []
    for k in range(2):
        blocks = [
            np.pad(p[k], ((0, 0), (0, width - p[k].shape[1])), constant_values=np.nan)
            if p[k].shape[1] < width
            else p[k]
            for p in parts
        ]
        joined.append((blocks[0] if len(blocks) == 1 else np.concatenate(blocks))[rows])
    return ObsValues(
        codes={letter: tuple(known) for letter, known in columns.codes.items() if known},
        pseudorange_m=joined[0],
        cn0_dbhz=joined[1],
    )


def _scale_factors(data: bytes, header: ObsHeader, name: str) -> dict[tuple[str, str], float]:
    """Return the factors that observations were multiplied by, by system and code; an empty code is any."""
    if header.version < 3:
        return {}
    factors: dict[tuple[str, str], float] = {}
    letter, factor = "", 1.0
    for line in header_lines(data, name)[0]:
        if line[60:].strip().upper() != "SYS / SCALE FACTOR":
            continue
        if line[0] != " ":
            letter, factor = line[0], float(line[2:6]) if line[2:6].strip().isdecimal() else float("nan")
            if factor not in _FACTORS:
                raise RinexError(f"the scale factor {line[2:6].strip()!r} is not one of 1, 10, 100 and 1000", name)
        codes = line[10:58].split()
        count = line[8:10].strip()
        if line[0] != " " and (count in ("", "0")):
            codes = [""]
        factors |= {(letter, code): factor for code in codes}
    return factors
