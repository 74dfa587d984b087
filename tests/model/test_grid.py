"""Grids and lists of places: their middles, and every fault that they are refused for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import GridError
from gnss_coop.model.grid import GeoGrid, GeoPoints, read_points

HEAD = "name,latitude_deg,longitude_deg,height_m\n"


def test_the_world_by_default():
    grid = GeoGrid()
    assert grid.shape == (180, 360)
    assert (grid.latitude_deg[[0, -1]] == [-89.5, 89.5]).all()
    assert (grid.longitude_deg[[0, -1]] == [-179.5, 179.5]).all()


@pytest.mark.parametrize(
    ("region", "longitudes"),
    [
        ((50, 60, 170, -170), [172.5, 177.5, 182.5, 187.5]),
        ((50, 60, 180, -170), [182.5, 187.5]),
        ((50, 60, 170, 180), [172.5, 177.5]),
        ((50, 60, -180, -170), [-177.5, -172.5]),
        ((50, 60, -5, 5), [-2.5, 2.5]),
    ],
)
def test_a_region_may_cross_the_antimeridian(region, longitudes):
    grid = GeoGrid(5, region)
    assert grid.shape == (2, len(longitudes))
    assert grid.latitude_deg.tolist() == [52.5, 57.5]
    assert grid.longitude_deg.tolist() == longitudes


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.1, 0.25, 1 / 3, 0.7, 1.5]))
def test_middles_lie_within_the_region_at_equal_steps(rows, columns, step_deg):
    grid = GeoGrid(step_deg, (-89.0, -89.0 + rows * step_deg, 80.0, 80.0 + columns * step_deg))
    assert grid.shape == (rows, columns)
    for middles, first in ((grid.latitude_deg, -89.0), (grid.longitude_deg, 80.0)):
        # 1e-9 deg is 0.1 mm on the ground.
        assert middles == pytest.approx(first + step_deg * (np.arange(middles.size) + 0.5), abs=1e-9)


@pytest.mark.parametrize("step_deg", [0.0, -1.0, math.nan, math.inf, 91.0, 400.0])
def test_a_step_is_above_0_and_at_most_90(step_deg):
    with pytest.raises(GridError, match="above 0 and at most 90 deg"):
        GeoGrid(step_deg)


@pytest.mark.parametrize(
    ("step_deg", "region", "words"),
    [
        (7, (-90, 90, -180, 180), "7 deg does not divide the 180 deg of latitude"),
        (8, (-40, 40, -180, 179), "does not divide the 359 deg of longitude"),
        (20, (0, 10, 0, 20), "does not divide the 10 deg of latitude"),
        (0.01, (-90, 90, -180, 180), "more than 50,000,000 cells"),
        (1e-320, (-90, 90, -180, 180), "more than 50,000,000 cells"),
        (5e-324, (0, 1, 0, 1), "more than 50,000,000 cells"),
        (1, (60, 50, 0, 10), "must rise"),
        (1, (50, 50, 0, 10), "must rise"),
        (1, (-91, 0, 0, 10), "must rise within -90 to 90"),
        (1, (0, 90.5, 0, 10), "must rise within -90 to 90"),
        (1, (math.nan, 10, 0, 10), "must rise"),
        (1, (0, 10, 5, 5), "longitudes must differ"),
        (1, (0, 10, 180, -180), "longitudes must differ"),
        (1, (0, 10, -181, 0), "within -180 to 180"),
        (1, (0, 10, 0, math.nan), "within -180 to 180"),
        (1, (0, 10, 0), "four bounds"),
        (1, (0, 10, 0, 10, 20), "four bounds"),
    ],
)
def test_faults_of_a_region(step_deg, region, words):
    with pytest.raises(GridError, match=words):
        GeoGrid(step_deg, region)


def test_a_height_counts_for_all_or_each_has_its_own():
    assert GeoPoints.of("AB", [1, 2], [3, 4], 250).height_m.tolist() == [250, 250]
    assert GeoPoints.of("AB", [1, 2], [3, 4], [5, 6]).height_m.tolist() == [5, 6]


def test_coordinates_are_copied():
    latitude_deg = np.array([1.0, 2.0])
    points = GeoPoints.of("AB", latitude_deg, [3, 4])
    latitude_deg[0] = 80.0
    assert points.latitude_deg.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "latitude_deg", "longitude_deg", "height_m", "words"),
    [
        ([], [], [], 0.0, "no points"),
        (["A"], [1, 2], [3, 4], 0.0, "1 names need as many"),
        (["A", "B"], [1, 2], [3], 0.0, "2 names need as many"),
        (["A", "B"], [1, 2], [3, 4], [5, 6, 7], "2 names need as many"),
        (["A", "B"], 1.0, 2.0, 0.0, "2 names need as many"),
        (["A"], [[1.0]], [[2.0]], 0.0, "1 names need as many"),
        (["A"], ["north"], [3], 0.0, "must be numbers"),
        (["A"], [None], [3], 0.0, "no places on Earth: A"),
    ],
)
def test_faults_of_points(names, latitude_deg, longitude_deg, height_m, words):
    with pytest.raises(GridError, match=words):
        GeoPoints.of(names, latitude_deg, longitude_deg, height_m)


def test_all_impossible_places_are_told_at_once():
    with pytest.raises(GridError) as caught:
        GeoPoints.of("ABCDEF", [91, 0, math.nan, 0, 0, 0], [0, 361, 0, 0, math.inf, 0], [0, 0, 0, 2e4 + 1, 0, 0])
    for name in "ABCDE":
        assert f"{name} (" in str(caught.value)
    assert "F (" not in str(caught.value)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_points_from_csv(tmp_path, ending, mark):
    # Names that pandas would take for missing values, numbers or an index; quotes; blanks after commas.
    rows = ["name , longitude_deg, latitude_deg,height_m", "NA,104.3, 52.2,502", "007,-180,90,0"]
    rows += ['"Хабаровск, порт",135,48.5,-3', "", ""]
    path = tmp_path / "towns.csv"
    path.write_bytes((mark + ending.join(rows)).encode())
    points = read_points(path)
    assert points.names == ("NA", "007", "Хабаровск, порт")
    assert points.latitude_deg.tolist() == [52.2, 90.0, 48.5]
    assert points.longitude_deg.tolist() == [104.3, -180.0, 135.0]
    assert points.height_m.tolist() == [502.0, 0.0, -3.0]


def test_heights_may_be_left_out(tmp_path):
    (tmp_path / "towns.csv").write_text("name,latitude_deg,longitude_deg\nA,1,2\n")
    assert read_points(tmp_path / "towns.csv").height_m.tolist() == [0.0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "column name is missing"),
        (b"name,latitude_deg\nA,1\n", "column longitude_deg is missing"),
        (b"name;latitude_deg;longitude_deg\nA;1;2\n", "column name is missing"),
        (HEAD.encode(), "no points"),
        (HEAD.encode() + b"A,95,2,0\nB,1,2,0\nC,x,,0\n", r"A \(95, 2, 0 m\), C \(nan, nan, 0 m\)"),
        (HEAD.encode() + b"A,1,2,\n", r"A \(1, 2, nan m\)"),  # blank is unknown, not 0
        (HEAD.encode() + b"A,45,75,126,64,0\n", "line 2 has 6 fields"),  # decimal commas would shift the columns
        (HEAD.encode() + b"A,45,75,0\nB,1,2\n", "line 3 has 3 fields"),
        (HEAD.encode() + b'"A,45,75,0\n', "cannot be read as CSV"),
        (HEAD.encode() + "Чита,1,2,0\n".encode("cp1251"), "cannot be read as CSV"),
        (bytes(range(256)) * 4, "cannot be read as CSV"),
    ],
)
def test_faults_of_a_points_file(tmp_path, data, words):
    path = tmp_path / "towns.csv"
    path.write_bytes(data)
    with pytest.raises(GridError, match=words) as caught:
        read_points(path)
    assert str(path) in str(caught.value)


def test_a_points_file_that_is_none(tmp_path):
    for path in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(GridError, match="cannot be read as CSV") as caught:
            read_points(path)
        assert str(caught.value).count(str(path)) == 1


@given(data=st.binary(max_size=200))
def test_any_bytes_give_points_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("points") / "towns.csv"
    path.write_bytes(HEAD.encode() + data)
    try:
        assert len(read_points(path)) > 0
    except GridError as error:
        assert str(path) in str(error)  # noqa: PT017  # either outcome is fine


@pytest.mark.parametrize(
    ("row", "words"),
    [("=1+1,45,126", "'=1.1' must not begin with '='"), ("A\x1b[1m,45,126", "control characters"),
     ("Harbin,4_5,126", "Harbin"), ("Harbin,٤٥,126", "Harbin")],
)  # fmt: skip
def test_points_with_names_that_act_or_numbers_that_are_none(tmp_path, row, words):
    path = tmp_path / "towns.csv"
    path.write_text(f"name,latitude_deg,longitude_deg\n{row}\n", encoding="utf-8")
    with pytest.raises(GridError, match=words):
        read_points(path)
