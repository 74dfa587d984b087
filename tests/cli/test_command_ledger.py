"""`gnss-coop ledger`."""

import pytest

import gnss_coop as gc

pytest.importorskip("matplotlib")
pytest.importorskip("duckdb")

HOURS = ("--start", "2024-01-10T06:00", "--hours", "6", "--step", "900")


def test_the_files_are_named_on_standard_output(run, day, tmp_path, read_exactly):
    result = run("ledger", day, *HOURS, "--mask", "5,25", "--quiet", "-o", tmp_path / "l")
    assert result.code == 0, result.err
    assert result.out.split() == [str(tmp_path / "l" / name) for name in ("index.html", "ledger.csv", "ledger.parquet")]
    assert result.err == ""
    page = (tmp_path / "l" / "index.html").read_text("utf-8")
    assert "2024-01-10 06:00 – 2024-01-10 12:00" in page
    assert "<dt>Forecast</dt>" not in page
    sky = gc.satellite_positions(
        gc.read_nav(str(day)), gc.epochs("2024-01-10T06:00", hours=6, step_s=900), systems="RC"
    )
    table = gc.mutual_gain(sky, mask_deg=[5, 25])
    written = read_exactly((tmp_path / "l" / "ledger.csv").read_text("utf-8"))
    for name in ("standalone", "joint", "difference"):
        assert written[name].equals(table[name].astype(float)), name


def test_every_option_reaches_the_ledger(run, day, tmp_path, read_exactly):
    options = {
        "--systems": "C,R", "--mask": "20", "--clocks": "common", "--max-pdop": "3", "--stations": "Irkutsk",
        "--homes": "C=Shanghai+Urumqi,R=Irkutsk+Obninsk", "--network-mask": "10", "--window": "4",
        "--range-interval": "60", "--satellite-clock": "known",
    }  # fmt: skip
    words = [word for pair in options.items() for word in pair]
    result = run("ledger", day, *HOURS, *words, "-o", tmp_path / "l", "--quiet")
    assert result.code == 0, result.err
    sky = gc.satellite_positions(
        gc.read_nav(str(day)), gc.epochs("2024-01-10T06:00", hours=6, step_s=900), systems="CR"
    )
    table = gc.mutual_gain(
        sky, "C,R", stations="Irkutsk", mask_deg=20, clocks="common", limit=3.0,
        homes={"C": "Shanghai,Urumqi", "R": "Irkutsk,Obninsk"}, network_mask_deg=10, window_h=4, range_interval_s=60,
        clock_known=True,
    )  # fmt: skip
    written = read_exactly((tmp_path / "l" / "ledger.csv").read_text("utf-8"))
    assert written["place"].tolist() == table["place"].tolist()
    for name in ("standalone", "joint"):
        assert written[name].equals(table[name].astype(float)), name


def test_nominal_constellations_need_no_file(run, tmp_path):
    arguments = ("--nominal", "R,C", "--epoch", "2027-01-01", "--hours", "6", "--step", "1800", "--mask", "25")
    result = run("ledger", *arguments, "-o", tmp_path / "l")
    assert result.code == 0, result.err
    assert "nominal constellations" in (tmp_path / "l" / "index.html").read_text("utf-8")
    assert "a step of 1800 s is too long for sigma" in result.err


def test_a_forecast_is_told(run, day, tmp_path):
    when = ("--start", "2024-01-12T00:00", "--hours", "6", "--step", "1800", "--forecast", "2", "--mask", "25")
    result = run("ledger", day, *when, "-o", tmp_path / "l")
    assert result.code == 0, result.err
    assert "forecast:" in result.err
    assert "<dt>Forecast</dt>" in (tmp_path / "l" / "index.html").read_text("utf-8")


def test_a_file_that_fails_is_told_by_the_exit_code(run, day, tmp_path):
    (tmp_path / "torn.rnx").write_text("no navigation file\n")
    result = run("ledger", day, tmp_path / "torn.rnx", *HOURS, "--quiet", "-o", tmp_path / "l")
    assert result.code == 3
    assert "torn.rnx" in result.err
    assert (tmp_path / "l" / "index.html").is_file()


def test_nothing_is_read_where_the_folder_is_taken(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    run("ledger", "no-such-file", "-o", tmp_path / "mine", "--overwrite").refused("holds no ledger")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_an_existing_ledger_is_replaced_only_when_told(run, day, tmp_path):
    arguments = ("ledger", day, *HOURS, "--mask", "25", "--quiet", "-o", tmp_path / "l")
    assert run(*arguments).code == 0
    run(*arguments).refused("exists; give another name, or --overwrite")
    assert run(*arguments, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--at", "2024-01-10T00:00"), "needs a span"),
        (("--hours", "0.01"), "at least two epochs"),
        (("--stations", "Atlantis"), "Atlantis"),
        (("--systems", "R,X"), "X"),
        (("--systems", "R,E"), "home network of Galileo is not known"),
        (("--systems", "R,C,R+C"), "name two systems"),
        (("--homes", "R=russia,C=Irkutsk"), "nothing to host"),
        (("--window", "0"), "0"),
    ],
)
def test_bad_questions_are_refused(run, day, tmp_path, arguments, words):
    run("ledger", day, *arguments, "-o", tmp_path / "l", "--quiet").refused(words)
    assert not (tmp_path / "l").exists()


def test_a_file_of_one_system_gives_no_ledger(run, root, tmp_path):
    result = run("ledger", root / "sample_rinex" / "brdc0100.24g.gz", "-o", tmp_path / "l", "--quiet")
    result.refused("no satellite of BeiDou", "two sides")
    assert not (tmp_path / "l").exists()


def test_a_folder_is_needed(run, day):
    run("ledger", day).refused("--output")
