"""Folders of pages: one appears only when it is complete, and never takes the place of anything else."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gnss_coop.errors import OutputError
from gnss_coop.output.targets import refuse_file_name
from gnss_coop.output.whole_file import draft_beside

if TYPE_CHECKING:
    import pandas as pd

INDEX: Final = "index.html"


def checked_folder(folder: str | Path, generator: str, *, overwrite: bool) -> Path:
    """Return a folder's path in full; refuse one that could not be written or must not be replaced.

    Parameters
    ----------
    folder : str or Path
    generator : str
        What stands in the head of the index: by it a folder is known, and only such a one may be replaced. Its last
        word is what the folder is called.
    overwrite : bool
        Whether it may be.

    Raises
    ------
    OutputError
        With what to do.
    """
    what = generator.split()[-1]
    refuse_file_name(str(folder), what)
    target = Path(folder).resolve()
    if not target.parent.is_dir():
        raise OutputError(f"{folder}: there is no folder {target.parent}; create it first")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"{folder}: permission denied: {target.parent}")
    if not target.exists():
        return target
    if not target.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the {what}")
    if any(target.iterdir()):
        if not _is_of(target, generator):
            raise OutputError(f"{folder} exists and holds no {what}; give the name of a new folder")
        if not overwrite:
            raise OutputError(f"{folder} exists; give another name, or --overwrite")
    return target


def _is_of(folder: Path, generator: str) -> bool:
    with suppress(OSError, UnicodeDecodeError):
        return f'content="{generator}"' in (folder / INDEX).read_text("utf-8")
    return False


@contextmanager
def new_folder(folder: str | Path, generator: str, *, overwrite: bool) -> Iterator[Path]:
    """Lend a draft to write into, which gets the folder's name at the end, or vanishes at an error.

    Raises
    ------
    OutputError
        As `checked_folder`, or if a package is missing or something cannot be written.
    """
    target = checked_folder(folder, generator, overwrite=overwrite)
    what = generator.split()[-1]
    _check_packages(what)
    draft = draft_beside(target)
    try:
        draft.mkdir()
        yield draft
        _put(draft, target, overwrite=overwrite)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write the {what}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_packages(what: str) -> None:
    try:
        import duckdb  # noqa: F401
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise OutputError(f"{what}s need the package {error.name}: pip install 'gnss-coop[report]'") from None


def _put(draft: Path, target: Path, *, overwrite: bool) -> None:
    """Give a complete folder its name; what stood there is removed only when it has been replaced."""
    if not overwrite or not target.exists():
        try:
            draft.rename(target)  # onto an empty folder too, never onto one that another run has filled meanwhile
        except OSError:
            if target.exists():
                raise OutputError(f"{target} has appeared meanwhile; give another name, or --overwrite") from None
            raise
        return
    old = draft_beside(target)
    target.rename(old)
    try:
        draft.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)


# --- Data -----------------------------------------------------------------------------------------------------


def source_frame(files: Sequence[str]) -> pd.DataFrame:
    """Return name, length and SHA-256 of each file; a dash where there is no file, as for standard input."""
    import pandas as pd

    rows = []
    for name in files:
        path = Path(name)
        known = path.is_file()
        digest = "–"
        if known:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        rows.append({"file": path.name, "n_bytes": path.stat().st_size if known else 0, "sha256": digest})
    return pd.DataFrame(rows, columns=["file", "n_bytes", "sha256"])


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write tables under their names, as CSV and Parquet."""
    from gnss_coop.output.text_and_files import write_table

    for name, frame in tables.items():
        for kind in ("csv", "parquet"):
            write_table(frame, kind, str(folder / f"{name}.{kind}"))
