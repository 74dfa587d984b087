"""Signals wait while numba holds its compiler lock.

LLVM asks for compiled code through callbacks into Python. An exception in one of them, such as the
KeyboardInterrupt of a Ctrl-C, is swallowed, LLVM goes on without the code, and the process ends in a
segmentation fault, perhaps much later. So while the main thread holds the lock, signals that have a handler in
Python are only written down; the handlers, whoever set them, run as soon as the lock is free. Signals without
such a handler, as SIGTERM has none in most programs, act at once as ever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from numba.core import event

#: Those whose handlers commonly raise. The names differ between systems.
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM")
_WAITING: Final = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))

_installed = False


def let_signals_wait() -> None:
    """Let signals wait for numba's compiler lock from now on, in this process and those it forks."""
    global _installed
    if not _installed:
        _installed = True
        event.register("numba:compiler_lock", _Waiting())


class _Waiting(event.Listener):  # type: ignore[misc]
    """Exchanges the handlers of signals while the main thread holds the lock."""

    def __init__(self) -> None:
        self._depth = 0
        self._handlers: dict[int, Callable[..., Any]] = {}
        self._noted: dict[int, Any] = {}

    def on_start(self, event: Any) -> None:
        """Take the handlers away, when the lock is asked for."""
        if threading.current_thread() is not threading.main_thread():
            return  # Python runs handlers in the main thread only
        self._depth += 1
        if self._depth == 1:
            for number in _WAITING:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._note)

    def on_end(self, event: Any) -> None:
        """Give the handlers back, when the lock has been released, and run those that are due."""
        if threading.current_thread() is not threading.main_thread() or not self._depth:
            return
        self._depth -= 1
        if self._depth:
            return
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, handler)
        noted, self._noted = self._noted, {}
        for number, frame in noted.items():
            handlers[number](number, frame)

    def _note(self, number: int, frame: Any) -> None:
        self._noted[number] = frame
