"""`gnss-coop report`."""

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("duckdb")

HOURS = ("--start", "2024-01-10T06:00", "--hours", "3", "--step", "900")


@pytest.fixture(scope="session")
def obs(root):
    return root / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"


def test_pages_are_named_on_standard_output(run, day, tmp_path):
    result = run("report", day, "--stations", "Irkutsk,Obninsk", *HOURS, "--quiet", "-o", tmp_path / "r")
    assert result.code == 0, result.err
    assert result.out.split() == [str(tmp_path / "r" / f"{name}.html") for name in ("index", "irkutsk", "obninsk")]
    assert result.err == ""
    assert "2024-01-10 06:00 – 2024-01-10 09:00" in (tmp_path / "r" / "irkutsk.html").read_text("utf-8")


def test_observations_bring_their_own_station(run, day, obs, tmp_path):
    """Behind the files of navigation, --obs takes all files up to the next option."""
    result = run("report", day, "--obs", obs, "--stations", "Irkutsk", *HOURS, "-o", tmp_path / "r", "--language", "ru")
    assert result.code == 0, result.err
    page = (tmp_path / "r" / "cibg.html").read_text("utf-8")
    assert "Прогноз и фактическое слежение" in page
    assert obs.name in page
    assert (tmp_path / "r" / "data" / "tracking_satellites.csv").is_file()


def test_a_forecast_is_marked(run, day, tmp_path):
    when = ("--start", "2024-01-12T00:00", "--hours", "2", "--step", "1200", "--forecast", "2")
    result = run("report", day, "--stations", "Irkutsk", *when, "-o", tmp_path / "r")
    assert result.code == 0, result.err
    assert "forecast:" in result.err
    assert "beyond their ephemerides" in (tmp_path / "r" / "irkutsk.html").read_text("utf-8")
    assert "True" in (tmp_path / "r" / "data" / "visibility.csv").read_text("utf-8").splitlines()[1]


def test_nothing_is_read_where_the_folder_is_taken(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    run("report", "no-such-file", "-o", tmp_path / "mine", "--overwrite").refused("holds no report")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--at", "2024-01-10T00:00"), "needs a span"),
        (("--language", "fr"), "'fr'"),
        (("--hours", "0.05"), "at least two epochs"),
        (("--stations", "Atlantis"), "Atlantis"),
        (("--systems", "R,X"), "X"),
    ],
)
def test_bad_questions_are_refused(run, day, tmp_path, arguments, words):
    run("report", day, *arguments, "-o", tmp_path / "r", "--quiet").refused(words)
    assert not (tmp_path / "r").exists()


def test_a_folder_is_needed(run, day):
    run("report", day).refused("--output")


def test_observations_of_another_day_are_refused(run, hours, obs, tmp_path):
    result = run("report", hours, "--obs", obs, "--quiet", "-o", tmp_path / "r")
    result.refused("2024-01-10", "2022-06-08")
