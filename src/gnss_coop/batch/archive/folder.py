"""The folder of results: where files lie, and how they get there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.files import write_archive_file
from gnss_coop.batch.results import Written
from gnss_coop.batch.settings import Part

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.batch.work.products import Product

_KEY_DIGITS: Final = 16
#: Digits that are kept: processors differ in the last ones, which mean nothing and would spoil equal bytes.
_DIGITS: Final = 9
_ROWS_PER_GROUP: Final = 122_880
_FOLDERS: Final = (r"product=[a-z]+", r"year=\d{4}", r"day=\d{4}-\d\d-\d\d")
_RESULT: Final = re.compile(r"[a-z]+-[a-z0-9.-]+-[0-9a-f]{16}\.(parquet|nc)")
_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{16}\.tmp|\..+\.\d+(-[0-9a-f]{8})?\.tmp")  # and those of former versions
_local = threading.local()


def result_path(product: Product, day: str, part: Part, key: str) -> str:
    """Return where a part of a day lies in the archive, with ``/`` between folders.

    Examples
    --------
    >>> from gnss_coop.batch.work.products import PRODUCTS
    >>> result_path(PRODUCTS["compare"], "2024-01-10", Part("compare", 5.0, "common"), "0" * 64)
    'product=compare/year=2024/day=2024-01-10/compare-mask5-common-0000000000000000.parquet'
    """
    name = f"{product.name}-{part.name}-{key[:_KEY_DIGITS]}{product.suffix}"
    return f"product={product.name}/year={day[:4]}/day={day}/{name}"


def write_result(root: Path, path: str, product: Product, content: Any, inputs: list[str]) -> Written:
    """Write a table or a map; when this returns it is on the disk under its name.

    Parameters
    ----------
    root : Path
        The archive.
    path : str
        As `result_path` gives it.
    product : Product
    content : pandas.DataFrame or xarray.Dataset
    inputs : list of str
        Hashes of the inputs: a map names them instead of files, which are called otherwise elsewhere.

    Raises
    ------
    ArchiveError
        If it cannot be written.
    """
    target = root / path
    if product.columns:
        write_archive_file(target, lambda draft: _write_parquet(content, product, draft))
        n_rows: int | None = len(content)
    else:
        write_archive_file(target, lambda draft: _write_map(content, inputs, draft))
        n_rows = None
    data = target.read_bytes()
    return Written(path, len(data), hashlib.sha256(data).hexdigest(), n_rows)


def _write_parquet(frame: pd.DataFrame, product: Product, draft: Path) -> None:
    import duckdb

    # duckdb knows object columns, not every string type of pandas.
    plain = frame[list(product.columns)].copy()
    for name in plain.columns:
        kind = plain[name].dtype.kind
        if kind == "f":
            plain[name] = [_rounded(value) for value in plain[name].tolist()]
        elif kind not in "iub":
            plain[name] = plain[name].astype(object)
    columns = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in product.columns.items())
    order = ", ".join(f'"{name}"' for name in product.order)
    path = str(draft).replace("'", "''")
    connection = _connection()
    connection.register("frame", plain)
    try:
        connection.execute(
            f"COPY (SELECT {columns} FROM frame ORDER BY {order}) TO '{path}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_PER_GROUP})"
        )
    except duckdb.IOException as error:
        full = os.strerror(errno.ENOSPC) in str(error)
        code = errno.ENOSPC if full else errno.EIO
        raise OSError(code, os.strerror(code) if full else str(error)) from None
    finally:
        connection.unregister("frame")


def _connection() -> Any:
    """Return this thread's connection; opening one takes longer than writing a table."""
    if not hasattr(_local, "connection"):
        import duckdb

        # One thread and a fixed order of rows, or the bytes would not be the same each time.
        _local.connection = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
    return _local.connection


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _write_map(world: xr.Dataset, inputs: list[str], draft: Path) -> None:
    from gnss_coop.errors import GnssCoopError
    from gnss_coop.output.netcdf import write_netcdf

    named = world.assign_attrs(files=[f"sha256:{sha256}" for sha256 in inputs])
    try:
        write_netcdf(named, draft, overwrite=True)
    except GnssCoopError as error:
        raise OSError(errno.EIO, str(error)) from None


def sweep(root: Path, known: set[str]) -> int:
    """Remove drafts, and results that the ledger does not know; return how many.

    Only files of our own form of name in our own folders are touched. To be called by the holder of the lock.
    """
    n_removed = 0
    for folder, names in list(_result_folders(root)):
        for name in names:
            path = f"{folder.relative_to(root).as_posix()}/{name}"
            if _DRAFT.fullmatch(name) or (_RESULT.fullmatch(name) and path not in known):
                (folder / name).unlink(missing_ok=True)
                n_removed += 1
        _remove_empty(root, folder)
    return n_removed


def remove_result(root: Path, path: str) -> None:
    """Remove a result that another one has replaced, and folders that are empty then."""
    (root / path).unlink(missing_ok=True)
    _remove_empty(root, (root / path).parent)


def _remove_empty(root: Path, folder: Path) -> None:
    with suppress(OSError):  # not empty
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def _result_folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folders of days with the names in them."""
    level = [root]
    for pattern in _FOLDERS:
        level = [
            Path(entry)
            for folder in level
            for entry in sorted(os.scandir(folder), key=lambda e: e.name)
            if re.fullmatch(pattern, entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    for folder in level:
        yield folder, sorted(entry.name for entry in folder.iterdir())
