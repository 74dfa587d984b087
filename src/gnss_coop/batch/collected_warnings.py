"""Collecting warnings where several threads work: each hears its own."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gnss_coop.errors import GnssCoopWarning

_lock = threading.Lock()
_own = threading.local()
_n_listening = 0
_before: warnings.catch_warnings[None] | None = None


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the toolkit's warnings, each once, instead of writing them.

    Python keeps one state of warnings for all threads: the first that listens changes it, the last one puts it back.

    Examples
    --------
    >>> with collected_warnings() as notes:
    ...     warnings.warn("mind the gap", GnssCoopWarning)
    >>> notes
    ['mind the gap']
    """
    notes: list[str] = []
    _own.notes = notes
    _listen()
    try:
        yield notes
    finally:
        _own.notes = None
        _leave()


def _listen() -> None:
    global _n_listening, _before
    with _lock:
        if _n_listening == 0:
            _before = warnings.catch_warnings()
            _before.__enter__()
            warnings.simplefilter("always", GnssCoopWarning)
            usual = warnings.showwarning

            def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
                notes = getattr(_own, "notes", None)
                if notes is None or not issubclass(category, GnssCoopWarning):
                    usual(message, category, *place, **more)
                elif str(message) not in notes:
                    notes.append(str(message))

            warnings.showwarning = show
        _n_listening += 1


def _leave() -> None:
    global _n_listening
    with _lock:
        _n_listening -= 1
        if _n_listening == 0 and _before is not None:
            _before.__exit__(None, None, None)
