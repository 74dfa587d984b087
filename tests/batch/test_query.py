"""Questions to an archive: right figures, and no way to anything else."""

import io
import json
import shutil
import sqlite3
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.batch.archive.query import open_archive
from gnss_coop.batch.engines.executors import Threads
from gnss_coop.batch.run import Request, run
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.watch import Watch
from gnss_coop.errors import ArchiveError
from gnss_coop.model.network import stations
from gnss_coop.output.text_and_files import write_table

SAMPLE = Path(__file__).resolve().parents[2] / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


@pytest.fixture(scope="module")
def made(tmp_path_factory, on_day, settings):
    """Four days of GLONASS; of the third there is a file that cannot be read."""
    folder = tmp_path_factory.mktemp("made")
    for k in range(4):
        (folder / f"brdc{10 + k:03d}0.24g").write_bytes(b"this is no navigation file\n" if k == 2 else on_day(k))
    request = Request((str(folder),), folder / "results", products=("compare", "passes", "worst"), settings=settings)
    run(request, lambda n: Threads(1), Watch(io.StringIO()))
    return folder


@pytest.fixture
def archive(made, tmp_path):
    """A copy, which a test may spoil."""
    return shutil.copytree(made / "results", tmp_path / "results")


def test_daily_availability_is_what_compare_says(archive, made):
    nav = gc.read_nav(made / "brdc0100.24g")
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=3600), systems="R")
    dop = gc.dilution_of_precision(sky, "Irkutsk,Shanghai", ["R"], mask_deg=[5.0, 25.0])
    expected = gc.compare(dop).set_index(["station", "mask_deg"])["availability_pct"]
    sql = "SELECT station, mask_deg, availability_pct FROM daily_availability WHERE day = '2024-01-10'"
    found = gc.query(archive, sql).set_index(["station", "mask_deg"])["availability_pct"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), rtol=1e-8)  # 9 digits are kept


def test_monthly_gain_weighs_days_by_their_epochs(batch, tmp_path):
    settings = Settings(
        ("R", "C", "R+C"), ("per-system",), (25.0,), stations("Irkutsk"), step_s=3600.0, exclude_sv=("C59",)
    )
    batch(SAMPLE, settings=settings, products=("compare",))
    rows = gc.query(tmp_path / "results", "SELECT * FROM compare ORDER BY systems")
    found = gc.query(tmp_path / "results", "SELECT * FROM monthly_gain ORDER BY systems")
    assert found["n_days"].tolist() == [1, 1, 1]
    for name in ("availability_pct", "availability_gain_points", "pdop_median", "pdop_drop_pct"):
        pd.testing.assert_series_equal(found[name], rows[name])
    assert str(found["month"].iloc[0])[:10] == "2024-01-01"


def test_days_that_are_not_there_are_missing(archive):
    """The bad file had the third day; the other three are there."""
    missing = gc.query(archive, "SELECT DISTINCT CAST(day AS VARCHAR) AS day, status FROM missing_days")
    assert missing.values.tolist() == [["2024-01-12", "absent"]]


def test_worst_intervals_come_longest_first(archive):
    worst = gc.query(archive, "SELECT * FROM worst_intervals")
    assert len(worst) > 0
    assert worst["duration_s"].is_monotonic_decreasing
    assert len(worst) == gc.query(archive, "SELECT count(*) AS n FROM worst")["n"].item()


def test_the_ledger_can_be_asked(archive):
    bad = gc.query(archive, "SELECT path, error FROM files WHERE status = 'bad'")
    assert len(bad) == 1
    assert "0120.24g" in bad["path"].item()
    assert gc.query(archive, "SELECT count(*) AS n FROM jobs WHERE status = 'done'")["n"].item() == 3 * 6


def test_products_that_were_not_made_are_empty_tables(archive):
    empty = gc.query(archive, "SELECT * FROM dop")
    assert empty.empty
    assert {"day", "year", "pdop", "station"} <= set(empty.columns)


def test_all_forms_of_reading_are_allowed(archive):
    for sql in ("FROM compare LIMIT 1", "WITH a AS (SELECT 1 AS x) SELECT * FROM a", "VALUES (1)", "DESCRIBE passes",
                "SHOW TABLES", "SUMMARIZE passes"):  # fmt: skip
        assert len(gc.query(archive, sql)) > 0


ATTACKS = [
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM read_text('{ledger}')",
    "SELECT * FROM read_parquet('{other}')",
    "FROM query('SELECT * FROM read_text(''{file}'')')",
    "COPY (SELECT 1) TO '{file}'",
    "COPY (SELECT 1 AS x) TO '{known}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1 AS x) TO '{known}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPORT DATABASE '{folder}'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/new.db'",
    "ATTACH '{ledger}' (TYPE sqlite)",
    "INSTALL httpfs",
    "LOAD sqlite",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "CREATE TABLE mine AS SELECT 1",
    "DROP VIEW compare",
    "DELETE FROM jobs",
    "SELECT 1; SELECT 2",
    "SELECT * FROM statements",
    "SELECT * FROM connection",
    "CREATE SECRET s (TYPE s3)",
    "CALL pragma_version()",
    "",
    "SELEC 1",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_nothing_else_can_be_read_or_changed(archive, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nxyzzy\n")
    stranger = archive / "product=compare" / "stranger.parquet"  # beside the results, but not in the ledger
    known = next((archive / "product=compare").rglob("compare-*.parquet"))
    stranger.write_bytes(known.read_bytes())
    before = {p: p.read_bytes() for p in archive.rglob("*.parquet")}
    names = {"file": secret, "ledger": archive / "ledger.sqlite", "known": known, "other": stranger, "folder": tmp_path}
    with pytest.raises(ArchiveError) as caught:
        gc.query(archive, sql.format(**names))
    assert "xyzzy" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {p: p.read_bytes() for p in archive.rglob("*.parquet")} == before
    assert secret.read_text() == "word\nxyzzy\n"
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("path", ["../secret.parquet", "/etc/passwd", "product=compare/../../secret.parquet"])
def test_a_forged_ledger_opens_no_other_file(archive, tmp_path, path):
    (tmp_path / "secret.parquet").write_bytes(next((archive / "product=compare").rglob("*.parquet")).read_bytes())
    with sqlite3.connect(archive / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE job_rows SET path = ? WHERE product = 'compare' AND part LIKE 'mask5%'", (path,))
    with pytest.raises(ArchiveError, match="not in the archive"):
        gc.query(archive, "SELECT * FROM compare")


def test_an_unknown_table_names_those_there_are(archive):
    with pytest.raises(ArchiveError, match="daily_availability"):
        gc.query(archive, "SELECT * FROM tomorrow")


def test_no_archive(tmp_path):
    with pytest.raises(ArchiveError, match="not a gnss-coop archive"):
        gc.query(tmp_path, "SELECT 1")


def test_a_result_that_is_gone_is_told(archive):
    next((archive / "product=compare").rglob("*.parquet")).unlink()
    with pytest.raises(ArchiveError, match="gnss-coop batch"):
        gc.query(archive, "SELECT * FROM compare")


@pytest.mark.parametrize("change", ["cut", "overwritten"])
def test_a_damaged_result_is_named_with_what_to_do(change, archive):
    path = min(archive.glob("product=compare/*/*/*.parquet"))
    path.write_bytes(path.read_bytes()[:1000] if change == "cut" else bytes(path.stat().st_size))
    with pytest.raises(ArchiveError, match=r"damaged.*run gnss-coop batch again") as caught:
        gc.query(archive, "SELECT * FROM jobs")
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_counts_are_whole_numbers(archive):
    columns = "sum(n_epochs) AS n, max(CASE WHEN mask_deg = 5 THEN n_epochs END) AS gaps"
    found = gc.query(archive, f"SELECT {columns} FROM compare GROUP BY mask_deg ORDER BY mask_deg")
    assert found["n"].tolist() == [3 * 2 * 24] * 2
    assert found["n"].dtype == "int64"
    assert found["gaps"].dtype == "Int64"
    assert found["gaps"].isna().tolist() == [False, True]


def test_lists_and_other_kinds_come_out_in_every_form(archive, tmp_path):
    sql = """SELECT [1, 2] AS list, {'a': [1.5, 'nan'::DOUBLE], 'b': DATE '2024-01-10'} AS record, 1 AS x,
             INTERVAL 3 DAY AS length, TIME '01:02:03' AS hour, NULL AS nothing, 'inf'::DOUBLE AS infinite"""
    table = gc.query(archive, sql)
    assert table["list"].item() == [1, 2]
    for kind in ("table", "csv", "json", "parquet"):
        write_table(table, kind, str(tmp_path / kind))
    assert json.loads((tmp_path / "json").read_text()) == [
        {"list": [1, 2], "record": {"a": [1.5, None], "b": "2024-01-10"}, "x": 1, "length": "3 days 00:00:00",
         "hour": "01:02:03", "nothing": None, "infinite": None}
    ]  # fmt: skip
    assert "None" not in (tmp_path / "table").read_text()


def test_a_question_that_is_too_large_writes_nothing_either(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_archive(archive) as connection:
        assert connection.execute("SELECT current_setting('temp_directory')").fetchone() == ("",)
    assert not (tmp_path / ".tmp").exists()


def test_ctrl_c_in_a_question_is_an_interrupt(archive, monkeypatch):
    """DuckDB turns the signal into an error of its own; other errors of that kind stay what they are."""
    for word, kind in (("Query interrupted", KeyboardInterrupt), ("another", RuntimeError)):
        monkeypatch.setattr("gnss_coop.batch.archive.query._table", Mock(side_effect=RuntimeError(word)))
        with pytest.raises(kind):
            gc.query(archive, "SELECT 1")


def test_a_day_without_the_other_system_counts_for_its_month(batch, tmp_path, on_day):
    """BeiDou is there on one day of two: GLONASS has one row, with the availability of both days."""
    (tmp_path / "brdc0110.24g").write_bytes(on_day(1))
    settings = Settings(("R", "C", "R+C"), ("per-system",), (25.0,), stations("Irkutsk"), step_s=3600.0)
    batch(SAMPLE, tmp_path / "brdc0110.24g", settings=settings, products=("compare",))
    days = gc.query(tmp_path / "results", "SELECT * FROM compare WHERE systems = 'R' ORDER BY day")
    assert days["supplemented_by"].tolist() == ["R+C", ""]
    share = np.average(days["availability_pct"], weights=days["n_epochs"])
    gain = days["availability_gain_points"].iloc[0]
    months = gc.query(tmp_path / "results", "SELECT * FROM monthly_gain WHERE systems = 'R'")
    for table in (months, gc.trend(tmp_path / "results").query("systems == 'R'")):
        assert table["n_days"].tolist() == [2]
        assert table["supplemented_by"].tolist() == ["R+C"]
        assert table["availability_pct"].tolist() == pytest.approx([share])
        assert table["availability_gain_points"].tolist() == pytest.approx([gain])
