"""`position`: tables are those of the library, pictures appear, and errors say what to do."""

import gzip
from pathlib import Path

import hatanaka
import pytest

import gnss_coop as gc
from gnss_coop import positioning
from gnss_coop.cli.commands.position import PICTURES, TABLES
from gnss_coop.positioning.plots import PLOTS
from gnss_coop.positioning.text import times_as_text

CONTRACT = (
    "station,scenario,mask_deg,n_epochs,availability_pct,n_used_mean,pdop_median,h95_m,v95_m,d3_median_m,d3_p95_m,"
    "expected_d3_p95_m"
)


@pytest.fixture(scope="module")
def obs(root: Path) -> Path:
    return root / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"


@pytest.fixture(scope="module")
def result(obs: Path, day: Path) -> positioning.Positioning:
    return positioning.position_fixes(gc.read_obs(obs, values=True), gc.read_nav(day), "R,C,R+C", (10, 25))


def test_summary_is_the_agreed_csv(run, obs, day):
    found = run("position", obs, "--nav", day, "--mask", "10,25", "--format", "csv")
    assert found.code == 0
    head, *rows = found.out.splitlines()
    assert head == CONTRACT
    assert [row.split(",")[:3] for row in rows] == [
        ["CIBG", scenario, mask] for scenario in ("R", "C", "R+C") for mask in ("10.0", "25.0")
    ]


@pytest.mark.parametrize("table", TABLES)
def test_csv_holds_the_table_of_the_library(run, obs, day, result, table):
    found = run("position", obs, "--nav", day, "--mask", "10,25", "--table", table, "--format", "csv")
    assert found.code == 0
    frame = times_as_text(TABLES[table](result))
    assert list(found.table.columns) == list(frame.columns)
    assert len(found.table) == len(frame)


def test_the_command_knows_all_pictures():
    assert tuple(PLOTS) == PICTURES


def test_page_holds_findings_and_conditions(run, obs, day):
    found = run("position", obs, "--nav", day)
    assert found.code == 0
    for words in ("CIBG: 48 epochs of 1800 s", "truth       median of the 48 fixes", "findings:", "notes:", "GLONASS"):
        assert words in found.out


def test_a_table_says_on_standard_error_what_the_truth_is(run, obs, day):
    found = run("position", obs, "--nav", day, "--systems", "C", "--truth", "header", "--format", "csv")
    assert "note: truth: position in the header of the observations" in found.err
    assert "truth" not in run("position", obs, "--nav", day, "--systems", "C", "--format", "csv", "--quiet").err


def test_settings_reach_the_computation(run, obs, day):
    def p95(*settings: str) -> float:
        return run("position", obs, "--nav", day, "--systems", "R+C", "--format", "csv", *settings).table.d3_p95_m[0]

    usual = p95()
    for settings in (
        ("--sigma", "equal"), ("--sigma", "R=5,C=1"), ("--weights", "equal"), ("--ionosphere", "klobuchar"),
        ("--clocks", "common"), ("--clocks", "prior:5", "--calibrate", "3"), ("--exclude-sv", "C01,C02,C06,C13,C16"),
        ("--truth", "header"), ("--mask", "30"), ("--max-pdop", "0.9"),
    ):  # fmt: skip
        assert p95(*settings) != usual, settings


def test_pictures_appear_and_are_not_replaced_unasked(run, obs, day, tmp_path):
    paths = {kind: tmp_path / f"{kind}.png" for kind in PICTURES}
    plots = [word for kind, path in paths.items() for word in ("--plot", f"{kind}={path}")]
    assert run("position", obs, "--nav", day, "--quiet", *plots).code == 0
    assert all(path.stat().st_size > 10_000 for path in paths.values())
    run("position", obs, "--nav", day, *plots).refused("exists already")
    assert run("position", obs, "--nav", day, "--quiet", "--overwrite", *plots).code == 0
    run("position", obs, "--nav", day, "--plot", "scatter=a.bmp").refused("unknown kind of picture")
    run("position", obs, "--nav", day, "--plot", "histogram=a.png").refused(
        "scatter, errors, expected, residuals, offsets"
    )


def test_a_station_file_is_the_truth(run, obs, day, tmp_path):
    path = tmp_path / "cibinong.toml"
    path.write_text('name = "Cibinong"\necef_m = [-1837003.19, 6065631.16, -716184.06]\nsource = "its header"\n')
    found = run("position", obs, "--nav", day, "--systems", "C", "--station", path, "--format", "csv")
    assert found.table.station[0] == "Cibinong"
    assert "truth: station Cibinong (its header)" in found.err
    far = run("position", obs, "--nav", day, "--systems", "C", "--station", "Shanghai", "--format", "csv")
    assert "km from the truth: station Shanghai" in far.err
    run("position", obs, "--nav", day, "--station", "joint").refused("6 are chosen; choose one")


def test_files_of_one_marker_are_one_receiver_and_others_are_others(run, obs, day, tmp_path):
    text = hatanaka.decompress(obs.read_bytes()).decode()
    head, _, body = text.partition("END OF HEADER")
    half = body.index("> 2024 01 10 12 00")
    parts = [tmp_path / name for name in ("first.rnx", "second.rnx", "other.rnx")]
    parts[0].write_text(f"{head}END OF HEADER{body[:half]}")
    parts[1].write_text(f"{head}END OF HEADER         \n{body[half:]}")
    parts[2].write_text(f"{head.replace('CIBG ', 'ELSE ', 1)}END OF HEADER{body}")
    found = run("position", *parts, "--nav", day, "--systems", "C", "--format", "csv").table
    assert found.station.tolist() == ["CIBG", "ELSE"]
    assert found.n_epochs.tolist() == [48, 48]
    assert found.d3_p95_m[0] == found.d3_p95_m[1]
    run("position", *parts, "--nav", day, "--plot", "scatter=a.png").refused("are for the observations of one receiver")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("--sigma", "R=-1"), "sigma of R is -1 m: it must be above 0"),
        (("--sigma", "R=0"), "sigma of R is 0 m"),
        (("--sigma", "much"), "'much' is neither estimate nor equal nor metres by system such as R=2.2,C=1.3"),
        (("--mask", "95"), "an elevation mask outside 0 to 90 deg: 95"),
        (("--truth", "gps"), "unknown truth 'gps'"),
        (("--truth", "none.snx"), "none.snx"),
        (("--truth", "station"), "the truth is to be the station, and none is given"),
        (("--calibrate", "3"), "calibration is for the clocks common and prior"),
        (("--systems", "S"), "no measurements for S"),
    ],
)
def test_bad_input_is_one_sentence(run, obs, day, settings, words):
    run("position", obs, "--nav", day, *settings).refused(words)


def test_files_without_what_is_needed(run, obs, day, hours, tmp_path):
    run("position", obs, "--nav", hours).refused("the observations are of 2024-01-10T00:00:00 to 2024-01-10T23:30:00")
    run("position", day, "--nav", day).refused("give it with --nav")
    text = hatanaka.decompress(obs.read_bytes()).decode()
    phases = tmp_path / "phases.rnx.gz"
    head, _, body = text.partition("END OF HEADER")
    phases.write_bytes(gzip.compress(head.replace(" C", " L").encode() + b"END OF HEADER" + body.encode()))
    run("position", phases, "--nav", day).refused("there are no code pseudoranges of")
