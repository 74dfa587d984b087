"""Byte scanner of RINEX observation files: epochs, satellites, and which signals have a value.

Values are looked at, never converted: a signal counts where its field holds a number other than zero.
The scanner stops at whatever may change how the rest is read (events, header lines) and at the end of a
file that is cut; the caller deals with it and calls again.

Damage costs as little as it can: a bad field costs the field, a satellite without a name costs itself. An epoch is
lost only where its own line cannot be read, where nothing of it is left, or where lines of version 2, which do not
name their satellites, cannot be told apart any more.
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
# What was found damaged, or read all the same.
BAD_EPOCH, BAD_SATELLITE, BAD_FIELD, WRONG_COUNT, TWICE, STRAY, UNKNOWN_LINES, NOTHING_LEFT, NO_COUNT = range(9)
# The state that lives from call to call.
OFFSET, LINE, N_EPOCHS, N_ROWS, N_FINDINGS, FLAG, COUNT, SERIAL, N_STATE = range(9)

MAX_SATELLITES = 999  # three digits announce them
NUMBERS = 1000  # a satellite's code is its letter times this plus its number
N_CODES = 128 * NUMBERS
UNKNOWN_SYSTEM = -1  # as the number of a system's types
UNNAMED = 63  # the bit of a value of a system whose types the header does not announce
FIELD_WIDTH, VALUE_WIDTH, POINT = 16, 14, 10
_FIELDS_PER_LINE_V2, _SATELLITES_PER_LINE_V2 = 5, 12
_NO_BIT = -1
_GPS = 71  # version 2 has one list of types: that of any system


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
    if number <= 0 or letter < 65 or letter > 90:
        return -1
    return letter * NUMBERS + number


@leaf_kernel
def _field(data: Bytes, start: int, stop: int) -> Any:
    """Return 1 for a number, 0 for blank or zero, -1 for anything else."""
    stop = min(start + VALUE_WIDTH, stop)
    if stop - start <= POINT or data[start + POINT] != 46:
        return 0 if _is_blank(data, start, max(start, stop)) else -1
    found = 0
    begun = False  # a sign or digit was there: what follows up to the point are digits
    for i in range(start, start + POINT):
        byte = data[i]
        if 48 <= byte <= 57:
            begun = True
            if byte != 48:
                found = 1
        elif begun or (byte != 32 and byte != 45 and byte != 43):
            return -1
        elif byte != 32:
            begun = True
    ended = False
    for i in range(start + POINT + 1, stop):
        byte = data[i]
        if 48 <= byte <= 57 and not ended:
            if byte != 48:
                found = 1
        elif byte == 32:
            ended = True
        else:
            return -1
    return found


@leaf_kernel
def _row_v3(data: Bytes, start: int, stop: int, letter: int, n_types: Integers, column_bit: Integers) -> Any:
    """Return the mask of a satellite's signals, and whether a field of it is no number."""
    mask = np.uint64(0)
    bad = False
    announced = n_types[letter]
    n_fields = announced if announced > 0 else (stop - start) // FIELD_WIDTH + 1
    for j in range(n_fields):
        bit = column_bit[letter, j] if announced > 0 else UNNAMED
        if bit == _NO_BIT:
            continue
        column = start + 3 + FIELD_WIDTH * j
        if column >= stop:
            break
        found = _field(data, column, stop)
        if found < 0:
            bad = True
        elif found > 0:
            mask |= np.uint64(1) << np.uint64(bit)
    return mask, bad


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
def _find(state: Integers, line: int, kind: int, code: int, found: Integers) -> None:
    """Add a finding: its line, what it is, and the satellite (or system) that it concerns."""
    row = state[N_FINDINGS]
    if row < found.shape[0]:
        found[row, 0], found[row, 1], found[row, 2] = line, kind, code
        state[N_FINDINGS] = row + 1


@leaf_kernel
def _body_v3(
    data: Bytes, state: Integers, epoch_line: int, count: int, n_types: Integers, column_bit: Integers, seen: Integers,
    row_epoch: Integers, row_code: Integers, row_mask: Integers, row_offset: Integers, found: Integers,
    unknown: Integers,
) -> Any:  # fmt: skip
    """Read the satellites of an epoch; return -1, or -2 where the file ends, or NOTHING_LEFT.

    Lines without a satellite's name stand for one that is announced only where the epoch has no others instead.
    """
    good = 0
    bad = 0
    rows = state[N_ROWS]
    twice = False
    ended = False
    cut = False
    while good < count:
        start = state[OFFSET]
        if start >= data.size:
            ended = True
            break
        stop, after = _line_stop(data, start)
        if stop > start and data[start] == 62:
            break
        line = state[LINE]
        code = -1
        if stop > start and not _is_comment(data, start, stop):
            if after == data.size and _cut_off(data, start, stop, 3):
                cut = True
                break
            code = _satellite(data, start, stop, 0)
            if code < 0 and _has_label(data, start, stop):
                break
            if code < 0:
                bad += 1
                _find(state, line, BAD_SATELLITE, 0, found)
        state[OFFSET] = after
        state[LINE] = line + 1
        if code < 0:
            continue
        good += 1
        letter = code // NUMBERS
        if n_types[letter] == UNKNOWN_SYSTEM or n_types[letter] == 0:
            unknown[letter] += 1
            if n_types[letter] == UNKNOWN_SYSTEM:
                continue
        mask, odd = _row_v3(data, start, stop, letter, n_types, column_bit)
        if odd:
            _find(state, line, BAD_FIELD, code, found)
        twice = twice or seen[code] == state[SERIAL]
        seen[code] = state[SERIAL]
        row_epoch[rows], row_code[rows], row_mask[rows] = state[N_EPOCHS], code, mask
        row_offset[rows] = start
        rows += 1
    if twice:
        _find(state, epoch_line, TWICE, 0, found)
    missing = count <= MAX_SATELLITES and good + bad < count
    if cut or (missing and ended):
        state[N_ROWS] = rows
        return -2
    if missing:
        _find(state, epoch_line, WRONG_COUNT, 0, found)
    if good == 0 and count > 0:
        return NOTHING_LEFT
    state[N_ROWS] = rows
    return -1


@leaf_kernel
def _list_v2(
    data: Bytes, state: Integers, start: int, stop: int, count: int, default_system: int, row_code: Integers,
) -> Any:  # fmt: skip
    """Read the satellites named after a version 2 epoch and on its further lines; return how many are named.

    A name that cannot be read is code 0; negative where the file ends.
    """
    for k in range(count):
        if k > 0 and k % _SATELLITES_PER_LINE_V2 == 0:
            stop = start
            while stop == start or _is_comment(data, start, stop):
                start = state[OFFSET]
                if start >= data.size:
                    return -2
                stop, after = _line_stop(data, start)
                if not (stop == start or _is_blank(data, start, min(start + 32, stop))):
                    return k  # fewer names than announced
                state[OFFSET] = after
                state[LINE] += 1
        column = start + 32 + 3 * (k % _SATELLITES_PER_LINE_V2)
        if column >= stop:
            return -2 if state[OFFSET] >= data.size else k
        row_code[state[N_ROWS] + k] = max(_satellite(data, column, stop, default_system), 0)
    return count


@leaf_kernel
def _next_is_epoch_v2(data: Bytes, start: int) -> Any:
    """Tell whether an epoch, header lines or the end of the file come next."""
    while start < data.size:
        stop, after = _line_stop(data, start)
        if stop > start and not _is_comment(data, start, stop):
            return is_epoch_line(data, start, stop, True) or _has_label(data, start, stop)
        start = after
    return True


@leaf_kernel
def _body_v2(
    data: Bytes, state: Integers, start: int, stop: int, epoch_line: int, count: int, default_system: int,
    n_types: Integers, column_bit: Integers, seen: Integers, row_epoch: Integers, row_code: Integers,
    row_mask: Integers, row_offset: Integers, found: Integers, unknown: Integers,
) -> Any:  # fmt: skip
    """As `_body_v3`, for version 2: all systems have the same types, and blank lines are observations without a value.

    Its lines do not name their satellites: of an epoch with a line less or more none can be told from the next.
    """
    named = _list_v2(data, state, start, stop, count, default_system, row_code)
    if named < 0:
        return -2
    n_fields = n_types[_GPS]
    first = state[N_ROWS]
    rows = first
    twice = False
    nameless = named < count
    for k in range(named):
        code = row_code[first + k]
        letter = code // NUMBERS
        mask = np.uint64(0)
        odd = False
        line = state[LINE]
        first_line = state[OFFSET]
        j = 0
        while j < n_fields:
            start = state[OFFSET]
            stop, after = _line_stop(data, start)
            if start >= data.size or (after == data.size and _cut_off(data, start, stop, 0)):
                state[N_ROWS] = rows
                return -2
            if is_epoch_line(data, start, stop, True):
                return WRONG_COUNT
            state[OFFSET] = after
            state[LINE] += 1
            if _is_comment(data, start, stop):
                continue
            for i in range(j, min(j + _FIELDS_PER_LINE_V2, n_fields)):
                bit = column_bit[_GPS, i]
                if bit == _NO_BIT:
                    continue
                value = _field(data, start + FIELD_WIDTH * (i - j), stop)
                if value < 0:
                    odd = True
                elif value > 0:
                    mask |= np.uint64(1) << np.uint64(bit)
            j += _FIELDS_PER_LINE_V2
        if code == 0:
            nameless = True
            continue
        if n_types[letter] == UNKNOWN_SYSTEM:
            unknown[letter] += 1
            continue
        if odd:
            _find(state, line, BAD_FIELD, code, found)
        twice = twice or seen[code] == state[SERIAL]
        seen[code] = state[SERIAL]
        row_epoch[rows], row_code[rows], row_mask[rows] = state[N_EPOCHS], code, mask
        row_offset[rows] = first_line
        rows += 1
    if not _next_is_epoch_v2(data, state[OFFSET]):
        return WRONG_COUNT
    if twice:
        _find(state, epoch_line, TWICE, 0, found)
    if nameless:
        _find(state, epoch_line, BAD_SATELLITE, 0, found)
        if rows == first:
            return NOTHING_LEFT
    state[N_ROWS] = rows
    return -1


@leaf_kernel
def scan(
    data: Bytes, version_2: bool, default_system: int, n_types: Integers, column_bit: Integers, state: Integers,
    seen: Integers, epoch: Integers, epoch_flag: Integers, epoch_line: Integers, row_epoch: Integers,
    row_code: Integers, row_mask: Integers, row_offset: Integers, found: Integers, unknown: Integers,
) -> Any:  # fmt: skip
    """Read epochs from ``state[OFFSET]`` on.

    Fills, per epoch, year to second and nanosecond, flag and line; per satellite and epoch the index of the epoch,
    the satellite's code (``ord(letter) * 1000 + number``), the bits of the signals with a value, bit
    ``column_bit[letter, i]`` for the i-th type of its system, or UNNAMED where the header announces none, and where
    its first line begins [byte]. A satellite that occurs twice in an epoch has two rows. `found` takes line, kind and
    satellite of what was damaged or repaired, `unknown` the number of lines per letter of systems that the header
    does not announce.

    Returns END; TRUNCATED, with the line of the cut epoch in the state and its whole satellites among the rows; or
    EVENT or HEADER_LINE, with OFFSET at the first line of it, or after the line of the event, whose FLAG and COUNT
    are in the state.
    """
    lost = False  # whether the lines here belong to an epoch that is rejected already
    while state[OFFSET] < data.size:
        start = state[OFFSET]
        stop, after = _line_stop(data, start)
        if not is_epoch_line(data, start, stop, version_2):
            if not lost and stop > start and not _is_comment(data, start, stop):
                if _has_label(data, start, stop):
                    return HEADER_LINE
                _find(state, state[LINE], STRAY, 0, found)
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
        row, first_row = state[N_EPOCHS], state[N_ROWS]
        state[SERIAL] += 1
        no_count = count < 0 and not version_2 and stop > flag_column + 1
        readable = 0 <= flag <= 6 and (count >= 0 or no_count)
        if not readable or not _parse_epoch(data, start, stop, version_2, epoch, row):
            fault = -2 if after == data.size and data[data.size - 1] != 10 else BAD_EPOCH
        elif version_2:
            fault = _body_v2(
                data, state, start, stop, line, count, default_system, n_types, column_bit, seen, row_epoch, row_code,
                row_mask, row_offset, found, unknown,
            )  # fmt: skip
        else:
            if no_count:  # lines of version 3 name their satellites: all up to the next epoch
                _find(state, line, NO_COUNT, 0, found)
                count = MAX_SATELLITES + 1
            fault = _body_v3(
                data, state, line, count, n_types, column_bit, seen, row_epoch, row_code, row_mask, row_offset,
                found, unknown,
            )  # fmt: skip
        if fault >= 0:
            _find(state, line, fault, 0, found)
            state[OFFSET], state[LINE] = after, line + 1
            state[N_ROWS] = first_row
            lost = True
            continue
        if flag == 6:  # cycle slips: what was seen is told by the epoch itself
            state[N_ROWS] = first_row
        elif fault == -1 or state[N_ROWS] > first_row:
            epoch_flag[row], epoch_line[row] = flag, line
            state[N_EPOCHS] += 1
        if fault == -2:
            state[LINE] = line
            return TRUNCATED
    return END
