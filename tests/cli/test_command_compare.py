"""`compare`: its figures against pandas and numpy over the DOPs of the library, and its default page."""

import math

import numpy as np
import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.cli import main

COLUMNS = [
    "station", "mask_deg", "systems", "clocks", "n_clocks", "n_epochs", "n_used_mean", "n_used_least", "pdop_median",
    "pdop_p95", "hdop_median", "vdop_median", "gdop_median", "availability_pct", "supplemented_by", "pdop_drop_pct",
    "hdop_drop_pct", "vdop_drop_pct", "availability_gain_points", "completeness_pct",
    "day", "start_gpst", "end_gpst", "source",
]  # fmt: skip
KEY = ["station", "mask_deg", "systems"]


@pytest.fixture(scope="module")
def table(day, tmp_path_factory, read_exactly):
    """The comparison of the sample day with all defaults."""
    path = tmp_path_factory.mktemp("compare") / "day.csv"
    assert main.run(["compare", str(day), "--format", "csv", "-o", str(path), "--quiet"]) == 0
    return read_exactly(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def dop(day):
    sky = gc.satellite_positions(gc.read_nav(day), gc.epochs("2024-01-10", hours=24, step_s=300), systems=["R", "C"])
    return gc.dilution_of_precision(sky, gc.stations(), ["R", "C", "R+C"], mask_deg=[5, 15, 25])


def cells(table, dop):
    """Each row of the table with the DOPs that it is of."""
    for row in table.to_dict("records"):
        yield row, dop.sel(station=row["station"], mask_deg=row["mask_deg"], systems=row["systems"])


def test_the_defaults_are_six_stations_three_masks_three_scenarios(table):
    assert list(table.columns) == COLUMNS
    assert len(table) == 54
    assert not table.duplicated(KEY).any()
    assert table["mask_deg"].unique().tolist() == [5, 15, 25]
    assert table["systems"].unique().tolist() == ["R", "C", "R+C"]
    assert table["station"].unique().tolist() == list(gc.stations("joint").names)
    assert (table["n_epochs"] == 288).all()  # 24 hours of 300 s, the end not included


def test_medians_take_an_epoch_without_solution_as_the_worst(table, dop):
    for row, cell in cells(table, dop):
        for name in ("pdop", "hdop", "vdop", "gdop"):
            expected = pd.Series(cell[name].values).fillna(math.inf).median()
            assert row[f"{name}_median"] == pytest.approx(expected, rel=1e-12), (row, name)


def test_percentiles_and_availability_are_those_of_numpy(table, dop):
    for row, cell in cells(table, dop):
        pdop = cell["pdop"].values
        with np.errstate(invalid="ignore"):
            p95 = np.quantile(np.nan_to_num(pdop, nan=math.inf), 0.95)
        assert row["pdop_p95"] == pytest.approx(math.inf if math.isnan(p95) else p95, rel=1e-12)
        available = sum(1 for value in pdop.tolist() if value <= 6.0)
        assert row["availability_pct"] == pytest.approx(100 * available / 288, rel=1e-12)
        assert row["n_used_least"] == min(cell["n_used"].values.tolist())
        assert row["n_used_mean"] == pytest.approx(sum(cell["n_used"].values.tolist()) / 288, rel=1e-12)


def test_gains_are_the_difference_to_the_supplemented_row(table):
    rows = table.set_index(KEY)
    for (station, mask, systems), row in rows.iterrows():
        if systems == "R+C":
            assert row["supplemented_by"] == ""
            assert row[["pdop_drop_pct", "availability_gain_points"]].isna().all()
            continue
        assert row["supplemented_by"] == "R+C"
        joint = rows.loc[(station, mask, "R+C")]
        gain = joint["availability_pct"] - row["availability_pct"]
        assert row["availability_gain_points"] == pytest.approx(gain, abs=1e-9)
        for name in ("pdop", "hdop", "vdop"):
            before, after = row[f"{name}_median"], joint[f"{name}_median"]
            expected = 100 * (before - after) / before if math.isfinite(before) else math.nan
            assert row[f"{name}_drop_pct"] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_no_user_loses_by_a_supplement(table):
    # With a clock of its own each system only ever adds information: medians fall and availability rises.
    alone = table[table["systems"] != "R+C"]
    assert (alone["availability_gain_points"] >= 0).all()
    assert (alone["pdop_drop_pct"].dropna() >= 0).all()
    assert (table.sort_values("mask_deg").groupby(["station", "systems"])["pdop_median"].diff().dropna() > 0).all()


def test_the_page_holds_every_row_and_the_findings(run, day, table):
    page = run("compare", day)
    assert page.code == 0
    rows = [line.split() for line in page.out.splitlines() if line[:5].strip() in ("5", "15", "25")]
    assert len(rows) == 54
    assert [row[1] for row in rows] == table["systems"].tolist()
    printed = [float(row[8]) for row in rows]
    assert printed == pytest.approx(table["availability_pct"].tolist(), abs=0.005)  # two decimals
    for station in gc.stations("joint").names:
        assert f"\n{station}\n" in page.out
    assert "288 epochs every 300 s from 2024-01-10T00:00:00 to 2024-01-10T23:55:00 GPST" in page.out
    assert "Adding BeiDou helps GLONASS most at " in page.out
    assert max(map(len, page.out.splitlines())) < 200


def test_masks_stand_on_the_page_as_they_were_given(run, hours):
    page = run("compare", hours, "--mask", "4.6,5,12.25", "--stations", "Irkutsk", "--at", "2022-06-08T10:15")
    assert [line.split()[0] for line in page.out.splitlines() if line.split()[1:2] == ["R+C"]] == ["4.6", "5", "12.25"]
    assert ": 1 epoch from " in page.out
    rows = run("dop", hours, "--mask", "7.5", "--stations", "Irkutsk", "--at", "2022-06-08T10:15").out.splitlines()[2:]
    assert [row.split()[3] for row in rows] == ["7.5"] * 3


def test_a_known_offset_lies_between_common_and_estimated_clocks(run, hours):
    common, prior, estimated = (
        run("compare", hours, "--start", "2022-06-08T10:00", "--hours", "0.5", "--mask", "5,15", "--clocks", clocks,
            "--format", "csv").table.query("systems == 'R+C'")["pdop_median"].to_numpy()
        for clocks in ("common", "prior:5", "per-system")
    )  # fmt: skip
    finite = np.isfinite(estimated)
    assert finite.any()
    slack = 1 + 1e-12  # rounding
    assert (common <= prior * slack).all()
    assert (prior <= estimated * slack).all()
    assert (common[finite] < prior[finite]).all()
    assert (prior[finite] < estimated[finite]).all()


def test_a_stricter_limit_makes_a_position_less_available(run, hours):
    lax, strict = (
        run("compare", hours, "--max-pdop", limit, "--format", "csv").table["availability_pct"] for limit in (8, 1.5)
    )
    assert (strict <= lax).all()
    assert (strict < lax).any()


def test_a_system_that_the_files_lack_is_left_out_with_a_word(run, glonass):
    result = run("compare", glonass, "--format", "csv", "--step", 900)
    assert result.code == 0
    assert result.table["systems"].unique().tolist() == ["R"]
    assert "no usable record of C, R+C; left out" in result.err


def test_four_systems_and_other_steps_of_supplement(run, hours):
    result = run("compare", hours, "--systems", "R,R+C,G+R+C+E", "--mask", "5", "--format", "csv")
    steps = dict(result.table[["systems", "supplemented_by"]].fillna("").drop_duplicates().to_numpy().tolist())
    assert steps == {"R": "R+C", "R+C": "G+R+C+E", "G+R+C+E": ""}
    by_scenario = result.table.pivot(index="station", columns="systems", values="n_used_mean")
    assert (by_scenario["R"] <= by_scenario["R+C"]).all()
    assert (by_scenario["R+C"] < by_scenario["G+R+C+E"]).all()


def test_the_same_file_twice_and_two_files_of_a_day_count_each_record_once(run, hours, glonass):
    single = run("compare", hours, "--format", "csv")
    assert run("compare", hours, hours, "--format", "csv").out == single.out
    assert run("compare", hours, glonass, "--start", "2022-06-08T10:00", "--hours", 0.5).code == 0
