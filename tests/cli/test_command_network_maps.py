"""`gnss-coop network --depth-map`: the map of Python, and wrong questions before anything is computed."""

import re

import numpy as np
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.model.coasts import on_land

NOMINAL = ("--nominal", "R,C", "--epoch", "2027-01-01", "--hours", 6, "--step", 3600, "--window", 6)


@pytest.mark.parametrize(
    ("options", "orbit"),
    [((), {}), (("--orbit", "C:IGSO", "--mask", 15), {"system": "C", "orbit": "IGSO", "mask_deg": 15})],
)
def test_the_map_is_that_of_python_and_the_table_is_written_too(run, tmp_path, options, orbit):
    path = tmp_path / "depth.nc"
    result = run("network", *NOMINAL, "--depth-map", path, "--grid", 10, *options, "--format", "csv")
    assert result.code == 0
    assert f"wrote {path}" in result.err
    wanted = gc.depth_map("russia,china,joint", gc.GeoGrid(10), **orbit)
    with xr.open_dataset(path) as back:
        for name in ("depth", "member", "circle_lat", "circle_lon", "reached"):
            # Some processors round sines by where numbers lie in memory: another run may differ in the last digit.
            np.testing.assert_allclose(back[name], wanted[name], rtol=1e-14)
        assert back.mask_deg.item() == orbit.get("mask_deg", 5)
    without = [*NOMINAL, *(options[2:]), "--format", "csv"]
    assert run("network", *without).out == result.out


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_in_another_projection(run, tmp_path, kind):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"depth.{kind}"
    path.write_text("old")
    options = ("--projection", "north", "--grid", 15, "--overwrite", "--networks", "east=Irkutsk+Changchun")
    result = run("network", *NOMINAL, "--depth-map", path, *options, "--quiet")
    assert (result.code, result.err) == (0, "")
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--depth-map", "depth.tif"), "must end in .nc, .png, .svg"),
        (("--depth-map", "old.png"), "exists; give another name, or --overwrite"),
        (("--depth-map", "none/depth.png"), "there is no folder"),
        (("--depth-map", "depth.png", "--orbit", "R:IGSO"), "no orbit R:IGSO is known; write one of R:MEO, C:GEO"),
        (("--depth-map", "depth.png", "--grid", 7), "does not divide"),
        (("--depth-map", "depth.png", "--projection", "mercator"), "mercator"),
        (("--orbit", "C:MEO"), "--orbit: only with --depth-map"),
        (("--orbit", "C:MEO", "--site-map", "site.png"), "--orbit: only with --depth-map"),
        (("--site-map", "site.zip"), "must end in .nc, .tif"),
        (("--site-map", "old.png"), "exists"),
        (("--site-map", "site.png", "--objective", "k4_pct"), "--site-map shows no k4_pct"),
        (("--depth-map", "one.png", "--site-map", "./one.png"), "name one file"),
        (("--depth-map", "one.nc", "-o", "one.nc"), "must end in .csv, .json"),
        (("--grid", 5, "--overwrite"), "--grid: only with --depth-map"),
    ],
)
def test_wrong_questions_are_refused_before_anything_is_read(run, tmp_path, options, words):
    (tmp_path / "old.png").write_text("old")
    run("network", "no-such-file.rnx", *options).refused(words)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["old.png"]
    assert (tmp_path / "old.png").read_text() == "old"


@pytest.mark.parametrize("kind", ["nc", "tif", "png"])
def test_the_map_of_sites_is_that_of_python(run, tmp_path, kind):
    path = tmp_path / f"site.{kind}"
    result = run("network", *NOMINAL, "--site-map", path, "--grid", 30, "--objective", "gap_max_min", "--format", "csv")
    assert result.code == 0
    assert f"wrote {path}: what one more station adds to joint" in result.err
    assert result.out.startswith("system,orbit,network")
    if kind == "nc":
        sky = gc.nominal_constellation("R,C", gc.epochs("2027-01-01", hours=6, step_s=3600))
        wanted = gc.site_gain_map(gc.network_views(sky), gc.GeoGrid(30), window_h=6)
        with xr.open_dataset(path) as back:
            for name in wanted.data_vars:
                np.testing.assert_allclose(back[name], wanted[name], rtol=1e-4)  # rounded to 4 digits
            assert back["gap_max_drop_min"].sizes == {"system": 2, "lat": 6, "lon": 12}
    else:
        assert path.stat().st_size > 500


def test_the_best_places_are_listed_and_lie_in_the_region_and_on_land(run, tmp_path):
    options = ("--site-map", tmp_path / "s.png", "--objective", "k1_pct", "--grid", 15, "--region", "-60,60,-180,-30")
    result = run("network", *NOMINAL, *options, "--best", 3)
    assert result.code == 0
    for letter in "RC":
        [line] = [line for line in result.err.splitlines() if line.startswith(f"best sites on land for {letter}, ")]
        places = re.findall(r"([\d.]+)°([NS]) ([\d.]+)°([EW]) \+[\d.]+ points", line)
        assert 1 <= len(places) <= 3
        for latitude, north, longitude, east in places:
            at = float(latitude) * (1 if north == "N" else -1), float(longitude) * (1 if east == "E" else -1)
            assert on_land(*at)
            assert -60 <= at[0] <= 60
            assert -180 <= at[1] <= -30


def test_a_region_without_land_is_said(run, tmp_path):
    options = ("--site-map", tmp_path / "s.png", "--grid", 10, "--region", "-10,10,-30,-20")
    result = run("network", *NOMINAL, *options)
    assert result.code == 0
    assert "no cell of the map is on land for R" in result.err


def test_every_candidate_is_named_for_every_objective(run, tmp_path):
    sites = tmp_path / "sites.csv"
    sites.write_text("name,latitude_deg,longitude_deg\nQuito,-0.2,-78.5\nPerth,-31.9,115.9\nOslo,59.9,10.7\n")
    result = run("network", *NOMINAL, "--table", "candidates", "--candidates", sites, "--format", "csv")
    assert result.code == 0
    table = result.table
    assert len(table) == 2 * 6 * 3
    for (system, objective), part in table.groupby(["system", "objective"]):
        assert sorted(part["site"]) == ["Oslo", "Perth", "Quito"]
        assert part["rank"].min() == 1
        best = run("network", *NOMINAL, "--table", "sites", "--candidates", sites, "--objective", objective,
                   "--format", "csv").table  # fmt: skip
        own = best[best["system"] == system].iloc[0]
        first = part[part["rank"] == 1]
        assert own["sites"] in set(first["site"])
        assert first["after"].iloc[0] == pytest.approx(own["after"], nan_ok=True)
    run("network", *NOMINAL, "--table", "candidates").refused("--candidates FILE and --table sites or candidates")
