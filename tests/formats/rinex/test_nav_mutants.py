"""Mutants of navigation files by number: no crash, no silent loss, and repaired files are clean.

The long run is ``benchmarks/fuzz_nav.py``; here are the first of its mutants.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks/fuzz_nav.py"


def load():
    spec = importlib.util.spec_from_file_location("fuzz_nav", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_nav"] = module
    spec.loader.exec_module(module)
    return module


fuzz = load()


@pytest.mark.parametrize("tens", range(30))
def test_mutants_are_read_or_refused_and_what_is_lost_is_told(tens: int):
    outcomes = {fuzz.check(number) for number in range(10 * tens, 10 * tens + 10)}
    assert outcomes <= {"read", "refused"}


def test_the_check_sees_a_loss_in_silence(monkeypatch: pytest.MonkeyPatch):
    """Without its entry of the list, a record that is lost for a hole must make the check fail."""
    number = next(n for n in range(0, 4000, 2) if fuzz.mutant(n)[2] == (fuzz.word,) and _loses(n))
    read = fuzz.gc.read_nav

    def silent(*arguments: object, **options: object) -> object:
        import dataclasses

        return dataclasses.replace(read(*arguments, **options), rejects=())

    monkeypatch.setattr(fuzz.gc, "read_nav", silent)
    fuzz._truth.cache_clear()
    with pytest.raises(AssertionError, match="1 records lost, 0 told"):
        fuzz.check(number)
    fuzz._truth.cache_clear()


def _loses(number: int) -> bool:
    original, data, _ = fuzz.mutant(number)
    read = fuzz.gc.read_nav
    return len(read(fuzz.io.BytesIO(data), accept_truncated=True)) == len(read(fuzz.io.BytesIO(original))) - 1
