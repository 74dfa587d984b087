"""Defaults from a TOML file: top-level keys for all commands, tables for single ones."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import click

#: Options that may stand in a file, as on the command line without the dashes, and their parameters.
KEYS: Final = {
    "systems": "systems", "clocks": "clocks", "mask": "mask_deg", "stations": "selection", "start": "start",
    "end": "end", "hours": "hours", "at": "at", "step": "step_s", "exclude-sv": "exclude_sv",
    "max-age": "max_age_s", "include-unhealthy": "include_unhealthy", "accept-truncated": "accept_truncated",
    "max-pdop": "max_pdop", "format": "output_format", "output": "output", "overwrite": "overwrite", "quiet": "quiet",
}  # fmt: skip


def load_defaults(path: str | None, commands: list[str]) -> dict[str, Any]:
    """Return click's default map for all commands.

    Parameters
    ----------
    path : str or None
        File asked for; else ``./gnss-coop.toml``, else ``config.toml`` in the user's configuration folder.
    commands : list of str
        Names of the commands.

    Raises
    ------
    click.UsageError
        If the file cannot be read, or has keys that mean nothing.
    """
    found = _find(path)
    if found is None:
        return {}
    try:
        content = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise click.UsageError(f"config file {found}: {getattr(error, 'strerror', None) or error}") from None
    # "stations" is both an option and a command: a table is the command's, anything else the option's value.
    tables = {name: content.pop(name) if isinstance(content.get(name), dict) else {} for name in commands}
    unknown = [key for key in content if key not in KEYS]
    for name, table in tables.items():
        unknown += [f"{name}.{key}" for key in table if key not in KEYS]
    if unknown:
        raise click.UsageError(f"config file {found}: unknown key {', '.join(unknown)}; known: {', '.join(KEYS)}")
    return {name: {KEYS[k]: _text(v) for k, v in {**content, **table}.items()} for name, table in tables.items()}


def _find(path: str | None) -> Path | None:
    if path is not None:
        return Path(path)
    candidates = (Path("gnss-coop.toml"), Path(click.get_app_dir("gnss-coop")) / "config.toml")
    return next((c for c in candidates if c.is_file()), None)


def _text(value: Any) -> Any:
    """Return a list as the command line writes it: with commas."""
    return ",".join(str(v) for v in value) if isinstance(value, list) else value
