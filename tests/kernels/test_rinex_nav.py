"""The byte parser: each number bit-equal to float() of its field, each line and record where it stands."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnss_coop.kernels import rinex_nav as kernel

DIGITS = "0123456789"


def parse(text: str, parser=kernel._parse_number) -> tuple[int, float]:
    """Parse a field that stands at the end of the buffer, so that nothing lies behind it."""
    data = np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    if parser is kernel._parse_field:
        return parser(data, 0, data.size)
    return parser(data, 0, data.size)


def python_float(text: str) -> float:
    return float(text.replace("D", "E").replace("d", "e"))


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def assert_like_python(text: str) -> None:
    """A field is either bit-equal to float(), or left to Python."""
    for parser in (kernel._parse_number, kernel._parse_field):
        status, value = parse(text[:19], parser)
        assert status in (kernel.NUMBER, kernel.ODD)
        if status == kernel.NUMBER:
            assert bits(value) == bits(python_float(text[:19])), text


@st.composite
def numbers(draw: st.DrawFn) -> str:
    digits = draw(st.text(DIGITS, min_size=1, max_size=19))
    point = draw(st.integers(0, len(digits)))
    sign = draw(st.sampled_from(["", "-", "+"]))
    mantissa = draw(st.sampled_from([digits, digits[:point] + "." + digits[point:]]))
    letter = draw(st.sampled_from("DEde"))
    exponent = draw(st.integers(-130, 130))
    style = draw(st.sampled_from(["{:+03d}", "{:d}", "{:+04d}", "{:+d}"]))
    tail = draw(st.sampled_from(["", letter + style.format(exponent)]))
    blanks = draw(st.integers(0, 3)) * " "
    return blanks + sign + mantissa + tail


@settings(max_examples=2000, deadline=None)
@given(numbers())
def test_any_number_is_bit_equal_to_python(text: str):
    status, value = parse(text)
    if status == kernel.NUMBER:
        assert bits(value) == bits(python_float(text))
    else:  # only extreme exponents are left to Python
        exponent = python_float("1" + text.lstrip(" +-0123456789."))
        assert status == kernel.ODD
        assert not 1e-95 < exponent < 1e95


@settings(max_examples=1000, deadline=None)
@given(st.floats(1.0, 9.999999999999, width=64), st.integers(-130, 130), st.booleans(), st.sampled_from("DEde"))
def test_the_usual_form_is_bit_equal_to_python(mantissa: float, exponent: int, negative: bool, letter: str):
    text = f"{'-' if negative else ' '}{mantissa:.12f}{letter}{exponent:+03d}"
    assert_like_python(text)
    if abs(exponent) <= 99:
        assert parse(text, kernel._parse_field)[0] == kernel.NUMBER


@settings(max_examples=1000, deadline=None)
@given(st.text("0123456789.+-DEde ", min_size=19, max_size=19))
def test_any_19_columns_are_read_like_python_or_left_to_it(text: str):
    status, value = parse(text, kernel._parse_field)
    if text.strip() == "":
        assert status == kernel.BLANK
        assert math.isnan(value)
        return
    try:
        truth = python_float(text)
    except ValueError:
        assert status == kernel.ODD
        return
    assert status == kernel.ODD or bits(value) == bits(truth)


@settings(max_examples=1000, deadline=None)
@given(st.integers(2**52, 2**54 - 2), st.integers(0, 4), st.integers(-1, 1))
def test_numbers_next_to_the_middle_of_two_doubles(odd: int, power: int, off: int):
    """The middle between two doubles is where rounding goes wrong (round half to even)."""
    middle = (2 * odd + 1) * 2**power
    text = str(middle + off)[:19]
    assert_like_python(text)
    digits = str(middle + off)
    if len(digits) <= 16:
        assert_like_python(f"{digits[0]}.{digits[1:]}E{len(digits) - 1}")


@pytest.mark.parametrize(
    "text",
    [
        ".5", "5.", "-.5", "+.5D+01", "0", "-0.0", "-0.000000000000D+00", " .999999999999E+09", "9007199254740993",
        "9007199254740992.5", "1E22", "1E23", "8.5E22", "9999999999999999999", "4.9E-119", "7E+119", "1E+0", "1E0",
        "0E-130", "0.0E+999", "1e-5", "123456789012E-120", "2.2250738585072011E5", "9.5367431640625E-07",
    ],
)  # fmt: skip
def test_forms_that_writers_use(text: str):
    assert_like_python(text)
    status, value = parse(text)
    if status == kernel.NUMBER:
        assert math.copysign(1, value) == math.copysign(1, python_float(text))


@pytest.mark.parametrize("text", ["", " ", " " * 19, " " * 40])
def test_blank_is_nan(text: str):
    status, value = parse(text)
    assert status == kernel.BLANK
    assert math.isnan(value)


@pytest.mark.parametrize(
    "text", ["-", "+", ".", "E", "D+05", "-.E+01", "1.2.3", "1 2", "1E", "1E+", "1E+1234", "x", "1\t", "nan", "\xa0"]
)
def test_what_is_no_number_is_left_to_python(text: str):
    assert parse(text)[0] == kernel.ODD


def index_lines(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    data = np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    starts, stops, numbers = (np.empty(text.count("\n") + 1, np.int32) for _ in range(3))
    n = kernel.index_lines(data, 0, starts, stops, numbers)
    return data, starts[:n], stops[:n], numbers[:n]


def lines_of(text: str) -> dict[int, str]:
    _, starts, stops, numbers = index_lines(text)
    return {int(n): text[a:b] for a, b, n in zip(starts, stops, numbers, strict=True)}


def frames_of(text: str) -> list[tuple[int, int, int, int]]:
    """Return first line, number of lines, ``>`` line and kind of each frame, lines counted as they are indexed."""
    data, starts, stops, _ = index_lines(text)
    first, count, header = (np.empty(len(starts) + 1, np.int32) for _ in range(3))
    kind = np.empty(len(starts) + 1, np.uint8)
    n = kernel.index_records(data, starts, stops, first, count, header, kind)
    return list(zip(*(a[:n].tolist() for a in (first, count, header, kind)), strict=True))


def test_lines_lose_blanks_line_ends_and_comments():
    comment = f"{'merged by hand':60}COMMENT"
    assert lines_of(f"a \r\n\n  b\t\r\n{comment}\nc") == {0: "a", 2: "  b", 4: "c"}
    assert lines_of("") == {}
    assert lines_of("\n") == {}
    assert lines_of("x") == {0: "x"}
    assert lines_of("x\n\0\0\n\x1a") == {0: "x"}


def test_zero_bytes_behind_a_number_are_no_blanks():
    """They may have been its last digits."""
    assert lines_of("1.5E+0\0\r\n") == {0: "1.5E+0\0"}


@settings(max_examples=300, deadline=None)
@given(st.text("> R0\n\r\t\x00", max_size=60))
def test_every_line_that_is_not_blank_belongs_to_one_frame(text: str):
    lines = lines_of(text)
    frames = frames_of(text)
    assert list(lines) == [i for i, line in enumerate(text.split("\n")) if line.strip(" \r\t\0")]
    assert sum(count + (header >= 0) for _, count, header, _ in frames) == len(lines)
    assert (np.diff([first for first, *_ in frames]) > 0).all()


def test_what_opens_no_record_is_one_frame():
    assert frames_of("R\nR\n   x\nR\n") == [(0, 4, -1, kernel.NO_RECORD)]
    assert frames_of("> EPH\n" * 3 + "> EPH R01 FDMA\nR01\n") == [
        (0, 2, 0, kernel.EMPTY_FRAME),
        (4, 1, 3, kernel.EPHEMERIS),
    ]
    other = "> XYZ R01\nR01 2024 01 10 00 15 00\n   1\n"
    assert frames_of(other + other + "> EPH R01\nR01\n") == [
        (1, 5, 0, kernel.UNKNOWN_FRAME),
        (7, 1, 6, kernel.EPHEMERIS),
    ]
