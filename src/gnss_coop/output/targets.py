"""Where tables go: the ending of a name says which form, and what is there is replaced only where that is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gnss_coop.errors import OutputError

#: Endings of files that hold a table, and the form.
TABLE_KINDS: Final = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".txt": "table"}
#: Endings that nobody means for a folder.
_OF_FILES: Final = (
    ".csv", ".doc", ".docx", ".gz", ".htm", ".html", ".jpg", ".json", ".md", ".nc", ".parquet", ".pdf", ".png", ".rnx",
    ".svg", ".tif", ".txt", ".xlsx", ".zarr", ".zip",
)  # fmt: skip


def is_table(path: str) -> bool:
    """Tell whether a name is one of a file that holds a table."""
    return Path(path).suffix.lower() in TABLE_KINDS


def table_form(path: str, asked: str | None) -> str:
    """Return the form of a table in a file: that of the ending, or the one asked for where the name has none.

    Parameters
    ----------
    path : str
        Name of the file.
    asked : {"table", "csv", "json", "parquet"} or None
        What was asked for besides; None for nothing.

    Raises
    ------
    OutputError
        For an ending of no table, none at all, or one that contradicts what is asked for.

    Examples
    --------
    >>> table_form("a.csv", None), table_form("night", "json")
    ('csv', 'json')
    >>> table_form("a.csv", "json")
    Traceback (most recent call last):
    ...
    gnss_coop.errors.OutputError: a.csv ends as csv and json is asked for: leave one of them out, or make them agree
    """
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_KINDS and (suffix or asked is None) and not _is_special(path):
        raise OutputError(f"{path}: unknown kind of output; its name must end in {', '.join(TABLE_KINDS)}")
    form = TABLE_KINDS.get(suffix, asked or "table")
    if asked is not None and asked != form:
        raise OutputError(
            f"{path} ends as {suffix[1:]} and {asked} is asked for: leave one of them out, or make them agree"
        )
    return form


def check_table_target(path: str, *, overwrite: bool) -> None:
    """Refuse a file for a table that could not be written or must not be replaced, before anything is computed.

    Raises
    ------
    OutputError
        With what to do.
    """
    target, fault = Path(path), None
    if _is_special(path):
        return
    if not path or target.is_dir():
        fault = "this is a folder; name a file"
    elif not target.parent.is_dir():
        fault = f"there is no folder {target.parent}; create it first"
    elif not os.access(target.parent, os.W_OK):
        fault = "Permission denied"
    if fault:
        raise OutputError(f"cannot write {path!r}: {fault}")
    if target.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite")


def free_name(path: str) -> str:
    """Return a name beside a file that no file has, with the same ending: for what must not be lost.

    Examples
    --------
    >>> free_name("no/such/folder/a.csv")
    'no/such/folder/a-2.csv'
    """
    target = Path(path)
    number = 2
    while (other := target.with_name(f"{target.stem}-{number}{target.suffix}")).exists():
        number += 1
    return str(other)


def refuse_file_name(folder: str, what: str) -> None:
    """Refuse the name of a file for what is a folder.

    Raises
    ------
    OutputError
        If the name ends as files do, and there is nothing of that name.
    """
    suffix = Path(folder).suffix.lower()
    if suffix in _OF_FILES and not Path(folder).exists():
        raise OutputError(f"{folder}: a {what} is a folder; give it a name without the ending {suffix}")


def _is_special(path: str) -> bool:
    """Tell whether a path is a device or pipe, whose name says nothing."""
    target = Path(path)
    return target.exists() and not target.is_file() and not target.is_dir()
