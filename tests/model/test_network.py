"""Truth from outside: the IGS solution's latitudes, longitudes and heights for its own coordinates."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gnss_coop.errors import StationError
from gnss_coop.model.network import Geodetic, HorizonMask, Network, Station, read_station, stations

FOLDER = Path(__file__).parents[2] / "stations"
SITES = ("Changchun", "Urumqi", "Shanghai", "Obninsk", "Irkutsk", "Petropavlovsk-Kamchatsky")
# IGS weekly SINEX, week 2131 (SHAO: site log): latitude and longitude [deg], height [m].
PUBLISHED = np.array(
    [
        [43.790685, 125.444205, 273.25],
        [43.807950, 87.600672, 858.86],
        [31.099642, 121.200445, 22.09],
        [55.114881, 36.569531, 182.67],
        [52.219020, 104.316188, 502.04],
        [53.023300, 158.650132, 102.00],
    ]
)
PLACE = {"latitude_deg": 55.0, "longitude_deg": 37.0, "height_m": 200.0}


def write(folder: Path, name: str, **fields: str) -> Path:
    path = folder / f"{name.lower()}.toml"
    lines = {
        "name": f'"{name}"',
        "geodetic": "{latitude_deg = 55, longitude_deg = 37, height_m = 200}",
    } | fields
    path.write_text("\n".join(f"{key} = {value}" for key, value in lines.items()), encoding="utf-8")
    return path


def test_the_six_sites_are_where_the_igs_says():
    joint = stations()
    assert joint.names == SITES
    assert joint.name == "joint"
    np.testing.assert_allclose(joint.latitude_deg, PUBLISHED[:, 0], rtol=0, atol=1e-6)  # as printed: 0.1 m
    np.testing.assert_allclose(joint.longitude_deg, PUBLISHED[:, 1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(joint.height_m, PUBLISHED[:, 2], rtol=0, atol=0.01)  # as printed


def test_a_network_and_its_stations_agree():
    joint = stations("joint")
    assert joint.xyz_m.shape == (6, 3)
    for index, station in enumerate(joint):
        assert (joint.xyz_m[index] == station.xyz_m).all()
        assert joint.latitude_deg[index] == pytest.approx(station.latitude_deg, abs=1e-12)
        assert joint.longitude_deg[index] == pytest.approx(station.longitude_deg, abs=1e-12)
        assert joint.height_m[index] == pytest.approx(station.height_m, abs=1e-8)
    assert isinstance(joint[:2], Network)
    assert joint[:2].names == SITES[:2]
    assert joint[-1].name == SITES[-1]
    assert len({joint, stations("joint")}) == 1
    with pytest.raises(AttributeError):
        joint.name = "other"


def test_every_shipped_file_says_whose_antenna_it_is_not():
    for path in FOLDER.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert "not public" in text
        assert tomllib.loads(text)["source"]


def test_the_example_of_the_readme_is_a_station(tmp_path):
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "roof.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    roof = read_station(path)
    assert roof.height_m == pytest.approx(201.5, abs=1e-6)
    assert roof.horizon_mask.elevation_deg([150, 119, 181]).round(1).tolist() == [25.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("selection", "names", "network"),
    [
        ("china", SITES[:3], "china"),
        ("RUSSIA", SITES[3:], "russia"),
        ("all", SITES, "all"),
        ("china,russia", SITES, ", ".join(SITES)),
        ("Obninsk", SITES[3:4], "Obninsk"),
        ("obninsk, CHAN ,Обнинск", (SITES[3], SITES[0]), "Obninsk, Changchun"),
        (["上海", "petropavlovsk kamchatsky"], (SITES[2], SITES[5]), "Shanghai, Petropavlovsk-Kamchatsky"),
        (FOLDER, SITES, "stations"),
        (str(FOLDER), SITES, "stations"),
        (FOLDER / "urumqi.toml", SITES[1:2], "Urumqi"),
        (f"irkj,{FOLDER}/urumqi.toml", (SITES[4], SITES[1]), "Irkutsk, Urumqi"),
        (["china", "joint"], SITES, ", ".join(SITES)),
    ],
)
def test_selections(selection, names, network):
    chosen = stations(selection)
    assert chosen.names == names
    assert chosen.name == network


def test_selections_of_objects(tmp_path, monkeypatch):
    here = Station(name="Here", geodetic=Geodetic(**PLACE))
    assert stations(here).names == ("Here",)
    assert stations([here, "urum", here]).names == ("Here", "Urumqi")
    china = stations("china")
    assert stations(china) == china
    write(tmp_path, "Beta")
    write(tmp_path, "Alpha")
    (tmp_path / "notes.txt").write_text("no station")
    assert stations(tmp_path).names == ("Alpha", "Beta")
    monkeypatch.chdir(tmp_path.parent)
    assert stations(tmp_path.name).names == ("Alpha", "Beta")
    # A folder may be called like a network: with a slash it is the folder.
    (tmp_path / "china").mkdir()
    write(tmp_path / "china", "Gamma")
    monkeypatch.chdir(tmp_path)
    assert stations("./china").names == ("Gamma",)
    assert stations("china").names == SITES[:3]


def test_unknown_names_get_a_suggestion():
    with pytest.raises(StationError, match=r"'Irkutks'.*Did you mean Irkutsk\?.*Changchun.*russia"):
        stations("china,Irkutks")
    for selection in ("", [], "-", "nowhere.toml", "nowhere/", "x,y.toml"):
        with pytest.raises(StationError):
            stations(selection)


def test_two_stations_of_one_name_are_refused(tmp_path):
    other = write(tmp_path, "Obninsk")
    with pytest.raises(StationError, match="Obninsk"):
        stations(["russia", other])


def test_a_folder_without_stations_is_refused(tmp_path):
    with pytest.raises(StationError, match="no station files"):
        stations(tmp_path)


def test_all_faults_of_a_file_are_listed_with_their_place(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(
        'country = "Russia"\nheigth = 3\nantenna_height_m = -1\nmarker = "ab"\ndomes = "1"\n'
        "ecef_m = [1.0, 2.0, 3.0]\ngeodetic = {latitude_deg = 95, longitude_deg = nan, height_m = 0}\n"
        "horizon = [[10, 95], [5, 0]]\n"
    )
    with pytest.raises(StationError) as caught:
        read_station(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    fields = [line.removeprefix(f"{path}: ").split(":")[0] for line in lines]
    assert sorted(fields) == sorted(
        ["name", "country", "heigth", "antenna_height_m", "marker", "domes", "ecef_m", "ecef_m", "horizon",
         "geodetic.latitude_deg", "geodetic.longitude_deg"]
    )  # fmt: skip
    assert "95.0 must be" in str(caught.value)
    assert "country: must be two capital letters" in str(caught.value)
    assert "sorted" in str(caught.value)


def test_all_bad_files_of_a_folder_are_listed(tmp_path):
    write(tmp_path, "Alpha", country='"Russia"')
    write(tmp_path, "Beta", marker='"x"')
    with pytest.raises(StationError, match=r"(?s)alpha\.toml: country: .*beta\.toml: marker: "):
        stations(tmp_path)


@pytest.mark.parametrize("content", [b"name = ", b"name = '\xff'", b"name = 'A'\nname = 'B'"])
def test_files_that_are_no_toml(tmp_path, content):
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    with pytest.raises(StationError, match=r"odd\.toml: is not"):
        read_station(path)


@pytest.mark.parametrize("fields", [{}, {"ecef_m": (6378137.0, 0.0, 0.0), "geodetic": PLACE}])
def test_a_station_has_exactly_one_position(fields):
    with pytest.raises(StationError, match="exactly one"):
        Station(name="Here", **fields)


def test_coordinates_in_kilometres_are_noticed():
    with pytest.raises(StationError, match="in metres"):
        Station(name="Here", ecef_m=(2936.4, 2178.4, 5208.9))


def test_the_antenna_stands_above_the_marker():
    marker, antenna = (Station(name="Here", geodetic=PLACE, antenna_height_m=up_m) for up_m in (0.0, 3.0))
    assert antenna.height_m - marker.height_m == pytest.approx(3.0, abs=1e-8)  # a few last bits of 6.4e6 m
    assert antenna.latitude_deg == pytest.approx(55.0, abs=1e-12)
    assert np.linalg.norm(antenna.xyz_m - marker.xyz_m) == pytest.approx(3.0, abs=1e-8)


def test_stations_do_not_change():
    station = stations("urum")[0]
    with pytest.raises(ValidationError):
        station.name = "Other"
    assert hash(station) == hash(stations("urumqi")[0])
    assert str(station.epoch) == "2020-11-11"
    assert station.frame == "IGb14"


# Whole degrees: between corners closer than that, rounding alone would decide.
CORNERS = st.dictionaries(st.integers(0, 359), st.floats(-10, 90), max_size=8).map(
    lambda corners: tuple((float(azimuth), corners[azimuth]) for azimuth in sorted(corners))
)


@given(CORNERS, st.floats(-720, 720))
def test_the_horizon_is_periodic_and_within_its_corners(corners, azimuth_deg):
    mask = HorizonMask(corners)
    elevation_deg = mask.elevation_deg(azimuth_deg)
    elevations = [elevation for _, elevation in corners] or [-90.0]
    assert min(elevations) - 1e-9 <= elevation_deg <= max(elevations) + 1e-9
    for azimuth, elevation in corners:
        assert mask.elevation_deg(azimuth) == pytest.approx(elevation, abs=1e-9)


@given(CORNERS)
def test_nodes_need_no_wrap(corners):
    mask = HorizonMask(corners)
    azimuth_rad, elevation_rad = mask.nodes_rad()
    assert azimuth_rad[0] <= 0.0
    assert azimuth_rad[-1] >= 2 * np.pi
    assert (np.diff(azimuth_rad) >= 0).all()
    assert np.interp(0.0, azimuth_rad, elevation_rad) == pytest.approx(
        np.interp(2 * np.pi, azimuth_rad, elevation_rad), abs=1e-6
    )
    probes_deg = np.arange(0.5, 360.0)
    probed_deg = np.degrees(np.interp(np.radians(probes_deg), azimuth_rad, elevation_rad))
    np.testing.assert_allclose(probed_deg, mask.elevation_deg(probes_deg), atol=1e-9)


def test_a_vertical_wall_and_a_wall_due_north():
    wall = HorizonMask(((100.0, 5.0), (100.0, 30.0), (200.0, 30.0), (200.0, 5.0)))
    azimuths_deg = [99.999, 100.0, 150.0, 199.999, 200.001]
    assert wall.elevation_deg(azimuths_deg).round(3).tolist() == [5, 30, 30, 30, 5]
    north = HorizonMask(((0.0, 20.0), (90.0, 20.0), (270.0, 5.0), (360.0, 5.0)))
    assert north.elevation_deg([359.999, 0.0, 360.0, 0.001, 315.0]).round(3).tolist() == [5, 20, 20, 20, 5]
    twice = HorizonMask(((0.0, 5.0), (0.0, 20.0), (180.0, 5.0)))
    assert twice.elevation_deg([359.999, 0.0, 360.0]).round(3).tolist() == [5, 20, 20]
    assert HorizonMask(((45.0, 7.0),)).elevation_deg([0, 45, 300]).tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    "corners",
    [((-1.0, 0.0),), ((361.0, 0.0),), ((0.0, -11.0),), ((0.0, 91.0),), ((float("nan"), 0.0),),
     ((10.0, 0.0), (5.0, 0.0)), ((5.0, 0.0), (5.0, 1.0), (5.0, 2.0)), ((0.0, 0.0), (0.0, 1.0), (360.0, 2.0))],
)  # fmt: skip
def test_horizons_that_do_not_exist(corners):
    with pytest.raises(StationError, match="horizon"):
        HorizonMask(corners)


def test_a_missing_file_is_named():
    with pytest.raises(StationError, match=r"/nowhere/x\.toml: cannot be read"):
        read_station("/nowhere/x.toml")
