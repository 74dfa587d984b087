"""Byte scanner of RINEX observation files: epochs, satellites, and which signals have a value.

Values are looked at, never converted: a signal counts where its field holds a number other than zero.
The scanner stops at whatever may change how the rest is read (events, header lines) and at the end of a
file that is cut; the caller deals with it and calls again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import leaf_kernel

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[Any]

# Why the scanner stopped.
END, EVENT, HEADER_LINE, TRUNCATED = range(4)
# What was wrong with an epoch.
BAD_EPOCH, BAD_SATELLITE, BAD_FIELD, WRONG_COUNT, TWICE, STRAY = range(6)
# The state that lives from call to call.
OFFSET, LINE, N_EPOCHS, N_ROWS, N_REJECTS, FLAG, COUNT, SERIAL, N_STATE = range(9)

MAX_SATELLITES = 999  # three digits announce them
NUMBERS = 1000  # a satellite's code is its letter times this plus its number
N_CODES = 128 * NUMBERS
UNKNOWN_SYSTEM = -1  # as the number of a system's types
FIELD_WIDTH, VALUE_WIDTH, POINT = 16, 14, 10
_FIELDS_PER_LINE_V2, _SATELLITES_PER_LINE_V2 = 5, 12
_NO_BIT = -1


@leaf_kernel
def _line_stop(data: Bytes, start: int) -> Any:
    """Return the end of a line without blanks, and the start of the next one."""
    i, size = start, data.size
    while i < size and data[i] != 10:
        i += 1
    stop = i
    while stop > start and data[stop - 1] <= 32:
        stop -= 1
    return stop, min(i + 1, size)


@leaf_kernel
def _is_comment(data: Bytes, start: int, stop: int) -> Any:
    if stop - start < 67 or data[start + 60] != 67:
        return False
    a = start + 61
    return (data[a] == 79 and data[a + 1] == 77 and data[a + 2] == 77
            and data[a + 3] == 69 and data[a + 4] == 78 and data[a + 5] == 84)  # fmt: skip


@leaf_kernel
def _has_label(data: Bytes, start: int, stop: int) -> Any:
    """Tell whether a header label stands from column 61 on: a letter or ``#``, which no observation has there."""
    if stop - start < 64:
        return False
    byte = data[start + 60]
    return byte == 35 or 65 <= byte <= 90


@leaf_kernel
def _is_blank(data: Bytes, start: int, stop: int) -> Any:
    while start < stop and data[start] == 32:
        start += 1
    return start >= stop


@leaf_kernel
def is_epoch_line(data: Bytes, start: int, stop: int, version_2: bool) -> Any:
    """Tell whether a line opens an epoch or an event."""
    if not version_2:
        return stop > start and data[start] == 62  # ">"
    # Column 29 is a flag with two blanks before it: inside an observation there is a decimal point two columns on.
    if stop - start < 29 or data[start + 26] != 32 or data[start + 27] != 32:
        return False
    flag = data[start + 28]
    if flag < 48 or flag > 54:
        return False
    return data[start + 18] == 46 or (flag >= 50 and _is_blank(data, start, start + 26))


@leaf_kernel
def _integer(data: Bytes, start: int, stop: int) -> Any:
    """Read a non-negative integer among blanks; -1 where there is none."""
    value: Any = 0
    seen = False
    for i in range(start, stop):
        byte = data[i]
        if 48 <= byte <= 57:
            value = value * 10 + np.int64(byte - 48)
            seen = True
        elif byte != 32:
            return -1
    return value if seen else -1


@leaf_kernel
def _parse_epoch(data: Bytes, start: int, stop: int, version_2: bool, out: Integers, row: int) -> Any:
    """Fill year, month, day, hour, minute, second and nanosecond; False where they cannot be read."""
    digits = 2 if version_2 else 4
    column = start + (1 if version_2 else 2)
    if stop < column + digits + 14:
        return False
    year = _integer(data, column, column + digits)
    if version_2 and year >= 0:
        year += 1900 if year >= 80 else 2000
    out[row, 0] = year
    column += digits
    for j in range(1, 5):
        out[row, j] = _integer(data, column, column + 3)
        column += 3
    whole: Any = 0
    fraction: Any = 0
    scale = 0
    for i in range(column, min(column + 11, stop)):
        byte = data[i]
        if byte == 46:
            if scale > 0:
                return False
            scale = 1_000_000_000
        elif 48 <= byte <= 57:
            if scale == 0:
                whole = whole * 10 + np.int64(byte - 48)
            else:
                scale //= 10
                fraction += np.int64(byte - 48) * scale
        elif byte != 32:
            return False
    out[row, 5], out[row, 6] = whole, fraction
    lowest = 0
    for j in range(6):
        lowest = min(lowest, out[row, j])
    return lowest >= 0


@leaf_kernel
def _satellite(data: Bytes, start: int, stop: int, default_system: int) -> Any:
    """Return the code of the satellite named in three columns; -1 where there is none."""
    if stop < start + 3:
        return -1
    letter: Any = np.int64(data[start])
    if letter == 32 and default_system > 0:
        letter = default_system
    number = _integer(data, start + 1, start + 3)
    if number <= 0 or letter >= 128:
        return -1
    return letter * NUMBERS + number


@leaf_kernel
def _field(data: Bytes, start: int, stop: int) -> Any:
    """Return 1 for a number, 0 for blank or zero, -1 for anything else."""
    stop = min(start + VALUE_WIDTH, stop)
    if stop - start <= POINT or data[start + POINT] != 46:
        return 0 if _is_blank(data, start, max(start, stop)) else -1
    found = 0
    for i in range(start, stop):
        byte = data[i]
        if 49 <= byte <= 57:
            found = 1
        elif byte != 48 and byte != 32 and byte != 45 and byte != 43 and i != start + POINT:
            return -1
    return found


@leaf_kernel
def _row_v3(data: Bytes, start: int, stop: int, n_types: Integers, column_bit: Integers) -> Any:
    """Return code of the satellite (or a negative fault) and the mask of its signals."""
    code = _satellite(data, start, stop, 0)
    if code < 0 or n_types[code // NUMBERS] == UNKNOWN_SYSTEM:
        return -1 - BAD_SATELLITE, np.uint64(0)
    letter = code // NUMBERS
    mask = np.uint64(0)
    for j in range(n_types[letter]):
        bit = column_bit[letter, j]
        if bit == _NO_BIT:
            continue
        column = start + 3 + FIELD_WIDTH * j
        if column >= stop:
            break
        found = _field(data, column, stop)
        if found < 0:
            return -1 - BAD_FIELD, mask
        if found:
            mask |= np.uint64(1) << np.uint64(bit)
    return code, mask


@leaf_kernel
def _cut_off(data: Bytes, start: int, stop: int, indent: int) -> Any:
    """Tell whether a line that ends the file without a line end stops within a field."""
    if data[data.size - 1] == 10:
        return False
    if stop < start + indent:
        return True
    rest = (stop - start - indent) % FIELD_WIDTH
    return 0 < rest < VALUE_WIDTH


@leaf_kernel
def _body_v3(
    data: Bytes, state: Integers, count: int, n_types: Integers, column_bit: Integers, seen: Integers,
    row_epoch: Integers, row_code: Integers, row_mask: Integers,
) -> Any:  # fmt: skip
    """Read the satellites of an epoch; return -1, or a fault, or -2 where the file ends."""
    found = 0
    while found < count:
        start = state[OFFSET]
        if start >= data.size:
            return -2
        stop, after = _line_stop(data, start)
        if stop > start and data[start] == 62:
            return WRONG_COUNT
        state[OFFSET] = after
        state[LINE] += 1
        if stop == start or _is_comment(data, start, stop):
            continue
        if after == data.size and _cut_off(data, start, stop, 3):
            return -2
        code, mask = _row_v3(data, start, stop, n_types, column_bit)
        if code < 0:
            return -1 - code
        if seen[code] == state[SERIAL]:
            return TWICE
        seen[code] = state[SERIAL]
        row = state[N_ROWS] + found
        row_epoch[row], row_code[row], row_mask[row] = state[N_EPOCHS], code, mask
        found += 1
    state[N_ROWS] += count
    return -1


@leaf_kernel
def _list_v2(
    data: Bytes, state: Integers, start: int, stop: int, count: int, default_system: int, n_types: Integers,
    seen: Integers, row_code: Integers,
) -> Any:  # fmt: skip
    """Read the satellites named behind a version 2 epoch and on its further lines."""
    for k in range(count):
        if k > 0 and k % _SATELLITES_PER_LINE_V2 == 0:
            stop = start
            while stop == start or _is_comment(data, start, stop):
                start = state[OFFSET]
                if start >= data.size:
                    return -2
                stop, state[OFFSET] = _line_stop(data, start)
                state[LINE] += 1
        column = start + 32 + 3 * (k % _SATELLITES_PER_LINE_V2)
        code = _satellite(data, column, stop, default_system)
        if code < 0 or n_types[code // NUMBERS] == UNKNOWN_SYSTEM:
            return -2 if state[OFFSET] >= data.size else BAD_SATELLITE
        if seen[code] == state[SERIAL]:
            return TWICE
        seen[code] = state[SERIAL]
        row_code[state[N_ROWS] + k] = code
    return -1


@leaf_kernel
def _body_v2(
    data: Bytes, state: Integers, start: int, stop: int, count: int, default_system: int, n_types: Integers,
    column_bit: Integers, seen: Integers, row_epoch: Integers, row_code: Integers, row_mask: Integers,
) -> Any:  # fmt: skip
    """As `_body_v3`, for version 2, where blank lines are observations without a value."""
    fault = _list_v2(data, state, start, stop, count, default_system, n_types, seen, row_code)
    if fault != -1:
        return fault
    for k in range(count):
        row = state[N_ROWS] + k
        letter = row_code[row] // NUMBERS
        mask = np.uint64(0)
        j = 0
        while j < n_types[letter]:
            start = state[OFFSET]
            if start >= data.size:
                return -2
            stop, after = _line_stop(data, start)
            if is_epoch_line(data, start, stop, True):
                return WRONG_COUNT
            state[OFFSET] = after
            state[LINE] += 1
            if _is_comment(data, start, stop):
                continue
            if after == data.size and _cut_off(data, start, stop, 0):
                return -2
            for i in range(j, min(j + _FIELDS_PER_LINE_V2, n_types[letter])):
                bit = column_bit[letter, i]
                if bit == _NO_BIT:
                    continue
                found = _field(data, start + FIELD_WIDTH * (i - j), stop)
                if found < 0:
                    return BAD_FIELD
                if found:
                    mask |= np.uint64(1) << np.uint64(bit)
            j += _FIELDS_PER_LINE_V2
        row_epoch[row], row_mask[row] = state[N_EPOCHS], mask
    state[N_ROWS] += count
    return -1


@leaf_kernel
def _reject(state: Integers, line: int, reason: int, reject_line: Integers, reject_reason: Integers) -> None:
    reject_line[state[N_REJECTS]] = line
    reject_reason[state[N_REJECTS]] = reason
    state[N_REJECTS] += 1


@leaf_kernel
def scan(
    data: Bytes, version_2: bool, default_system: int, n_types: Integers, column_bit: Integers, state: Integers,
    seen: Integers, epoch: Integers, epoch_flag: Integers, epoch_line: Integers, row_epoch: Integers,
    row_code: Integers, row_mask: Integers, reject_line: Integers, reject_reason: Integers,
) -> Any:  # fmt: skip
    """Read epochs from ``state[OFFSET]`` on.

    Fills, per epoch, year to second and nanosecond, flag and line; per satellite and epoch the index of the epoch,
    the satellite's code (``ord(letter) * 1000 + number``) and the bits of the signals with a value, bit
    ``column_bit[letter, i]`` for the i-th type of its system. A damaged epoch is put among the rejects, and
    reading goes on at the next epoch line.

    Returns END; TRUNCATED, with the line of the cut epoch in the state; or EVENT or HEADER_LINE, with OFFSET at the
    first line of it, or behind the line of the event, whose FLAG and COUNT are in the state.
    """
    lost = False  # whether the lines here belong to an epoch that is rejected already
    while state[OFFSET] < data.size:
        start = state[OFFSET]
        stop, after = _line_stop(data, start)
        if not is_epoch_line(data, start, stop, version_2):
            if not lost and stop > start and not _is_comment(data, start, stop):
                if _has_label(data, start, stop):
                    return HEADER_LINE
                _reject(state, state[LINE], STRAY, reject_line, reject_reason)
                lost = True
            state[OFFSET] = after
            state[LINE] += 1
            continue
        line = state[LINE]
        flag_column = start + (28 if version_2 else 31)
        flag = _integer(data, flag_column, min(flag_column + 1, stop)) if stop > flag_column else -1
        count = _integer(data, flag_column + 1, min(flag_column + 4, stop)) if stop > flag_column + 1 else -1
        state[OFFSET] = after
        state[LINE] += 1
        lost = False
        if 2 <= flag <= 5:
            state[FLAG], state[COUNT] = flag, max(count, 0)
            return EVENT
        row = state[N_EPOCHS]
        state[SERIAL] += 1
        if flag < 0 or flag > 6 or count < 0 or not _parse_epoch(data, start, stop, version_2, epoch, row):
            fault = -2 if after == data.size and data[data.size - 1] != 10 else BAD_EPOCH
        elif version_2:
            fault = _body_v2(
                data, state, start, stop, count, default_system, n_types, column_bit, seen, row_epoch, row_code,
                row_mask,
            )  # fmt: skip
        else:
            fault = _body_v3(data, state, count, n_types, column_bit, seen, row_epoch, row_code, row_mask)
        if fault == -2:
            state[LINE] = line
            return TRUNCATED
        if fault != -1:
            _reject(state, line, fault, reject_line, reject_reason)
            state[OFFSET], state[LINE] = after, line + 1
            lost = True
        elif flag == 6:  # cycle slips: what was seen is told by the epoch itself
            state[N_ROWS] -= count
        else:
            epoch_flag[row], epoch_line[row] = flag, line
            state[N_EPOCHS] += 1
    return END
