"""The entry point: exit codes, help and its speed, completion, pipes, interruption."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import gnss_coop
from gnss_coop.cli import main

AT = ("--at", "2022-10-05T00:20:00")
FULL = Path("/dev/full")
HEAVY = ("numpy", "numba", "pandas", "xarray", "pydantic", "georinex", "rich")


def finish(process, *, timeout_s=60):
    out, err = process.communicate(timeout=timeout_s)
    assert b"Traceback" not in err
    return process.returncode, (out or b"").decode(), err.decode()


def test_version_and_help(run):
    assert run("--version").out == f"gnss-coop, version {gnss_coop.__version__}\n"
    for flag in ("--help", "-h"):
        result = run(flag)
        assert (result.code, result.err) == (0, "")
        for name, line in main.COMMANDS.items():
            assert re.search(rf"^  {name} +{re.escape(line)}$", result.out, re.MULTILINE)


def test_without_a_command_the_help_is_shown_and_nothing_is_done(run):
    result = run()
    assert result.code == 2
    assert "compare" in result.out + result.err


def test_help_answers_fast(start):
    # 0.2 s is what users are promised; twice that and more leaves room for a busy machine. Imports of numpy
    # or pandas would take longer than that by themselves.
    def seconds():
        begin = time.perf_counter()
        assert finish(start("--help"))[0] == 0
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in main.COMMANDS)])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys; from gnss_coop.cli.main import run; code = run(sys.argv[1:]); "
        f"print(code, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def complete(start, words, position):
    env = {**os.environ, "_GNSS_COOP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    code, out, _ = finish(start(env=env))
    assert code == 0
    return {line.partition(",")[2] for line in out.splitlines()}


def test_completion_of_commands_options_and_choices(start):
    assert complete(start, "gnss-coop ", 1) >= set(main.COMMANDS)
    assert complete(start, "gnss-coop co", 1) == {"compare"}
    assert complete(start, "gnss-coop compare --ma", 2) == {"--mask", "--max-pdop", "--max-age"}
    assert complete(start, "gnss-coop compare --format ", 3) == {"table", "csv", "json", "parquet"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="click asks bash for its version")
def test_completion_script(start):
    code, out, _ = finish(start(env={**os.environ, "_GNSS_COOP_COMPLETE": "bash_source"}))
    assert code == 0
    assert "_GNSS_COOP_COMPLETE=bash_complete" in out
    assert "complete " in out


def test_standard_input_is_a_file_like_any_other(start, run, glonass, hours):
    code, out, _ = finish(start("positions", "-", *AT, "--format", "csv", stdin=glonass.open("rb")))
    # Each row names its source, which is all that differs.
    assert (code, out) == (0, run("positions", glonass, *AT, "--format", "csv").out.replace(str(glonass), "<stdin>"))
    code, out, _ = finish(start("info", "-", hours, "--format", "csv", stdin=glonass.open("rb")))
    assert code == 0
    assert "<stdin>,4.00,R,FDMA,1,2," in out
    code, out, err = finish(start("info", "-", stdin=subprocess.DEVNULL))
    assert (code, out) == (2, "")
    assert "<stdin>: is empty" in err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [("stations",), ("compare", "--help"), ("visibility", "{hours}", "--step", "60", "--format", "csv", "--quiet")],
)
def test_a_reader_that_has_had_enough_is_no_fault(start, hours, arguments, unbuffered):
    # Such as `| head`; the last one writes more than a pipe holds, and Python may buffer or not.
    process = start(*(a.format(hours=hours) for a in arguments), env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    if arguments[0] == "visibility":
        assert process.stdout.readline() == b"time_gpst,station,sv,azimuth_deg,elevation_deg,day,source\n"
    process.stdout.close()
    process.stdin.close()
    err = process.stderr.read()
    assert (process.wait(timeout=60), err) == (0, b"")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [("stations",), ("--help",)])
def test_a_full_disk_is_told_once(start, arguments):
    with FULL.open("wb") as full:
        code, _, err = finish(start(*arguments, stdout=full))
    assert code == 2
    assert err == "gnss-coop: error: cannot write to standard output: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interruption_gives_130_and_leaves_no_file(start, day, tmp_path):
    # Runners of tests and shells ignore SIGINT in what they start in the background, and children inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = start("compare", "-", "-o", "day.csv", "--format", "csv", preexec_fn=heed)
    # A pipe holds 64 KiB: once all this is written, the command is up and reads.
    process.stdin.write(day.read_bytes()[:400_000])
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(timeout=30) == 130
    finally:
        process.kill()
    assert finish(process)[2].strip() == "gnss-coop: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback_and_nothing_else_does(start, monkeypatch):
    with pytest.raises(gnss_coop.RinexError):
        main.run(["--debug", "info", "missing.rnx"])
    monkeypatch.setenv("GNSS_COOP_DEBUG", "1")
    with pytest.raises(gnss_coop.RinexError):
        main.run(["info", "missing.rnx"])
    monkeypatch.setenv("GNSS_COOP_DEBUG", "0")
    assert main.run(["info", "missing.rnx"]) == 2


def test_a_fault_of_the_program_is_one_sentence_too(run, glonass, monkeypatch):
    def fail(*_args, **_settings):
        raise ZeroDivisionError("made for the test")

    monkeypatch.setattr("gnss_coop.orbits.broadcast.satellite_positions", fail)
    result = run("positions", glonass, *AT)
    assert (result.code, result.out) == (1, "")
    assert "internal error (ZeroDivisionError: made for the test); run gnss-coop --debug" in result.err


@pytest.mark.parametrize("encoding", ["ascii", "cp1251"])
def test_names_that_the_terminal_cannot_write_are_escaped(start, tmp_path, encoding):
    (tmp_path / "roof.toml").write_text(
        'name = "屋顶"\ngeodetic = { latitude_deg = 30.0, longitude_deg = 120.0, height_m = 0.0 }\n', "utf-8"
    )
    code, out, _ = finish(
        start("stations", "./roof.toml", "--format", "csv", env={**os.environ, "PYTHONIOENCODING": encoding})
    )
    assert code == 0
    assert r"\u5c4b\u9876" in out
