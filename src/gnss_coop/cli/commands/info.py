"""``gnss-coop info``: what navigation files hold, and what was rejected."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, sources

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.ephemerides.ephemerides import Ephemerides


@click.command("info")
@opt.NAV
@click.option("--rejects", is_flag=True, help="List every rejected record: file, line, satellite, reason.")
@click.option("--repairs", is_flag=True, help="List every repair: file, line, satellite, repair.")
@click.option("--repair", is_flag=True, help="Write a repaired copy as valid RINEX to the file given by -o.")
@opt.ACCEPT_TRUNCATED
@opt.OUTPUT
def command(
    nav: tuple[str, ...], rejects: bool, repairs: bool, repair: bool, accept_truncated: bool, **shared: Any
) -> int:
    """Summarize each file: version, systems, messages, satellites, records, span.

    Several files are also compared: whether one calls a whole system healthy that another calls unhealthy.

    \b
    Example:
      gnss-coop info "$(gnss-coop sample)"
    """
    import pandas as pd

    if rejects and repairs:
        raise click.UsageError("--rejects and --repairs are separate tables: give only one of them")
    if repair:
        if rejects or repairs:
            raise click.UsageError("--repair writes no table: give --rejects or --repairs in another run")
        return _repair(nav, accept_truncated, **shared)
    session = Session(**shared)
    from gnss_coop.ephemerides.health_contradictions import health_contradictions
    from gnss_coop.errors import RinexError
    from gnss_coop.formats.rinex.nav import read_nav
    from gnss_coop.output.flat_tables import info_frame

    frames: list[pd.DataFrame] = []
    read: list[Ephemerides] = []
    files = sources(nav)
    for source in files:
        try:
            data = read_nav(source, accept_truncated=accept_truncated)
        except RinexError as error:
            if len(files) == 1:
                raise
            session.failures.append(error)
            session.error(error)
            continue
        read.append(data)
        if rejects or repairs:
            frames.append(data.rejected() if rejects else data.repaired())
        else:
            frames.append(_with_completeness(session, info_frame(data), data))
        session.note(
            f"{data.files[0]}: RINEX {data.headers[0].version:.2f}, {len(data)} usable records, "
            f"{data.n_duplicates} duplicates counted once, {len(data.rejects)} rejected, "
            f"{len(data.repairs)} repaired, {len(data.frames)} frames of other kinds"
        )
        if data.rejects and not rejects:
            first = data.rejects[0]
            session.note(f"  the first rejected: line {first.line}: {first.sv} {first.reason}")
    for contradiction in health_contradictions(read):
        session.note(f"warning: {contradiction}")
    if frames:
        session.write(pd.concat(frames, ignore_index=True))
    return session.exit_code(nav)


def _with_completeness(session: Session, table: pd.DataFrame, data: Ephemerides) -> pd.DataFrame:
    """Add how much of each system's satellites a file holds over its day, and say where it is little."""
    from gnss_coop.orbits.broadcast import completeness_of
    from gnss_coop.orbits.completeness import incomplete_text

    attrs = completeness_of(data)
    if text := incomplete_text(attrs):
        session.note(f"{data.files[0]}: {text}")
    return table.assign(completeness_pct=[attrs.get(f"completeness_{s}_pct", float("nan")) for s in table["system"]])


def _repair(nav: tuple[str, ...], accept_truncated: bool, **shared: Any) -> int:
    """Write a file back as valid RINEX."""
    output = shared.pop("output")
    if len(nav) != 1 or output in (None, "-"):
        raise click.UsageError("--repair takes one file, and -o NAME for what is written")
    session = Session(**shared, output=None)
    from gnss_coop.formats.rinex.nav_repair import repair_nav
    from gnss_coop.output.targets import check_table_target
    from gnss_coop.output.whole_file import replace_file

    check_table_target(output, overwrite=shared["overwrite"])
    done = repair_nav(sources(nav)[0], accept_truncated=accept_truncated)
    data = gzip.compress(done.data, mtime=0) if output.lower().endswith(".gz") else done.data
    replace_file(output, lambda path: path.write_bytes(data))
    lost = f", and {done.n_lost} that the checks reject without them" if done.n_lost else ""
    session.note(
        f"{output}: {len(done.nav) - done.n_lost} records and {len(done.nav.frames)} frames of other kinds; "
        f"{len(done.nav.repairs)} repaired, {done.nav.n_duplicates} duplicates and {len(done.nav.rejects)} rejected "
        f"left out{lost}"
    )
    return 0
