"""Questions to an archive in SQL: read-only, and shut off from every other file."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.archive.catalog import Ledger, form_told
from gnss_coop.batch.archive.views import LEDGER_TABLES, VIEWS
from gnss_coop.batch.schema import COLUMNS
from gnss_coop.errors import ArchiveError, GnssCoopWarning

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: What DuckDB may do: nothing but compute, and in memory alone. The last one locks the others.
_LOCKS: Final = (
    "SET temp_directory = ''",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
#: Counts and sums of counts; DuckDB gives these as floating point where they are wide or have gaps.
_WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_EXACT: Final = 2.0**53
_CHUNK_VECTORS: Final = 16
#: Bounds of an answer: a question without a WHERE on years of passes is soon a thousand million rows.
MAX_ROWS: Final = 1_000_000
TIMEOUT_S: Final = 300.0
#: Part of the machine's memory that a question may take.
_MEMORY_PCT: Final = 25
_AGAIN: Final = "run gnss-coop batch again, which computes what is missing or damaged"


def query(root: str | Path, sql: str, *, max_rows: int = MAX_ROWS, timeout_s: float | None = TIMEOUT_S) -> pd.DataFrame:
    """Ask an archive.

    Parameters
    ----------
    root : str or Path
        The folder that `gnss-coop batch` wrote.
    sql : str
        One SELECT (or WITH, VALUES, DESCRIBE, SHOW TABLES) in DuckDB's SQL. Tables are the products (``compare``,
        ``passes``, ...), with the columns ``year`` and ``day``; those of the ledger (``files``, ``contents``,
        ``rejects``, ``coverage``, ``day_inputs``, ``jobs``, ``runs``); and the views ``daily_availability``,
        ``monthly_gain``, ``worst_intervals`` and ``missing_days``. What was not computed is an empty table.
    max_rows : int
        Rows of the answer; what is beyond them is left out, with a warning.
    timeout_s : float, optional
        Time that the answer may take [s]; None for any.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ArchiveError
        If the folder is no archive or is damaged, or the statement is not one SELECT, cannot be understood, needs more
        than 25 % of the machine's memory or more time than `timeout_s`, or asks for anything outside.

    Notes
    -----
    Only files that the ledger knows can be read, no other file of the machine, nothing can be written, and no setting
    can be changed: questions may come from strangers.

    Examples
    --------
    >>> import tempfile
    >>> import gnss_coop as gc
    >>> study = {"systems": "R", "stations": "Irkutsk", "mask": 25, "products": "compare", "step": 3600}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = gc.run_batch("sample_rinex/brdc0100.24g.gz", folder, threads=True, workers=1, **study)
    ...     gc.query(folder, "SELECT station, n_epochs, availability_pct > 50 AS good FROM daily_availability")
       station  n_epochs  good
    0  Irkutsk        24  True
    """
    import duckdb

    with open_archive(root) as connection, _time_limit(connection, timeout_s) as late:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ArchiveError("a question is one SELECT: an archive is read and never changed by it")
            return _table(connection.execute(statements[0]), max_rows)
        except RuntimeError as error:  # DuckDB's word for Ctrl-C and for the end of the time
            if "interrupted" not in str(error).lower():
                raise
            if late:
                raise ArchiveError(_too_long(timeout_s)) from None
            raise KeyboardInterrupt from None
        except duckdb.Error as error:
            if late:
                raise ArchiveError(_too_long(timeout_s)) from None
            raise ArchiveError(_said(str(error), connection)) from None


def _too_long(timeout_s: float | None) -> str:
    return f"the question took longer than {timeout_s:g} s: ask for fewer days, stations or columns, or allow more time"


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, timeout_s: float | None) -> Iterator[list[bool]]:
    """Interrupt a connection after a time; what is given is not empty once that has happened."""
    late: list[bool] = []

    def stop() -> None:
        late.append(True)
        connection.interrupt()

    timer = threading.Timer(timeout_s, stop) if timeout_s is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield late
    finally:
        if timer:
            timer.cancel()


def _first_rows(answer: Any, max_rows: int) -> pd.DataFrame:
    """Fetch so many rows of an answer, a chunk at a time; say what is left out."""
    import pandas as pd

    parts: list[pd.DataFrame] = []
    n_rows = 0
    while n_rows <= max_rows:
        part = answer.fetch_df_chunk(_CHUNK_VECTORS)
        if parts and part.empty:
            break
        parts.append(part)
        n_rows += len(part)
        if part.empty:
            break
    table: pd.DataFrame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    if n_rows > max_rows:
        warnings.warn(
            f"the answer is cut after {max_rows} rows: narrow the question, or allow more rows",
            GnssCoopWarning,
            stacklevel=4,
        )
        table = table.iloc[:max_rows]
    return table


def _table(answer: Any, max_rows: int) -> pd.DataFrame:
    """Return an answer with counts as whole numbers, and lists as lists."""
    kinds = [str(column[1]) for column in answer.description]
    table = _first_rows(answer, max_rows)
    for name, kind in zip(table.columns, kinds, strict=True):
        values = table[name]
        if kind in _WHOLE and values.dtype.kind == "f" and not (values.abs() > _EXACT).any():
            table[name] = values.astype("Int64" if values.isna().any() else "int64")
        elif kind.endswith(("]", ")")) and values.dtype == object:
            table[name] = values.map(_plain)
    return table


def _plain(value: Any) -> Any:
    """Return nested arrays as lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, dict):
        return {name: _plain(own) for name, own in value.items()}
    return [_plain(own) for own in value] if isinstance(value, list) else value


def _memory_bytes() -> int:
    """Return the machine's memory; 4 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not POSIX
        return 4 * 2**30


@contextmanager
def open_archive(root: str | Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to an archive that can read its tables and nothing else."""
    folder = Path(root)
    with form_told(root), closing(Ledger(folder)) as ledger:
        tables = {name: _ledger_table(ledger, name) for name in LEDGER_TABLES}
    duckdb = _duckdb()
    connection = duckdb.connect(":memory:")
    try:
        for name, table in tables.items():
            connection.register("incoming", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            connection.unregister("incoming")
        with form_told(root):
            done = tables["jobs"][tables["jobs"]["status"] == "done"]
            paths = {name: _paths(folder, done, name) for name in COLUMNS}
        _allow(connection, [path for own in paths.values() for path in own])
        try:
            for name, own in paths.items():
                connection.execute(_product_view(name, own))
        except duckdb.Error as error:
            raise ArchiveError(f"{folder} is damaged: {_first(error)}; {_AGAIN} (with --recheck)") from None
        try:
            for name, (_, text) in VIEWS.items():
                connection.execute(f"CREATE VIEW {name} AS {text}")
        except duckdb.Error as error:
            raise ArchiveError(f"{folder} is no archive of this version: {_first(error)}; {_AGAIN}") from None
        connection.execute(f"SET memory_limit = '{_memory_bytes() * _MEMORY_PCT // 100 // 2**20}MiB'")
        for setting in _LOCKS:
            connection.execute(setting)
        yield connection
    except duckdb.IOException as error:
        raise ArchiveError(f"{folder} cannot be read: {error}") from None
    finally:
        connection.close()


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise ArchiveError("questions to an archive need DuckDB: pip install 'gnss-coop[archive]'") from None
    return duckdb


def _ledger_table(ledger: Ledger, name: str) -> pd.DataFrame:
    import pandas as pd

    columns = [row["name"] for row in ledger.rows(f"SELECT name FROM pragma_table_info('{name}')")]
    return pd.DataFrame(ledger.rows(f"SELECT * FROM {name}"), columns=columns).convert_dtypes()


def _paths(folder: Path, done: pd.DataFrame, product: str) -> list[str]:
    """Return the files of a product, those of the ledger only; a ledger may be forged, so none outside."""
    inside = folder.resolve()
    own = done.loc[done["product"] == product].sort_values("path")
    paths = []
    for name, n_bytes in zip(own["path"], own["n_bytes"], strict=True):
        path = (inside / name).resolve()
        if not path.is_relative_to(inside / f"product={product}"):
            raise ArchiveError(f"the ledger of {folder} names {path}, which is not in the archive: do not use it")
        if not path.is_file():
            raise ArchiveError(f"{path} is gone: {_AGAIN}")
        if (found := path.stat().st_size) != n_bytes:
            raise ArchiveError(f"{path} is damaged: it has {found} bytes and should have {n_bytes}; {_AGAIN}")
        paths.append(str(path))
    return paths


def _allow(connection: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    listed = ", ".join(_quoted(path) for path in paths)
    connection.execute(f"SET allowed_paths = [{listed}]")


def _product_view(name: str, paths: list[str]) -> str:
    """Return the SQL of a product's table, with all its columns whatever was computed, by whichever version."""
    columns = {"year": "BIGINT", "day": "DATE", **COLUMNS[name]}
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in columns.items())
    empty = f"SELECT * FROM (SELECT {nothing}) WHERE false"
    if not paths:
        return f"CREATE VIEW {name} AS {empty}"
    listed = ", ".join(_quoted(path) for path in paths)
    return (
        f"CREATE VIEW {name} AS SELECT * EXCLUDE (product) FROM read_parquet([{listed}], hive_partitioning = true, "
        f"union_by_name = true, hive_types = {{'year': BIGINT, 'day': DATE}}) UNION ALL BY NAME {empty}"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first(message: object) -> str:
    """Return what is said before DuckDB shows the place."""
    return " ".join(str(message).split("LINE 1:")[0].split())


def _said(message: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Turn a complaint of DuckDB into a sentence; where a table is unknown, say which there are."""
    first = _first(message)
    if first.startswith("Out of Memory"):
        return "the question needs more than a quarter of the memory: ask for fewer days, stations or columns"
    if "disabled" in first or "Cannot access" in first:
        return f"a question reads the archive and no other file ({first})"
    if "Table with name" in first:
        names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
        return f"{first} Tables and views: {', '.join(names)}."
    return first
