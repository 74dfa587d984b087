"""Compiled kernels on disk: whatever is wrong with a file, the numbers are right and the run goes on."""

import errno
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import event

from gnss_coop.errors import GnssCoopWarning
from gnss_coop.kernels import _cache, geometry
from gnss_coop.kernels._jit import kernel

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
#: (xx, xy, xz, yy, yz, zz) of L L' with L = [[2, 0, 0], [1, 3, 0], [4, 5, 6]], worked out by hand.
NORMAL = np.array([4.0, 2.0, 8.0, 10.0, 19.0, 77.0])
ROOTS = (2.0, 1.0, 4.0, 3.0, 5.0, 6.0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_cache, "_failure", None)
    monkeypatch.setattr(_cache, "_swept", False)
    return tmp_path


def roots_and_compilations(normal=NORMAL) -> tuple[tuple[float, ...], int]:
    """What a new process would compute, and how many kernels it would compile."""
    with event.install_recorder("numba:compile") as recorder:
        result = kernel(geometry._cholesky.py_func)(normal)
    return result, sum(e.is_start for _, e in recorder.buffer)


def entries(folder) -> list[Path]:
    return sorted(folder.rglob("*.kernel"))


def test_a_kernel_is_compiled_once(cache):
    assert roots_and_compilations() == (ROOTS, 1)
    assert roots_and_compilations() == (ROOTS, 0)
    assert [p.suffix for p in cache.rglob("*") if p.is_file()] == [".kernel"], "no draft or lock may stay"


def emptied(content: bytes) -> bytes:
    return b""


def garbage(content: bytes) -> bytes:
    return np.random.default_rng(1).bytes(len(content))


def flipped(content: bytes) -> bytes:
    at = len(content) * 3 // 4
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def lengthened(content: bytes) -> bytes:
    return content + b"\0"


def cut_at(share: float):
    return lambda content: content[: int(len(content) * share)]


def of_another_kernel(content: bytes) -> bytes:
    kernel(geometry._clock_terms.py_func)(3.0, 1.0)
    other = next(p for p in entries(Path(numba.config.CACHE_DIR)) if "_clock_terms" in p.name)
    return other.read_bytes()


def of_another_signature(content: bytes) -> bytes:
    """Whole, with the right key, and yet with the code for another array layout."""
    before = set(entries(Path(numba.config.CACHE_DIR)))
    roots_and_compilations(np.repeat(NORMAL, 2)[::2])
    (other,) = set(entries(Path(numba.config.CACHE_DIR))) - before
    key, _ = pickle.loads(_cache._unpack(content))
    return _cache._pack(_cache.dumps((key, pickle.loads(_cache._unpack(other.read_bytes()))[1])))


def of_another_version(content: bytes) -> bytes:
    """As an upgrade would leave it if both wrote to one name: whole, and of other sources."""
    key, parts = pickle.loads(_cache._unpack(content))
    return _cache._pack(_cache.dumps((key.replace(_cache._SOURCES.digest, "0" * 64), parts)))


def of_unknown_parts(content: bytes) -> bytes:
    key, _ = pickle.loads(_cache._unpack(content))
    return _cache._pack(_cache.dumps((key, ("of", "another", "numba"))))


FAULTS = {
    "empty": emptied,
    "garbage": garbage,
    "one bit": flipped,
    "a byte too many": lengthened,
    **{f"cut at {share}": cut_at(share) for share in (0.001, 0.01, 0.3, 0.9, 0.999)},
    "another kernel": of_another_kernel,
    "another signature": of_another_signature,
    "another version": of_another_version,
    "unknown parts": of_unknown_parts,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_miss_and_is_mended(cache, fault):
    roots_and_compilations()
    (path,) = entries(cache)
    path.write_bytes(fault(path.read_bytes()))
    assert roots_and_compilations() == (ROOTS, 1)
    assert roots_and_compilations() == (ROOTS, 0)


def test_a_folder_in_a_files_place_is_a_miss(cache):
    roots_and_compilations()
    (path,) = entries(cache)
    path.unlink()
    path.mkdir()
    with pytest.warns(GnssCoopWarning, match="cannot be kept"):
        assert roots_and_compilations() == (ROOTS, 1)


def test_full_disk_costs_a_warning_and_leaves_nothing(cache, monkeypatch):
    def write_a_part(path, content):
        with path.open("wb") as file:
            file.write(content[:1000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_a_part)
    with pytest.warns(GnssCoopWarning, match=r"No space left on device.*NUMBA_CACHE_DIR"):
        assert roots_and_compilations() == (ROOTS, 1)
    assert [p for p in cache.rglob("*") if p.is_file()] == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        assert roots_and_compilations() == (ROOTS, 1)


def test_warnings_that_are_errors_do_not_end_a_run(cache, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "/dev/null/there")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert roots_and_compilations() == (ROOTS, 1)


def test_folders_out_of_use_are_removed(cache):
    roots_and_compilations()
    (path,) = entries(cache)
    old, recent = path.parent.parent / "0.0.1-old", path.parent.parent / "0.0.2-recent"
    for folder, age_days in ((old, 91), (recent, 89)):
        folder.mkdir()
        (folder / "orbits.x.kernel").write_bytes(b"x")
        os.utime(folder, (time.time() - age_days * 86400,) * 2)
    for name, age_days in (("a.kernel.1.draft", 2), ("b.lock", 2), ("c.kernel.2.draft", 0)):
        (path.parent / name).touch()
        os.utime(path.parent / name, (time.time() - age_days * 86400,) * 2)
    path.unlink()
    _cache._swept = False
    roots_and_compilations()
    assert not old.exists()
    assert recent.exists()
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, "c.kernel.2.draft"])


def test_use_keeps_a_folder_young(cache):
    roots_and_compilations()
    (path,) = entries(cache)
    os.utime(path.parent, (time.time() - 91 * 86400,) * 2)
    assert roots_and_compilations() == (ROOTS, 0)
    assert time.time() - path.parent.stat().st_mtime < 86400


def test_settings_that_change_code_have_folders_of_their_own(cache, monkeypatch):
    roots_and_compilations()
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    assert roots_and_compilations() == (ROOTS, 1)
    assert len({p.parent for p in entries(cache)}) == 2


def test_kernels_of_others_are_not_kept(cache):
    assert kernel(lambda x: x + 1)(1) == 2
    assert entries(cache) == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "/x/gnss-coop/kernels"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/gnss-coop/kernels"),
        ({}, "/home/me/.cache/gnss-coop/kernels"),
    ],
)
def test_where_kernels_are_kept(monkeypatch, variables, expected):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(_cache.cache_root()) == expected


# --- Several processes --------------------------------------------------------------------------------------

#: Solves for three satellites on the axes and one between them, with sums in one layout.
SOLVE = """
import json, sys
import numpy as np
from gnss_coop.kernels import geometry
sums = np.zeros((2, geometry.N_SUMS), order=sys.argv[1])  # of two systems, one of them not in view
a = 3 ** -0.5
for x, y, z in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (a, a, a)):
    sums[0] += (1, x, y, z, x * x, x * y, x * z, y * y, y * z, z * z)
out = np.empty(5)
geometry.solve_dop(sums, np.ones(2, bool), np.inf, np.eye(3), np.empty(6), out)
print(json.dumps(out.tolist()))
"""


def test_processes_with_two_layouts_fill_one_fresh_folder(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SOLVE]
    running = [
        subprocess.Popen([*command, layout], env=environment, stdout=subprocess.PIPE, text=True) for layout in "CFCF"
    ]
    dops = [json.loads(process.communicate(timeout=300)[0]) for process in running]
    # The design matrix by hand: rows (-u, 1).
    design = np.column_stack([-np.vstack([np.eye(3), np.full(3, 3**-0.5)]), np.ones(4)])
    q = np.diag(np.linalg.inv(design.T @ design))
    expected = np.sqrt([q.sum(), q[:3].sum(), q[:2].sum(), q[2], q[3]])
    for dop in dops:
        np.testing.assert_allclose(dop, expected, rtol=1e-10)
    kept = entries(tmp_path)
    assert len([p for p in kept if "solve_dop" in p.name]) == 2
    for path in kept:
        key, parts = pickle.loads(_cache._unpack(path.read_bytes()))
        assert repr([str(kind) for kind in parts[3].args]) in key
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".draft", ".lock")]


KILLED = """
import os, sys
from pathlib import Path
usual = Path.replace
def replace(path, target):
    if "chunk_statistics" in path.name:
        os.kill(os.getpid(), 9)
    return usual(path, target)
Path.replace = replace
from gnss_coop.cli.main import main
main()
"""


def test_a_process_killed_after_an_upgrade_changes_no_later_result(tmp_path):
    """One epoch with a version, then many epochs with the next one, which is killed while it keeps its kernels.

    With numba's cache the third run, and all later ones, printed 33.5 % availability instead of 96.0 %.
    """
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "stations", tmp_path / "stations")
    changed = tmp_path / "src" / "gnss_coop" / "kernels" / "tiles.py"
    copy = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path / "src")}

    def run(environment, start, *options):
        command = [sys.executable, *start, "map", str(SAMPLE), "--systems", "R,C", "--grid", "10", "--mask", "15"]
        everything = {**os.environ, **environment}
        return subprocess.run([*command, *options], env=everything, capture_output=True, text=True, timeout=400)

    assert run(copy, ("-m", "gnss_coop"), "--at", "2024-01-10T12:00").returncode == 0
    changed.write_text(changed.read_text() + "\n# another version\n")
    assert run(copy, ("-c", KILLED), "--step", "3600").returncode == -9
    after = run(copy, ("-m", "gnss_coop"), "--step", "3600")
    assert after.returncode == 0
    assert after.stdout == run({}, ("-m", "gnss_coop"), "--step", "3600").stdout


def test_a_command_goes_on_where_files_cannot_be_written(tmp_path):
    """The limit on the size of files is as real as a full disk, and needs no rights to set."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "gnss_coop", "info", str(SAMPLE)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, preexec_fn=limit, timeout=300)
    assert ended.returncode == 0
    assert ended.stderr.count("compiled kernels cannot be kept") == 1
    assert "SBAS" in ended.stdout
    assert entries(tmp_path) == []
