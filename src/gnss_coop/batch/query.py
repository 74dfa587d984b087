"""Questions to an archive in SQL: read-only, and shut off from every other file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.ledger import Ledger
from gnss_coop.batch.products import PRODUCTS
from gnss_coop.batch.views import LEDGER_TABLES, VIEWS
from gnss_coop.errors import ArchiveError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: What DuckDB may do: nothing but compute. The last one locks the others.
_LOCKS: Final = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def query(root: str | Path, sql: str) -> pd.DataFrame:
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

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ArchiveError
        If the folder is no archive, or the statement is not one SELECT, cannot be understood, or asks for anything
        outside.

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

    with open_archive(root) as connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ArchiveError("a question is one SELECT: an archive is read and never changed by it")
            table: pd.DataFrame = connection.execute(statements[0]).df()
            return table
        except duckdb.Error as error:
            raise ArchiveError(_said(str(error), connection)) from None


@contextmanager
def open_archive(root: str | Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to an archive that can read its tables and nothing else."""
    folder = Path(root)
    ledger = Ledger(folder)
    try:
        tables = {name: _ledger_table(ledger, name) for name in LEDGER_TABLES}
    finally:
        ledger.close()
    duckdb = _duckdb()
    connection = duckdb.connect(":memory:")
    try:
        for name, table in tables.items():
            connection.register("incoming", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            connection.unregister("incoming")
        done = tables["jobs"][tables["jobs"]["status"] == "done"]
        paths = {name: _paths(folder, done, name) for name, product in PRODUCTS.items() if product.columns}
        _allow(connection, [path for own in paths.values() for path in own])
        for name, own in paths.items():
            connection.execute(_product_view(name, own))
        for name, (_, text) in VIEWS.items():
            connection.execute(f"CREATE VIEW {name} AS {text}")
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
    paths = [(inside / path).resolve() for path in sorted(done.loc[done["product"] == product, "path"])]
    for path in paths:
        if not path.is_relative_to(inside / f"product={product}"):
            raise ArchiveError(f"the ledger of {folder} names {path}, which is not in the archive: do not use it")
        if not path.is_file():
            raise ArchiveError(f"{path} is gone: run gnss-coop batch again, which computes what is missing")
    return [str(path) for path in paths]


def _allow(connection: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    listed = ", ".join(_quoted(path) for path in paths)
    connection.execute(f"SET allowed_paths = [{listed}]")


def _product_view(name: str, paths: list[str]) -> str:
    """Return the SQL of a product's table; an empty one with its columns where nothing was computed."""
    if not paths:
        columns = {"year": "BIGINT", "day": "DATE", **PRODUCTS[name].columns}
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in columns.items())
        return f"CREATE VIEW {name} AS SELECT * FROM (SELECT {nothing}) WHERE false"
    listed = ", ".join(_quoted(path) for path in paths)
    return (
        f"CREATE VIEW {name} AS SELECT * EXCLUDE (product) FROM read_parquet([{listed}], hive_partitioning = true, "
        "union_by_name = true, hive_types = {'year': BIGINT, 'day': DATE})"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _said(message: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Turn a complaint of DuckDB into a sentence; where a table is unknown, say which there are."""
    first = " ".join(message.split("LINE 1:")[0].split())
    if "disabled" in first or "Cannot access" in first:
        return f"a question reads the archive and no other file ({first})"
    if "Table with name" in first:
        names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
        return f"{first} Tables and views: {', '.join(names)}."
    return first
