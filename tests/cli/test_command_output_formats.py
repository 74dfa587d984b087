"""Forms and places of the output: csv, json, parquet and table say the same, on standard output or in a file."""

import csv
import io
import json
import math
import os
import threading
from pathlib import Path

import pytest

AT = ("--at", "2022-06-08T10:30:00")

#: Each command on a small task, with missing values in `dop` and `compare`.
TASKS = {
    "compare": ("--start", "2022-06-08T10:00", "--hours", "0.5", "--mask", "5,40"),
    "dop": (*AT, "--mask", "5,40"),
    "visibility": AT,
    "positions": AT,
    "info": (),
    "stations": (),
}


@pytest.fixture(params=TASKS)
def task(request, hours):
    """Arguments of a command."""
    files = () if request.param == "stations" else (hours,)
    return (request.param, *files, *TASKS[request.param])


def rows_of_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def same(text, value):
    """Tell whether a cell of a csv file is a value of json."""
    if value is None:
        return text in ("", "inf")
    if isinstance(value, bool):
        return text == str(value)
    if isinstance(value, (int, float)):
        return float(text) == value
    return text == value


def test_json_holds_exactly_what_csv_holds(run, task):
    rows = json.loads(run(*task, "--format", "json").out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    expected = rows_of_csv(run(*task, "--format", "csv").out)
    assert len(rows) == len(expected) > 0
    for row, cells in zip(rows, expected, strict=True):
        assert list(row) == list(cells)
        for name, value in row.items():
            assert same(cells[name], value), (name, cells[name], value)


def test_parquet_holds_exactly_what_csv_holds(run, task, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    result = run(*task, "--format", "parquet", "-o", "out.parquet")
    assert (result.code, result.out) == (0, "")
    assert [p.name for p in tmp_path.iterdir()] == ["out.parquet"]
    with duckdb.connect() as connection:
        relation = connection.read_parquet("out.parquet")
        names, rows = relation.columns, relation.fetchall()
    expected = rows_of_csv(run(*task, "--format", "csv").out)
    assert names == list(expected[0])
    assert len(rows) == len(expected)
    for row, cells in zip(rows, expected, strict=True):
        for name, value in zip(names, row, strict=True):
            if isinstance(value, float) and not math.isfinite(value):
                assert cells[name] == ("" if math.isnan(value) else "inf")
            else:
                assert same(cells[name], value), (name, cells[name], value)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_file_holds_what_standard_output_would(run, task, tmp_path, form):
    shown = run(*task, "--format", form)
    written = run(*task, "--format", form, "-o", "out.txt")
    assert (written.code, written.out, written.err) == (0, "", shown.err)
    assert (tmp_path / "out.txt").read_bytes().decode() == shown.out
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_the_table_has_a_line_for_each_row(run, hours):
    text = run("dop", hours, *AT).out
    n_rows = len(rows_of_csv(run("dop", hours, *AT, "--format", "csv").out))
    head, units, *rows = text.splitlines()
    assert head.split()[:3] == ["time", "station", "systems"]
    assert "[GPST]" in units
    assert "[deg]" in units
    assert len(rows) == n_rows


def test_quiet_says_nothing_but_errors(run, hours, tmp_path):
    noisy = run("dop", hours)
    quiet = run("dop", hours, "--quiet")
    assert "warning: " in noisy.err
    assert (quiet.code, quiet.out, quiet.err) == (0, noisy.out, "")
    run("dop", tmp_path / "missing.rnx", "--quiet").refused("missing.rnx")


@pytest.mark.parametrize("command", ["compare", "stations"])
def test_colour_only_on_a_terminal_that_wants_it(run, hours, tmp_path, monkeypatch, command):
    task = (command, *([hours] if command == "compare" else []))
    plain = run(*task).out
    assert "\x1b" not in plain
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    colored = run(*task).out
    assert "\x1b[" in colored
    assert "\x1b" not in run(*task, "--format", "csv").out
    assert "\x1b" not in run(*task, "--format", "json").out
    run(*task, "-o", "page.txt")
    assert (tmp_path / "page.txt").read_text("utf-8") == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(*task).out == plain


def test_an_existing_file_is_replaced_only_when_all_went_well(run, hours, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("before")
    run("dop", hours, "--at", "2030-01-01", "--format", "csv", "-o", target).refused("no ephemeris")
    assert target.read_text() == "before"
    assert run("dop", hours, *AT, "--format", "csv", "-o", target).code == 0
    assert target.read_text().startswith("time_gpst,")
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
@pytest.mark.parametrize("target", ["nowhere/out", "file/out", ".", "", "folder", "/"])
def test_a_place_where_nothing_can_be_written_is_refused(run, tmp_path, form, target):
    if form == "parquet":
        pytest.importorskip("duckdb")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("before")
    run("stations", "--format", form, "-o", target).refused(f"cannot write {target!r}: ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="access rights do not bind everyone")
def test_a_folder_without_write_access_is_refused(run, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    run("stations", "-o", "closed/out.txt").refused("cannot write 'closed/out.txt': Permission denied")


def test_parquet_does_not_go_to_standard_output(run):
    run("stations", "--format", "parquet").refused("name a file with -o")


def test_without_duckdb_parquet_is_refused_with_the_command_that_helps(run, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    run("stations", "--format", "parquet", "-o", "x.parquet").refused("pip install 'gnss-coop[archive]'")
    assert list(tmp_path.iterdir()) == []


def test_of_a_link_the_file_that_it_leads_to_is_replaced(run, tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run("stations", "--format", "csv", "-o", "link.csv").code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("station,")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_written_to_and_not_replaced(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text("utf-8")), daemon=True)
    reader.start()
    assert run("stations", "--format", "csv", "-o", "pipe").code == 0
    reader.join(timeout=10)
    assert read[0].startswith("station,")
    assert (tmp_path / "pipe").is_fifo()
