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
    name = "out." + {"table": "txt"}.get(form, form)
    written = run(*task, "-o", name)
    assert (written.code, written.out, written.err) == (0, "", shown.err)
    assert (tmp_path / name).read_bytes().decode() == shown.out
    assert [p.name for p in tmp_path.iterdir()] == [name]
    again = run(*task, "--format", form, "-o", name, "--overwrite")
    assert (again.code, (tmp_path / name).read_bytes().decode()) == (0, shown.out)


@pytest.mark.parametrize("name", ["out.xls", "out.pdf", "out", "out.csv.gz", "out.png", "out.nc"])
def test_an_ending_of_no_table_is_refused_before_anything_is_read(run, tmp_path, name):
    for command in ("compare", "dop", "visibility", "positions", "info", "network", "trend", "query", "diff"):
        if (command, name) == ("trend", "out.png"):  # which has a picture
            continue
        files = ("no-such-file",) * (2 if command == "diff" else 1)
        run(command, *files, "-o", name).refused(name, "its name must end in .csv, .json, .parquet, .txt")
    run("stations", "-o", name).refused(name)
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_contradicts_the_ending_is_refused(run, tmp_path, monkeypatch):
    run("stations", "--format", "json", "-o", "out.csv").refused("out.csv ends as csv and json is asked for")
    run("stations", "--format", "csv", "-o", "out.txt").refused("out.txt ends as txt and csv is asked for")
    monkeypatch.setenv("GNSS_COOP_FORMAT", "json")  # a general wish, not one about this file
    assert run("stations", "-o", "out.csv").code == 0
    assert (tmp_path / "out.csv").read_text().startswith("station,")
    assert run("stations", "--format", "csv", "-o", "night").code == 0  # no ending says nothing
    assert (tmp_path / "night").read_text() == (tmp_path / "out.csv").read_text()


def test_what_comes_while_it_is_computed_is_left_and_the_table_kept(run, tmp_path, monkeypatch):
    from gnss_coop.output import flat_tables as frames

    usual = frames.stations_frame

    def meanwhile(network):
        (tmp_path / "out.csv").write_text("theirs")
        (tmp_path / "out-2.csv").write_text("theirs too")
        return usual(network)

    monkeypatch.setattr(frames, "stations_frame", meanwhile)
    run("stations", "-o", "out.csv").refused("out.csv exists", "what was computed is in out-3.csv")
    assert (tmp_path / "out.csv").read_text() == "theirs"
    assert (tmp_path / "out-2.csv").read_text() == "theirs too"
    assert (tmp_path / "out-3.csv").read_text().startswith("station,")


@pytest.mark.parametrize("command", ["report", "ledger", "batch"])
def test_the_name_of_a_file_is_none_for_a_folder(run, hours, tmp_path, command):
    for name in ("plan.pdf", "plan.html", "plan.csv"):
        run(command, hours, "-o", name).refused(name, "is a folder; give it a name without the ending")
    assert list(tmp_path.iterdir()) == []


def test_the_summary_of_a_map_goes_to_a_file_too(run, tmp_path):
    asked = ("map", "--nominal", "R", "--systems", "R", "--epoch", "2027-01-01", "--hours", "1", "--grid", "45")
    shown = run(*asked, "--format", "csv")
    written = run(*asked, "--format", "csv", "-o", "x.csv")
    assert (written.code, written.out) == (0, "")
    assert (tmp_path / "x.csv").read_text() == shown.out
    both = run(*asked, "-o", "y.json", "-o", "y.csv", "-o", "y.nc", "--quiet")
    assert (both.code, both.out) == (0, "")
    assert (tmp_path / "y.csv").read_text() == shown.out
    assert len(json.loads((tmp_path / "y.json").read_text())) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.csv", "y.csv", "y.json", "y.nc"]
    run(*asked, "-o", "x.csv").refused("x.csv exists")
    run(*asked, "--format", "json", "-o", "z.csv").refused("z.csv ends as csv")
    run(*asked, "-o", "z.gif").refused("must end in .nc, .zarr, .tif, .png, .svg, .csv, .json, .parquet, .txt")


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
    run("dop", hours, "--at", "2030-01-01", "-o", target, "--overwrite").refused("no valid ephemeris")
    assert target.read_text() == "before"
    run("dop", hours, *AT, "-o", target).refused("out.csv exists", "--overwrite")
    assert target.read_text() == "before"
    assert run("dop", hours, *AT, "-o", target, "--overwrite").code == 0
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
    assert run("stations", "-o", "link.csv", "--overwrite").code == 0
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
