"""Text that comes from files and names: what of it may not reach a terminal or a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Controls but tab and line feed, and what turns the direction of writing or breaks lines unseen. A carriage return
# lets a line overwrite itself, an escape speaks to the terminal, and a change of direction shows names as others.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
_NO_NAME: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode: controls, format, surrogates, separators
#: Beginnings of cells that spreadsheets take for formulas.
_FORMULA: Final = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Write out characters that would act on a terminal instead of being seen; line feeds and tabs stay.

    Examples
    --------
    >>> printable("\x1b[31mAlarm\u202e\r")
    '\\u001b[31mAlarm\\u202e\\u000d'
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_name(text: str) -> str:
    r"""Return what of a text can be a name: without control characters, marks of direction and signs of formulas.

    Examples
    --------
    >>> as_name("=\x1bCIBG ")
    'CIBG'
    """
    return "".join(c for c in text if unicodedata.category(c) not in _NO_NAME).lstrip("".join(_FORMULA) + " ").rstrip()


def name_faults(text: str) -> str:
    """Say what keeps a text from being a name in tables and files; empty where nothing does.

    Examples
    --------
    >>> name_faults("Obninsk"), name_faults("=SUM(A1)")
    ('', "must not begin with '=', which spreadsheets take for a formula")
    """
    odd = next((c for c in text if unicodedata.category(c) in _NO_NAME), None)
    if odd is not None:
        return f"must not hold control characters or marks of direction, such as U+{ord(odd):04X}"
    first = text.strip()[:1]
    if first in _FORMULA and first:
        return f"must not begin with {first!r}, which spreadsheets take for a formula"
    return ""
