"""Engines: processes or threads of this machine, or a Dask cluster, behind one interface."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, Final, Protocol

from gnss_coop.errors import StudyError

_WATCH_S: Final = 0.5
_DASK_ANSWER_S: Final = 10.0
_DASK_COUNT_S: Final = 2.0
_DASK_GRACE_S: Final = 0.5
#: So many tasks wait in any case: clusters that grow with the work look at what waits.
_DASK_QUEUE: Final = 64


class Engine(Protocol):
    """Where tasks run.

    Attributes
    ----------
    name : str
        For the ledger.
    queue_per_worker, least_queue : int
        Tasks to be handed over for each worker, so that none waits, and at least.
    lost : tuple of exception types
        What a task ends with when its worker was killed.
    retries : bool
        Whether the engine has tried such a task again by itself.
    """

    name: str
    queue_per_worker: int
    least_queue: int
    lost: tuple[type[BaseException], ...]
    retries: bool

    @property
    def n_workers(self) -> int:
        """How many tasks run at once, now."""
        ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task."""
        ...

    def renew(self) -> None:
        """Make the engine fit for use again after a worker was killed."""
        ...

    def close(self) -> None:
        """End when all is done."""
        ...

    def kill(self) -> None:
        """End at once, whatever is being done."""
        ...


class Processes:
    """Processes of this machine, started once and fresh (spawn)."""

    name = "processes"
    queue_per_worker = 2
    least_queue = 1
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
    retries = False

    def __init__(self, n_workers: int) -> None:
        self._n = n_workers
        self._pool = self._new()

    @property
    def n_workers(self) -> int:
        """Number of processes."""
        return self._n

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._n, multiprocessing.get_context("spawn"), initializer=_begin_worker, initargs=(os.getpid(),)
        )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task; a pool that broke meanwhile gives a future that says so."""
        try:
            with _no_interrupts_inherited():
                return self._pool.submit(function, *arguments)
        except BrokenExecutor as error:
            broken: Future[Any] = Future()
            broken.set_exception(error)
            return broken

    def renew(self) -> None:
        """Start new processes in place of all."""
        self.kill()
        self._pool = self._new()

    def close(self) -> None:
        """Wait for the processes to end."""
        self._pool.shutdown()

    def kill(self) -> None:
        """Kill the processes."""
        for process in list((self._pool._processes or {}).values()):  # public only from Python 3.14 on
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


class Threads:
    """Threads of this process: no start, but Python's lock is shared."""

    name = "threads"
    queue_per_worker = 2
    least_queue = 1
    lost: tuple[type[BaseException], ...] = ()
    retries = False

    def __init__(self, n_workers: int) -> None:
        self._n = n_workers
        self._pool = ThreadPoolExecutor(n_workers)

    @property
    def n_workers(self) -> int:
        """Number of threads."""
        return self._n

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task."""
        return self._pool.submit(function, *arguments)

    def renew(self) -> None:
        """Do nothing: threads are not killed."""

    def close(self) -> None:
        """Wait for the threads to end."""
        self._pool.shutdown()

    def kill(self) -> None:
        """Drop what has not begun; what runs cannot be stopped from outside."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Dask:
    """A Dask cluster: one that is there, or processes of this machine that are started for the run.

    Parameters
    ----------
    address : str, optional
        Of a scheduler, such as ``tcp://node1:8786`` or ``tls://node1:8786``.
    n_local : int, optional
        Instead of an address: workers to start here; they listen on the loopback only.

    Raises
    ------
    StudyError
        If the packages are missing or no scheduler answers.
    """

    name = "dask"
    queue_per_worker = 3
    least_queue = _DASK_QUEUE
    retries = True

    def __init__(self, address: str | None = None, n_local: int | None = None) -> None:
        try:
            from distributed import Client, KilledWorker, LocalCluster
        except ImportError:
            raise StudyError("a cluster needs the packages dask and distributed: pip install 'gnss-coop[distributed]'"
                             ) from None  # fmt: skip
        self._cluster = None
        self._counted_s, self._n_threads = float("-inf"), 0
        if address is None:
            with _no_interrupts_inherited(), warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Port .* is already in use", UserWarning)  # it takes another one
                self._cluster = LocalCluster(
                    n_workers=n_local, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                    silence_logs=50,
                )  # fmt: skip
        try:
            self._client = Client(self._cluster or address, timeout=_DASK_ANSWER_S)
        except (OSError, ValueError) as error:
            raise StudyError(f"no Dask scheduler answers at {address} ({error}); start one, or check the address"
                             ) from None  # fmt: skip
        self.lost: tuple[type[BaseException], ...] = (KilledWorker, CancelledError)
        self._pool: Executor = self._client.get_executor(pure=False)

    @property
    def n_workers(self) -> int:
        """Threads of all workers that are there now; clusters grow and shrink."""
        now_s = time.monotonic()
        if now_s - self._counted_s > _DASK_COUNT_S:  # asking takes a moment
            n_threads: dict[str, int] = self._client.nthreads()
            self._counted_s, self._n_threads = now_s, sum(n_threads.values())
        return max(1, self._n_threads)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task."""
        return self._pool.submit(function, *arguments)

    def renew(self) -> None:
        """Do nothing: the scheduler has replaced the worker."""

    def close(self) -> None:
        """Leave the cluster; end it where it was started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def kill(self) -> None:
        """Drop all tasks and leave; do not wait long for anyone."""
        with suppress(Exception):  # whatever fails now, the run ends all the same
            self._pool.shutdown(wait=False)
            self._client.close(timeout=_DASK_GRACE_S)
        if self._cluster is not None:  # a proper end takes seconds
            for process in multiprocessing.active_children():
                process.kill()


def default_workers() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _no_interrupts_inherited() -> Iterator[None]:
    """Let processes that are started now take no notice of Ctrl-C: the terminal sends it to all of them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    _start_tracker()  # else the first process starts it, which lets interrupts in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """Start what tidies up behind processes; it would tell users about semaphores when a run is ended."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{f'{before},' if before else ''}ignore:resource_tracker"
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def _begin_worker(parent: int) -> None:
    """Make a process fit for work: deaf to Ctrl-C, and ended with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # without prctl the thread below does it, half a second later
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
