"""`--forecast` and `--almanac`: what lies beyond the ephemerides is there only when asked for, and marked."""

import numpy as np
import pytest

import gnss_coop as gc

TWO_LINES = (
    "GPS BIIA-10 (PRN 32)\n"
    "1 20959U 90103A   12305.07451262 -.00000021  00000-0  10000-3 0  7565\n"
    "2 20959  54.4624 233.1521 0118917 330.7963  28.5681  2.00577377160619\n"
)
LATER = ("--start", "2024-01-16", "--hours", "1", "--step", "1800", "--stations", "Irkutsk")


@pytest.fixture
def glonass_day(root):
    return root / "sample_rinex" / "brdc0100.24g.gz"


@pytest.mark.parametrize("command", ["dop", "visibility", "map", "positions"])
def test_without_forecast_nothing_changes(run, glonass_day, command):
    when = ("--at", "2024-01-10T12:00") + (("--grid", "45") if command == "map" else ())
    head = run(command, glonass_day, "--systems", "R", *when, "--format", "csv").out.splitlines()[0]
    assert "forecast" not in head
    run(command, glonass_day, "--systems", "R", "--at", "2024-01-16").refused("no valid ephemeris")


def test_dop_of_next_week(run, glonass_day):
    result = run("dop", glonass_day, "--systems", "R", "--forecast", "7", *LATER, "--format", "csv")
    assert result.code == 0
    assert result.table.columns[-4:].tolist() == ["forecast", "forecast_error_deg", "day", "source"]
    assert result.table["forecast_error_deg"].between(0.05, 0.06).all()
    assert result.table["forecast"].tolist() == [True, True]
    assert "forecast: 2 of 2 epochs hold satellites beyond their ephemerides, by up to 5.0 days" in result.err
    assert "right to 0.06 deg seen from the Earth's centre (MEO 0.01 deg/day)" in result.err
    sky = gc.positions_with_forecast(gc.read_nav(glonass_day), gc.epochs("2024-01-16", hours=1, step_s=1800),
                                     forecast_days=7)  # fmt: skip
    expected = gc.dilution_of_precision(sky, "Irkutsk", ["R"]).pdop.values.ravel()
    np.testing.assert_array_equal(result.table["pdop"].to_numpy(), expected)


def test_rows_on_both_sides_of_the_last_record(run, glonass_day):
    table = run("visibility", glonass_day, "--forecast", "1", "--start", "2024-01-10T23:00", "--hours", "4",
                "--step", "3600", "--stations", "Irkutsk", "--format", "csv").table  # fmt: skip
    late = table["time_gpst"] >= "2024-01-11T00:30"
    assert not table["forecast"][~late].any()
    assert table["forecast"][late].all()
    assert (table["forecast_error_deg"].notna() == table["forecast"]).all()


def test_a_start_beyond_the_records_runs_to_the_end_of_the_forecast(run, glonass_day):
    table = run("positions", glonass_day, "--forecast", "2", "--start", "2024-01-12", "--step", "21600", "--format",
                "csv").table  # fmt: skip
    assert table["time_gpst"].min() == "2024-01-12T00:00:00"
    assert table["time_gpst"].max() == "2024-01-13T00:00:00"
    assert set(table["message"]) == {"FORECAST"}


def test_map_says_how_much_of_it_is_forecast(run, glonass_day, tmp_path):
    import xarray as xr

    result = run("map", glonass_day, "--systems", "R", "--forecast", "3", "--start", "2024-01-10T18:00", "--hours",
                 "12", "--step", "7200", "--grid", "45", "-o", tmp_path / "a.nc", "--format", "csv")  # fmt: skip
    assert result.code == 0, result.err
    # 18:00 to 04:00; the records of 23:45 reach to midnight.
    assert result.table["forecast_pct"].item() == pytest.approx(100 / 3)
    with xr.open_dataset(tmp_path / "a.nc") as world:
        assert world.attrs["forecast_error_deg_per_day"] == "MEO 0.01"
        assert world.attrs["forecast_epochs_pct"] == pytest.approx(100 / 3)


def test_passes_of_next_week(run, glonass_day):
    result = run("visibility", glonass_day, "--passes", "--forecast", "7", "--start", "2024-01-16", "--hours", "12",
                 "--stations", "Irkutsk", "--systems", "R", "--format", "csv")  # fmt: skip
    assert result.code == 0, result.err
    assert result.table["forecast"].all()
    assert {"rise", "start"} >= set(result.table["begins"])


def test_an_almanac_instead_of_files(run, tmp_path):
    changes = {
        "GPS BIIA-10 (PRN 32)": "ISS",
        "1 20959": "1 25544",
        "2 20959": "2 25544",
        "7565": "7560",
        "0619": "0614",
    }
    other = TWO_LINES
    for old, new in changes.items():
        other = other.replace(old, new)
    (tmp_path / "tle.txt").write_text(TWO_LINES + other, "ascii")
    result = run("visibility", "--almanac", "tle.txt", "--start", "2012-11-01", "--hours", "24", "--step", "3600",
                 "--stations", "joint", "--format", "csv")  # fmt: skip
    assert result.code == 0, result.err
    assert set(result.table["sv"]) == {"G32"}
    assert result.table["forecast"].all()
    assert "1 entries of tle.txt have no RINEX name or are left out: ISS (catalogue number 25544)" in result.err


def test_an_almanac_beyond_the_files(run, glonass_day, tmp_path):
    (tmp_path / "tle.txt").write_text(TWO_LINES, "ascii")
    run("dop", glonass_day, "--almanac", "tle.txt").refused("needs --forecast DAYS")
    run("dop", glonass_day, "--almanac", "tle.txt", "--forecast", "3", "--at", "2024-01-12").refused("no satellite")


def test_what_cannot_be(run, glonass_day, tmp_path):
    (tmp_path / "tle.txt").write_text(TWO_LINES, "ascii")
    run("dop", glonass_day, "--forecast", "0").refused("--forecast")
    run("dop", glonass_day, "--forecast", "61").refused("--forecast")
    run("dop", glonass_day, "--forecast", "2", "--start", "2024-01-12", "--end", "2024-01-20").refused(
        "lies beyond the forecast, which reaches 2 days", "longer --forecast"
    )
    run("dop", "--almanac", "tle.txt").refused("give --start")
    run("dop", "--almanac", "none.txt", "--at", "2012-11-01").refused("none.txt: there is no such file")
    run("dop", "--almanac", glonass_day, "--at", "2012-11-01").refused("is not an almanac")
    run("dop").refused("Missing argument 'NAV...'")
    run("map", "--nominal", "R", "--epoch", "2024-01-10", "--forecast", "2").refused("--nominal goes without")


def test_the_environment_sets_it(run, glonass_day, monkeypatch):
    monkeypatch.setenv("GNSS_COOP_FORECAST", "7")
    assert run("dop", glonass_day, "--systems", "R", *LATER, "--format", "csv").table["forecast"].all()
