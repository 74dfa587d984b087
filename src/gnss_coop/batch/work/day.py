"""The ephemerides of one day, and what products take from them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from gnss_coop.batch.settings import Settings, letters_of
from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import EphemerisGapError
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.orbits.broadcast import day_span_ns, satellite_positions
from gnss_coop.orbits.completeness import incomplete_text

if TYPE_CHECKING:
    import xarray as xr


class Day:
    """One day: what its files hold, as far as the settings ask for it.

    Parameters
    ----------
    label : str
        Day of GPST, ``2024-01-10``.
    nav : Ephemerides
        Of all files of the day.
    settings : Settings

    Attributes
    ----------
    scenarios : tuple of str
        Those whose systems all have records.
    letters : tuple of str
        Their systems.
    notes : list of str
        What a reader of the figures should know: scenarios left out, epochs without ephemerides.

    Raises
    ------
    EphemerisGapError
        If no scenario has records of all its systems.
    """

    def __init__(self, label: str, nav: Ephemerides, settings: Settings) -> None:
        self.label, self.nav, self.settings = label, nav, settings
        present = set(nav.systems)
        self.scenarios = tuple(s for s in settings.systems if set(s.split("+")) <= present)
        self.letters = letters_of(self.scenarios)
        self.notes: list[str] = []
        absent = [s for s in settings.systems if s not in self.scenarios]
        if not self.scenarios:
            names = ", ".join(SYSTEMS[letter].name for letter in settings.letters)
            raise EphemerisGapError(f"the files hold no usable record of {names} together as asked")
        if absent:
            self.notes.append(f"skipped, no records: {', '.join(absent)}")
        if unknown := sorted(set(settings.exclude_sv) - set(nav.satellites)):
            self.notes.append(f"the files hold no satellite {', '.join(unknown)} that could be excluded")
        self._skies: dict[float, xr.Dataset] = {}

    @cached_property
    def span_ns(self) -> tuple[int, int]:
        """Start and end of what the files cover of the day [ns of GPST]."""
        return day_span_ns(self.nav, self.label, self.letters)

    @property
    def span(self) -> tuple[Any, Any]:
        """The same as datetime64."""
        start, end = timescales.to_datetime64(list(self.span_ns))
        return start, end

    @property
    def selection(self) -> dict[str, Any]:
        """Which satellites and records count, as `satellite_positions` and `passes` take it."""
        settings = self.settings
        return {"systems": self.letters, "exclude_sv": settings.exclude_sv, "max_age_s": settings.age_limits_s}

    def sky(self, step_s: float) -> xr.Dataset:
        """Return the positions over the span; the products of a day share them."""
        if step_s not in self._skies:
            start, end = self.span
            epochs = timescales.epochs(start, end=end, step_s=step_s)
            sky = satellite_positions(self.nav, epochs, **self.selection)
            self._tell_gaps(sky)
            self._skies[step_s] = sky
        return self._skies[step_s]

    def _tell_gaps(self, sky: xr.Dataset) -> None:
        in_reach = (sky["message"] >= 0).values
        systems = sky["sv"].values.astype("U1")
        for letter in self.letters:
            empty = int((~in_reach[:, systems == letter].any(axis=1)).sum())
            note = f"{empty} of {len(in_reach)} epochs have no healthy {SYSTEMS[letter].name} ephemeris"
            if empty and note not in self.notes:
                self.notes.append(note)
        text = incomplete_text(sky.attrs)
        if text and text not in self.notes:
            self.notes.append(text)
