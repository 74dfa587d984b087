"""Numbers as data formats write them, and nothing else that Python takes for one."""

from __future__ import annotations

import math
import re
from typing import Final

# No underscores, no digits of other scripts, no "nan", "inf" or hexadecimals.
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[EeDd][+-]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")


def plain_float(text: str) -> float:
    """Return a finite number; Fortran's exponent ``D`` is one too.

    Raises
    ------
    ValueError
        For anything else, and for what is too large for a number.

    Examples
    --------
    >>> plain_float(" -.5D+3 ")
    -500.0
    >>> plain_float("9675.79_281")
    Traceback (most recent call last):
    ValueError: '9675.79_281' is not a number
    """
    word = text.strip(" \t")
    if _FLOAT.fullmatch(word):
        value = float(word.upper().replace("D", "E"))
        if math.isfinite(value):
            return value
    raise ValueError(f"{word[:24]!r} is not a number")


def plain_int(text: str) -> int:
    """Return an integer of at most 18 digits.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> plain_int(" 007")
    7
    """
    word = text.strip(" \t")
    if _INTEGER.fullmatch(word):
        return int(word)
    raise ValueError(f"{word[:24]!r} is not a whole number")
