"""``gnss-coop position``: where a receiver's pseudoranges put it, beside what DOP promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.commands.track_check import ObsThenNav
from gnss_coop.cli.session import Session, sources

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.model.observations import Observations
    from gnss_coop.model.station import Station
    from gnss_coop.positioning.result import Positioning
    from gnss_coop.positioning.truth import Truth

TABLES: Final[dict[str, Callable[[Positioning], pd.DataFrame]]] = {
    "summary": lambda result: result.summary(),
    "details": lambda result: result.details(),
    "gains": lambda result: result.gains(),
    "fixes": lambda result: result.fixes(),
    "residuals": lambda result: result.residuals(),
    "elevation": lambda result: result.residuals_by_elevation(),
    "offsets": lambda result: result.clock_offsets(),
    "outliers": lambda result: result.outliers(),
    "sigma": lambda result: result.sigmas(),
    "signals": lambda result: result.signals(),
}
PICTURES: Final = ("scatter", "errors", "expected", "residuals", "offsets")
_MODES: Final = ("estimate", "equal")


class Sigma(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``estimate``, ``equal``, or metres by system such as ``R=2.2,C=1.3``."""

    name = "estimate|equal|R=M,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or a mapping of letters to metres."""
        if not isinstance(value, str) or value in _MODES:
            return value
        try:
            pairs = [part.split("=") for part in value.split(",")]
            return {letter.strip(): float(metres) for letter, metres in pairs}
        except ValueError:
            self.fail(f"{value!r} is neither estimate nor equal nor metres by system such as R=2.2,C=1.3", param, ctx)


class Picture(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``scatter=PATH.png``."""

    name = "KIND=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return kind and path."""
        if isinstance(value, tuple):
            return value
        kind, _, path = str(value).partition("=")
        if kind not in PICTURES or not path:
            self.fail(f"{value!r} is not KIND=PATH with a kind of {', '.join(PICTURES)}", param, ctx)
        return kind, path


@click.command("position", cls=ObsThenNav)
@click.argument("obs", nargs=-1, required=True, metavar="OBS...")
@click.option("--nav", multiple=True, required=True, metavar="NAV...", help="Navigation files of the same time.")
@click.option("--station", metavar="NAME|FILE", help="Station where the receiver stands; its position is the truth.")
@click.option(
    "--truth",
    default="auto",
    show_default=True,
    metavar="auto|station|header|median|FILE.snx",
    help="Position that fixes are compared with; auto is the station where one is given, else the median of all fixes.",
)
@opt.SCENARIOS
@opt.mask("10")
@opt.CLOCKS
@click.option(
    "--calibrate",
    "calibrate_hours",
    type=click.FloatRange(0, 24, min_open=True),
    default=None,
    metavar="H",
    help="With --clocks common or prior, calibrate the offsets between the systems on the first H hours.",
)
@click.option(
    "--ionosphere",
    type=click.Choice(("free", "klobuchar", "none")),
    default="free",
    show_default=True,
    help="Removed by two frequencies, or one frequency with the broadcast model or without any.",
)
@click.option(
    "--weights",
    type=click.Choice(("elevation", "sine", "equal")),
    default="elevation",
    show_default=True,
    help="Variance over elevation e: (1 + 1/sin^2 e)/2, 1/sin^2 e, or the same everywhere.",
)
@click.option(
    "--sigma",
    "sigma_m",
    type=Sigma(),
    default="estimate",
    show_default=True,
    help="Standard deviation of each system's pseudoranges at the zenith, in metres.",
)
@opt.option("--max-pdop", type=float, default=None, metavar="X", help="Epochs with a larger PDOP have no fix.")
@click.option(
    "--table",
    type=click.Choice(tuple(TABLES)),
    help="One table in full; summary for csv, json and parquet by default.",
)
@click.option(
    "--plot",
    "plots",
    type=Picture(),
    multiple=True,
    help="Picture as .png or .svg: scatter, errors, expected, residuals or offsets.",
)
@opt.READING
@opt.OUTPUT
def command(
    obs: tuple[str, ...],
    nav: tuple[str, ...],
    station: str | None,
    truth: str,
    systems: str,
    table: str | None,
    plots: tuple[tuple[str, str], ...],
    calibrate_hours: float | None,
    max_pdop: float | None,
    exclude_sv: tuple[str, ...],
    **settings: Any,
) -> int:
    """Position a receiver from its observations, epoch by epoch: errors in metres beside what DOP promises.

    \b
    Example:
      gnss-coop position "$(gnss-coop sample --obs)" --nav "$(gnss-coop sample)" --mask 10,25
    """
    chosen = {k: settings.pop(k) for k in ("mask_deg", "clocks", "ionosphere", "weights", "sigma_m", "max_age_s")}
    session = Session(exclude_sv=exclude_sv, **settings)
    from gnss_coop.positioning.fixes import position_fixes
    from gnss_coop.positioning.solution import MAX_PDOP

    overwrite = session.option("overwrite")
    _check_pictures(plots, overwrite)
    receivers = _receivers(session, obs)
    if len(receivers) > 1 and (plots or station is not None):
        raise click.UsageError("--plot and --station are for the observations of one receiver")
    ephemerides = session.read(nav)
    results = [
        position_fixes(
            observations,
            ephemerides,
            systems,
            station=_station(station),
            truth=_truth(truth, observations),
            calibrate_hours=calibrate_hours or 0.0,
            max_pdop=MAX_PDOP if max_pdop is None else max_pdop,
            exclude_sv=exclude_sv,
            **chosen,
        )
        for observations in receivers
    ]
    for kind, path in plots:
        from gnss_coop.positioning.plots import PLOTS

        PLOTS[kind](results[0], path, overwrite=overwrite)
    _write(session, results, table)
    return session.exit_code(nav)


def _receivers(session: Session, files: tuple[str, ...]) -> list[Observations]:
    """Read observation files; those of one marker belong together."""
    from gnss_coop.formats.rinex.obs import read_obs

    settings = {"accept_truncated": session.option("accept_truncated"), "values": True}
    found: dict[str, list[tuple[Any, Observations]]] = {}
    for source in sources(files):
        read = read_obs(source, **settings)
        found.setdefault(read.marker.upper()[:4], []).append((source, read))
    several = [g[0][1] if len(g) == 1 else read_obs([source for source, _ in g], **settings) for g in found.values()]
    for observations in several:
        for words in observations.damage:
            session.note(f"note: {words}")
    return several


def _write(session: Session, results: list[Positioning], table: str | None) -> None:
    """Write the pages of all receivers, or one table of them."""
    import pandas as pd

    from gnss_coop.positioning.text import positioning_text, times_as_text

    pages = session.wants_text and table is None
    if not pages:  # the pages hold them
        for result in results:
            for note in (*result.notes, f"truth: {result.truth.words}"):
                session.note(f"note: {note}" if len(results) == 1 else f"note: {result.station}: {note}")
    tables = [times_as_text(TABLES[table or "summary"](result)) for result in results]
    text = "\n".join(positioning_text(result, color=session.color) for result in results) if pages else None
    session.write(tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True), text)


def _station(selection: str | None) -> Station | None:
    """Return the station that is chosen, if any."""
    if selection is None:
        return None
    from gnss_coop.errors import StationError
    from gnss_coop.model.network import stations

    network = stations(selection)
    if len(network) != 1:
        raise StationError(f"observations are of one station, and {len(network)} are chosen; choose one")
    return network[0]


def _truth(asked: str, observations: Observations) -> str | Truth:
    """Return the truth that is asked for, read from a SINEX file where it names one."""
    from gnss_coop.positioning.truth import TRUTHS, sinex_truth

    return asked if asked in TRUTHS or "." not in asked else sinex_truth(asked, observations)


def _check_pictures(plots: tuple[tuple[str, str], ...], overwrite: bool) -> None:
    """Refuse at once what could not be written in the end."""
    if not plots:
        return
    from gnss_coop.positioning.plots import check_picture

    for _, path in plots:
        check_picture(path, overwrite=overwrite)
