"""What a run is asked for, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnss_coop.batch.engines.drive import Effort
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.work.scan_task import Wanted


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked for.

    Attributes
    ----------
    sources : tuple of str
        As `find_inputs` takes them.
    root : Path
        The archive.
    products : tuple of str
    settings : Settings
    first_day, end_day : str
        Only days from this one on, and before that one; empty for no bound.
    accept_truncated : bool
    force : bool
        Compute again what is there.
    recheck : bool
        Read and hash inputs and results that look unchanged.
    study : dict
        For the ledger: the study as the user wrote it.
    metrics : Path or None
        File for figures about the run, written when it ends, however it does.
    """

    sources: tuple[str, ...]
    root: Path
    products: tuple[str, ...]
    settings: Settings
    first_day: str = ""
    end_day: str = ""
    accept_truncated: bool = False
    force: bool = False
    recheck: bool = False
    study: dict[str, Any] = field(default_factory=dict)
    metrics: Path | None = None

    @property
    def wanted(self) -> Wanted:
        """What is to be made of each day."""
        # Workers of a cluster stand in another folder.
        return Wanted(self.products, self.settings, str(self.root.absolute()), self.accept_truncated)

    def asks_for(self, day: str) -> bool:
        """Tell whether a day lies within the bounds."""
        return (not self.first_day or day >= self.first_day) and (not self.end_day or day < self.end_day)


@dataclass(slots=True)
class Summary:
    """How a run went.

    Attributes
    ----------
    n_files, n_bad_files, n_other_files : int
        Inputs, those of them that could not be read, and files of folders that are no inputs by their name.
    n_days, n_done, n_skipped, n_failed : int
        Days asked for; computed, at least in part; found complete; failed, at least in part.
    failures : dict of str to str
        Reasons, by file or day.
    duration_s : float
    effort : Effort
        What it took of the workers.
    """

    n_files: int = 0
    n_bad_files: int = 0
    n_other_files: int = 0
    n_days: int = 0
    n_done: int = 0
    n_skipped: int = 0
    n_failed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    duration_s: float = 0.0
    effort: Effort = field(default_factory=Effort)

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, 3 where something did, 4 where nothing else is there."""
        if not self.n_failed and not self.n_bad_files:
            return 0
        return 3 if self.n_done + self.n_skipped else 4
