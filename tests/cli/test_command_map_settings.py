"""`gnss-coop map`: settings that go together with others, and those that do not."""

import json

import pytest

NOMINAL = ("--nominal", "R,C", "--epoch", "2027-01-01", "--hours", 1)
FEW = ("--step", 1800, "--grid", 30)


def test_a_rule_says_which_given_options_it_overrules(run):
    result = run("map", *NOMINAL, "--rule", "iac", "--region", "0,5,0,5", "--mask", 25, "--grid", 5)
    assert result.code == 0
    assert "--mask, --grid ignored: --rule iac decides" in result.err
    assert "ignored" not in run("map", *NOMINAL, "--rule", "iac", "--region", "0,5,0,5").err


def test_a_rule_gives_no_verdict_on_a_part_of_the_globe(run):
    result = run("map", *NOMINAL, "--rule", "gps-sps", "--region", "0,5,0,5", "--format", "json")
    assert "Not the whole globe: no verdict." in result.err
    assert {row["met"] for row in json.loads(result.out)} == {None}


def test_points_say_that_no_grid_counts(run, tmp_path):
    (tmp_path / "towns.csv").write_text("name,latitude_deg,longitude_deg\nHarbin,45.75,126.64\n")
    result = run("map", *NOMINAL, "--step", 1800, "--points", "towns.csv", "--grid", 5)
    assert result.code == 0
    assert "--grid ignored: --points decides" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--systems", "R", "--gain", "--plot", "gain.png"), "map R, C and R+C together"),
        (("--points", "towns.csv", "-o", "a.nc", "-o", "a.tif"), "a GeoTIFF takes a grid"),
        (("--plot", "a.png", "-o", "a.nc", "-o", "a.png"), "a.png is named twice"),
        (("--plot", "a.png", "--variable", "pdop_p99"), "--variable is one of pdop_median, pdop_p95"),
        (("--plot", "a.png", "--percentiles", "90", "--variable", "pdop_p95"), "pdop_median, pdop_p90"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_computed(run, tmp_path, monkeypatch, arguments, words):
    (tmp_path / "towns.csv").write_text("name,latitude_deg,longitude_deg\nHarbin,45.75,126.64\n")
    monkeypatch.setattr("gnss_coop.maps.dop_map.dop_map", lambda *_, **__: pytest.fail("computed"))
    run("map", *NOMINAL, *FEW, *arguments).refused(words)
    assert [path.name for path in tmp_path.iterdir()] == ["towns.csv"]


def test_an_epoch_of_files_is_refused_not_ignored(run, day):
    run("map", day, *FEW, "--epoch", "2027-01-01").refused("--epoch goes with --nominal")


def test_time_that_does_not_fit_memory_is_refused_before_anything_is_computed(run, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": 4096}.get)
    monkeypatch.setattr("gnss_coop.maps.dop_map.dop_map", lambda *_, **__: pytest.fail("computed"))
    run("map", *NOMINAL, *FEW, "--keep-time", "a.zarr").refused("GB of memory, and the machine has")
    assert not list(tmp_path.iterdir())
