"""Ctrl-C that always ends the program, wherever it is."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

#: Time that the program has to end by itself and to clear away what is half written [s].
_GRACE_S: Final = 5.0


def heed_interrupts(message: str, exit_code: int) -> None:
    """Turn the first SIGINT into KeyboardInterrupt; end the process where that comes too late.

    The system may hand a signal to a thread of a library while the main thread waits for input, and compiled
    code may swallow the exception. A thread of its own hears of the signal in any case: it passes it on to the
    main thread, and ends the process when nothing comes of that or a second signal follows.

    Parameters
    ----------
    message : str
        What to say when the process has to be ended.
    exit_code : int
        With which code.
    """
    receive, send = os.pipe()
    os.set_blocking(send, False)
    signal.signal(signal.SIGINT, _raise_once())
    signal.set_wakeup_fd(send, warn_on_full_buffer=False)

    def watch() -> None:
        os.read(receive, 1)
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            os.read(receive, 1)  # the one that was passed on
        select.select([receive], [], [], _GRACE_S)
        os.write(2, f"{message}\n".encode())
        os._exit(exit_code)

    threading.Thread(target=watch, daemon=True).start()


def _raise_once() -> Callable[..., None]:
    raised = False

    def handler(*_: object) -> None:
        nonlocal raised
        if not raised:
            raised = True
            raise KeyboardInterrupt

    return handler
