"""Signals while kernels are compiled or loaded: none is raised into LLVM's callbacks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"

#: A signal arrives in the n-th of LLVM's callbacks that ask for compiled code; an exception there is swallowed,
#: and the process would go on to a segmentation fault.
IN_CALLBACK = """
import os, signal, sys
import numba.core.codegen as codegen
from numba.core.compiler_lock import global_compiler_lock
number, nth, count = signal.Signals[sys.argv[1]], int(sys.argv[2]), 0
usual = codegen.CPUCodeLibrary._object_getbuffer_hook.__func__
def hook(cls, *arguments):
    global count
    count += 1
    assert global_compiler_lock.is_locked(), "a callback without the lock"
    if count == nth:
        print("in callback", count, file=sys.stderr, flush=True)
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass  # Python runs handlers between instructions: here
    return usual(cls, *arguments)
codegen.CPUCodeLibrary._object_getbuffer_hook = classmethod(hook)
sys.argv[1:] = sys.argv[3:]
"""
COMMAND = IN_CALLBACK + "from gnss_coop.cli.main import main\nmain()\n"
LIBRARY = IN_CALLBACK + "import gnss_coop\ngnss_coop.read_nav(sys.argv[1])\nprint('went on')\n"
HANDLED = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(77))
"""


def run_in_callback(code: str, number: str, nth: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, number, str(nth), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("nth", [1, 3, 5, 8])
def test_interrupt_in_a_callback_of_the_compiler_ends_a_command_cleanly(nth):
    ended = run_in_callback(COMMAND, "SIGINT", nth, "dop", str(SAMPLE), "--systems", "R,C,R+C", "--step", "3600")
    assert f"in callback {nth}" in ended.stderr, "the test must reach the callback"
    assert ended.stderr.splitlines()[-1] == "gnss-coop: interrupted"
    assert ended.returncode == 130


def test_interrupt_in_a_callback_reaches_users_of_the_library():
    ended = run_in_callback(LIBRARY, "SIGINT", 2, str(SAMPLE))
    assert "in callback 2" in ended.stderr
    assert "KeyboardInterrupt" in ended.stderr
    assert "went on" not in ended.stdout
    assert ended.returncode in (1, 130, -signal.SIGINT)  # -c ends by the signal itself


def test_other_handlers_run_when_the_lock_is_free():
    ended = run_in_callback(HANDLED + LIBRARY, "SIGTERM", 2, str(SAMPLE))
    assert "in callback 2" in ended.stderr
    assert ended.returncode == 77


def test_signals_without_a_handler_act_at_once():
    ended = run_in_callback(LIBRARY, "SIGTERM", 1, str(SAMPLE))
    assert ended.returncode == -signal.SIGTERM


def test_handlers_are_given_back():
    from numba.core.compiler_lock import global_compiler_lock

    import gnss_coop.kernels._jit  # noqa: F401

    before = signal.getsignal(signal.SIGINT)
    with global_compiler_lock:
        with global_compiler_lock:
            assert signal.getsignal(signal.SIGINT) != before
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_interrupt_is_raised_when_the_outer_lock_is_released():
    from numba.core.compiler_lock import global_compiler_lock

    import gnss_coop.kernels._jit  # noqa: F401

    before, reached = signal.signal(signal.SIGINT, signal.default_int_handler), []

    def interrupt_inside() -> None:
        with global_compiler_lock:
            with global_compiler_lock:
                os.kill(os.getpid(), signal.SIGINT)
            reached.append("behind the inner lock")

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt_inside()
        assert reached
    finally:
        signal.signal(signal.SIGINT, before)
