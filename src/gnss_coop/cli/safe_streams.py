"""The place where text leaves for the terminal: what files wrote into it cannot act there."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any, Final

from gnss_coop.model.text import printable

#: What the program itself says to a terminal: emphasis, and bars of progress that stay on their line.
_OWN_CODES: Final = re.compile("(\x1b\\[(?:0|1|36)m|\r(?:\x1b\\[\\?25l)?|\x1b\\[\\?25h)")


def guard_streams() -> None:
    """Let standard output and standard error write out control characters; terminals still get the program's own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding lacks is escaped
            # The attribute of the stream, since click, warnings and tracebacks all find their way there.
            stream.write = _guarded(stream.write, stream.isatty())  # type: ignore[method-assign]


def _guarded(write: Callable[[str], Any], terminal: bool) -> Callable[[str], int]:
    def guarded(text: str) -> int:
        write(terminal_text(text) if terminal else printable(text))
        return len(text)

    return guarded


def terminal_text(text: str) -> str:
    """Return what may go to a terminal: the program's own codes and nothing else that acts there."""
    parts = _OWN_CODES.split(text)
    return "".join(part if i % 2 else printable(part) for i, part in enumerate(parts))
