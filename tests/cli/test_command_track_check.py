"""`track-check`: tables are those of the library, files are sorted out, and errors say what to do."""

import gzip
import os
from pathlib import Path

import pytest

import gnss_coop as gc
from gnss_coop.tracking.text import TABLES, station_toml

DATA = os.environ.get("GNSS_COOP_TESTDATA")


@pytest.fixture(scope="module")
def obs(root: Path) -> Path:
    return root / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"


@pytest.fixture(scope="module")
def seen(obs: Path, day: Path) -> gc.Tracking:
    return gc.tracked(gc.read_obs(obs), gc.read_nav(day), systems="RC")


@pytest.mark.parametrize("table", TABLES)
def test_csv_holds_the_table_of_the_library(run, obs, day, seen, table):
    result = run("track-check", obs, "--nav", day, "--systems", "R,C", "--table", table, "--format", "csv")
    assert result.code == 0
    frame = TABLES[table](seen)
    assert list(result.table.columns) == list(frame.columns)
    assert len(result.table) == len(frame)


def test_the_command_knows_all_tables():
    from gnss_coop.cli.commands.track_check import TABLES as NAMES

    assert tuple(TABLES) == NAMES


def test_the_page_tells_the_main_figures(run, obs, day):
    result = run("track-check", obs, "--nav", day, "--systems", "R,C")
    assert "TRIMBLE ALLOY" in result.out
    assert "48 of 48 epochs of 1800 s" in result.out
    for title in ("Never tracked", "Tracked without being predicted", "Longest gaps", "Learned horizon"):
        assert title in result.out


def test_one_nav_takes_several_files_behind_obs(run, obs, day, glonass):
    several = run("track-check", obs, "--nav", day, glonass, "--systems", "R", "--format", "csv")
    repeated = run("track-check", "--nav", day, "--nav", glonass, obs, "--systems", "R", "--format", "csv")
    assert several.code == repeated.code == 0
    assert several.out == repeated.out


def test_files_given_the_wrong_way_round_are_named(run, obs, day):
    run("track-check", day, "--nav", day).refused("give it with --nav", day.name)
    run("track-check", obs, "--nav", obs).refused(obs.name)


def test_other_day_names_both_spans(run, obs, hours):
    run("track-check", obs, "--nav", hours).refused("2024-01-10T00:00:00", "2022-06-0")


def test_observations_without_position_say_how_to_give_one(run, obs, day, tmp_path):
    text = gzip.decompress(obs.read_bytes()).replace(b"APPROX POSITION XYZ", b"COMMENT            ")
    (tmp_path / "nowhere.crx").write_bytes(text)
    run("track-check", tmp_path / "nowhere.crx", "--nav", day).refused("APPROX POSITION XYZ", "--station FILE|NAME")
    assert run("track-check", tmp_path / "nowhere.crx", "--nav", day, "--station", "Shanghai").code == 0


def test_a_cut_file_is_refused_unless_accepted(run, obs, day, tmp_path):
    cut = tmp_path / "cut.crx"
    cut.write_bytes(gzip.decompress(obs.read_bytes())[:100_000])
    run("track-check", cut, "--nav", day).refused("--accept-truncated")
    assert run("track-check", cut, "--nav", day, "--accept-truncated", "--format", "csv").code == 0


def test_two_masks_are_refused(run, obs, day):
    assert run("track-check", obs, "--nav", day, "--mask", "5,10").code == 2


def test_a_station_file_may_say_where(run, obs, day, tmp_path):
    place = tmp_path / "place.toml"
    place.write_text('name = "Here"\ngeodetic = { latitude_deg = -6.49, longitude_deg = 106.85, height_m = 173.0 }\n')
    result = run("track-check", obs, "--nav", day, "--station", place)
    assert result.out.startswith("Here: -6.4900, 106.8500 deg")


def test_little_evidence_is_told(run, obs, day, tmp_path):
    run("track-check", obs, "--nav", day, "--write-station", tmp_path / "x.toml").refused("enough evidence")


@pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")
def test_the_learned_horizon_is_a_station_file_that_can_be_used(run, day, tmp_path):
    full = Path(DATA or "") / "registry/pygnss-tec-0.3.1/CIBG00IDN_R_20240100000_01D_30S_MO.crx.gz"
    written = tmp_path / "cibg.toml"
    assert run("track-check", full, "--nav", day, "--write-station", written, "--quiet").code == 0
    station = gc.read_station(written)
    assert station.marker == "CIBG"
    assert len(station.horizon) > 18
    # Fewer are expected behind the learned horizon than in the open sky, and nearly all of them were tracked.
    table = run(
        "track-check", full, "--nav", day, "--station", written, "--mask", "0", "--table", "systems", "--format", "csv"
    )
    free = run("track-check", full, "--nav", day, "--mask", "0", "--table", "systems", "--format", "csv")
    assert table.table["missed"].sum() < free.table["missed"].sum()


def test_every_field_of_a_station_survives(tmp_path):
    for name in gc.stations("all").names:
        station = gc.stations(name)[0].model_copy(
            update={"horizon": ((5.0, 3.5), (15.0, 0.0)), "name_ru": 'Крыша "1"\\'}
        )
        path = tmp_path / "station.toml"
        path.write_text(station_toml(station), "utf-8")
        assert gc.read_station(path) == station


# --- Files of public reports: satellite-epochs per system as in the untouched file, and what is said -----------------

COUNTS = {"C": 148, "E": 59, "G": 54, "I": 29, "J": 24, "R": 47, "S": 30}
REPORTS = {
    "satellites-twice": ({}, "6 x a satellite occurs twice in the epoch"),
    "system-not-in-header": ({}, "148 lines of BeiDou satellites, which the header does not announce"),
    "unknown-system-in-header": ({"J": 0}, "24 lines of satellites of 'Q', which is not a RINEX system"),
    "one-line-short": ({"S": 28}, "2 x epoch has fewer lines than it announces"),
    "one-bad-field": ({}, "3 x an observation is not a number"),
    "count-of-types-wrong": ({}, "1 x 6 observation types are announced and 8 are listed"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_files_of_public_reports(run, root, day, name):
    changes, words = REPORTS[name]
    file = root / f"tests/data/public_reports/{name}.rnx.gz"
    result = run("track-check", file, "--nav", day, "--table", "systems", "--format", "csv")
    assert result.code == 0, result.err
    assert dict(zip(result.table["system"], result.table["tracked"].astype(int), strict=True)) == {**COUNTS, **changes}
    assert words in result.err


def test_a_system_that_the_header_forgot_is_not_called_untracked(run, root, day):
    file = root / "tests/data/public_reports/system-not-in-header.rnx.gz"
    result = run("track-check", file, "--nav", day, "--table", "never-tracked", "--format", "csv")
    assert result.code == 0, result.err
    assert not result.table["reason"].str.contains("header").any()


def test_a_report_counts_damage_in_its_language(run, root, day, tmp_path):
    file = root / "tests/data/public_reports/one-line-short.rnx.gz"
    when = ("--start", "2024-01-10T06:00", "--hours", "3")
    chosen = ("--stations", "irkutsk", "--systems", "R,C", "--language", "ru")
    result = run("report", day, "--obs", file, *chosen, *when, "-o", tmp_path / "r")
    assert result.code == 0, result.err
    page = (tmp_path / "r" / "cibg.html").read_text("utf-8")
    assert "опущено в наблюдениях: 2 x в эпохе меньше строк, чем объявлено; имеющиеся использованы" in page
