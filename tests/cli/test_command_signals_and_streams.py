"""How commands end when they are terminated, and when standard output or standard error cannot take anything."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and devices of POSIX")

LARGE = ("--grid", "0.25", "--mask", "5,15,25", "--start", "2024-01-10", "--hours", "2", "--step", "60")


def shell(command, folder):
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m gnss_coop {command}"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_large_map_that_is_ended_leaves_nothing_behind(start, day, tmp_path, number, code, word):
    process = start("map", day, *LARGE, "-o", tmp_path / "m.nc", "--systems", "R")
    time.sleep(6)  # reading, then computing into the scratch file
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err.decode().rstrip().endswith(f"gnss-coop: {word}")
    assert [path.name for path in tmp_path.iterdir() if path.name != "user-config"] == []


@pytest.mark.parametrize(
    "command", ["stations", "info {glonass}", "positions {glonass} --at 2022-10-05T00:20", "--help"]
)
@pytest.mark.parametrize(
    ("redirection", "codes", "words"),
    [
        (">&-", {2}, "cannot write to standard output"),
        (">/dev/full", {2}, "cannot write to standard output"),
        ("2>&-", {0}, ""),
        ("2>/dev/full", {0}, ""),
        ("| head -n 1", {0}, ""),
    ],
)
def test_streams_that_take_nothing_end_commands_cleanly(command, redirection, codes, words, glonass, tmp_path):
    result = shell(f"{command.format(glonass=glonass)} {redirection}", tmp_path)
    assert result.returncode in codes, result
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr
    assert "Exception ignored" not in result.stderr
    assert words in result.stderr
    assert result.stderr.count("error") <= 1


def test_results_reach_their_file_with_both_streams_closed(glonass, tmp_path):
    shell(f"positions {glonass} --at 2022-10-05T00:20 -o p.csv >&- 2>&-", tmp_path)
    assert (tmp_path / "p.csv").read_text().count("\n") == 2
