"""``gnss-coop batch``: process many files day by day."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gnss_coop.cli import batch_options as batch_opt
from gnss_coop.cli import network_options as network_opt
from gnss_coop.cli import options as opt
from gnss_coop.cli.interrupts import ending

if TYPE_CHECKING:
    from gnss_coop.batch.engines.executors import Engine

#: Parameters that override a key of the study, and that key.
_KEYS = {
    "sources": "inputs", "output": "output", "products": "products", "systems": "systems", "clocks": "clocks",
    "mask_deg": "mask", "selection": "stations", "networks": "networks", "max_pdop": "max-pdop", "step_s": "step",
    "exclude_sv": "exclude-sv", "max_age_s": "max-age", "accept_truncated": "accept-truncated", "start": "start",
    "end": "end",
}  # fmt: skip
_MAP_KEYS = {"grid_deg": "grid", "region": "region", "map_step_s": "step", "percentiles": "percentiles"}


@click.command("batch")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@batch_opt.BATCH
@opt.SCENARIOS
@opt.CLOCKS
@opt.mask("5,15,25")
@opt.STATIONS
@network_opt.NETWORKS
@opt.MAX_PDOP
@opt.READING
@batch_opt.MAPS
@batch_opt.ENGINE
@batch_opt.WATCH
def command(sources: tuple[str, ...], **shared: Any) -> int:
    """Process many navigation files day by day into an archive of results.

    SOURCE is a file, a folder, a glob, a list (@FILE) or - for standard input. Days are taken from the content
    of the files. A run is safe to kill at any time; a rerun resumes and never repeats work.

    \b
    Example:
      gnss-coop batch "$(gnss-coop sample)" --systems R --stations Irkutsk -o results
    """
    if shared["init"]:
        _write_study(shared["study"])
        return 0
    if shared["status"] is not None:
        _tell_status(shared["status"], as_json=shared["log_json"])
        return 0
    from gnss_coop.batch.run import run
    from gnss_coop.batch.study import read_study
    from gnss_coop.batch.watch import Watch
    from gnss_coop.batch.words import summary_text
    from gnss_coop.output.targets import refuse_file_name

    if shared["output"] is not None:
        refuse_file_name(shared["output"], "archive of results")
    study = read_study(shared["study"], _overrides({"sources": sources, **shared}))
    request = study.request(force=shared["force"], recheck=shared["recheck"], metrics=shared["metrics"])
    watch = Watch(sys.stderr, terminal=sys.stderr.isatty(), as_json=shared["log_json"], quiet=shared["quiet"])
    try:
        summary = run(request, lambda n_tasks: _engine(shared, n_tasks), watch, stdin=sys.stdin.buffer)
    except KeyboardInterrupt:
        if shared["threads"] or shared["scheduler"] or shared["local_cluster"]:
            message, code = ending()
            click.echo(message, err=True)
            os._exit(code)  # their threads would go on for seconds
        raise
    finally:
        watch.end()
    if not shared["quiet"]:
        click.echo(summary_text(summary), nl=False)
    return summary.exit_code


def _overrides(values: dict[str, Any]) -> dict[str, Any]:
    """Return what the command line and the environment say; defaults and the config file count less than a study."""
    context = click.get_current_context()
    own = {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}
    if values["study"] is None:
        own.add(ParameterSource.DEFAULT_MAP)
    given = {name for name in values if context.get_parameter_source(name) in own and values[name] not in (None, ())}
    result = {key: _plain(values[name]) for name, key in _KEYS.items() if name in given}
    of_map = {key: _plain(values[name]) for name, key in _MAP_KEYS.items() if name in given}
    return {**result, **({"map": of_map} if of_map else {})}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _write_study(path: str | None) -> None:
    from gnss_coop.batch.words import STUDY

    if path is None or path == "-":
        click.echo(STUDY, nl=False)
        return
    try:
        with Path(path).open("x", encoding="utf-8") as stream:
            stream.write(STUDY)
    except FileExistsError:
        raise click.UsageError(f"{path} exists: give --study another name") from None


def _tell_status(folder: str, *, as_json: bool) -> None:
    from gnss_coop.batch.words import status, status_text

    found = status(Path(folder))
    click.echo(json.dumps(found) + "\n" if as_json else status_text(found), nl=False)


def _engine(shared: dict[str, Any], n_tasks: int) -> Engine:
    from gnss_coop.batch.engines.executors import Dask, Processes, Threads, default_workers

    if shared["scheduler"] or shared["local_cluster"]:
        return Dask(shared["scheduler"], shared["local_cluster"])
    n_workers = min(shared["workers"] or default_workers(), max(n_tasks, 1))
    return Threads(n_workers) if shared["threads"] else Processes(n_workers)
