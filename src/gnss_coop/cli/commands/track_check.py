"""``gnss-coop track-check``: compare tracked satellites with predicted visibility."""

from __future__ import annotations

from typing import Any, Final

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of, sources

TABLES: Final = ("satellites", "systems", "bins", "never-tracked", "gaps", "exceptions", "horizon")


class ObsThenNav(click.Command):
    """Lets one ``--nav`` take all files up to the next option, where OBS files stand before it."""

    spread = "--nav"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its files."""
        spread: list[str] = []
        n_before, repeating, fresh = 0, False, False
        for word in args:
            is_option = word.startswith("-") and word != "-"
            if is_option:
                repeating = fresh = word == self.spread and n_before > 0
            elif repeating and not fresh:
                spread.append(self.spread)
            else:
                fresh = False
                n_before += not spread or not spread[-1].startswith("-")
            spread.append(word)
        return super().parse_args(ctx, spread)


@click.command("track-check", cls=ObsThenNav)
@click.argument("obs", nargs=-1, required=True, metavar="OBS...")
@click.option("--nav", multiple=True, required=True, metavar="NAV...", help="Navigation files of the same time.")
@click.option(
    "--station",
    metavar="NAME|FILE",
    help="Station of the receiver [default: the position in the header of OBS].",
)
@opt.LETTERS
@opt.mask("5")
@click.option(
    "--table",
    type=click.Choice(TABLES),
    help="Write one table in full [default for csv, json and parquet: satellites].",
)
@click.option("--write-station", type=click.Path(), metavar="FILE.toml", help="Station file for the learned horizon.")
@opt.READING
@opt.OUTPUT
def command(
    obs: tuple[str, ...],
    nav: tuple[str, ...],
    station: str | None,
    systems: str | None,
    mask_deg: tuple[float, ...],
    table: str | None,
    write_station: str | None,
    exclude_sv: tuple[str, ...],
    max_age_s: Any,
    **shared: Any,
) -> int:
    """Compare tracked satellites with predicted visibility: expected, tracked, missed, and why.

    \b
    Example:
      gnss-coop track-check "$(gnss-coop sample --obs)" \\
        --nav "$(gnss-coop sample)" --systems R,C
    """
    if len(mask_deg) > 1:
        raise click.UsageError("track-check takes one --mask")
    session = Session(exclude_sv=exclude_sv, **shared)
    from gnss_coop.formats.rinex.obs import read_obs
    from gnss_coop.output.targets import check_table_target
    from gnss_coop.tracking import text as frames
    from gnss_coop.tracking.tracked import tracked

    if write_station is not None:
        check_table_target(write_station, overwrite=session.option("overwrite"))
    observations = read_obs(sources(obs), accept_truncated=session.option("accept_truncated"))
    for word, entries in (("rejected", observations.rejects), ("repaired", observations.repairs)):
        for entry in [e for e in entries if e.line][:3]:
            session.note(f"{word}: {entry.file}, line {entry.line}: {entry.sv} {entry.reason}".replace(":  ", ": "))
    result = tracked(
        observations,
        session.read(nav),
        station=station,
        mask_deg=mask_deg[0],
        systems=letters_of(systems),
        exclude_sv=exclude_sv,
        max_age_s=max_age_s,
    )
    summary = session.wants_text and table is None
    for note in () if summary else result.notes:  # the page holds them
        session.note(f"note: {note}")
    if write_station is not None:
        frames.write_station(result.station_with_horizon(), write_station)
    text = frames.tracking_text(result, observations, color=session.color) if summary else None
    session.write(frames.TABLES[table or "satellites"](result), text)
    return session.exit_code(nav)
