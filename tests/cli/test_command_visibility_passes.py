"""`visibility --passes`: the passes of the library as a table, with spans, horizons and faults."""

import numpy as np
import pytest

import gnss_coop as gc

COLUMNS = [
    "station", "sv", "begins", "rise_gpst", "rise_azimuth_deg", "culmination_gpst", "culmination_azimuth_deg",
    "max_elevation_deg", "ends", "set_gpst", "set_azimuth_deg", "duration_s",
]  # fmt: skip
SPAN = ("--start", "2024-01-10T06:00", "--hours", "6")
TOWN = """name = "Town"
geodetic = {latitude_deg = 52.2, longitude_deg = 104.3, height_m = 500}
horizon = [[0, 5], [120, 5], [120, 50], [140, 50], [140, 5]]
"""


@pytest.fixture(scope="module")
def nav(day):
    return gc.read_nav(day)


def test_csv_holds_exactly_the_passes_of_the_library(run, day, nav):
    table = run("visibility", day, "--passes", *SPAN, "--systems", "R,C", "--mask", "10", "--format", "csv").table
    assert list(table.columns) == [*COLUMNS, "day", "source"]
    found = gc.passes(nav, "joint", "2024-01-10T06:00", "2024-01-10T12:00", systems="RC", mask_deg=10)
    assert len(table) == len(found) > 100
    for name in COLUMNS:
        own = found[name].to_numpy()
        theirs = np.array(table[name], "datetime64[ns]") if name.endswith("_gpst") else table[name].to_numpy()
        assert (own == theirs).all(), name


def test_the_day_of_the_file_is_the_default_span(run, day, nav):
    table = run("visibility", day, "--passes", "--systems", "R", "--stations", "Irkutsk", "--format", "csv").table
    assert table["rise_gpst"].min() == "2024-01-10T00:00:00"
    assert table["set_gpst"].max() == "2024-01-11T00:00:00"
    assert len(table) == len(gc.passes(nav, "Irkutsk", "2024-01-10", "2024-01-11", systems="R"))


def test_satellites_rise_twice_beside_an_obstacle(run, day, tmp_path):
    (tmp_path / "town.toml").write_text(TOWN, encoding="utf-8")
    arguments = ("--passes", *SPAN, "--systems", "C", "--stations", tmp_path / "town.toml", "--format", "csv")
    table = run("visibility", day, *arguments).table
    beside = table[table["rise_azimuth_deg"].between(139.9, 140.1) | table["rise_azimuth_deg"].between(119.9, 120.1)]
    assert len(beside) >= 2
    assert table["sv"].duplicated().any()


def test_options_of_reading_reach_the_passes(run, day):
    arguments = ("--passes", *SPAN, "--systems", "R", "--stations", "Irkutsk", "--format", "csv")
    table = run("visibility", day, *arguments, "--exclude-sv", "R01,R02", "--max-age", "600").table
    assert not set(table["sv"]) & {"R01", "R02"}
    assert (table["ends"] == "ephemeris").sum() > 20


def test_text_is_one_line_a_pass(run, day):
    out = run("visibility", day, "--passes", *SPAN, "--systems", "C", "--stations", "Irkutsk").out
    words = next(line for line in out.splitlines() if " C01 " in line).split()
    assert words[:4] == ["Irkutsk", "C01", "start", "2024-01-10T06:00:00"]
    assert (words[-4], words[-3], words[-1]) == ("end", "2024-01-10T12:00:00", "21600")


def test_a_system_without_records_is_told(run, glonass):
    arguments = ("--passes", "--start", "2022-10-05T00:15", "--hours", "0.5", "--mask", "-90", "--format", "csv")
    result = run("visibility", glonass, *arguments, "--systems", "R,C", "--stations", "Irkutsk")
    assert result.code == 0
    assert "no usable record of BeiDou" in result.err
    assert result.table[["sv", "begins", "ends"]].to_numpy().tolist() == [["R01", "start", "end"]]


def test_one_epoch_has_no_passes(run, day):
    run("visibility", day, "--passes", "--at", "2024-01-10T12:00").refused("--passes needs a span")


def test_a_span_without_ephemerides_is_refused(run, day):
    run("visibility", day, "--passes", "--start", "2024-03-01", "--hours", "2").refused("no valid ephemeris")
