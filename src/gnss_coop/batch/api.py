"""Batches from Python, with the keys of a study as keywords."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnss_coop.batch.request import Summary


def run_batch(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    workers: int | None = None,
    threads: bool = False,
    force: bool = False,
    **study: Any,
) -> Summary:
    """Make products for every day of many navigation files, and keep them in an archive.

    Parameters
    ----------
    inputs : path, or iterable of paths
        Files, folders, globs, lists (``@FILE``).
    output : path
        The archive; a run goes on in one that is there.
    workers : int, optional
        Processes, one per processor by default. Scripts that use processes need the usual
        ``if __name__ == "__main__":``.
    threads : bool
        Threads of this process instead.
    force : bool
        Compute again what is there.
    **study
        Keys of the study file with ``_`` for ``-``: ``products``, ``systems``, ``clocks``, ``mask``, ``stations``,
        ``networks``, ``max_pdop``, ``step``, ``exclude_sv``, ``max_age``, ``accept_truncated``, ``start``, ``end``,
        ``map``.

    Returns
    -------
    Summary
        ``n_days``, ``n_done``, ``n_skipped``, ``n_failed``, ``failures`` and others.

    Raises
    ------
    StudyError
        If something about the study is wrong; all faults are listed.
    ArchiveError
        If the archive is in use or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import gnss_coop as gc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = {"systems": "R", "stations": "Irkutsk", "mask": 25, "products": "compare", "step": 3600}
    ...     summary = gc.run_batch("sample_rinex/brdc0100.24g.gz", folder, threads=True, workers=1, **study)
    ...     gc.query(folder, "SELECT day, station, n_epochs FROM compare")
             day  station  n_epochs
    0 2024-01-10  Irkutsk        24
    >>> summary.n_days, summary.n_done, summary.failures
    (1, 1, {})
    """
    import io

    from gnss_coop.batch.engines.executors import Processes, Threads, default_workers
    from gnss_coop.batch.run import run
    from gnss_coop.batch.study import read_study
    from gnss_coop.batch.watch import Watch

    sources = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    keys = {name.replace("_", "-"): value for name, value in study.items()}
    asked = read_study(None, {**keys, "inputs": [os.fspath(source) for source in sources], "output": os.fspath(output)})
    engine = Threads if threads else Processes
    return run(
        asked.request(force=force),
        lambda n_tasks: engine(min(workers or default_workers(), max(n_tasks, 1))),
        Watch(io.StringIO(), quiet=True),
    )
