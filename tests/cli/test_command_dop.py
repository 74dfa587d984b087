"""`dop`: its columns, its numbers against the library, and the selections that are unusual but fine."""

import math

import numpy as np
import pytest

import gnss_coop as gc

COLUMNS = ["time_gpst", "station", "systems", "mask_deg", "n_used", "gdop", "pdop", "hdop", "vdop", "tdop"]
AT = ("--at", "2022-06-08T10:30:00")


def test_csv_holds_exactly_the_numbers_of_the_library(run, hours):
    result = run("dop", hours, "--start", "2022-06-08T10:00", "--hours", 0.75, "--step", 900, "--mask", "5,20",
                 "--stations", "china", "--format", "csv")  # fmt: skip
    table = result.table
    assert result.code == 0
    assert list(table.columns) == [*COLUMNS, "day", "source"]
    sky = gc.satellite_positions(gc.read_nav(hours), gc.epochs("2022-06-08T10:00", hours=0.75, step_s=900))
    dop = gc.dilution_of_precision(sky, "china", ["R", "C", "R+C"], mask_deg=[5, 20])
    expected = dop.to_dataframe().reset_index()
    expected["time_gpst"] = expected["time"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    keys = COLUMNS[:4]
    left, right = table.set_index(keys).sort_index(), expected.set_index(keys).sort_index()
    assert left.index.tolist() == right.index.tolist()
    assert len(left) == 3 * 2 * 3 * 3  # epochs, masks, stations, scenarios
    for name in COLUMNS[4:]:
        np.testing.assert_array_equal(left[name].to_numpy(), right[name].to_numpy(), err_msg=name)


def test_dops_obey_their_definitions_and_are_empty_together(run, hours):
    table = run("dop", hours, "--format", "csv", "--mask", "5,35").table
    solved = table.dropna()
    assert 0 < len(solved) < len(table)
    for square, one, other in (("gdop", "pdop", "tdop"), ("pdop", "hdop", "vdop")):
        np.testing.assert_allclose(solved[square] ** 2, solved[one] ** 2 + solved[other] ** 2, rtol=1e-9)
    assert (solved["n_used"] >= 4).all()
    unsolved = table[table["pdop"].isna()]
    assert unsolved[COLUMNS[5:]].isna().all(axis=None)
    assert (table[table["n_used"] < 4]["pdop"].isna()).all()


def test_z_means_utc_which_was_18_s_behind_gpst_in_2022(run, hours):
    utc = run("dop", hours, "--at", "2022-06-08T10:30:00Z", "--format", "csv").table
    assert utc["time_gpst"].unique().tolist() == ["2022-06-08T10:30:18"]
    gpst = run("dop", hours, "--at", "2022-06-08T10:30:18", "--format", "csv").table
    assert gpst.equals(utc)


@pytest.mark.parametrize("selection", ["IRKJ", "irkutsk", "Иркутск", "伊尔库茨克"])
def test_a_station_by_marker_or_in_any_language(run, hours, selection):
    result = run("dop", hours, *AT, "--stations", selection, "--format", "csv")
    assert result.table["station"].unique().tolist() == ["Irkutsk"]


def test_stations_from_a_file_and_a_folder(run, hours, root, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "roof.toml").write_text(
        'name = "Крыша"\ngeodetic = { latitude_deg = 55.5, longitude_deg = 37.0, height_m = 200.0 }\n', "utf-8"
    )
    file = run("dop", hours, *AT, "--stations", "own/roof.toml,URUM", "--format", "csv")
    assert file.table["station"].unique().tolist() == ["Крыша", "Urumqi"]
    assert run("dop", hours, *AT, "--stations", "own", "--format", "csv").table["station"].unique() == ["Крыша"]
    folder = run("dop", hours, *AT, "--stations", root / "stations", "--format", "csv")
    assert folder.out == run("dop", hours, *AT, "--format", "csv").out


def test_masks_from_below_the_horizon_to_near_the_zenith(run, hours):
    table = run("dop", hours, *AT, "--mask", "-5,5,85", "--format", "csv").table
    used = table.pivot(index=["station", "systems"], columns="mask_deg", values="n_used")
    assert (used[-5.0] >= used[5.0]).all()
    assert (used[5.0] >= used[85.0]).all()
    assert (used[-5.0] > used[85.0]).all()
    single = run("dop", hours, *AT, "--mask", "-5", "--format", "csv").table
    assert single["mask_deg"].unique().tolist() == [-5]


def test_all_four_systems_together_use_the_sum_of_the_satellites(run, hours):
    table = run("dop", hours, *AT, "--systems", "G,R,C,E,G+R+C+E", "--format", "csv").table
    used = table.pivot(index="station", columns="systems", values="n_used")
    assert (used["G+R+C+E"] == used[["G", "R", "C", "E"]].sum(axis=1)).all()


def test_excluding_satellites_lowers_the_counts(run, hours):
    seen = run("visibility", hours, *AT, "--stations", "Obninsk", "--systems", "R", "--format", "csv").table["sv"]
    assert len(seen) > 2
    arguments = ("dop", hours, *AT, "--stations", "Obninsk", "--systems", "R", "--format", "csv")
    before = run(*arguments).table["n_used"].item()
    after = run(*arguments, "--exclude-sv", ",".join(seen[:2])).table["n_used"].item()
    assert after == before - 2


def test_a_file_of_glonass_only_gives_no_solution_and_says_why(run, glonass):
    result = run("dop", glonass, "--at", "2022-10-05T00:20:00", "--format", "csv")
    assert result.code == 0
    assert result.table[COLUMNS[5:]].isna().all(axis=None)
    assert "no usable record of BeiDou" in result.err


def test_a_span_without_an_end_runs_to_the_end_of_the_data(run, hours):
    table = run("dop", hours, "--start", "2022-06-08T10:00", "--step", 600, "--format", "csv").table
    assert table["time_gpst"].iloc[0] == "2022-06-08T10:00:00"
    assert table["time_gpst"].iloc[-1] < "2022-06-08T12:00:00"
    ended = run("dop", hours, "--start", "2022-06-08T10:00", "--end", "2022-06-08T10:20", "--step", 600,
                "--format", "csv").table  # fmt: skip
    assert ended["time_gpst"].unique().tolist() == ["2022-06-08T10:00:00", "2022-06-08T10:10:00"]


def test_a_fraction_of_a_second_is_written_only_where_there_is_one(run, hours):
    table = run("dop", hours, "--start", "2022-06-08T10:00", "--hours", 1 / 3600, "--step", 0.5,
                "--stations", "Obninsk", "--systems", "R", "--format", "csv").table  # fmt: skip
    assert table["time_gpst"].tolist() == ["2022-06-08T10:00:00", "2022-06-08T10:00:00.5"]


def test_an_age_limit_of_nearly_nothing_leaves_nothing_in_reach(run, hours):
    limited = run("dop", hours, *AT, "--max-age", "R:1,C:3600", "--format", "csv")
    assert (limited.table.query("systems == 'R'")["n_used"] == 0).all()
    assert (limited.table.query("systems == 'C'")["n_used"] > 0).all()
    assert "1 of 1 epochs have no healthy GLONASS ephemeris" in limited.err
    assert not math.isnan(run("dop", hours, *AT, "--format", "csv").table["pdop"].min())
