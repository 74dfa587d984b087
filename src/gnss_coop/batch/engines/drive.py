"""Getting many items through an engine: some at once, in tasks of about a second, whatever happens to workers."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gnss_coop.batch.engines.executors import Engine

#: Work that is worth a task of its own [s].
_TASK_S: Final = 1.0
_MOST_ITEMS: Final = 64
_LOOK_S: Final = 0.2
_STRIKES: Final = 2


@dataclass(frozen=True, slots=True)
class Effort:
    """What work took: most memory of a worker [byte], time in tasks, and time that workers were there for [s]."""

    peak_bytes: int = 0
    busy_s: float = 0.0
    there_s: float = 0.0

    def __add__(self, other: Effort) -> Effort:
        return Effort(max(self.peak_bytes, other.peak_bytes), self.busy_s + other.busy_s, self.there_s + other.there_s)


class Item(Protocol):
    """Something to be done, with a name of its own."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...


def drive(
    engine: Engine,
    function: Callable[[Any], Any],
    items: Iterable[Item],
    on_result: Callable[[Any, Any], None],
    on_lost: Callable[[Any], None],
) -> Effort:
    """Run a function on all items.

    A killed worker takes with it all tasks that were under way. These items are done again one at a time: the
    one with which a worker is killed again is given up.

    Parameters
    ----------
    engine : Engine
    function : callable
        To be run in a worker on one item.
    items : iterable of Item
    on_result : callable
        Called here, with the item and what the function returned, in the order in which items are done.
    on_lost : callable
        Called with an item that is given up.

    Returns
    -------
    Effort
        What it took.
    """
    started = time.perf_counter()
    work = _Drive(engine, function, items, on_result, on_lost)
    work.run()
    return Effort(work.peak_bytes, work.seconds, engine.n_workers * (time.perf_counter() - started))


def run_all(function: Callable[[Any], Any], items: list[Any]) -> tuple[list[Any], float, int]:
    """Run a function on items one after the other.

    Returns
    -------
    results : list
    seconds : float
        Time that it took [s].
    peak_bytes : int
        Most memory that the process has had until now; 0 where the system does not tell.
    """
    started = time.perf_counter()
    return [function(item) for item in items], time.perf_counter() - started, peak_bytes()


def peak_bytes() -> int:
    """Return the most memory that this process has had [byte]; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Drive:
    def __init__(
        self,
        engine: Engine,
        function: Callable[[Any], Any],
        items: Iterable[Item],
        on_result: Callable[[Any, Any], None],
        on_lost: Callable[[Any], None],
    ) -> None:
        self._engine, self._function = engine, function
        self._on_result, self._on_lost = on_result, on_lost
        self._waiting = deque(items)
        self._suspects: deque[Item] = deque()
        self._strikes: Counter[str] = Counter()
        self._under_way: dict[Future[Any], list[Item]] = {}
        self._n_done, self.seconds, self.peak_bytes = 0, 0.0, 0

    def run(self) -> None:
        while self._waiting or self._suspects or self._under_way:
            self._hand_over()
            done, _ = wait(self._under_way, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            lost = [item for future in done for item in self._take(future)]
            if lost:
                self._after_loss(lost)

    def _hand_over(self) -> None:
        if self._suspects:
            if not self._under_way:
                self._submit([self._suspects.popleft()])
            return
        n_most = max(self._engine.n_workers * self._engine.queue_per_worker, self._engine.least_queue)
        while self._waiting and len(self._under_way) < n_most:
            self._submit([self._waiting.popleft() for _ in range(min(self._n_items(), len(self._waiting)))])

    def _n_items(self) -> int:
        """Return how many items make a task, so that it lasts and there are still tasks for all workers."""
        if not self._n_done:
            return 1
        wanted = round(_TASK_S / max(self.seconds / self._n_done, 1e-6))
        fair = len(self._waiting) // (2 * self._engine.n_workers)
        return max(1, min(wanted, fair, _MOST_ITEMS))

    def _submit(self, items: list[Item]) -> None:
        self._under_way[self._engine.submit(run_all, self._function, items)] = items

    def _take(self, future: Future[Any]) -> list[Item]:
        """Pass on what came of a task; return its items where its worker was killed."""
        items = self._under_way.pop(future)
        try:
            results, seconds, peak = future.result()
        except self._engine.lost:
            return items
        self._n_done += len(items)
        self.seconds += seconds
        self.peak_bytes = max(self.peak_bytes, peak)
        for item, result in zip(items, results, strict=True):
            self._on_result(item, result)
        return []

    def _after_loss(self, lost: list[Item]) -> None:
        if not self._engine.retries:  # the pool is broken, with all that it had
            wait(self._under_way)
            for future in list(self._under_way):
                lost += self._take(future)
        self._engine.renew()
        alone = len(lost) == 1
        for item in lost:
            self._strikes[item.name] += 1
            if alone and (self._engine.retries or self._strikes[item.name] >= _STRIKES):
                self._on_lost(item)
            else:
                self._suspects.append(item)
