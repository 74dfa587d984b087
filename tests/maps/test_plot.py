"""Maps: projections agree with PROJ, coasts lie where coasts are, pictures hold what was asked for."""

import doctest
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.errors import OutputError
from gnss_coop.maps.plot import plot_map
from gnss_coop.output.drawing import panels as map_panels
from gnss_coop.output.drawing.projection import PROJECTIONS, View, coastline_points, robinson
from gnss_coop.output.layers import cell_edges, pick_layers

pytest.importorskip("matplotlib")

WHOLE_EARTH = (-90.0, 90.0, -180.0, 180.0)
LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)
# PROJ puts other curves through Robinson's table, which is given to four digits: both lie within two units of them.
ROBINSON_TOLERANCE = 2e-4
# On a sphere of this radius distances along a meridian come out in degrees.
DEGREE_RADIUS = 180 / np.pi
PROJ_STRINGS = {
    "robinson": ("+proj=robin +R=1", 1.0, ROBINSON_TOLERANCE * np.pi),
    "north": (f"+proj=aeqd +lat_0=90 +R={DEGREE_RADIUS}", 1.0, 1e-6),
    "south": (f"+proj=aeqd +lat_0=-90 +R={DEGREE_RADIUS}", 1.0, 1e-6),
}


@pytest.mark.parametrize("name", PROJ_STRINGS)
def test_projections_agree_with_proj(name):
    pyproj = pytest.importorskip("pyproj")
    words, scale, tolerance = PROJ_STRINGS[name]
    projection = PROJECTIONS[name]
    lon, lat = np.meshgrid(np.arange(-179.0, 180, 7), np.arange(projection.south_deg, projection.north_deg, 1.7))
    wanted = pyproj.Proj(words)(lon, lat)
    for one, other in zip(projection.forward(lon, lat), wanted, strict=True):
        np.testing.assert_allclose(one, np.asarray(other) * scale, atol=tolerance)


@given(LONGITUDES, LATITUDES)
def test_robinson_is_symmetric(lon, lat):
    x, y = robinson(lon, lat)
    west_x, south_y = robinson(-lon, lat)[0], robinson(lon, -lat)[1]
    assert (west_x, south_y) == (-x, -y)


@given(st.tuples(LATITUDES, LATITUDES), LONGITUDES)
def test_robinson_runs_north(latitudes, lon):
    low, high = sorted(latitudes)
    assert robinson(lon, low)[1] <= robinson(lon, high)[1] + 1e-12


def near_coast(lat, lon):
    """Distance from a place to the nearest point of a coast [deg]."""
    lons, lats = coastline_points()
    return float(np.nanmin(np.hypot(lats - lat, (lons - lon) * np.cos(np.radians(lat)))))


@pytest.mark.parametrize(
    ("lat", "lon"),
    # Capes, as gazetteers place them; 1:50 million generalises by up to about a tenth of a degree.
    [(-34.83, 20.0), (36.0, -5.6), (71.17, 25.78), (66.08, -169.65), (-28.64, 153.63), (8.08, 77.55)],
)
def test_capes_lie_on_coasts(lat, lon):
    assert near_coast(lat, lon) < 0.15


@pytest.mark.parametrize(("lat", "lon"), [(55.75, 37.6), (46.0, 87.0), (0.0, -140.0), (-89.9, 0.0), (-45.0, 179.99)])
def test_no_coast_or_border_inland_or_at_sea(lat, lon):
    assert near_coast(lat, lon) > 3.0


def test_no_border_between_russia_and_china():
    # The Argun and the Amur above Khabarovsk divide the two, hundreds of kilometres from any sea.
    for lat, lon in [(49.5, 117.8), (53.3, 121.5), (50.2, 127.5), (48.4, 134.7)]:
        assert near_coast(lat, lon) > 2.0


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("bounds", [WHOLE_EARTH, (-60.0, 70.0, 100.0, 200.0)])
def test_coasts_do_not_run_across_the_map(name, bounds):
    x, y = View.of(name, bounds).coastlines()
    size = np.nanmax(x) - np.nanmin(x)
    # The longest step between two points of a coast is about 6 deg, on the ice of Antarctica.
    assert np.nanmax(np.hypot(np.diff(x), np.diff(y))) < 0.1 * size


def test_panels_are_scenarios(world):
    figure = plot_map(world, mask_deg=5)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["GLONASS", "BeiDou", "GLONASS + BeiDou"]
    words = " ".join(text.get_text() for text in figure.texts)
    for expected in ("mask 5\N{DEGREE SIGN}", "00:00 to 23:45 GPST", "per-system", "96 epochs", "one.rnx, two.rnx"):
        assert expected in words


@pytest.mark.parametrize(
    ("variable", "words"),
    [("pdop_median", "Median PDOP with the supplement"), ("availability_pct", "Availability gained")],
)
def test_gain_has_a_panel_for_each_supplemented_scenario(world, variable, words):
    figure = plot_map(world, variable=variable, gain=True, mask_deg=5)
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["GLONASS + BeiDou over GLONASS alone", "GLONASS + BeiDou over BeiDou alone"]
    assert words in figure.axes[-1].get_xlabel()


@pytest.mark.parametrize(("mask_deg", "is_named"), [(5, False), (25, True)])
def test_grey_is_explained_where_there_is_any(world, mask_deg, is_named):
    label = plot_map(world, mask_deg=mask_deg).axes[-1].get_xlabel()
    assert ("grey: no solution" in label) == is_named


@pytest.mark.parametrize("name", PROJECTIONS)
def test_cells_have_the_colour_of_their_step(world, name, tmp_path):
    """A map of one value is of one colour in the middle of the picture, whatever the projection."""
    image = pytest.importorskip("matplotlib.image")
    flat = world[["pdop_median"]].isel(mask_deg=0)
    flat["pdop_median"][:] = 1.7  # between 1.5 and 2: the third of eleven colours
    plot_map(flat, tmp_path / "map.png", systems="R", projection=name)
    pixels = np.round(image.imread(tmp_path / "map.png")[..., :3] * 255).astype(int).reshape(-1, 3)
    colors, counts = np.unique(pixels, axis=0, return_counts=True)
    common = colors[counts.argsort()[::-1][:2]].tolist()
    # Third of eleven steps of viridis from its bright end: position 0.8 of the table that matplotlib documents.
    matplotlib = pytest.importorskip("matplotlib")
    wanted = np.round(np.array(matplotlib.colormaps["viridis"](0.8)[:3]) * 255).astype(int).tolist()
    assert any(np.abs(np.subtract(color, wanted)).max() <= 1 for color in common)


def test_a_region_is_shown_alone_and_its_stations_named(bering):
    stations = gc.stations()
    axes = plot_map(bering, projection="platecarree", mask_deg=5, stations=stations).axes[0]
    assert np.ptp(axes.get_xlim()) == 30
    assert axes.get_ylim() == (50, 70)
    labels = [text.get_text() for text in axes.texts]
    assert "170\N{DEGREE SIGN}E" in labels
    assert "165\N{DEGREE SIGN}W" in labels
    assert not any(station.name in labels for station in stations)  # none of them lies there


def test_points_are_dots_in_their_region(places):
    axes = plot_map(places, variable="pdop_worst", projection="platecarree", mask_deg=5).axes[0]
    (dots,) = axes.collections
    assert len(dots.get_offsets()) == 3
    west, east = axes.get_xlim()
    assert east - west < 80


def test_the_caption_tells_a_plan_and_a_forecast_from_data(world):
    assert "constellation" not in caption(world)
    planned = gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=1))
    assert caption(gc.dop_map(planned, gc.GeoGrid(30))).endswith("Data: Nominal constellation of BeiDou, GLONASS.")
    forecast = world.assign_attrs(forecast_epochs_pct=12.5)
    assert "Satellites beyond their ephemerides in 12.5 % of the epochs." in caption(forecast)


def test_a_snapshot_is_one_instant():
    sky = gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=1, step_s=3600))
    figure = plot_map(gc.dop_map(sky, gc.GeoGrid(30)))
    assert figure.texts[0].get_text().replace("\n", " ").endswith("2027-01-01 00:00 GPST")
    assert " 1 epoch. " in figure.texts[1].get_text()


@pytest.mark.parametrize(
    ("name", "most", "step"),
    [("world", 864, 1), ("world", 863, 2), ("world", 100, 3), ("world", 2, 21), ("bering", 300, 2), ("bering", 100, 3)],
)
def test_of_too_many_cells_the_middle_one_of_each_square_is_drawn(name, most, step, request, monkeypatch):
    layers = pick_layers(request.getfixturevalue(name), "pdop_median", mask_deg=5)
    monkeypatch.setattr(map_panels, "_MOST_CELLS", most)
    latitude, longitude = cell_edges(layers)
    thin, (south_north, west_east) = map_panels.thinned(layers)
    for axis, every, few in (("lat", latitude, south_north), ("lon", longitude, west_east)):
        assert (few[0], few[-1]) == (every[0], every[-1])
        assert len(few) == thin.sizes[axis] + 1
        assert abs(thin.sizes[axis] - layers.sizes[axis] / step) < 1
        assert ((few[:-1] < thin[axis].values) & (thin[axis].values < few[1:])).all()
    xr.testing.assert_identical(thin, layers.sel(lat=thin["lat"], lon=thin["lon"]))


def test_a_fine_map_and_its_thinned_picture_look_alike(monkeypatch, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    lat, lon = np.arange(-89.5, 90), np.arange(-179.5, 180)
    waves = (3.0 + 2.0 * np.sin(np.radians(2 * lat))[:, None] * np.cos(np.radians(lon))).astype(np.float32)
    fine = xr.Dataset(
        {"pdop_median": (("systems", "lat", "lon"), waves[np.newaxis])},
        coords={"systems": ["R"], "lat": lat, "lon": lon, "mask_deg": 5.0},
    )
    plot_map(fine, tmp_path / "fine.png")
    monkeypatch.setattr(map_panels, "_MOST_CELLS", 30_000)  # of 64,800
    plot_map(fine, tmp_path / "thin.png")
    fine, thin = (image.imread(tmp_path / name)[..., :3] for name in ("fine.png", "thin.png"))
    # Colours differ at the edges of their steps only, which move by a cell at most.
    assert (np.abs(fine - thin).max(axis=-1) > 0.05).mean() < 0.02


def caption(world):
    """Return the words below the maps."""
    return plot_map(world, mask_deg=5.0).texts[1].get_text().replace("\n", " ")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_map_gives_the_same_bytes(world, tmp_path, suffix):
    for name in "ab":
        plot_map(world, tmp_path / f"{name}.{suffix}", systems=["R", "C"], mask_deg=25, stations=gc.stations())
    one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert one == two
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix}"]


def test_pyplot_is_left_alone():
    example = doctest.DocTestParser().get_examples(plot_map.__doc__)
    head = "import sys, numpy as np\nfrom gnss_coop.maps.plot import plot_map\n"
    code = head + "".join(step.source for step in example) + "assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"projection": "mercator"}, "unknown projection 'mercator'; choose one of robinson"),
        ({"path": "map.gif"}, r"end the name in \.png or \.svg"),
        ({"variable": "pdop"}, "holds no 'pdop'"),
        ({"systems": ["R+C"], "gain": True}, "no scenario here is supplemented"),
    ],
)
def test_what_cannot_be_drawn_is_refused(world, options, words):
    with pytest.raises(OutputError, match=words):
        plot_map(world, mask_deg=5, **options)


def test_a_pole_shows_nothing_of_the_other_side(bering):
    with pytest.raises(OutputError, match="shows nothing of this region"):
        plot_map(bering, projection="south", mask_deg=5)


@pytest.mark.parametrize(
    ("variable", "gain", "words"),
    [
        ("pdop_median", False, "Median PDOP"),
        ("pdop_p95", False, "95th percentile of PDOP"),
        ("availability_pct", False, "Availability (PDOP \N{LESS-THAN OR EQUAL TO} 6)"),
        ("availability_pct", True, "Availability gained by the supplement"),
        ("pdop_median", True, "Median PDOP with the supplement over that without"),
        ("n_used_least", False, "Least number of satellites used"),
    ],
)
def test_the_title_names_variable_mask_and_span(world, variable, gain, words):
    figure = plot_map(world, variable=variable, gain=gain, mask_deg=25.0)
    title = figure.texts[0].get_text().replace("\n", " ")
    assert title.startswith(f"{words}, elevation mask 25\N{DEGREE SIGN}, 2024-01-10 00:00 to ")
    assert title.endswith(" GPST")


def test_a_single_epoch_has_no_statistic(world):
    one = world.assign_attrs(n_epochs=1, time_end=world.attrs["time_start"])
    figure = plot_map(one, mask_deg=25.0)
    assert figure.texts[0].get_text() == "PDOP, elevation mask 25\N{DEGREE SIGN}, 2024-01-10 00:00 GPST"
    assert "over time" not in figure.axes[-1].get_xlabel()
