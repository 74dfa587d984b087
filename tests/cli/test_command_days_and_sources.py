"""Of which days a table is: several days are used, or it is said which are not; tables of many nights can be joined."""

import gzip
import json
import re

import pytest

STAMP = ["day", "start_gpst", "end_gpst", "source"]
ASKED = ("--systems", "R", "--stations", "Irkutsk", "--mask", "25", "--step", "1800", "--format", "csv")


@pytest.fixture(scope="module")
def night(tmp_path_factory, root):
    """GLONASS of a real day, with the date of another day of January 2024."""
    folder = tmp_path_factory.mktemp("nights")
    text = gzip.decompress((root / "sample_rinex" / "brdc0100.24g.gz").read_bytes())

    def of(day):
        def shifted(match):
            return b"%s 24  1 %2d " % (match[1], day)

        path = folder / f"brdc0{day:02d}0.24g"
        path.write_bytes(re.sub(rb"^([ \d]\d) 24  1 10 ", shifted, text, flags=re.MULTILINE))
        return path

    return of


def test_two_days_are_both_used(run, night):
    one, two = night(10), night(11)
    both = run("compare", one, two, *ASKED)
    assert both.code == 0
    assert "not used" not in both.err
    [row] = both.table.to_dict("records")
    assert (row["n_epochs"], row["day"]) == (96, "2024-01-10")
    assert (row["start_gpst"], row["end_gpst"]) == ("2024-01-10T00:00:00", "2024-01-12T00:00:00")
    assert row["source"] == f"{one};{two}"


def test_days_beyond_a_gap_are_named(run, night):
    result = run("compare", night(10), night(13), *ASKED)
    assert result.table["n_epochs"].tolist() == [48]
    assert "not used: 2024-01-13" in result.err or "not used: 2024-01-10" in result.err
    chosen = run("compare", night(10), night(13), *ASKED, "--start", "2024-01-13", "--hours", "24")
    assert "not used" not in chosen.err
    assert chosen.table["day"].tolist() == ["2024-01-13"]


def test_a_day_s_own_records_of_the_night_before_make_no_second_day(run, day):
    result = run("compare", day, *ASKED)
    assert result.table["start_gpst"].tolist() == ["2024-01-10T00:00:00"]
    assert result.table["end_gpst"].tolist() == ["2024-01-11T00:00:00"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_tables_of_nights_can_be_joined(run, night, tmp_path, form):
    duckdb = pytest.importorskip("duckdb")
    for number in (10, 11):
        assert run("compare", night(number), *ASKED[:-2], "-o", f"{number}.{form}").code == 0
    rows = duckdb.sql(f"SELECT CAST(day AS VARCHAR), source FROM '{tmp_path}/*.{form}' ORDER BY 1").fetchall()
    assert rows == [("2024-01-10", str(night(10))), ("2024-01-11", str(night(11)))]


def test_every_table_of_a_span_says_of_what_it_is(run, night, tmp_path):
    file = night(10)
    span = ("--systems", "R", "--step", "1800", "--format", "json")
    for command in (
        ("compare", file), ("map", file, "--grid", "45"), ("network", file), ("network", file, "--table", "satellites"),
        ("network", file, "--table", "common-view"), ("network", file, "--table", "worth", "--networks", "china"),
    ):  # fmt: skip
        rows = json.loads(run(*command, *span).out)
        assert list(rows[0])[-4:] == STAMP, command
        assert [rows[0][name] for name in STAMP[:3]] == ["2024-01-10", "2024-01-10T00:00:00", "2024-01-11T00:00:00"]
        assert rows[0]["source"] == str(file)
    at = ("--start", "2024-01-10T23:45", "--end", "2024-01-11T00:15", "--step", "900", "--systems", "R")
    for command in ("dop", "visibility", "positions"):
        table = run(command, file, *at, "--format", "csv").table
        assert table.columns[-2:].tolist() == ["day", "source"]
        assert (table["day"] == table["time_gpst"].str[:10]).all()
        assert table["source"].unique().tolist() == [str(file)]
    passes = run("visibility", file, "--passes", *at, "--format", "csv").table
    assert passes.columns[-2:].tolist() == ["day", "source"]


def test_text_for_people_has_no_such_columns(run, night):
    assert str(night(10)) not in run("dop", night(10), "--systems", "R", "--at", "2024-01-10T12:00:00").out


def test_one_epoch_is_its_own_start_and_end(run, night):
    table = run("compare", night(10), "--systems", "R", "--at", "2024-01-10T12:00:00", "--format", "csv").table
    assert set(table["start_gpst"]) == set(table["end_gpst"]) == {"2024-01-10T12:00:00"}


def test_planned_constellations_are_their_own_source(run):
    asked = ("--nominal", "R", "--systems", "R", "--epoch", "2027-01-01", "--grid", "90", "--step", "3600")
    table = run("map", *asked, "--format", "csv").table
    assert "ominal" in table["source"].item()
    assert table["end_gpst"].item() == "2027-01-02T00:00:00"
