"""Engines: the same results from each; killed workers, a day that kills its worker, a full disk."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gnss_coop.batch.engines import executors
from gnss_coop.batch.engines.drive import drive
from gnss_coop.batch.engines.executors import Dask, Processes, Threads
from gnss_coop.errors import StudyError

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes by /proc, or mounts")


def test_the_engine_does_not_matter(days, batch, tmp_path, tree):
    batch(days)
    whole = tree(tmp_path / "results")
    for name, engine in {"threads": lambda n: Threads(2), "processes": lambda n: Processes(2)}.items():
        assert batch(days, output=tmp_path / name, engine=engine).exit_code == 0
        assert tree(tmp_path / name) == whole


def test_a_dask_cluster_that_is_there(days, batch, tmp_path, tree):
    distributed = pytest.importorskip("distributed")
    batch(days)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        assert batch(days, output=tmp_path / "dask", engine=lambda n: Dask(cluster.scheduler_address)).exit_code == 0
    assert tree(tmp_path / "dask") == tree(tmp_path / "results")


def test_no_scheduler_there(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "_DASK_ANSWER_S", 1.0)
    with pytest.raises(StudyError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        Dask("tcp://127.0.0.1:9")


@linux
def test_a_killed_dask_worker_is_survived(days, batch, tmp_path, tree, children):
    pytest.importorskip("distributed")
    batch(days)
    killed = []

    class Deadly(Dask):
        n_submitted = 0

        def submit(self, function, *arguments):
            future = super().submit(function, *arguments)
            self.n_submitted += 1
            if self.n_submitted == 3:
                workers = [pid for pid in children(os.getpid()) if pid not in before]
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)
            return future

    before = children(os.getpid())
    assert batch(days, output=tmp_path / "dask", engine=lambda n: Deadly(n_local=2)).exit_code == 0
    assert killed
    assert tree(tmp_path / "dask") == tree(tmp_path / "results")


@linux
def test_a_local_cluster_listens_on_the_loopback_only():
    pytest.importorskip("distributed")
    psutil = pytest.importorskip("psutil")  # comes with distributed
    myself = psutil.Process()

    def listening():
        processes = [myself, *myself.children(recursive=True)]
        return {c.laddr for p in processes for c in p.net_connections() if c.status == "LISTEN"}

    before = listening()
    engine = Dask(n_local=1)
    try:
        found = listening() - before
        assert len(found) >= 4  # scheduler, worker, and what they tell by HTTP
        assert {address.ip for address in found} == {"127.0.0.1"}
    finally:
        engine.close()


@linux
def test_what_kills_its_worker_twice_is_given_up(tmp_path, children):
    """The item is a pipe that nobody writes to, so its worker waits until it is killed from outside."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    files = [tmp_path / f"file{k}" for k in range(8)]
    for file in files:
        file.write_text(file.name)
    engine = Processes(2)
    lost, results, stop = [], {}, threading.Event()

    def kill_who_waits():
        while not stop.wait(0.05):
            for worker in children(os.getpid()):
                with contextlib.suppress(OSError):
                    if any(fd.readlink() == pipe for fd in Path(f"/proc/{worker}/fd").iterdir()):
                        os.kill(worker, signal.SIGKILL)

    reaper = threading.Thread(target=kill_who_waits)
    reaper.start()
    writer = os.open(pipe, os.O_RDWR)  # so that opening does not block, and reading does
    try:
        drive(engine, Path.read_text, [*files[:3], pipe, *files[3:]], results.__setitem__, lost.append)
    finally:
        stop.set()
        reaper.join()
        os.close(writer)
        engine.kill()
    assert lost == [pipe]
    assert results == {file: file.name for file in files}


@linux
def test_a_full_disk(days, tmp_path, start, tree):
    undisturbed = start(days, "-o", tmp_path / "whole", "--workers", "1")
    assert undisturbed.wait(timeout=120) == 0
    needed = sum(path.stat().st_blocks * 512 for path in (tmp_path / "whole").rglob("*"))
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={needed // 2}", "tmpfs", small], capture_output=True
    ).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        process = start(days, "-o", small / "results", "--workers", "1")
        assert process.wait(timeout=120) == 2
        error = process.stderr.read()
        assert "again: it resumes where it stopped" in error
        assert "Traceback" not in error
        status = subprocess.run(
            [sys.executable, "-m", "gnss_coop", "batch", "--status", small / "results"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "no run is at work" in status
        kept = tree(small / "results")
        assert kept.items() <= tree(tmp_path / "whole").items()
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        process = start(days, "-o", small / "results", "--workers", "1")
        assert process.wait(timeout=120) == 0, process.stderr.read()
        assert tree(small / "results") == tree(tmp_path / "whole")
    finally:
        time.sleep(0.1)
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.name != "posix", reason="limits of the size of files")
def test_a_file_that_may_not_grow(days, tmp_path, start, tree):
    """A quota, as far as one can have it everywhere: no file beyond so many bytes."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = start(days, "-o", tmp_path / "results", "--workers", "1", preexec_fn=limit)
    assert process.wait(timeout=120) == 2
    error = process.stderr.read()
    assert "error: cannot" in error
    assert "Traceback" not in error
    process = start(days, "-o", tmp_path / "results", "--workers", "1")
    assert process.wait(timeout=120) == 0, process.stderr.read()
    process = start(days, "-o", tmp_path / "whole", "--workers", "1")
    assert process.wait(timeout=120) == 0
    assert tree(tmp_path / "results") == tree(tmp_path / "whole")
