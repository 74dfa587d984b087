"""--sp3: precise orbits in every command that takes positions, beside broadcast records of the same day."""

import gzip
import os
from pathlib import Path

import pandas as pd
import pytest

import gnss_coop as gc

DATA = Path(__file__).resolve().parents[1] / "data"
COD = DATA / "COD21340.sp3.gz"  # GPS, GLONASS and Galileo of 2020-11-29 at 15 min
IGL = DATA / "igl15253.sp3.gz"  # GLONASS of 2009-04-01 at 15 min
AT = ("--at", "2020-11-29T12:07:30")
FOLDER = os.environ.get("GNSS_COOP_TESTDATA")


def test_positions_are_those_of_the_library_and_their_health_is_empty(run):
    result = run("positions", "--sp3", COD, *AT, "--systems", "R", "--format", "csv")
    assert result.code == 0
    assert "says nothing of health" in result.err
    table = result.table
    sky = gc.satellite_positions(gc.precise_orbits(COD), [AT[1]], systems="R")
    assert (table[["x_m", "y_m", "z_m"]].to_numpy() == sky["positions"].values[0]).all()
    assert table["healthy"].isna().all()
    assert set(table["message"]) == {"SP3"}
    assert set(table["age_s"].abs()) == {450.0}


def test_parquet_holds_an_empty_health_too(run, tmp_path):
    pytest.importorskip("pyarrow")
    run("positions", "--sp3", COD, *AT, "--systems", "R", "--format", "parquet", "-o", tmp_path / "p.parquet")
    assert pd.read_parquet(tmp_path / "p.parquet")["healthy"].isna().all()


@pytest.mark.parametrize(
    "command",
    [
        ("visibility", "--systems", "R", "--stations", "Irkutsk", *AT),
        ("visibility", "--systems", "R", "--stations", "Irkutsk", "--passes"),
        ("dop", "--systems", "R,G", "--stations", "Irkutsk", *AT),
        ("compare", "--systems", "R,G,R+G", "--stations", "Irkutsk", "--mask", "25"),
        ("map", "--systems", "R,G", "--grid", "30", "--step", "3600"),
        ("network", "--systems", "R", "--hours", "6", "--step", "300"),
    ],
    ids=lambda command: " ".join(command[:1] + command[-1:]),
)
def test_every_command_takes_it(run, command):
    result = run(command[0], "--sp3", COD, *command[1:], "--format", "csv")
    assert result.code == 0
    assert len(result.table) > 0
    assert "says nothing of health" in result.err
    assert run(command[0], "--sp3", COD, *command[1:], "--quiet").err == ""


def test_the_span_is_that_of_the_file_and_nothing_beyond(run):
    result = run("compare", "--sp3", COD, "--systems", "R", "--stations", "Irkutsk", "--mask", "5", "--step", "300")
    assert "285 epochs every 300 s from 2020-11-29T00:00:00 to 2020-11-29T23:40:00 GPST" in result.out
    beyond = run("dop", "--sp3", COD, "--at", "2020-11-30T06:00", "--systems", "R")
    beyond.refused("no orbit reaches 2020-11-30T06:00:00", "cover 2020-11-29T00:00:00 to 2020-11-29T23:45:00")


def test_two_files_are_one_span(run, tmp_path):
    """The day after is the same day with its epochs renamed: what counts is that no gap stands at midnight."""
    text = gzip.decompress(IGL.read_bytes()).decode("latin-1")
    (tmp_path / "next.sp3").write_text(text.replace("2009  4  1", "2009  4  2"), "latin-1")
    span = ("--start", "2009-04-01T22:00", "--hours", "4", "--systems", "R", "--stations", "Irkutsk", "--format", "csv")
    both = run("dop", "--sp3", IGL, "--sp3", tmp_path / "next.sp3", *span, "--step", "300")
    assert both.code == 0
    assert "no healthy" not in both.err
    alone = run("dop", "--sp3", IGL, *span, "--step", "300")
    assert "26 of 48 epochs have no GLONASS orbit" in alone.err


def test_other_sources_go_without_it(run, hours):
    run("dop", hours, "--sp3", COD, *AT).refused("--sp3 goes without navigation files", str(hours))
    run("dop", "--sp3", COD, "--max-age", "60", *AT).refused("--max-age is about broadcast records")
    run("dop", "--sp3", COD, "--forecast", "3", *AT).refused("--forecast is about broadcast records")
    run("positions", "--sp3", COD, "--include-unhealthy", *AT).refused("--include-unhealthy")
    run("map", "--sp3", COD, "--nominal", "R", "--epoch", "2027-03-01").refused("--nominal goes without", "--sp3")
    run("compare").refused("give navigation files, or --sp3 FILE")
    run("compare", "--sp3", hours).refused("not an SP3 file")


def test_absent_systems_and_satellites_are_told(run):
    result = run("compare", "--sp3", COD, "--systems", "R,C,R+C", "--stations", "Irkutsk", "--mask", "5",
                 "--exclude-sv", "R02,C05")  # fmt: skip
    assert result.code == 0
    assert "left out" in result.err
    assert "no satellite C05" in result.err


@pytest.mark.skipif(not FOLDER, reason="GNSS_COOP_TESTDATA is not set")
def test_comparison_is_that_of_broadcast_records_of_the_day(run):
    """2016-06-06, GLONASS: orbits metres apart, so that satellites in both files give the same DOP.

    Records without a usable age leave a satellite out at some broadcast epochs: 0.2 % of the median PDOP.
    """
    folder = Path(FOLDER, "snapshot/2016-158_pair_BDS2")
    options = ("--stations", "Shanghai", "--mask", "5", "--start", "2016-06-06", "--hours", "23", "--format", "csv")
    sources = gc.read_nav(folder / "brdc1580.16g"), gc.precise_orbits(folder / "gbm19001.sp3.gz")
    known = [{sv for sv in source.satellites if sv[0] == "R"} for source in sources]
    assert len(known[0] & known[1]) >= 20
    options += ("--exclude-sv", ",".join(sorted((known[0] ^ known[1]) | {"R99"})))
    broadcast = run("compare", folder / "brdc1580.16g", *options, "--systems", "R").table
    precise = run("compare", "--sp3", folder / "gbm19001.sp3.gz", *options, "--systems", "R").table
    assert precise["pdop_median"].to_numpy() == pytest.approx(broadcast["pdop_median"].to_numpy(), rel=0.005)
    assert precise["availability_pct"].to_numpy() == pytest.approx(broadcast["availability_pct"].to_numpy(), abs=0.5)
