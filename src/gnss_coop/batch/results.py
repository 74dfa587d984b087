"""What came of the parts of a day: what workers hand back, and the archive writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gnss_coop.batch.settings import Part


@dataclass(frozen=True, slots=True)
class Written:
    """A result file: its path in the archive, size, SHA-256, and rows (of a table)."""

    path: str
    n_bytes: int
    sha256: str
    n_rows: int | None


@dataclass(frozen=True, slots=True)
class PartResult:
    """What came of one part: a file, or an error."""

    day: str
    part: Part
    key: str
    settings: dict[str, Any]
    duration_s: float
    written: Written | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    software: dict[str, str] = field(default_factory=dict)
