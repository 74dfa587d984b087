"""What most commands do around their one library call: notes, reading, epochs, output, exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.main import EXIT_ALL_FAILED, EXIT_SOME_FAILED
from gnss_coop.errors import GnssCoopWarning, RinexError, TimeError
from gnss_coop.model.text import printable

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import xarray as xr

    from gnss_coop.elements.almanac import Almanac
    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.network import Network
    from gnss_coop.orbits.outlook import Outlook
    from gnss_coop.orbits.precise import PreciseOrbits

    #: Where positions come from.
    Source: TypeAlias = Ephemerides | Outlook | PreciseOrbits

_SHOWN_REJECTS: Final = 3
_MAX_HOURS: Final = 1e6
#: Options that precise orbits have no use for.
_BROADCAST_ONLY: Final = ("almanac", "forecast_days", "max_age_s", "accept_truncated", "include_unhealthy")


class Session:
    """One run of a command, with the values of the shared options.

    Parameters
    ----------
    options
        What the groups of `gnss_coop.cli.options` that the command uses gave it.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        if options.get("output") == "-":
            options["output"] = None
        self._targets = [] if options.get("output") is None else [options["output"]]
        self._check_targets()
        self.failures: list[RinexError] = []
        self._stamp: dict[str, str] | None = None
        warnings.showwarning = self._warn
        warnings.simplefilter("always", GnssCoopWarning)
        self._announce_compilation()

    def option(self, name: str) -> Any:
        """Return the value of an option."""
        return self._options[name]

    def override(self, **options: Any) -> None:
        """Set options that another one decides."""
        self._options |= options

    # --- Words ------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Write a line on standard error, unless told to be quiet."""
        if not self._options["quiet"]:
            click.echo(printable(text), err=True)

    def error(self, error: Exception) -> None:
        """Write an error on standard error."""
        click.echo(printable(f"gnss-coop: error: {error}"), err=True)

    def _warn(self, message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, GnssCoopWarning):
            self.note(f"warning: {message}")

    def _announce_compilation(self) -> None:
        from gnss_coop.kernels._jit import on_compile

        on_compile(lambda: self.note("compiling the numerical kernels for this machine (first run only) ..."))

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None] | None]:
        """Show a bar with an estimate on a terminal."""
        if self._options["quiet"] or not sys.stderr.isatty():
            yield None
            return
        bar: Any = None

        def advance(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                bar = click.progressbar(length=total, label=label, file=sys.stderr)
                bar.__enter__()
            bar.length = total
            bar.update(done - bar.pos)

        try:
            yield advance
        finally:
            if bar is not None:
                bar.__exit__(None, None, None)

    # --- Input ------------------------------------------------------------------------------------------

    def read(self, nav: Sequence[str]) -> Ephemerides:
        """Read navigation files; go on without those that fail, if there are others."""
        result = self._read(nav)
        self._tell_absent(result.satellites, "the files hold")
        return result

    def _read(self, nav: Sequence[str]) -> Ephemerides:
        from gnss_coop.formats.rinex.nav import read_nav

        files = sources(nav)
        failures = self.failures if len(files) > 1 else None
        try:
            result = read_nav(files, accept_truncated=self._options["accept_truncated"], failures=failures)
        except RinexError:
            if failures is None:
                raise
            raise click.exceptions.Exit(EXIT_ALL_FAILED) from None  # the errors of the files say it all
        finally:
            for failure in self.failures:
                self.error(failure)
        self._tell_rejects(result)
        return result

    def _tell_absent(self, known: Sequence[str], where: str) -> None:
        """Say which satellites of --exclude-sv are not there: they may be misspelt."""
        if absent := sorted(set(self._options.get("exclude_sv", ())) - set(known)):
            self.note(f"warning: {where} no satellite {', '.join(absent)} that --exclude-sv could leave out")

    def any_source(self, nav: Sequence[str]) -> Source:
        """Return where positions come from: precise orbits, or what `source` returns."""
        return self._precise(nav, self._options["sp3"]) if self._options["sp3"] else self.source(nav)

    def source(self, nav: Sequence[str]) -> Ephemerides | Outlook:
        """Return the files, and beyond or instead of them a forecast."""
        days, path = self._options.get("forecast_days"), self._options.get("almanac")
        if not nav and path is None:
            others = " or ".join(f"--{name} FILE" for name in ("sp3", "almanac") if name in self._options)
            raise click.UsageError(f"Missing argument 'NAV...': give navigation files, or {others}.")
        if nav and path is not None and days is None:
            raise click.UsageError(
                "--almanac with navigation files needs --forecast DAYS: how far it may go beyond them"
            )
        if nav and days is None:
            return self.read(nav)
        data = self._read(nav) if nav else None
        from gnss_coop.orbits.forecast import MAX_ALMANAC_DAYS
        from gnss_coop.orbits.outlook import Outlook

        almanac = None if path is None else self._almanac(path)
        outlook = Outlook.of(data, forecast_days=days or MAX_ALMANAC_DAYS, almanac=almanac)
        known = (*(data.satellites if data else ()), *outlook.almanac.satellites)
        self._tell_absent(
            known, "files and almanac hold" if nav and path else "the files hold" if nav else f"{path} holds"
        )
        return outlook

    def _precise(self, nav: Sequence[str], sp3: Sequence[str]) -> PreciseOrbits:
        """Read SP3 files; refuse what goes with broadcast records only."""
        if nav:
            raise click.UsageError(
                f"--sp3 goes without navigation files, here {nav[0]}: give either, and --sp3 once for each SP3 file"
            )
        if others := opt.given(*_BROADCAST_ONLY):
            raise click.UsageError(f"{others[0]} is about broadcast records: it goes without --sp3")
        from gnss_coop.orbits.precise import precise_orbits

        orbits = precise_orbits(sources(sp3))
        self._tell_absent(orbits.satellites, "the files hold")
        self.note("SP3 says nothing of health: every satellite with a position is used, unless --exclude-sv names it")
        return orbits

    def _almanac(self, path: str) -> Almanac:
        from gnss_coop.formats.almanacs import read_almanac

        almanac = read_almanac(sources([path])[0], reference=self._options["at"] or self._options["start"])
        for note in almanac.notes:
            self.note(f"note: {note}")
        left_out = almanac.unmatched
        if left_out:
            shown = "; ".join(left_out[:_SHOWN_REJECTS]) + ("; ..." if len(left_out) > _SHOWN_REJECTS else "")
            self.note(f"{len(left_out)} entries of {path} have no RINEX name or are left out: {shown}")
        return almanac

    def _tell_rejects(self, nav: Ephemerides) -> None:
        if nav.repairs:
            first = nav.repairs[0]
            where = f"{first.file}, line {first.line}: {first.sv} {first.reason}".replace(":  ", ": ")
            self.note(f"repaired {len(nav.repairs)}, such as {where}; gnss-coop info --repairs lists them")
        if not nav.rejects:
            return
        self.note(f"rejected {len(nav.rejects)} of {len(nav) + len(nav.rejects)} records, such as:")
        for reject in nav.rejects[:_SHOWN_REJECTS]:
            self.note(f"  {reject.file}, line {reject.line}: {reject.sv} {reject.reason}".replace(":  ", ": "))
        if len(nav.rejects) > _SHOWN_REJECTS:
            self.note(f"  and {len(nav.rejects) - _SHOWN_REJECTS} more: gnss-coop info --rejects lists them")

    def network(self) -> Network:
        """Return the stations asked for."""
        from gnss_coop.model.network import stations

        return stations(list(self._options["selection"]))

    def without_missing(self, nav: Source, systems: str) -> list[str]:
        """Return the scenarios whose systems all have records; the others would be figures about nothing."""
        from gnss_coop.model.scenario import parse_scenarios

        scenarios = parse_scenarios(systems)
        present = [str(s) for s in scenarios if set(s.systems) <= set(nav.systems)]
        absent = [str(s) for s in scenarios if str(s) not in present]
        if absent and present:
            self.note(f"warning: the files hold no usable record of {', '.join(absent)}; left out")
        return present or absent

    def epochs(self, nav: Source, systems: Sequence[str] | None) -> npt.NDArray[Any]:
        """Return the epochs that the time options ask for; by default the day that the files cover."""
        from gnss_coop.model import timescales

        at = self._options["at"]
        if at is not None:
            if any(self._options[name] is not None for name in ("start", "end", "hours")):
                raise TimeError("--at is one epoch: give it without --start, --end and --hours")
            return timescales.to_datetime64([timescales.parse_time(at)])
        start_time, end_time = self.span(nav, systems)
        return timescales.epochs(start_time, end=end_time, step_s=self._options["step_s"])

    def span(self, nav: Source, systems: Sequence[str] | None) -> npt.NDArray[Any]:
        """Return start and end that the time options ask for; by default of the day that the files cover."""
        from gnss_coop.model import timescales

        start, end, hours = (self._options[name] for name in ("start", "end", "hours"))
        if end is not None and hours is not None:
            raise TimeError("give --end or --hours, not both")
        first_ns, last_ns = self._default_span_ns(nav, systems)
        start_ns = first_ns if start is None else timescales.parse_time(start)
        end_ns = last_ns if end is None else timescales.parse_time(end)
        if hours is not None:
            if not 0 < hours < _MAX_HOURS:
                raise TimeError(f"--hours must be positive and below {_MAX_HOURS:g}, not {hours:g}")
            end_ns = start_ns + round(hours * 3.6e12)
        if end_ns <= start_ns:
            span = [timescales.format_time(t) for t in nav.span_ns]
            raise TimeError(
                f"the end {timescales.format_time(end_ns)} is not after the start "
                f"{timescales.format_time(start_ns)} GPST; the ephemerides cover {span[0]} to {span[1]}"
            )
        self._check_reach(nav, end_ns)
        return timescales.to_datetime64([start_ns, end_ns])

    def _check_reach(self, nav: Source, end_ns: int) -> None:
        from gnss_coop.model.timescales import format_time
        from gnss_coop.orbits.outlook import Outlook

        if isinstance(nav, Outlook) and end_ns > nav.span_ns[1]:
            raise TimeError(
                f"the end {format_time(end_ns)} lies beyond the forecast, which reaches {nav.forecast_days:g} days, to "
                f"{format_time(nav.span_ns[1])} GPST: give a longer --forecast or an earlier end"
            )

    def _default_span_ns(self, nav: Source, systems: Sequence[str] | None) -> tuple[int, int]:
        """Return the day that the files cover; of a forecast that starts later, all that it reaches."""
        from gnss_coop.model import timescales
        from gnss_coop.orbits.broadcast import default_span_ns
        from gnss_coop.orbits.outlook import Outlook

        if not isinstance(nav, Outlook):
            span_ns = default_span_ns(nav, systems)
            if self._options["start"] is None and self._options["end"] is None and self._options["hours"] is None:
                self._tell_unused(nav, span_ns, systems)
            return span_ns
        start = self._options["start"]
        if nav.nav is None:
            if start is None:
                raise TimeError("an almanac has no span of its own: give --start with --hours or --end, or --at")
            return timescales.parse_time(start), nav.span_ns[1]
        known = set(nav.nav.systems)
        within = default_span_ns(nav.nav, None if systems is None else [s for s in systems if s in known])
        beyond = start is not None and timescales.parse_time(start) >= within[1]
        return (within[0], nav.span_ns[1]) if beyond else within

    def _tell_unused(self, nav: Source, span_ns: tuple[int, int], systems: Sequence[str] | None) -> None:
        """Say which days of the files lie beyond a gap, and so are not looked at."""
        from gnss_coop.ephemerides.ephemerides import Ephemerides
        from gnss_coop.orbits.broadcast import days_unused

        if isinstance(nav, Ephemerides) and (days := days_unused(nav, *span_ns, systems)):
            self.note(f"warning: not used: {', '.join(days)}, beyond a gap in the files; give --start and --end for it")

    def nominal_epochs(self) -> npt.NDArray[Any]:
        """Return the epochs for nominal constellations, which have no span of their own: a day by default."""
        from gnss_coop.model import timescales

        first = self._options["epoch"] or self._options["start"] or self._options["at"]
        if first is None:
            raise TimeError("--nominal needs a time: --epoch T")
        if self._options["at"] is not None:
            return timescales.to_datetime64([timescales.parse_time(first)])
        hours, end = self._options["hours"], self._options["end"]
        if end is None and hours is None:
            hours = 24.0
        return timescales.epochs(first, hours=hours, end=end, step_s=self._options["step_s"])

    def when_is_given(self) -> bool:
        """Tell whether the user said which epochs."""
        return self._options["at"] is not None or self._options["start"] is not None

    def positions(self, nav: Source, systems: Sequence[str] | None, *, include_unhealthy: bool = False) -> xr.Dataset:
        """Compute positions at the asked epochs; tell which are without ephemerides, and which are forecast."""
        from gnss_coop.orbits.outlook import positions_from

        sky = positions_from(
            nav,
            self.epochs(nav, systems),
            systems=systems,
            exclude_sv=self._options["exclude_sv"],
            max_age_s=self._options["max_age_s"],
            include_unhealthy=include_unhealthy,
        )
        self._tell_gaps(sky, systems if systems is not None else nav.systems)
        self.tell_forecast(sky)
        self.tell_incomplete(sky)
        self.stamp(sky)
        return sky

    def stamp(self, sky: xr.Dataset) -> None:
        """Have tables for programs say of which day, span and source they are, so that they can be joined."""
        from gnss_coop.output.flat_tables import stamp_of

        self._stamp = stamp_of(sky)

    def stamp_span(self, span: npt.NDArray[Any], data: Source) -> None:
        """Do the same for a span without positions."""
        from gnss_coop.output.flat_tables import stamp_between

        self._stamp = stamp_between(span[0], span[1], files_of(data))

    def tell_incomplete(self, sky: xr.Dataset) -> None:
        """Say where files hold too little of a system to stand for it, as those of one receiver do."""
        from gnss_coop.orbits.completeness import incomplete_text

        if text := incomplete_text(sky.attrs):
            further = ", or --forecast 1 for orbits between the sightings" if "forecast_days" in self._options else ""
            self.note(f"warning: {text}{further}")

    def tell_forecast(self, sky: xr.Dataset, what: str = "") -> None:
        """Say how many epochs (or what else) hold forecasts, and how right they are."""
        from gnss_coop.orbits.forecast_marks import forecast_summary

        n_epochs, days, error_deg = forecast_summary(sky)
        if n_epochs:
            what = what or f"{n_epochs} of {sky.sizes['time']} epochs hold satellites"
            self.note(
                f"forecast: {what} beyond their ephemerides, by up to {days:.1f} days; right to {error_deg:.2f} deg "
                f"seen from the Earth's centre ({sky.attrs['forecast_error_deg_per_day']} deg/day) unless a satellite "
                "manoeuvres"
            )

    def mark_forecast(self, table: pd.DataFrame, sky: xr.Dataset) -> pd.DataFrame:
        """Return the table with a column that tells forecasts, where there can be any."""
        if "forecast" not in sky:
            return table
        from gnss_coop.orbits.forecast_marks import mark_forecast

        return mark_forecast(table, sky)

    def forecast_attributes(self, sky: xr.Dataset) -> dict[str, Any]:
        """Return what a file made from these positions says of the forecasts in it."""
        from gnss_coop.orbits.forecast_marks import forecast_attributes

        return forecast_attributes(sky)

    def _tell_gaps(self, sky: xr.Dataset, systems: Sequence[str]) -> None:
        from gnss_coop.model.systems import SYSTEMS

        what = "healthy {} ephemeris" if sky["healthy"].attrs.get("known", 1) else "{} orbit"
        in_reach = (sky["message"] >= 0).values
        names = sky["sv"].values.astype(str)
        for letter in systems:
            columns = [i for i, name in enumerate(names) if name[0] == letter]
            empty = int((~in_reach[:, columns].any(axis=1)).sum())
            if not columns:
                self.note(f"warning: no usable record of {SYSTEMS[letter].name}")
            elif empty:
                self.note(f"warning: {empty} of {len(in_reach)} epochs have no {what.format(SYSTEMS[letter].name)}")

    # --- Output -----------------------------------------------------------------------------------------

    @property
    def wants_text(self) -> bool:
        """Whether the output is for reading."""
        return bool(self._options["output_format"] == "table")

    @property
    def color(self) -> bool:
        """Whether the output takes colour: standard output on a terminal, and NO_COLOR is not set."""
        return self._options["output"] is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def write_to(self, paths: Sequence[str]) -> None:
        """Have the table written to these files instead of standard output."""
        self._targets = list(paths)
        self._check_targets()

    def _check_targets(self) -> None:
        """Take the form from the ending of the names; refuse at once what could not be written in the end."""
        if not self._targets:
            return
        from gnss_coop.cli.options import given
        from gnss_coop.output.targets import check_table_target, table_form

        asked = self._options["output_format"] if given("output_format") else None
        for path in self._targets:
            form = table_form(path, asked)
            check_table_target(path, overwrite=self._options["overwrite"])
        self._options |= {"output": path, "output_format": form}

    def write(self, frame: pd.DataFrame, text: str | None = None) -> None:
        """Write a table in the asked form to standard output, or to files in the form of their endings."""
        from gnss_coop.output.flat_tables import stamped
        from gnss_coop.output.text_and_files import write_table

        if self._stamp is not None and not (self.wants_text and len(self._targets) < 2):
            frame = stamped(frame, self._stamp)
        if not self._targets:
            write_table(frame, self._options["output_format"], None, text=text, color=self.color)
        for path in self._targets:
            self._write_file(frame, path, text)

    def _write_file(self, frame: pd.DataFrame, path: str, text: str | None) -> None:
        """Write a file; where one of its name has come meanwhile, keep the table beside it, since it took time."""
        from gnss_coop.errors import OutputError
        from gnss_coop.output.targets import check_table_target, free_name, table_form
        from gnss_coop.output.text_and_files import write_table

        form = table_form(path, None) if len(self._targets) > 1 else self._options["output_format"]
        try:
            check_table_target(path, overwrite=self._options["overwrite"])
        except OutputError as error:
            other = free_name(path)
            write_table(frame, form, other, text=text)
            raise OutputError(f"{error}; what was computed is in {other}") from None
        write_table(frame, form, path, text=text)

    def exit_code(self, nav: Sequence[str]) -> int:
        """Return 0, or 3 or 4 where some or all of several files failed."""
        if not self.failures:
            return 0
        return EXIT_ALL_FAILED if len(self.failures) == len(sources(nav)) else EXIT_SOME_FAILED


def files_of(data: Source) -> list[str]:
    """Return the names of the files, and of the almanac, that positions come from."""
    own = getattr(data, "files", None)
    if own is not None:
        return list(own)
    parts = (getattr(data, "nav", None), getattr(data, "almanac", None))
    return list(dict.fromkeys(name for part in parts if part is not None for name in part.files))


def sources(nav: Sequence[str]) -> list[str | BinaryIO]:
    """Return the files, each once, with ``-`` as standard input."""
    return [sys.stdin.buffer if name == "-" else name for name in dict.fromkeys(nav)]


def letters_of(systems: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the letters of all systems in a list of scenarios, in order; None for all."""
    if systems is None:
        return None
    from gnss_coop.model.scenario import parse_scenarios

    return tuple(dict.fromkeys(letter for s in parse_scenarios(systems) for letter in s.systems))
