"""`gnss-coop warm` compiles all that the commands need, once for each array layout."""

import os
import pickle
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from numba.core.dispatcher import Dispatcher

from gnss_coop import kernels
from gnss_coop.kernels._cache import _unpack

ROOT = Path(__file__).parents[2]
DAY = str(ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
OBS = str(ROOT / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")

#: Other systems, options and sizes than those that `warm` runs with.
COMMANDS = (
    ("info", DAY, "--rejects"),
    ("info", str(ROOT / "sample_rinex" / "brdc0100.24n.gz")),
    ("positions", DAY, "--systems", "R,C,G,E", "--step", "7200", "--start", "2024-01-10", "--hours", "6"),
    ("visibility", DAY, "--at", "2024-01-10T03:00", "--stations", "china"),
    ("visibility", DAY, "--passes", "--stations", "Obninsk", "--systems", "C"),
    ("dop", DAY, "--at", "2024-01-10T03:00", "--clocks", "prior:5"),
    ("compare", DAY, "--step", "1800", "--mask", "15,25", "--clocks", "common"),
    ("map", DAY, "--grid", "10", "--step", "3600", "--mask", "15,25"),
    ("map", DAY, "--grid", "10", "--at", "2024-01-10T03:00"),
    ("map", "--nominal", "R,C", "--epoch", "2024-03-01", "--grid", "20", "--step", "3600"),
    ("network", DAY, "--step", "1800", "--systems", "C"),
    ("track-check", OBS, "--nav", DAY, "--systems", "G,R"),
    ("position", OBS, "--nav", DAY, "--systems", "G,R", "--mask", "5,15", "--clocks", "prior:5", "--truth", "header"),
    ("position", OBS, "--nav", DAY, "--ionosphere", "klobuchar", "--weights", "sine", "--plot", "expected=a.png"),
)


def run(environment, *words, cwd=None):
    command = [sys.executable, "-m", "gnss_coop", *words]
    everything = {**os.environ, **environment}
    return subprocess.run(command, env=everything, capture_output=True, text=True, timeout=600, cwd=cwd)


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    """The folder that a run on a fresh cache has printed, and what it said."""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("kernels"))}
    ended = run(environment, "warm")
    assert ended.returncode == 0, ended.stderr
    return environment, Path(ended.stdout.strip()), ended.stderr


def test_warm_prints_where_and_how_much(warmed):
    environment, folder, said = warmed
    files = list(folder.iterdir())
    assert folder.is_relative_to(environment["NUMBA_CACHE_DIR"])
    assert f"{len(files)} compiled kernels, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB" in said
    assert "left out" not in said
    assert run(environment, "warm", "--where").stdout.strip() == str(folder)


def test_no_command_compiles_anything_afterwards(warmed, tmp_path):
    environment, folder, _ = warmed
    before = sorted(folder.iterdir())
    for words in COMMANDS:
        ended = run(environment, *words, cwd=tmp_path)
        assert ended.returncode == 0, (words, ended.stderr)
        assert "compiling" not in ended.stderr, words
    assert sorted(folder.iterdir()) == before


def test_all_kernels_are_there(warmed):
    _, folder, _ = warmed
    kept = {path.name.rsplit("-", 1)[0] for path in folder.iterdir()}
    modules = [import_module(f"gnss_coop.kernels.{m.name}") for m in iter_modules(kernels.__path__)]
    known = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name, thing in vars(module).items()
        if isinstance(thing, Dispatcher) and thing.py_func.__module__ == module.__name__
    }
    assert len(known) > 90
    assert known - kept == set()


def test_arrays_are_contiguous(warmed):
    """Another layout is another kernel to compile, at each first run."""
    _, folder, _ = warmed
    strided = []
    for path in folder.iterdir():
        key, _ = pickle.loads(_unpack(path.read_bytes()))
        if re.search(r"array\([^()]*, [AF]\)", key):
            strided.append(path.name)
    assert strided == []


def test_an_image_warmed_once_serves_users_who_cannot_write(warmed, tmp_path):
    environment, folder, _ = warmed
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    ended = run({**environment, "HOME": "/nonexistent"}, "compare", DAY, "--step", "3600")
    assert ended.returncode == 0
    assert "compil" not in ended.stderr


def test_where_nothing_can_be_kept_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    ended = run({"NUMBA_CACHE_DIR": str(tmp_path / "file")}, "warm", "--quiet")
    assert ended.returncode == 2
    assert "cannot be kept" in ended.stderr
    assert "NUMBA_CACHE_DIR" in ended.stderr
