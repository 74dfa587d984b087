"""``gnss-coop batch`` as a user meets it: options and studies, words, exit codes, status, metrics."""

import gzip
import json
import shutil

import pytest

pytest.importorskip("duckdb")

QUICK = ("--stations", "Irkutsk", "--mask", "25", "--step", "3600", "--products", "compare", "--threads")


@pytest.fixture
def files(tmp_path, hours, root):
    """Two good files of two days in a folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(hours, folder)
    shutil.copy(root / "sample_rinex" / "brdc0100.24g.gz", folder)
    return folder


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("product=*/*/*/*"))


def test_first_and_second_time(run, files, tmp_path):
    first = run("batch", files, *QUICK, "-o", "results")
    assert first.code == 0, first.err
    assert first.out.startswith("2 days: 2 computed, 0 complete before, 0 failed; 2 files, 0 of them unreadable\n")
    assert "days an hour" in first.out
    told = [line for line in first.err.splitlines() if not line.startswith("starting;")]  # on a busy machine
    assert len(told) == 1
    assert told[0].startswith(
        "warning: the files of 1 of 2 days, such as 2022-06-08, hold too little"
    )  # one receiver's
    assert [name.split("/")[2] for name in names(tmp_path / "results")] == ["day=2022-06-08", "day=2024-01-10"]
    again = run("batch", files, *QUICK, "-o", "results")
    assert again.out.startswith("2 days: 0 computed, 2 complete before")


def test_a_bad_file(run, files):
    (files / "bad.24n").write_text("Dear user, ...")
    result = run("batch", files, *QUICK, "-o", "results", "--quiet")
    assert result.code == 3
    assert result.out == ""
    assert len(result.err.splitlines()) == 1
    assert "bad.24n" in result.err


def test_all_bad(run, tmp_path):
    (tmp_path / "bad.24n").write_text("Dear user, ...")
    result = run("batch", "bad.24n", *QUICK, "-o", "results")
    assert result.code == 4
    assert "failed: " in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "results"), ("inputs: is missing",)),
        (("x.24n",), ("output: is missing",)),
        (("x.24n", "-o", "results"), ("x.24n", "no such file")),
        (("x*.24n", "-o", "results"), ("finds no file",)),
        (("x.24n", "-o", "results", "--products", "weather"), ("knows no weather; there are compare, passes",)),
        (("x.24n", "-o", "results", "--systems", "Q"), ("Unknown system",)),
        (("--study", "none.toml"), ("none.toml", "cannot be read")),
        (("--status", "."), ("has no ledger.sqlite",)),
    ],
)
def test_wrong_usage(run, arguments, words):
    run("batch", *arguments).refused(*words)


def test_a_study_and_options_over_it(run, files, tmp_path):
    written = run("batch", "--init", "--study", "study.toml")
    assert written.code == 0
    run("batch", "--init", "--study", "study.toml").refused("study.toml exists")
    assert run("batch", "--init").out == (tmp_path / "study.toml").read_text("utf-8")
    text = (tmp_path / "study.toml").read_text("utf-8").replace('"archive/"', '"in/"')
    (tmp_path / "study.toml").write_text(text.replace("step = 300 ", "step = 3600 "), "utf-8")
    result = run("batch", "--study", "study.toml", "--products", "compare", "--mask", "7", "--threads")
    assert result.code == 0, result.err
    assert all("mask7-" in name for name in names(tmp_path / "results"))


def test_the_environment_overrides_a_study_and_the_config_file_does_not(run, files, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(
        'inputs = "in"\noutput = "results"\nmask = [25]\nstep = 3600\nstations = "Irkutsk"\nproducts = "compare"\n'
    )
    (tmp_path / "gnss-coop.toml").write_text("mask = 40\n")
    run("batch", "--study", "study.toml", "--threads")
    assert all("mask25-" in name for name in names(tmp_path / "results"))
    monkeypatch.setenv("GNSS_COOP_MASK", "30")
    run("batch", "--study", "study.toml", "--threads", "-o", "other")
    assert all("mask30-" in name for name in names(tmp_path / "other"))
    monkeypatch.delenv("GNSS_COOP_MASK")
    run("batch", "in", *QUICK[:2], *QUICK[4:], "-o", "third")
    assert all("mask40-" in name for name in names(tmp_path / "third"))


def test_json_for_programs(run, files):
    (files / "bad.24n").write_text("Dear user, ...")
    result = run("batch", files, *QUICK, "-o", "results", "--log-json")
    events = [json.loads(line) for line in result.err.splitlines()]
    assert {"begin", "day", "failed"} <= {event["event"] for event in events}
    assert {event["day"] for event in events if event["event"] == "day"} == {"2022-06-08", "2024-01-10"}
    found = json.loads(run("batch", "--status", "results", "--log-json").out)
    assert found["days"]["n_days"] == 2
    assert found["files"] == {"n_files": 3, "n_bad": 1}
    assert found["last_run"]["exit_code"] == 3


def test_status_in_words(run, files):
    run("batch", files, *QUICK, "-o", "results")
    lines = run("batch", "--status", "results").out.splitlines()
    assert lines[0] == "results: no run is at work"
    assert lines[1].startswith("last run: finished, started 20")
    assert lines[2] == "2 days, 2022-06-08 to 2024-01-10, 0 of them failed"
    assert lines[3] == "2 files, 0 of them unreadable"
    assert lines[4].startswith("compare: 2 results, ")


def test_metrics(run, files, tmp_path):
    run("batch", files, *QUICK, "-o", "results", "--metrics", "batch.prom")
    values = {}
    for line in (tmp_path / "batch.prom").read_text("utf-8").splitlines():
        if line.startswith("#"):
            assert line.split()[1] in ("HELP", "TYPE")
            continue
        name, value = line.rsplit(" ", 1)
        values[name] = float(value)
    assert values['gnss_coop_batch_days{result="computed"}'] == 2
    assert values["gnss_coop_batch_exit_code"] == 0
    first = values["gnss_coop_batch_success_timestamp_seconds"]
    assert first == values["gnss_coop_batch_end_timestamp_seconds"] > 1.7e9
    (files / "bad.24n").write_text("Dear user, ...")
    run("batch", files, *QUICK, "-o", "results", "--metrics", "batch.prom")
    text = (tmp_path / "batch.prom").read_text("utf-8")
    assert 'gnss_coop_batch_files{result="unreadable"} 1\n' in text
    assert f"gnss_coop_batch_success_timestamp_seconds {first:.0f}\n" in text


def test_a_file_by_standard_input(start, root):
    process = start("batch", "-", *QUICK, "-o", "results")
    data = gzip.decompress((root / "sample_rinex" / "brdc0100.24g.gz").read_bytes())
    out, err = process.communicate(data, timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(b"1 days: 1 computed")


def test_the_end_is_not_included(run, files):
    result = run("batch", files, *QUICK, "-o", "results", "--start", "2022-06-08", "--end", "2024-01-10")
    assert result.code == 0
    assert run("query", "SELECT DISTINCT day FROM jobs", "--format", "csv").table["day"].tolist() == ["2022-06-08"]
