"""`gnss-coop query`, `diff` and `trend` over an archive that `gnss-coop batch` made."""

import pytest

pytest.importorskip("duckdb")


@pytest.fixture
def archive(run, hours, tmp_path):
    settings = ("--stations", "Irkutsk", "--step", "1800", "--mask", "5", "--products", "compare,passes")
    assert run("batch", hours, "-o", tmp_path / "results", *settings, "--threads", "--workers", 1).code == 0
    return tmp_path / "results"


def test_a_question_in_csv(run, archive):
    result = run("query", "SELECT systems, availability_pct FROM compare ORDER BY 1", "--format", "csv")
    assert result.code == 0
    assert result.table["systems"].tolist() == ["C", "R", "R+C"]


def test_times_and_days_are_text(run, archive):
    result = run("query", "SELECT day, rise_gpst FROM passes ORDER BY 2", "--archive", archive, "--format", "csv")
    assert result.table["day"].iloc[0] == "2022-06-08"
    assert "T" in result.table["rise_gpst"].iloc[0]


def test_a_question_from_standard_input_and_into_a_file(start, archive, tmp_path):
    process = start("query", "-", "--archive", archive, "--format", "parquet", "-o", tmp_path / "out.parquet")
    out, err = process.communicate(b"SELECT 42 AS answer")
    assert (process.returncode, out) == (0, b""), err
    import duckdb

    assert duckdb.read_parquet(str(tmp_path / "out.parquet")).fetchall() == [(42,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE jobs", "one SELECT"),
        ("SELECT * FROM read_text('/etc/hostname')", "no other file"),
        ("SELECT nothing FROM compare", "nothing"),
    ],
)
def test_refused_questions(run, archive, sql, words):
    run("query", sql, "--archive", archive).refused(words)


def test_no_archive(run, tmp_path):
    run("query", "SELECT 1", "--archive", tmp_path).refused("not a gnss-coop archive")
    run("diff", tmp_path, tmp_path).refused("not a gnss-coop archive")
    run("trend", tmp_path).refused("not a gnss-coop archive")


def test_diff_of_an_archive_with_itself(run, archive):
    result = run("diff", archive, archive)
    assert result.code == 0
    assert result.out.splitlines()[-1] == "2 of 2 results are the same"


def test_diff_tells_by_its_exit_code(run, hours, archive, tmp_path):
    settings = ("--stations", "Irkutsk", "--step", "900", "--mask", "5", "--products", "compare,passes")
    run("batch", hours, "-o", tmp_path / "other", *settings, "--threads", "--workers", 1)
    result = run("diff", archive, tmp_path / "other", "--format", "csv")
    assert result.code == 3  # passes do not depend on the step
    assert result.table["product"].tolist() == ["compare"]
    assert result.table["reason"].tolist() == ["settings (step_s)"]


def test_trend_with_a_picture(run, archive, tmp_path):
    result = run("trend", archive, "--per", "day", "--plot", tmp_path / "trend.png", "--format", "csv")
    assert result.code == 0
    assert result.table["period"].unique().tolist() == ["2022-06-08"]
    assert (tmp_path / "trend.png").read_bytes()[:4] == b"\x89PNG"
    run("trend", archive, "--plot", tmp_path / "trend.png").refused("--overwrite")
    run("trend", archive, "--stations", "Atlantis").refused("Atlantis")


def test_the_ending_of_the_output_of_a_trend_tells_picture_and_table(run, archive, tmp_path):
    pytest.importorskip("matplotlib")
    shown = run("trend", archive, "--format", "csv").out
    drawn = run("trend", archive, "--format", "csv", "-o", "trend.svg")
    assert (drawn.code, drawn.out) == (0, shown)
    assert (tmp_path / "trend.svg").read_text("utf-8").startswith("<?xml")
    assert run("trend", archive, "-o", "trend.csv").code == 0
    assert (tmp_path / "trend.csv").read_text() == shown
    run("trend", archive, "-o", "trend.svg").refused("trend.svg exists")
    run("trend", archive, "-o", "a.png", "--plot", "b.png").refused("--plot and --output")
