"""Archives may come from strangers: whatever stands in their ledger, the answer is a table or one sentence."""

import random
import shutil
import sqlite3
import warnings

import pytest

import gnss_coop as gc
from gnss_coop.batch.schema import LEDGER
from gnss_coop.errors import ArchiveError, GnssCoopError, GnssCoopWarning

VALUES = (None, -1, 0, 2**62, 1.5e300, "", "x", "../../etc/passwd", "{", "[[[", "2024-13-45", b"\x00\xff", "a'b\"c;--")


@pytest.fixture
def archive(days, batch, tmp_path):
    batch(days)
    return tmp_path / "results"


def ask_all(folder, whole):
    """Ask in every way; return how many of them were refused."""
    refused = 0
    for ask in (
        lambda: gc.query(folder, "SELECT * FROM daily_availability"),
        lambda: gc.query(folder, "SELECT count(*) FROM jobs JOIN contents ON true"),
        lambda: gc.trend(folder, stations=["all"]),
        lambda: gc.diff(folder, whole),
        lambda: gc.diff(whole, folder),
    ):
        try:
            ask()
        except GnssCoopError as error:
            refused += "\n" not in str(error).strip() or pytest.fail(f"more than a sentence: {error}")
    return refused


def test_forged_cells_columns_and_tables(archive, tmp_path):
    """60 ledgers, each with one fault; a seed makes them the same ones every time."""
    rng, refused = random.Random(20240110), 0
    whole = shutil.copytree(archive, tmp_path / "whole")
    with sqlite3.connect(whole / LEDGER) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: [row[1] for row in db.execute(f"PRAGMA table_info({table})")] for table in tables}
    db.close()
    for _ in range(60):
        shutil.copyfile(whole / LEDGER, archive / LEDGER)
        for rest in archive.glob(f"{LEDGER}-*"):
            rest.unlink()
        table = rng.choice(tables)
        column, kind = rng.choice(columns[table]), rng.random()
        db = sqlite3.connect(archive / LEDGER)
        try:
            if kind < 0.1:
                db.execute(f"DROP TABLE {table}")
            elif kind < 0.25:
                db.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO other")
            else:
                db.execute("PRAGMA ignore_check_constraints = ON")
                db.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (rng.choice(VALUES),))
            db.commit()
        except sqlite3.Error:
            continue
        finally:
            db.close()
        refused += ask_all(archive, whole) > 0
    assert refused > 8  # the faults are such that something is refused


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"PK\x03\x04" + bytes(500), b"\xff" * 5000])
def test_what_is_no_ledger_is_told(archive, content):
    (archive / LEDGER).write_bytes(content)
    for rest in archive.glob(f"{LEDGER}-*"):
        rest.unlink()
    with pytest.raises(ArchiveError):
        gc.query(archive, "SELECT 1")


def test_a_table_of_other_content_is_told(archive):
    path = next(archive.rglob("*.parquet"))
    path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 8) + b"PAR1")
    with pytest.raises(ArchiveError, match=r"damaged|cannot be read"):
        gc.query(archive, "SELECT * FROM compare")


def test_a_link_out_of_the_archive_is_not_followed(archive, tmp_path):
    path = next(archive.rglob("*.parquet"))
    outside = tmp_path / "secret.parquet"
    path.rename(outside)
    path.symlink_to(outside)
    with pytest.raises(ArchiveError, match="not in the archive"):
        gc.query(archive, "SELECT * FROM compare")


def test_an_answer_is_cut_after_its_rows_and_says_so(archive):
    with pytest.warns(GnssCoopWarning, match="cut after 5000 rows"):
        table = gc.query(archive, "SELECT * FROM range(100000) ORDER BY 1", max_rows=5000)
    assert table.iloc[:, 0].tolist() == list(range(5000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(gc.query(archive, "SELECT * FROM range(5000)", max_rows=5000)) == 5000
        assert len(gc.query(archive, "SELECT * FROM range(0)")) == 0


def test_an_answer_ends_after_its_time(archive):
    with pytest.raises(ArchiveError, match=r"longer than 0\.5 s"):
        gc.query(archive, "SELECT count(*) FROM range(100000000) a, range(100000000) b", timeout_s=0.5)


def test_an_answer_takes_a_quarter_of_the_memory(archive, monkeypatch):
    monkeypatch.setattr("gnss_coop.batch.archive.query._memory_bytes", lambda: 256 * 2**20)
    with pytest.raises(ArchiveError, match="a quarter of the memory"):
        gc.query(archive, "SELECT list(range) FROM range(50000000)")
