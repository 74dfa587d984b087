"""Which files make which day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gnss_coop.ephemerides.days_covered import DayCount, days_covered


@dataclass(slots=True)
class DayInputs:
    """The contents that have records on a day.

    Attributes
    ----------
    used : dict of str to int
        Hashes of the contents that really cover the day, with the number of their records on it.
    stray : dict of str to int
        Those that have records on it and do not cover it.
    """

    used: dict[str, int] = field(default_factory=dict)
    stray: dict[str, int] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, bool, int, str]]:
        """Return hash, whether used, records, and why not."""
        why = "too few records on this day for a file about it, or all within an hour"
        used = [(sha256, True, n, "") for sha256, n in self.used.items()]
        return used + [(sha256, False, n, why) for sha256, n in self.stray.items()]


class DayIndex:
    """The days that contents have records on; it grows with them.

    Parameters
    ----------
    systems : iterable of str
        Systems whose records count.
    """

    def __init__(self, systems: Iterable[str]) -> None:
        self._letters = tuple(systems)
        self._days: dict[str, DayInputs] = {}

    def add(self, sha256: str, counts: Iterable[DayCount]) -> None:
        """Add a content."""
        for day, (n_records, covered) in days_covered(counts, self._letters).items():
            inputs = self._days.setdefault(day, DayInputs())
            (inputs.used if covered else inputs.stray)[sha256] = n_records

    def of(self, day: str) -> DayInputs:
        """Return what there is of a day."""
        return self._days.get(day, DayInputs())

    def __contains__(self, day: str) -> bool:
        return bool(self.of(day).used)

    def items(self) -> list[tuple[str, DayInputs]]:
        """Return days with their inputs, in order."""
        return sorted(self._days.items(), key=lambda item: item[0])
