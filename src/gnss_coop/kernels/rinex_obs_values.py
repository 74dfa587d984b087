"""Values of RINEX observations: the numbers in the lines that the scanner of `kernels.rinex_obs` has found."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import leaf_kernel

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]

_FIELD_WIDTH, _VALUE_WIDTH, _FIELDS_PER_LINE_V2 = 16, 14, 5
_NUMBERS = 1000  # as in kernels.rinex_obs: a satellite's code is its letter times this plus its number


@leaf_kernel
def _value(data: Bytes, start: int, stop: int) -> Any:
    """Return the number of a field F14.3; NaN for blank, zero (RINEX: no observation) and what is no number.

    The digits make a whole number, exact below 2^53, and one division rounds it as Python's float() does.
    """
    stop = min(start + _VALUE_WIDTH, stop)
    mantissa = np.int64(0)
    decimals = -1
    negative = False
    for i in range(start, stop):
        byte = data[i]
        if 48 <= byte <= 57:
            mantissa = mantissa * 10 + np.int64(byte - 48)
            if decimals >= 0:
                decimals += 1
        elif byte == 46 and decimals < 0:
            decimals = 0
        elif byte == 45 and mantissa == 0:
            negative = True
        elif byte != 32 and byte != 43:
            return np.nan
    if mantissa == 0:
        return np.nan
    scale = 1.0
    for _ in range(decimals):
        scale *= 10.0
    value = np.float64(mantissa) / scale
    return -value if negative else value


@leaf_kernel
def _line_end(data: Bytes, start: int) -> Any:
    """Return where a line ends, at its line feed or at the end of the data."""
    while start < data.size and data[start] != 10:
        start += 1
    return start


@leaf_kernel
def _is_comment(data: Bytes, start: int, stop: int) -> Any:
    return stop - start >= 67 and data[start + 60] == 67 and data[start + 61] == 79 and data[start + 62] == 77


@leaf_kernel
def read_values(
    data: Bytes, version_2: bool, first_row: int, row_offset: Integers, row_code: Integers, n_types: Integers,
    target: Integers, scale: Floats, pseudorange_m: Floats, cn0_dbhz: Floats,
) -> None:  # fmt: skip
    """Fill the values of rows that have one layout.

    Parameters
    ----------
    data : uint8 (n_byte,)
    version_2 : bool
        Whether a satellite's values go over lines of five.
    first_row : int
        Row of the outputs that the first of `row_offset` fills.
    row_offset : int64 (n_row,)
        Where the first line of the row begins.
    row_code : int32 (n_row,)
        Letter of the system times 1000 plus number.
    n_types : int64 (128,)
        Fields of each system's rows.
    target : int16 (128, n_field)
        Column of each field: c >= 0 a pseudorange, -2 - c the signal strength of column c, -1 neither.
    scale : float64 (128, n_field)
        What to divide by.
    pseudorange_m, cn0_dbhz : float64 (n_all_rows, n_column)
        Filled; NaN without a value.
    """
    for k in range(row_offset.size):
        row = first_row + k
        pseudorange_m[row, :] = np.nan
        cn0_dbhz[row, :] = np.nan
        letter = row_code[k] // _NUMBERS
        start = row_offset[k]
        stop = _line_end(data, start)
        base = start if version_2 else start + 3
        for j in range(n_types[letter]):
            if version_2 and j > 0 and j % _FIELDS_PER_LINE_V2 == 0:
                start = stop + 1
                stop = _line_end(data, start)
                while _is_comment(data, start, stop):
                    start = stop + 1
                    stop = _line_end(data, start)
                base = start - j * _FIELD_WIDTH
            column = target[letter, j]
            at = base + j * _FIELD_WIDTH
            if column == -1 or at >= stop:
                continue
            value = _value(data, at, stop) / scale[letter, j]
            if column >= 0:
                pseudorange_m[row, column] = value
            else:
                cn0_dbhz[row, -2 - column] = value
