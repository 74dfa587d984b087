"""Ctrl-C and SIGTERM that always end the program, wherever it is, and leave nothing half written."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

#: Times that the program has to end by itself and to clear away what is half written, also on a busy machine [s].
#: After the first it is told again: compiled code and callbacks can swallow an exception.
_GRACES_S: Final = (4.0, 8.0)


#: What is said of each signal; the exit code is 128 and its number, as shells have it.
_WORDS: Final = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_heard: list[int] = []


def ending() -> tuple[str, int]:
    """Return what to say, and the exit code, for the signal that ends the program."""
    number = _heard[0] if _heard else int(signal.SIGINT)
    return f"gnss-coop: {_WORDS[signal.Signals(number)]}", 128 + number


def heed_interrupts() -> None:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt; end the process where that comes to nothing.

    Both clear away what is half written. The system may hand a signal to a thread of a library while the main thread
    waits for input, and compiled code may swallow the exception. A thread of its own hears of the signal in any case:
    it passes it on to the main thread, once more after a while, and ends the process when nothing comes of that or a
    second signal follows.
    """
    sys.unraisablehook = _quiet_about_interrupts(sys.unraisablehook)
    receive, send = os.pipe()
    os.set_blocking(send, False)
    handler = _raise_at_intervals()
    for number in _WORDS:
        signal.signal(number, handler)
    signal.set_wakeup_fd(send, warn_on_full_buffer=False)

    def watch() -> None:
        number = _next_of_ours(receive)
        for grace_s in _GRACES_S:
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, number)
                os.read(receive, 1)  # the one that was passed on
            if select.select([receive], [], [], grace_s)[0]:
                break
        message, code = ending()
        with suppress(OSError):  # a closed or full standard error must not keep the program alive
            os.write(2, f"{message}\n".encode())
        os._exit(code)

    threading.Thread(target=watch, daemon=True).start()


def _next_of_ours(receive: int) -> int:
    """Wait for one of the signals that end the program; the pipe tells of all that have a handler."""
    while (number := os.read(receive, 1)[0]) not in _WORDS:
        pass
    return number


def _quiet_about_interrupts(usual: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a hook that says nothing of an interrupt that a callback of compiled code has swallowed."""

    def hook(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            usual(unraisable)

    return hook


def _raise_at_intervals() -> Callable[..., None]:
    """Return a handler that does not raise again while the program may be winding down."""
    last_s = float("-inf")

    def handler(number: int, _: object) -> None:
        nonlocal last_s
        _heard.append(number)
        now_s = time.monotonic()
        if now_s - last_s > 0.75 * _GRACES_S[0]:
            last_s = now_s
            raise KeyboardInterrupt

    return handler
