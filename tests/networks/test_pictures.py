"""Pictures of depth and of gains: they hold what was asked for, and appear whole or not at all."""

import numpy as np
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.errors import GnssCoopError, OutputError
from gnss_coop.networks.depth_plot import plot_depth, write_depth
from gnss_coop.networks.site_map import plot_site_gain, write_site_gain
from gnss_coop.output.drawing.labels import free_corners
from gnss_coop.output.drawing.projection import PROJECTIONS, View

mpl = pytest.importorskip("matplotlib")
image = pytest.importorskip("matplotlib.image")

DEGREES = {"units": "degree"}
HEADS = {".nc": b"\x89HDF", ".tif": b"II*\0", ".png": b"\x89PNG", ".svg": b"<?xml"}


@pytest.fixture(scope="module")
def depth():
    """Both countries and all, GLONASS, cells of 5 deg."""
    return gc.depth_map("russia,china,joint", gc.GeoGrid(5))


@pytest.fixture(scope="module")
def gains():
    """Two systems, cells of 10 deg; the best cells are known, and some cells of BeiDou were not computed."""
    lat, lon = np.arange(-85.0, 90, 10), np.arange(-175.0, 180, 10)
    k1 = np.add.outer(lat, lon / 10) / 100 + 2
    k1 = np.stack([k1, k1[::-1]])
    k1[1, :2, :3] = np.nan
    stations = gc.stations()
    return xr.Dataset(
        {
            "k1_gain_points": (("system", "lat", "lon"), k1, {"units": "percent"}),
            "sigma_3d_drop_pct": (("system", "lat", "lon"), 10 * k1),
            "depth_gain": (("system", "lat", "lon"), np.ones_like(k1)),
        },
        coords={
            "system": ["R", "C"], "lat": lat, "lon": lon, "mask_deg": 5.0, "station": list(stations.names),
            "station_lat": ("station", stations.latitude_deg, DEGREES | {"long_name": "its latitude"}),
            "station_lon": ("station", stations.longitude_deg, DEGREES | {"long_name": "its longitude"}),
        },
        attrs={
            "title": "Gain of one more station", "network": "joint", "objective": "k1_gain_points", "n_epochs": 96,
            "time_start": "2024-01-10T00:00:00", "time_end": "2024-01-10T23:45:00", "time_scale": "GPST",
            "step_s": 900.0,
            "stations": list(stations.names), "files": ["a/one.rnx"],
        },
    )  # fmt: skip


def texts(axes):
    return [" ".join(text.get_text().split()) for text in axes.texts]


def pixels(path):
    return np.round(image.imread(path)[..., :3] * 255).astype(int)


# --- Depth -----------------------------------------------------------------------------------------------------


def test_each_network_has_a_panel_with_its_own_values_and_stations(depth):
    figure = plot_depth(depth)
    panels = figure.axes[:3]
    assert [a.get_title() for a in panels] == ["russia: 3 stations", "china: 3 stations", "joint: 6 stations"]
    for axes, name in zip(panels, ["russia", "china", "joint"], strict=True):
        (cells,) = [mesh for mesh in axes.collections if mesh.get_array() is not None and mesh.get_array().size > 1]
        parts = np.asarray(cells.get_array()).reshape(36 * 2, 72 * 2)  # cells are drawn in parts of at most 3 deg
        np.testing.assert_array_equal(parts[::2, ::2], depth.depth.sel(network=name))
        wanted = {s.name.replace("-", "- ") if len(s.name) > 14 else s.name for s in gc.stations(name)}
        assert wanted <= set(texts(axes))
        assert sum(station.name in texts(axes) for station in gc.stations("joint")) <= len(wanted)
    words = " ".join(" ".join(text.get_text().split()) for text in figure.texts)
    for expected in ("GLONASS MEO, orbit radius 25508.2 km", "mask 5\N{DEGREE SIGN}", "Hatched: beyond latitude 64.8"):
        assert expected in words


def test_the_colour_bar_counts_stations(depth):
    labels = [label.get_text() for label in plot_depth(depth).axes[-1].get_xticklabels()]
    assert labels == list("0123456")


def test_many_stations_leave_the_colour_bar_readable():
    lats = np.linspace(-60, 60, 40)
    many = [gc.Station(name=f"S{i}", geodetic={"latitude_deg": x, "longitude_deg": 9 * i - 180, "height_m": 0})
            for i, x in enumerate(lats)]  # fmt: skip
    labels = plot_depth(gc.depth_map({"many": many}, gc.GeoGrid(30))).axes[-1].get_xticklabels()
    numbers = [int(label.get_text()) for label in labels]
    assert (numbers[:2], numbers[-1] <= 40, len(numbers) <= 16) == ([0, 3], True, True)


def test_a_cell_has_the_colour_of_its_number(depth, tmp_path):
    """A world that all six stations see is of the last colour, one that none sees of the grey that stands for zero."""
    for value, wanted in ((6, (253, 231, 37)), (0, (233, 233, 233))):  # the bright end of viridis, and the grey
        flat = depth.assign(depth=xr.full_like(depth.depth, value), member=xr.ones_like(depth.member))
        flat = flat.assign(circle_lat=flat.circle_lat * np.nan).sel(network=["joint"])
        plot_depth(flat, tmp_path / "one.png")
        shot = pixels(tmp_path / "one.png").reshape(-1, 3)
        colors, counts = np.unique(shot, axis=0, return_counts=True)
        common = colors[counts.argsort()[::-1][:2]]
        assert min(np.abs(color - wanted).max() for color in common) <= 1


@pytest.mark.parametrize("orbit", ["IGSO", "GEO"])
def test_synchronous_orbits_are_drawn_with_their_tracks(orbit):
    figure = plot_depth(gc.depth_map("joint", gc.GeoGrid(15), system="C", orbit=orbit))
    words = " ".join(figure.texts[1].get_text().split())
    assert "Black: ground tracks of the nominal constellation." in words
    assert {"IGSO": "beyond latitude 55", "GEO": "the satellites stay at the equator"}[orbit] in words
    diamonds = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert len(diamonds) == {"IGSO": 0, "GEO": 3}[orbit]


def test_the_hatched_part_ends_at_the_inclination(depth):
    (north, south) = plot_depth(depth, projection="platecarree").axes[0].patches[1:]
    assert north.get_path().vertices[:, 1].min() == pytest.approx(64.8)
    assert south.get_path().vertices[:, 1].max() == pytest.approx(-64.8)
    assert not plot_depth(gc.depth_map("joint", gc.GeoGrid(15), radius_m=3e7)).axes[0].patches[1:]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_lines_do_not_run_across_the_map(depth, name):
    axes = plot_depth(depth, projection=name).axes[2]
    size = np.ptp(axes.get_xlim())
    lines = [line for line in axes.lines if line.get_color() == "#d1005b" and len(line.get_xdata()) > 700]
    assert len(lines) == 6
    for line in lines:
        x, y = line.get_data()
        shown = (np.abs(x) <= size / 2) & (np.abs(y) <= np.ptp(axes.get_ylim()) / 2)
        steps = np.hypot(np.diff(x), np.diff(y))[shown[1:] & shown[:-1]]
        assert np.nanmax(steps) < 0.05 * size


@pytest.mark.parametrize("centre", [0.0, 100.0, 180.0])
def test_a_line_is_drawn_up_to_both_sides_of_the_map(centre):
    view = View.of("platecarree", (-90.0, 90.0, centre - 180.0, centre + 180.0))
    longitude = np.linspace(5, 715, 97)  # twice round, climbing
    latitude = np.linspace(-40.0, 40.0, 97)
    x, y = view.line((longitude + 180) % 360 - 180, latitude)
    gaps = np.flatnonzero(np.isnan(x))
    assert (x[gaps - 1] == 180).all()
    assert (x[gaps + 1] == -180).all()
    np.testing.assert_allclose(y[gaps - 1], y[gaps + 1])
    # Latitude is linear in longitude here, also where the side is.
    turn = centre + 180.0 + 360.0 * np.arange(-1, 3)
    crossed = turn[(turn > 5) & (turn < 715)]
    np.testing.assert_allclose(y[gaps - 1], -40 + 80 * (crossed - 5) / 710, atol=1e-9)


# --- Gains -----------------------------------------------------------------------------------------------------


def test_each_system_has_a_panel_and_its_best_cell_a_label(gains):
    figure = plot_site_gain(gains)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["GLONASS", "BeiDou"]
    # Rising to north and east, and the other way round in the second: (85 + 17.5) / 100 + 2.
    assert "85\N{DEGREE SIGN}N 175\N{DEGREE SIGN}E +3.02 points" in texts(figure.axes[0])
    assert "85\N{DEGREE SIGN}S 175\N{DEGREE SIGN}E +3.02 points" in texts(figure.axes[1])
    for axes in figure.axes[:2]:
        assert "Shanghai" in texts(axes)
        assert sum(line.get_marker() == "*" for line in axes.lines) == 1
    words = " ".join(" ".join(text.get_text().split()) for text in figure.texts)
    for expected in ("added to joint", "mask 5\N{DEGREE SIGN}", "00:00 to 23:45 GPST", "96 epochs", "one.rnx"):
        assert expected in words
    assert figure.axes[-1].get_xlabel().endswith("[percentage points]; grey: not computed")


def test_the_star_stands_on_the_best_cell(gains):
    axes = plot_site_gain(gains, projection="platecarree").axes[0]
    (star,) = [line for line in axes.lines if line.get_marker() == "*"]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (175.0, 85.0)


def test_equal_cells_are_counted(gains):
    labels = texts(plot_site_gain(gains, variable="depth_gain").axes[0])
    assert f"85\N{DEGREE SIGN}S 175\N{DEGREE SIGN}W +1.00 stations as {18 * 36 - 1} other cells" in labels


def test_one_system_without_its_dimension(gains):
    one = gains.isel(system=1)
    titles = [
        plot_site_gain(data).axes[0].get_title() for data in (one, one.drop_vars("system").assign_attrs(system="C"))
    ]
    assert titles == ["BeiDou", "BeiDou"]


def test_stations_can_be_given_instead(gains):
    bare = gains.drop_vars(["station", "station_lat", "station_lon"])
    assert "Shanghai" not in texts(plot_site_gain(bare).axes[0])
    assert "Shanghai" in texts(plot_site_gain(bare, stations=gc.stations("china")).axes[0])


def test_the_geotiff_has_a_band_for_each_system(gains, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    write_site_gain(gains, str(tmp_path / "gain.tif"), variable="sigma_3d_drop_pct")
    wanted = gains.sigma_3d_drop_pct.values[:, ::-1].astype(np.float32)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "gain.tif"), wanted)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        ("gains", {"variable": "k9"}, "holds no 'k9'; choose one of k1_gain_points, sigma_3d_drop_pct, depth_gain"),
        ("gains", {"projection": "mercator"}, "unknown projection"),
        ("gains", {"path": "map.gif"}, r"end the name in \.png or \.svg"),
        ("empty", {}, "no cell of the map has a value of 'k1_gain_points'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(gains, data, options, words):
    with pytest.raises(OutputError, match=words):
        plot_site_gain(gains if data == "gains" else gains * np.nan, **options)


def test_a_map_of_something_else_is_no_map_of_depth(gains):
    with pytest.raises(OutputError, match="not a depth map"):
        plot_depth(gains)


# --- Labels ----------------------------------------------------------------------------------------------------


def test_labels_cover_neither_places_nor_each_other():
    anchors = np.array([[50.0, 50], [58, 50], [66, 52], [95, 48], [5, 49]])
    sizes = np.full((5, 2), [30.0, 9.0])
    west_south = free_corners(anchors, sizes, 100.0)
    boxes = [(*corner, *(corner + size)) for corner, size in zip(west_south, sizes, strict=True)]
    for i, (w, s, e, n) in enumerate(boxes):
        assert (w, e) == (pytest.approx(max(w, -1e-9)), pytest.approx(min(e, 100)))
        assert not any(w < x < e and s < y < n for x, y in anchors)
        for w2, s2, e2, n2 in boxes[:i]:
            assert min(e, e2) <= max(w, w2) or min(n, n2) <= max(s, s2)


# --- Files -----------------------------------------------------------------------------------------------------


CASES = [("depth", kind) for kind in (".nc", ".png", ".svg")] + [("gains", kind) for kind in HEADS]


def write(kind, data, path, **options):
    (write_depth if kind == "depth" else write_site_gain)(data, str(path), **options)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_files_are_written_and_kept_unless_told_otherwise(name, kind, tmp_path, request):
    if kind == ".tif":
        pytest.importorskip("tifffile")
    data, path = request.getfixturevalue(name), tmp_path / f"map{kind}"
    write(name, data, path)
    first = path.read_bytes()
    assert first.startswith(HEADS[kind])
    with pytest.raises(OutputError, match=r"exists.*--overwrite"):
        write(name, data, path)
    path.write_bytes(b"old")
    write(name, data, path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"map{kind}"]
    if kind != ".nc":
        assert path.read_bytes() == first  # the same map gives the same file


@pytest.mark.parametrize(("name", "kind"), [("depth", ".png"), ("depth", ".nc"), ("gains", ".svg"), ("gains", ".tif")])
def test_an_interrupted_write_leaves_what_was_there(name, kind, tmp_path, monkeypatch, request):
    if kind == ".tif":
        pytest.importorskip("tifffile")
    data, path = request.getfixturevalue(name), tmp_path / f"map{kind}"
    path.write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(name, data, path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("name", "ending"), [("depth", ".tif"), ("depth", ".zarr"), ("gains", ".gif")])
def test_unknown_kinds_are_refused(name, ending, tmp_path, request):
    with pytest.raises(OutputError, match="unknown kind of output"):
        write(name, request.getfixturevalue(name), tmp_path / f"map{ending}")


def test_a_folder_that_is_not_there(depth, tmp_path):
    with pytest.raises(GnssCoopError, match="there is no folder"):
        write_depth(depth, str(tmp_path / "none" / "map.png"))


def test_pictures_are_wide_enough_to_read(depth, gains, tmp_path):
    for data, draw in ((depth, plot_depth), (gains, plot_site_gain)):
        draw(data, tmp_path / "map.png")
        assert pixels(tmp_path / "map.png").shape[1] >= 1600


def test_the_netcdf_file_holds_all_that_the_picture_needs(depth, tmp_path):
    write_depth(depth, str(tmp_path / "depth.nc"))
    with xr.open_dataset(tmp_path / "depth.nc") as back:
        assert back.depth.dtype == depth.depth.dtype
        np.testing.assert_array_equal(back.depth, depth.depth)
        plot_depth(back, tmp_path / "back.png")
    plot_depth(depth, tmp_path / "same.png")
    assert (tmp_path / "back.png").read_bytes() == (tmp_path / "same.png").read_bytes()


@pytest.mark.parametrize("name", ["depth", "gains"])
def test_cf_checker_finds_no_fault(name, tmp_path, request):
    runner = pytest.importorskip("compliance_checker.runner")
    write(name, request.getfixturevalue(name), tmp_path / "map.nc")
    suite = runner.CheckSuite()
    suite.load_all_available_checkers()
    ((results, errors),) = suite.run_all(
        suite.load_dataset(str(tmp_path / "map.nc")), ["cf:1.11"], skip_checks=[]
    ).values()
    assert errors == {}
    values = [(r.value if isinstance(r.value, tuple) else (r.value, True), r.msgs) for r in results]
    faults = [words for (got, possible), msgs in values if got != possible for words in msgs]
    # As for maps of DOP: the bounds of a scalar time have one dimension by CF 7.1.
    assert [words for words in faults if "time_bnds specified by time" not in words] == []
