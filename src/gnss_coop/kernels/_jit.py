"""The one place where it is decided how kernels are compiled.

* ``error_model="numpy"``: the default inserts a zero check before each division, which stops vectorising.
* ``nogil=True``, never ``parallel=True``: threads over tiles come from outside; numba's own pool aborts
  inside other pools and after a fork.
* no ``fastmath``: it brings under 15 % and breaks NaN.
* ``cache=True`` where a cache can be written; elsewhere the kernels are compiled anew in each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from gnss_coop.kernels._signals import let_signals_wait

let_signals_wait()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function in nopython mode with the project's policy."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # numba found no folder where it may write its cache
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


def leaf_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that allocates nothing, for the innermost loops.

    Without reference counts a slice of an array costs nothing; with them each one is some atomic operations,
    which is more than the work on a row of a tile. Such a function may take and slice arrays, never make one.
    Products may be fused into sums ("contract"), which rounds once instead of twice and keeps NaN.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "_nrt": False}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no cache: see `kernel`
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    except (KeyError, TypeError):  # a numba that has dropped the option
        return kernel(function)


def on_compile(callback: Callable[[], None]) -> None:
    """Call `callback` once, when the first kernel is compiled rather than loaded from the cache."""
    from numba.core import event

    class _Once(event.Listener):  # type: ignore[misc]
        done = False

        def on_start(self, event: Any) -> None:
            if not self.done:
                self.done = True
                callback()

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", _Once())
