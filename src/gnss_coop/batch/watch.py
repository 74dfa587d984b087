"""How a run goes: a line that changes on a terminal, plain lines elsewhere, or JSON."""

from __future__ import annotations

import json
import shutil
import time
from typing import Any, Final, TextIO

from gnss_coop.batch.archive.lock import now_utc

_TERMINAL_S: Final = 0.2
_PLAIN_S: Final = 30.0


class Watch:
    """Tells how a run goes.

    Parameters
    ----------
    stream : text stream
        Where to.
    terminal : bool
        Whether a line there can be written over.
    as_json : bool
        One JSON object a line instead of words.
    quiet : bool
        Only failures.
    """

    def __init__(self, stream: TextIO, *, terminal: bool = False, as_json: bool = False, quiet: bool = False) -> None:
        self._stream, self._terminal, self._json = stream, terminal and not as_json, as_json
        self._quiet = quiet and not as_json
        self._what, self._total, self._n_done, self._n_failed = "", 0, 0, 0
        self._started_s = self._told_s = time.monotonic()
        self._width = 0

    def event(self, event: str, **values: Any) -> None:
        """Write an event as JSON, where that is wanted."""
        if self._json:
            self._stream.write(json.dumps({"time_utc": now_utc(), "event": event, **values}) + "\n")
            self._stream.flush()

    def note(self, text: str) -> None:
        """Tell something that a user should know."""
        self.event("note", text=text)
        if not self._json and not self._quiet:
            self._line(text)

    def failure(self, what: str, why: str) -> None:
        """Tell of a file or day that failed."""
        self._n_failed += 1
        self.event("failed", what=what, error=why)
        if not self._json:
            self._line(f"gnss-coop: error: {why if why.startswith(what) else f'{what}: {why}'}")

    def begin(self, what: str, total: int) -> None:
        """Begin with so many files or days."""
        self._what, self._total, self._n_done = what, total, 0
        self._started_s = time.monotonic()
        self._told_s = self._started_s
        self.event("begin", what=what, total=total)

    def advance(self, n: int) -> None:
        """Tell that so many more of them are done."""
        self._n_done += n
        now_s = time.monotonic()
        last = self._n_done >= self._total
        if now_s - self._told_s < (_TERMINAL_S if self._terminal else _PLAIN_S) and not (last and self._terminal):
            return
        self._told_s = now_s
        spent_s = now_s - self._started_s
        left_s = spent_s / self._n_done * (self._total - self._n_done)
        self.event("progress", what=self._what, done=self._n_done, total=self._total, left_s=round(left_s, 1))
        if self._json or self._quiet:
            return
        text = f"{self._what} {self._n_done} of {self._total}"
        text += f", {self._n_failed} failed" if self._n_failed else ""
        text += f", {self._n_done / spent_s:.3g} a second, {length_text(left_s)} left" if spent_s > 0 else ""
        if self._terminal:
            self._over(text)
        else:
            self._line(text)

    def end(self) -> None:
        """Clear the line of progress."""
        if self._terminal:
            self._over("")
            self._stream.flush()

    def _over(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]
        self._stream.write(f"\r{text.ljust(self._width)}\r{text}")
        self._stream.flush()
        self._width = len(text)

    def _line(self, text: str) -> None:
        if self._terminal and self._width:
            self._over("")
        self._stream.write(shown(text) + "\n")
        self._stream.flush()


def shown(text: str) -> str:
    r"""Return text as one line; of names of files, what would steer a terminal is escaped.

    Examples
    --------
    >>> shown("brdc\n0100.24g")
    'brdc\\n0100.24g'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def length_text(seconds: float) -> str:
    """Return a length of time for readers.

    Examples
    --------
    >>> length_text(12.3), length_text(4000), length_text(200_000)
    ('12 s', '1 h 06 min', '2 d 8 h')
    """
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {round(whole % 86_400 / 3600)} h"
