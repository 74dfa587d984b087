"""Byte parser of RINEX navigation records: lines, records, numbers.

Numbers follow the method of D. Lemire, "Number parsing at a gigabyte per second" (Software: Practice
and Experience 51, 2021): decimal digits times a 128-bit power of five, correctly rounded, so that each
value is bit-equal to Python's ``float()`` of the same field.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gnss_coop.kernels._jit import kernel

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]  # of lines and frames: hostile files have one for every two bytes

#: Values of one record: three on the epoch line, then four on each of up to nine further lines.
N_FIELDS = 39
MAX_LINES = 9  # lines behind the epoch line
FIELD_WIDTH = 19

# What a frame holds.
(EPHEMERIS, SYSTEM_TIME_OFFSET, EARTH_ORIENTATION, IONOSPHERE, UNKNOWN_FRAME, STRAY_LINES, NO_RECORD,
 EMPTY_FRAME) = range(8)  # fmt: skip
# What became of a field.
NUMBER, BLANK, ODD = range(3)
# What became of a record.
GOOD, BAD_SATELLITE, BAD_EPOCH, NO_EPOCH_LINE = range(4)

LEAST_OPENING = 22  # columns that a line has at least that opens a record: satellite and epoch

_SMALLEST_POWER, _LARGEST_POWER = -120, 120


def _powers_of_five() -> npt.NDArray[np.uint64]:
    """Return 5^q as normalised 128-bit integers (high, low), q from -120 to 120; shape (241, 2)."""
    table = np.empty((_LARGEST_POWER - _SMALLEST_POWER + 1, 2), dtype=np.uint64)
    for q in range(_SMALLEST_POWER, _LARGEST_POWER + 1):
        power = 5 ** abs(q)
        if q < 0:  # the reciprocal; rounded up where 128 bits are all that is kept
            wide = power.bit_length()
            power = (1 << (wide + 127 if q >= -27 else 2 * wide + 128)) // power + 1
        bits = power.bit_length()
        power = power << (128 - bits) if bits <= 128 else power >> (bits - 128)
        table[q - _SMALLEST_POWER] = (power >> 64, power & 0xFFFF_FFFF_FFFF_FFFF)
    return table


POWERS_OF_FIVE = _powers_of_five()
EXACT_POWERS_OF_TEN = np.array([float(10**q) for q in range(23)])

_U0, _U1, _U3 = np.uint64(0), np.uint64(1), np.uint64(3)
_U9, _U32, _U52, _U63 = np.uint64(9), np.uint64(32), np.uint64(52), np.uint64(63)
_LOW_32 = np.uint64(0xFFFF_FFFF)
_LOW_9 = np.uint64(0x1FF)
_TWO_53 = np.uint64(1 << 53)
_TWO_52 = np.uint64(1 << 52)
_SIGN = np.uint64(1 << 63)
_TOP = (
    (np.uint64(32), np.uint64(1 << 32)),
    (np.uint64(16), np.uint64(1 << 48)),
    (np.uint64(8), np.uint64(1 << 56)),
    (np.uint64(4), np.uint64(1 << 60)),
    (np.uint64(2), np.uint64(1 << 62)),
    (np.uint64(1), np.uint64(1 << 63)),
)


@kernel
def _multiply_64(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the 128-bit product of two unsigned 64-bit numbers as (high, low)."""
    a0, a1 = a & _LOW_32, a >> _U32
    b0, b1 = b & _LOW_32, b >> _U32
    p00, p01, p10 = a0 * b0, a0 * b1, a1 * b0
    middle = (p00 >> _U32) + (p01 & _LOW_32) + (p10 & _LOW_32)
    return a1 * b1 + (p01 >> _U32) + (p10 >> _U32) + (middle >> _U32), (p00 & _LOW_32) | (middle << _U32)


@kernel
def _scale(digits: Any, exponent: int) -> Any:
    """Return digits * 10^exponent, correctly rounded; NaN where that is left to Python."""
    if digits == _U0:
        return 0.0
    if digits <= _TWO_53 and -22 <= exponent <= 22:  # both factors and so the only rounding are exact
        value = np.float64(digits)
        return value / EXACT_POWERS_OF_TEN[-exponent] if exponent < 0 else value * EXACT_POWERS_OF_TEN[exponent]
    if exponent < _SMALLEST_POWER or exponent > _LARGEST_POWER:
        return np.nan
    shift = np.int64(0)
    for step, bound in _TOP:
        if digits < bound:
            digits <<= step
            shift += np.int64(step)
    high, low = _multiply_64(digits, POWERS_OF_FIVE[exponent - _SMALLEST_POWER, 0])
    if high & _LOW_9 == _LOW_9:
        more, _ = _multiply_64(digits, POWERS_OF_FIVE[exponent - _SMALLEST_POWER, 1])
        low += more
        if low < more:
            high += _U1
    top = high >> _U63
    mantissa = high >> (top + _U9)
    power = np.int64((217706 * exponent) >> 16) + 63 + np.int64(top) - shift + 1023
    # Half-way cases exist only for small powers; round them to even.
    if low <= _U1 and -4 <= exponent <= 23 and mantissa & _U3 == _U1 and mantissa << (top + _U9) == high:
        mantissa &= ~_U1
    mantissa = (mantissa + (mantissa & _U1)) >> _U1
    if mantissa >= _TWO_53:
        mantissa = _TWO_52
        power += 1
    return np.uint64((mantissa & ~_TWO_52) | (np.uint64(power) << _U52)).view(np.float64)


@kernel
def _is_digit(byte: np.uint8) -> Any:
    return np.uint8(48) <= byte <= np.uint8(57)


@kernel
def _parse_number(data: Bytes, start: int, stop: int) -> Any:
    """Read the number in data[start:stop]; return NUMBER, BLANK or ODD and the value.

    ODD leaves the field to Python: an extreme exponent, or no number at all.
    """
    while start < stop and data[start] == 32:
        start += 1
    while start < stop and data[stop - 1] == 32:
        stop -= 1
    if start == stop:
        return BLANK, np.nan
    negative = data[start] == 45
    if negative or data[start] == 43:
        start += 1
    digits, n_digits, exponent, point = _U0, 0, 0, False
    while start < stop:
        byte = data[start]
        if _is_digit(byte):
            digits = digits * np.uint64(10) + np.uint64(byte - 48)
            n_digits += 1
            if point:
                exponent -= 1
        elif byte == 46 and not point:
            point = True
        else:
            break
        start += 1
    if n_digits == 0:
        return ODD, np.nan
    if start < stop:
        if data[start] not in (68, 69, 100, 101):  # D E d e
            return ODD, np.nan
        start += 1
        minus = start < stop and data[start] == 45
        if minus or (start < stop and data[start] == 43):
            start += 1
        if start == stop or stop - start > 3:
            return ODD, np.nan
        written: Any = 0
        for i in range(start, stop):
            if not _is_digit(data[i]):
                return ODD, np.nan
            written = written * 10 + np.int64(data[i] - 48)
        exponent += -written if minus else written
    value = _scale(digits, exponent)
    return ODD if np.isnan(value) else NUMBER, -value if negative else value


@kernel
def _parse_field(data: Bytes, start: int, stop: int) -> Any:
    """Read the field of 19 columns from `start` of a line that ends at `stop`, as `_parse_number` does.

    Nearly all fields have the form ``-1.234567890123E+01``; these are read without looking for its parts.
    """
    if start + FIELD_WIDTH > stop:
        return _parse_number(data, min(start, stop), stop)
    mark, sign = data[start], data[start + 16]
    letter = data[start + 15] & np.uint8(0xDF)  # as a capital
    usual = (mark == 32 or mark == 45) and data[start + 2] == 46 and (letter == 69 or letter == 68)
    usual = usual and (sign == 43 or sign == 45)
    # Two sums of six digits each, so that one need not wait for the other.
    high, low = np.int64(data[start + 1]) - 48, np.int64(0)
    usual = usual and 0 <= high <= 9
    for i in range(start + 3, start + 9):
        d, e = np.int64(data[i]) - 48, np.int64(data[i + 6]) - 48
        usual &= (d >= 0) & (d <= 9) & (e >= 0) & (e <= 9)
        high = high * 10 + d
        low = low * 10 + e
    d, e = np.int64(data[start + 17]) - 48, np.int64(data[start + 18]) - 48
    if not usual or d < 0 or d > 9 or e < 0 or e > 9:
        return _parse_number(data, start, start + FIELD_WIDTH)
    exponent = d * 10 + e
    value = _scale(np.uint64(high * 1_000_000 + low), (exponent if sign == 43 else -exponent) - 12)
    return NUMBER, -value if mark == 45 else value


@kernel
def _parse_integer(data: Bytes, start: int, stop: int) -> Any:
    """Read a non-negative integer padded with blanks; -1 where it is none."""
    value: Any = 0
    seen, ended = False, False
    for i in range(start, stop):
        if _is_digit(data[i]):
            if ended:
                return -1
            value = value * 10 + np.int64(data[i] - 48)
            seen = True
        elif data[i] == 32:
            ended = seen
        else:
            return -1
    return value if seen else -1


@kernel
def _is_comment(data: Bytes, start: int, stop: int) -> Any:
    """Tell whether COMMENT stands in columns 61 to 67, as some writers put it between records."""
    if stop - start < 67:
        return False
    a = start + 60
    return (data[a] == 67 and data[a + 1] == 79 and data[a + 2] == 77 and data[a + 3] == 77
            and data[a + 4] == 69 and data[a + 5] == 78 and data[a + 6] == 84)  # fmt: skip


@kernel
def index_lines(data: Bytes, offset: int, starts: Places, stops: Places, numbers: Places) -> int:
    """List the lines of `data` from `offset` that are not blank; return how many there are.

    Fills the start, the stop (without trailing blanks) and the number of each, counted from 0. Comments between
    records count as blank lines.
    """
    n, number, i, size = 0, 0, offset, data.size
    while i < size:
        start = i
        while i < size and data[i] != 10:
            i += 1
        end = i
        while end > start and (data[end - 1] == 32 or data[end - 1] == 13 or data[end - 1] == 9):
            end -= 1
        if end > start and data[end - 1] < 32:
            # Zero bytes behind a number may have been its last digits: they stay, but in lines of nothing else.
            last = end
            while last > start and data[last - 1] <= 32:
                last -= 1
            end = end if last > start else start
        if end > start and not _is_comment(data, start, end):
            starts[n] = start
            stops[n] = end
            numbers[n] = number
            n += 1
        number += 1
        i += 1
    return n


@kernel
def _frame_kind(data: Bytes, start: int, stop: int) -> int:
    """Tell what the frame behind a RINEX 4 ``> XXX`` line holds."""
    if stop - start < 5:
        return UNKNOWN_FRAME
    a, b, c = data[start + 2], data[start + 3], data[start + 4]
    if a == 69 and b == 80 and c == 72:
        return EPHEMERIS
    if a == 83 and b == 84 and c == 79:
        return SYSTEM_TIME_OFFSET
    if a == 69 and b == 79 and c == 80:
        return EARTH_ORIENTATION
    if a == 73 and b == 79 and c == 78:
        return IONOSPHERE
    return UNKNOWN_FRAME


@kernel
def index_records(
    data: Bytes, starts: Places, stops: Places, first: Places, count: Places, header: Places, kind: Bytes
) -> int:
    """Group lines into frames.

    Fills, per frame: the index of its first line, its number of lines, the index of its ``>`` line
    (-1 before RINEX 4) and its kind. A line with something in its first three columns opens a record; one
    without continues it. What opens no record, ``>`` lines with nothing behind them, and frames of unknown kinds
    are one frame as long as they follow each other. Returns the number of frames.
    """
    n, skipped = -1, False
    for i in range(starts.size):
        start, stop = starts[i], stops[i]
        frame_line = data[start] == 62  # ">"
        opens = data[start] != 32 or data[start + 1] != 32 or (stop - start > 2 and data[start + 2] != 32)
        awaited = n >= 0 and header[n] >= 0 and count[n] == 0
        if frame_line:
            new_kind = _frame_kind(data, start, stop)
            if awaited and n > 0 and (kind[n - 1] == EMPTY_FRAME or (header[n - 1] >= 0 and count[n - 1] == 0)):
                kind[n - 1] = EMPTY_FRAME
                count[n - 1] += 1
                n -= 1
            elif n >= 0 and not awaited and new_kind == UNKNOWN_FRAME and kind[n] == UNKNOWN_FRAME:
                count[n] += 1
                skipped = True
                continue
            n += 1
            first[n], count[n], header[n], kind[n] = i, 0, i, new_kind
            continue
        if n < 0 or (opens and not awaited and not skipped):
            short = stop - start < LEAST_OPENING
            if n < 0 or not short or kind[n] != NO_RECORD:
                n += 1
                first[n], count[n], header[n] = i, 0, -1
                kind[n] = STRAY_LINES if not opens else NO_RECORD if short else EPHEMERIS
        skipped = False
        if count[n] == 0:
            first[n] = i
        count[n] += 1
    return n + 1


@kernel
def _parse_satellite(data: Bytes, start: int, default_system: np.uint8) -> Any:
    """Return (system letter, number, columns that the letter takes); number -1 where there is none."""
    if data[start] > 57:
        letter = data[start]
        return letter, _parse_integer(data, start + 1, start + 3), 1
    return default_system, _parse_integer(data, start, start + 2), 0


@kernel
def _parse_epoch(
    data: Bytes, start: int, stop: int, year_column: int, year_digits: int, out: npt.NDArray[np.float64]
) -> bool:
    """Read year, month, day, hour, minute and second; False where one of them is no number."""
    column = start + year_column
    if stop < column + year_digits + 13:
        return False
    year = _parse_integer(data, column, column + year_digits)
    if year_digits == 2 and year >= 0:
        year += 1900 if year >= 80 else 2000
    out[0] = year
    column += year_digits
    for j in range(4):
        out[j + 1] = _parse_integer(data, column, column + 3)
        column += 3
    for j in range(5):
        if out[j] < 0:
            return False
    # Seconds: F5.1 in version 2, two digits from 3 on.
    width = 5 if year_digits == 2 else 3
    seconds = 0.0
    scale = 0.0
    for i in range(column, column + width):
        byte = data[i] if i < stop else np.uint8(32)
        if byte == 46:
            scale = 1.0
        elif _is_digit(byte):
            if scale > 0:
                scale *= 0.1
                seconds += scale * np.float64(byte - 48)
            else:
                seconds = seconds * 10 + np.float64(byte - 48)
        elif byte != 32:
            return False
    out[5] = seconds
    return True


@kernel
def _message_code(data: Bytes, start: int, stop: int) -> Any:
    """Pack up to four characters of the message name behind ``> EPH X00 `` into one integer."""
    code = np.int64(0)
    for i in range(start + 10, min(start + 14, stop)):
        if data[i] > 32:
            code = code * 256 + np.int64(data[i])
    return code


@kernel
def parse_records(
    data: Bytes, starts: Places, stops: Places, first: Places, count: Places, header: Places,
    chosen: Integers, version_2: bool, default_system: np.uint8, system: Bytes, number: npt.NDArray[np.int16],
    message: Integers, epoch: npt.NDArray[np.float64], n_lines: Integers, values: npt.NDArray[np.float64],
    field_status: Bytes, status: npt.NDArray[np.int8],
) -> None:  # fmt: skip
    """Parse the chosen frames, all of them ephemerides.

    Fills per record: system letter and satellite number, packed message name (0 before RINEX 4), epoch
    (year, month, day, hour, minute, second), number of lines behind the epoch line, the values of all
    fields and what became of each (NUMBER, BLANK, ODD), and the record's status.
    """
    for r in range(chosen.size):
        frame = chosen[r]
        base = r * N_FIELDS
        for k in range(base, base + N_FIELDS):
            values[k] = np.nan
            field_status[k] = BLANK
        if header[frame] >= 0:
            message[r] = _message_code(data, starts[header[frame]], stops[header[frame]])
        if count[frame] == 0:
            status[r] = NO_EPOCH_LINE
            continue
        line = first[frame]
        start, stop = starts[line], stops[line]
        if stop - start < LEAST_OPENING or (data[start] == 32 and data[start + 1] == 32):
            status[r] = BAD_SATELLITE
            continue
        system[r], number[r], letter = _parse_satellite(data, start, default_system)
        if number[r] < 0:
            status[r] = BAD_SATELLITE
            continue
        indent = 3 + letter if version_2 else 4
        if not _parse_epoch(data, start, stop, indent, 2 if version_2 else 4, epoch[r]):
            status[r] = BAD_EPOCH
            continue
        column = start + indent + FIELD_WIDTH
        for j in range(3):
            field_status[base + j], values[base + j] = _parse_field(data, column, stop)
            column += FIELD_WIDTH
        k = base + 3
        found = 0
        while found < MAX_LINES and found + 1 < count[frame]:
            line += 1
            start, stop = starts[line], stops[line]
            found += 1
            column = start + indent
            for _ in range(4):
                field_status[k], values[k] = _parse_field(data, column, stop)
                column += FIELD_WIDTH
                k += 1
        n_lines[r] = found
        status[r] = GOOD
