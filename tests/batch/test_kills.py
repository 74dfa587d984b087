"""Processes are really killed, at random moments: in the end the archive is what it would have been."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes by /proc")

#: How often a run is killed before it may end; more for a longer look at rare moments.
KILLS = int(os.environ.get("GNSS_COOP_TEST_KILLS", "2"))
SEED = int(os.environ.get("GNSS_COOP_TEST_SEED", "0"))


@pytest.fixture(scope="module")
def many_days(tmp_path_factory, on_day):
    folder = tmp_path_factory.mktemp("archive")
    for k in range(8):
        (folder / f"day{k:02d}.24g").write_bytes(on_day(k))
    return folder


@pytest.fixture(scope="module")
def undisturbed(many_days, tmp_path_factory, start, tree):
    output = tmp_path_factory.mktemp("undisturbed") / "results"
    process = start(many_days, "-o", output, "--workers", "1")
    assert process.wait(timeout=120) == 0, process.stderr.read()
    return tree(output)


def is_running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("victim", ["run", "worker"])
def test_killed_and_resumed_until_done(victim, many_days, undisturbed, tmp_path, start, tree, children):
    chance = random.Random(f"{SEED} {victim}")
    output = tmp_path / "results"
    kills = 0
    for _ in range(20 * KILLS + 5):
        process = start(many_days, "-o", output, "--workers", "2")
        workers = []
        while kills < KILLS and process.poll() is None:
            time.sleep(chance.uniform(0.1, 2.0))
            workers = children(process.pid)
            if process.poll() is None and (victim == "run" or workers):
                os.kill(process.pid if victim == "run" else chance.choice(workers), signal.SIGKILL)
                kills += 1
            if victim == "run":
                break
        code = process.wait(timeout=120)
        for _ in range(50):  # workers end with the run, at once on Linux
            if not any(map(is_running, workers)):
                break
            time.sleep(0.1)
        assert not any(map(is_running, workers))
        if code == 0:
            break
        assert code in (-signal.SIGKILL, 3, 4)
    assert code == 0
    assert kills > 0
    assert tree(output) == undisturbed


def test_interrupt_ends_within_two_seconds_and_goes_on(many_days, undisturbed, tmp_path, start, tree, children):
    output = tmp_path / "results"
    for pause_s in (0.7, 2.0, 3.0):
        process = start(many_days, "-o", output, "--workers", "2")
        time.sleep(pause_s)
        workers = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        asked = time.monotonic()
        code = process.wait(timeout=20)
        assert time.monotonic() - asked < 2.0
        out, err = process.stdout.read(), process.stderr.read()
        if code == 0:  # it was done before
            break
        assert code == 130, err
        assert err.strip().splitlines()[-1] == "gnss-coop: interrupted"
        assert "Traceback" not in err
        assert out == ""
        assert not any(map(is_running, workers))
        assert not [name for name in tree(output) if name.endswith(".tmp")]
    process = start(many_days, "-o", output)
    assert process.wait(timeout=120) == 0
    assert tree(output) == undisturbed
