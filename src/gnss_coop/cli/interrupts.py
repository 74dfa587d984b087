"""Ctrl-C that always ends the program, wherever it is."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

#: Times that the program has to end by itself and to clear away what is half written, also on a busy machine [s].
#: After the first it is told again: compiled code and callbacks can swallow an exception.
_GRACES_S: Final = (4.0, 8.0)


def heed_interrupts(message: str, exit_code: int) -> None:
    """Turn SIGINT into KeyboardInterrupt; end the process where that comes to nothing.

    The system may hand a signal to a thread of a library while the main thread waits for input, and compiled
    code may swallow the exception. A thread of its own hears of the signal in any case: it passes it on to the
    main thread, once more after a while, and ends the process when nothing comes of that or a second signal follows.

    Parameters
    ----------
    message : str
        What to say when the process has to be ended.
    exit_code : int
        With which code.
    """
    sys.unraisablehook = _quiet_about_interrupts(sys.unraisablehook)
    receive, send = os.pipe()
    os.set_blocking(send, False)
    signal.signal(signal.SIGINT, _raise_at_intervals())
    signal.set_wakeup_fd(send, warn_on_full_buffer=False)

    def watch() -> None:
        os.read(receive, 1)
        for grace_s in _GRACES_S:
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                os.read(receive, 1)  # the one that was passed on
            if select.select([receive], [], [], grace_s)[0]:
                break
        os.write(2, f"{message}\n".encode())
        os._exit(exit_code)

    threading.Thread(target=watch, daemon=True).start()


def _quiet_about_interrupts(usual: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a hook that says nothing of an interrupt that a callback of compiled code has swallowed."""

    def hook(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            usual(unraisable)

    return hook


def _raise_at_intervals() -> Callable[..., None]:
    """Return a handler that does not raise again while the program may be winding down."""
    last_s = float("-inf")

    def handler(*_: object) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s > 0.75 * _GRACES_S[0]:
            last_s = now_s
            raise KeyboardInterrupt

    return handler
