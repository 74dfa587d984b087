"""The place where text leaves for the terminal: what files wrote into it cannot act there."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gnss_coop.model.text import printable

#: What the program itself says to a terminal: emphasis, and bars of progress that stay on their line.
_OWN_CODES: Final = re.compile("(\x1b\\[(?:0|1|36)m|\r(?:\x1b\\[\\?25l)?|\x1b\\[\\?25h)")


def open_streams() -> None:
    """Put something in the place of streams that the caller has closed (``>&-``), where Python has None.

    What goes to a closed standard output is an error that says so; notes to a closed standard error vanish.
    """
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_RDONLY), "w"), "utf-8")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the program ends


def guard_streams() -> None:
    """Let standard output and standard error write out control characters; terminals still get the program's own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding lacks is escaped
            # The attribute of the stream, since click, warnings and tracebacks all find their way there.
            stream.write = _guarded(stream.write, stream.isatty())  # type: ignore[method-assign]
    if isinstance(sys.stderr, io.TextIOWrapper):
        for name in ("write", "flush"):
            setattr(sys.stderr, name, _unless_full(getattr(sys.stderr, name), sys.stderr.fileno()))


def _guarded(write: Callable[[str], Any], terminal: bool) -> Callable[[str], int]:
    def guarded(text: str) -> int:
        write(terminal_text(text) if terminal else printable(text))
        return len(text)

    return guarded


def _unless_full(method: Callable[..., Any], descriptor: int) -> Callable[..., Any]:
    """Let notes go nowhere once they cannot be written: results must not be lost with them."""

    def tried(*text: str) -> Any:
        try:
            return method(*text)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            return sum(map(len, text))

    return tried


def terminal_text(text: str) -> str:
    """Return what may go to a terminal: the program's own codes and nothing else that acts there."""
    parts = _OWN_CODES.split(text)
    return "".join(part if i % 2 else printable(part) for i, part in enumerate(parts))
