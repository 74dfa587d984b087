"""Files of one receiver: what they hold is measured, and nothing is said of places that they cannot speak of."""

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.orbits.completeness import COMPLETE_PCT, incomplete_systems, incomplete_text

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
#: Where the receiver of `seen_from_lima` stands: outside China's and Russia's sky.
LIMA = gc.Station(name="Lima", geodetic={"latitude_deg": -12.0, "longitude_deg": -77.0, "height_m": 100.0})


@pytest.fixture(scope="module")
def seen_from_lima(tmp_path_factory, root):
    """The GLONASS records of a real day that a receiver in Lima would have had: those of satellites in its sky."""
    nav = gc.read_nav(root / "sample_rinex" / "brdc0100.24g.gz")
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=900), include_unhealthy=True)
    seen = gc.visibility(sky, LIMA, mask_deg=5.0)["visible"].isel(station=0)
    text = gzip.decompress((root / "sample_rinex" / "brdc0100.24g.gz").read_bytes())
    head, mark, body = text.partition(b"END OF HEADER       \n")
    kept = []
    for record in re.findall(rb"^[ \d]\d 24 .*\n(?: .*\n){3}", body, re.MULTILINE):
        number, _, month, day, hour, minute = (int(word) for word in record[:17].split())
        if (month, day) != (1, 10):
            continue
        at = np.datetime64("2024-01-10") + np.timedelta64(60 * hour + minute, "m")
        name = f"R{number:02d}"
        if name in seen["sv"] and bool(seen.sel(sv=name, time=at, method=None if at in seen["time"] else "nearest")):
            kept.append(record)
    path = tmp_path_factory.mktemp("lima") / "lima0100.24g"
    path.write_bytes(head + mark + b"".join(kept))
    return path


def test_merged_files_are_complete(run, root):
    for name in ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "brdc0100.24g.gz", "brdc0100.24n.gz"):
        result = run("info", root / "sample_rinex" / name, "--format", "csv")
        known = result.table["completeness_pct"].dropna()
        assert (known > 94.0).all(), name
        assert (known <= 100.0).all(), name
        assert "receiver" not in result.err


@pytest.mark.parametrize("name", ["sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx",
                                  "tests/data/CARD00ESP_R_20203340900_15H_MN.rnx.gz"])  # fmt: skip
def test_files_of_one_receiver_are_told(run, root, name):
    result = run("info", root / name, "--format", "csv")
    own = result.table[result.table["system"].isin(["R", "C", "G", "E"])]
    assert (own["completeness_pct"] < COMPLETE_PCT).all()
    assert "as those of one receiver do" in result.err
    assert result.code == 0


@pytest.mark.skipif(not os.environ.get("GNSS_COOP_TESTDATA"), reason="GNSS_COOP_TESTDATA is not set")
def test_real_files_lie_far_from_the_threshold():
    """Of each kind as the files' own headers and names have it; the threshold lies between."""
    single = {"ESBC00DNK_R_20201770000_01D_MN.rnx.gz", "ELKO00USA_R_20182100000_01D_MN.rnx.gz"}
    merged = {"brdc3050.12g", "brdc1580.16g", "brdc0130.22g", "tarc0010.21b", "BRD400DLR_S_20230710000_01D_MN.rnx.gz"}
    from gnss_coop.orbits.broadcast import completeness_of

    def shares(name):
        path = next(Path(os.environ["GNSS_COOP_TESTDATA"]).rglob(name), None)
        if path is None:
            return []
        attrs = completeness_of(gc.read_nav(path), step_s=3600.0)
        return [attrs[f"completeness_{s}_pct"] for s in "RC" if f"completeness_{s}_pct" in attrs]

    assert max(pct for name in single for pct in shares(name)) < 70.0
    assert min(pct for name in merged for pct in shares(name)) > 94.0


def test_a_receiver_in_peru_says_nothing_of_siberia(run, seen_from_lima):
    result = run("compare", seen_from_lima, "--systems", "R", "--stations", "Irkutsk", "--mask", "5,25")
    assert result.code == 0
    assert "of GLONASS" in result.err
    assert "Not judged" in result.out
    assert "no noticeable gain" not in result.out
    assert "PDOP <= 6 holds" not in result.out
    table = run("compare", seen_from_lima, "--systems", "R", "--stations", "Irkutsk", "--format", "csv").table
    assert (table["completeness_pct"] < 50.0).all()


def test_near_the_receiver_the_figures_are_those_of_a_merged_file(run, root, seen_from_lima, tmp_path):
    station = tmp_path / "lima.toml"
    station.write_text("name = 'Lima'\ngeodetic = { latitude_deg = -12.0, longitude_deg = -77.0, height_m = 100.0 }\n")
    asked = ("--systems", "R", "--stations", station, "--mask", "15,25", "--format", "csv")
    own = run("compare", seen_from_lima, *asked).table
    merged = run("compare", root / "sample_rinex" / "brdc0100.24g.gz", *asked).table
    assert (own["completeness_pct"] > 97.0).all()
    np.testing.assert_allclose(own["availability_pct"], merged["availability_pct"], atol=1.5)  # some epochs of 288
    np.testing.assert_allclose(own["n_used_mean"], merged["n_used_mean"], atol=0.1)


def test_what_is_held_at_a_station_is_what_a_merged_file_has_there(run, root, seen_from_lima):
    """The share comes from orbits continued beyond their records; the merged file says what was really there."""
    asked = ("--systems", "R", "--stations", "joint", "--mask", "5", "--format", "csv")
    own = run("compare", seen_from_lima, *asked).table
    merged = run("compare", root / "sample_rinex" / "brdc0100.24g.gz", *asked).table
    truth = 100.0 * own["n_used_mean"] / merged["n_used_mean"]
    np.testing.assert_allclose(own["completeness_pct"], truth, atol=2.0)  # satellites never seen, health changes


def test_maps_are_blank_where_the_files_do_not_reach(run, seen_from_lima, tmp_path):
    import xarray as xr

    asked = ("--systems", "R", "--grid", "10", "--step", "1800", "--mask", "15", "--format", "csv")
    result = run("map", seen_from_lima, *asked, "-o", tmp_path / "lima.nc", "--plot", tmp_path / "lima.svg")
    assert result.code == 0
    [row] = result.table.to_dict("records")
    assert 5.0 < row["shown_pct"] < 40.0
    assert row["completeness_pct"] < COMPLETE_PCT
    with xr.open_dataset(tmp_path / "lima.nc") as world:
        shown = np.isfinite(world["availability_pct"].isel(systems=0))
        assert bool(shown.sel(lat=-12, lon=-77, method="nearest"))
        assert not bool(shown.sel(lat=55, lon=105, method="nearest"))
        assert float(world["availability_pct"].min()) > 50.0  # no crash beyond the receiver's sky
    assert "not judged" in (tmp_path / "lima.svg").read_text("utf-8") or (tmp_path / "lima.svg").stat().st_size > 0
    far = run("map", seen_from_lima, *asked[:2], "--region", "40,60,60,140", "--grid", "10", "--step", "3600")
    far.refused("at any place of this map")


def test_a_forecast_fills_what_a_receiver_did_not_see(run, seen_from_lima):
    asked = ("--systems", "R", "--at", "2024-01-10T12:00:00", "--mask", "5", "--format", "csv")
    told = run("map", seen_from_lima, "--grid", "30", *asked, "--forecast", "1")
    assert told.code == 0
    assert "of one receiver" not in told.err
    assert told.table["shown_pct"].tolist() == [100.0]
    assert told.table["completeness_pct"].tolist() == [100.0]


def test_networks_tell_it(run, seen_from_lima, root):
    asked = ("--systems", "R", "--step", "900", "--format", "csv")
    poor = run("network", seen_from_lima, *asked)
    assert "of GLONASS" in poor.err
    assert (poor.table["completeness_pct"] < COMPLETE_PCT).all()
    good = run("network", root / "sample_rinex" / "brdc0100.24g.gz", *asked)
    assert "receiver" not in good.err
    assert (good.table["completeness_pct"] > 94.0).all()


def test_trends_leave_such_days_out(run, root, seen_from_lima, tmp_path):
    pytest.importorskip("duckdb")
    merged = gzip.decompress((root / "sample_rinex" / "brdc0100.24g.gz").read_bytes())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "brdc0100.24g").write_bytes(merged)
    later = re.sub(rb"^([ \d]\d) 24  1 10 ", rb"\1 24  1 12 ", seen_from_lima.read_bytes(), flags=re.MULTILINE)
    (tmp_path / "in" / "lima0120.24g").write_bytes(later)
    asked = ("--systems", "R", "--stations", "Irkutsk", "--products", "compare", "--mask", "5", "--step", "1800")
    done = run("batch", tmp_path / "in", *asked, "--threads", "-o", tmp_path / "results")
    assert done.code == 0
    assert "one receiver" in done.err + done.out
    for period, left_out in (("day", [0, 1]), ("month", [1])):
        result = run("trend", tmp_path / "results", "--per", period, "--format", "csv")
        assert result.table["n_days_incomplete"].tolist() == left_out
        assert "left out" in result.err
        known = result.table["availability_pct"].dropna()
        assert known.tolist() == pytest.approx([known.iloc[0]])
        assert known.iloc[0] > 95.0
    sql = "SELECT completeness_pct < 50 AS poor FROM daily_availability ORDER BY day"
    assert run("query", sql, "--archive", tmp_path / "results", "--format", "csv").table["poor"].tolist() == [
        False,
        True,
    ]


def test_half_a_day_of_a_merged_file_is_complete(root):
    """Holes in time are told apart: what the files hold while they last is all."""
    nav = gc.read_nav(root / "sample_rinex" / "brdc0100.24g.gz")
    table = nav.table.take(nav.derived.toe_ns < np.int64(gc.parse_time("2024-01-10T12:00:00")))
    from dataclasses import replace

    half = replace(
        nav, table=table, derived=nav.derived.take(nav.derived.toe_ns < gc.parse_time("2024-01-10T12:00:00"))
    )
    sky = gc.satellite_positions(half, gc.epochs("2024-01-10", "2024-01-11", step_s=900))
    assert gc.completeness_pct(sky)["R"] > 90.0
    assert "continued" not in sky


def test_what_is_excluded_or_too_old_by_wish_is_not_missing(root):
    nav = gc.read_nav(root / "sample_rinex" / "brdc0100.24g.gz")
    times = gc.epochs("2024-01-10", "2024-01-11", step_s=1800)
    for wish in ({"exclude_sv": [f"R{i:02d}" for i in range(1, 13)]}, {"max_age_s": 900.0}):
        sky = gc.satellite_positions(nav, times, **wish)
        assert incomplete_systems(sky.attrs) == {}
        assert incomplete_text(sky.attrs) == ""


def test_planned_constellations_and_almanacs_are_complete():
    sky = gc.nominal_constellation("R,C", gc.epochs("2027-01-01", hours=1))
    assert gc.completeness_pct(sky) == {}
    table = gc.compare(gc.dilution_of_precision(sky, "Irkutsk", "R,C,R+C"))
    assert table["completeness_pct"].tolist() == [100.0] * 3


def test_an_hour_of_a_receiver_is_right_where_it_stands(run, hours, tmp_path):
    """The file names 10 of 24 GLONASS satellites: all that stood over Denmark, and none of those elsewhere."""
    for name, place in (("Copenhagen", (55.7, 12.5)), ("Sydney", (-33.9, 151.2))):
        place_text = f"{{ latitude_deg = {place[0]}, longitude_deg = {place[1]}, height_m = 30.0 }}"
        (tmp_path / f"{name}.toml").write_text(f"name = '{name}'\ngeodetic = {place_text}\n")
    asked = (
        "--stations",
        "Copenhagen.toml,Sydney.toml",
        "--start",
        "2022-06-08T10:00",
        "--hours",
        "0.75",
        "--mask",
        "15",
    )
    table = run("compare", hours, *asked, "--format", "csv").table.set_index("station")
    assert (table.loc["Copenhagen", "completeness_pct"] >= COMPLETE_PCT).all()
    assert (table.loc["Sydney", "completeness_pct"] < 40.0).all()
    text = run("compare", hours, *asked).out.replace("\n", " ")
    assert "at Copenhagen" in text
    assert "some mask at least: Sydney." in text


@pytest.mark.parametrize(
    ("name", "systems", "start", "n_hours", "latitude_deg", "longitude_deg"),
    [
        ("CARD00ESP_R_20203340900_15H_MN.rnx.gz", "RC", "2020-11-29T09:00", 4.75, 37.6, -1.0),  # Cartagena
        ("KMS300DNK_R_20221591000_01H_MN.rnx", "RC", "2022-06-08T10:00", 0.75, 55.7, 12.5),
    ],
)
def test_where_a_receiver_stood_is_known_from_what_it_saw(
    root, name, systems, start, n_hours, latitude_deg, longitude_deg
):
    from gnss_coop.orbits.unseen import receiver_direction

    [path] = [p for folder in ("tests/data", "sample_rinex") if (p := root / folder / name).exists()]
    sky = gc.satellite_positions(gc.read_nav(path), gc.epochs(start, n_hours, step_s=600), systems=systems)
    x, y, z = receiver_direction(sky)
    lat, lon = np.radians([latitude_deg, longitude_deg])
    truth = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    # A sky of 70 degrees to each side with some dozens of satellites in it: its middle to about a fifth.
    assert np.degrees(np.arccos(np.dot([x, y, z], truth))) < 15.0
