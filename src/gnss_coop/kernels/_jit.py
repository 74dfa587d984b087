"""The one place where it is decided how kernels are compiled.

* ``error_model="numpy"``: the default inserts a zero check before each division, which stops vectorising.
* ``nogil=True``, never ``parallel=True``: threads over tiles come from outside; numba's own pool aborts
  inside other pools and after a fork.
* no ``fastmath``: it brings under 15 % and breaks NaN.
* compiled kernels are kept on disk by `_cache`, not by numba's own cache, which can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from gnss_coop.kernels._cache import KernelCache
from gnss_coop.kernels._signals import let_signals_wait

let_signals_wait()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function in nopython mode with the project's policy."""
    return _kept(numba.njit(nogil=True, error_model="numpy")(function), function)


def leaf_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that allocates nothing, for the innermost loops.

    Without reference counts a slice of an array costs nothing; with them each one is some atomic operations,
    which is more than the work on a row of a tile. Such a function may take and slice arrays, never make one.
    Products may be fused into sums ("contract"), which rounds once instead of twice and keeps NaN.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "_nrt": False}
    try:
        return _kept(numba.njit(**options)(function), function)
    except (KeyError, TypeError):  # a numba that has dropped the option
        return kernel(function)


def _kept(dispatcher: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a dispatcher look for compiled code on disk and keep it there, and compile fewer variants."""
    if hasattr(dispatcher, "_cache"):  # not where compilation is switched off
        dispatcher._cache = KernelCache(function)
        dispatcher.get_call_template = _without_integer_literals(dispatcher.get_call_template)
    return dispatcher  # type: ignore[no-any-return]


def _without_integer_literals(usual: Callable[..., Any]) -> Callable[..., Any]:
    """Let calls with 1 and with 2 be calls with an integer: else each number is a kernel of its own to compile."""

    def get_call_template(args: Any, kws: Any) -> Any:
        return usual(tuple(map(_plain, args)), {name: _plain(kind) for name, kind in dict(kws).items()})

    return get_call_template


def _plain(kind: Any) -> Any:
    return numba.types.unliteral(kind) if isinstance(kind, numba.types.IntegerLiteral) else kind


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
