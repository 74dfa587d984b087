"""docs/archive.md says what tables and columns there are; programs of others rely on it."""

import re
import sqlite3
from pathlib import Path

import duckdb
import pytest

from gnss_coop.batch.work.products import PRODUCTS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "archive.md").read_text("utf-8")


def words(text):
    return re.findall(r"`([a-z0-9_]+(?:, [a-z0-9_]+)*)`", text)


def documented_ledger():
    section = DOCUMENT.split("## The ledger")[1]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and (table := re.match(r"`([a-z_]+)`", cells[0])):
            known = [
                name
                for cell in cells[1:]
                for text in words(re.sub(r"\([^)]*\)", "", cell))
                for name in text.split(", ")
            ]
            yield table[1], known


def test_the_ledger_is_as_documented(days, batch, tmp_path):
    batch(days)
    connection = sqlite3.connect(tmp_path / "results" / "ledger.sqlite")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    documented = dict(documented_ledger())
    assert tables - {"texts", "job_rows"} == set(documented)  # what `jobs` is a view of
    for table, columns in documented.items():
        assert sorted(row[1] for row in connection.execute(f"PRAGMA table_info({table})")) == sorted(columns)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("name", [name for name, product in PRODUCTS.items() if product.columns])
def test_files_have_the_columns_of_the_table_of_products(name, days, batch, tmp_path):
    batch(days, products=(name,))
    pattern = f"{tmp_path}/results/product={name}/*/*/*.parquet"
    found = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{pattern}', hive_partitioning = false)").fetchall()
    assert {row[0]: row[1] for row in found} == PRODUCTS[name].columns
    hive = duckdb.sql(f"SELECT DISTINCT product, year, day FROM read_parquet('{pattern}')").fetchall()
    assert {(product, str(year)) for product, year, _ in hive} == {(name, "2024")}
    assert len(hive) == 4
    order = ", ".join(PRODUCTS[name].order)
    rows = duckdb.sql(f"SELECT count(*), count(DISTINCT ({order}, day)) FROM read_parquet('{pattern}')").fetchall()
    assert rows[0][0] == rows[0][1] > 0  # what tells rows apart does


def test_tables_have_the_columns_of_their_command():
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    for name in ("compare", "dop", "network"):
        section = re.search(rf"^## {name}$(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)[1]
        stamp = {
            "day",
            "start_gpst",
            "end_gpst",
            "source",
        }  # in an archive the day is a folder, and the ledger knows the rest
        documented = [c for c in re.split(r",\s*", re.search(r"Columns: `([^`]+)`", section)[1]) if c not in stamp]
        assert [column for column in PRODUCTS[name].columns if column in documented] == documented
