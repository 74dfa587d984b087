"""How many stations see a satellite above each point: brute force, closed forms, and lines around what is seen."""

import numpy as np
import pymap3d
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.elements.nominal import CONSTELLATIONS
from gnss_coop.elements.orbit_shapes import OrbitShape
from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.frames import ecef_to_geodetic
from gnss_coop.networks import depth_map as module

# Axes of WGS84 (NGA.STND.0036) [m]; pole: the semi-minor one as published.
EQUATOR_M, POLE_M = 6_378_137.0, 6_356_752.3142
R_MEO_M, GEO_M = 25_508_200.0, 42_164_200.0
#: Cells nearer to an edge than this may fall on either side by rounding: 0.5 mm at an orbit's radius.
ROUNDING_DEG = 1e-9
WALLS = ((0.0, 20.0), (90.0, 3.0), (90.0, 60.0), (180.0, 30.0), (180.0, -5.0), (270.0, 8.0))


def place(lat, lon, name="Here", height_m=0.0, **fields):
    return gc.Station(
        name=name, geodetic={"latitude_deg": lat, "longitude_deg": lon, "height_m": height_m}, **fields
    )  # fmt: skip


def cell_xyz_m(latitude_deg, longitude_deg, radius_m):
    """The sphere in plain trigonometry."""
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    x, y, z = np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    return radius_m * np.stack([x, y, z])


def angles_deg(station, latitude_deg, longitude_deg, radius_m):
    """Azimuth and elevation by pymap3d."""
    where = (station.latitude_deg, station.longitude_deg, station.height_m)
    azimuth, elevation, _ = pymap3d.ecef2aer(*cell_xyz_m(latitude_deg, longitude_deg, radius_m), *where)
    return azimuth, elevation


def margin_deg(station, latitude_deg, longitude_deg, radius_m, mask_deg):
    """How far satellites stand above mask and horizon, whichever is higher; the horizon by numpy's interpolation."""
    azimuth, elevation = angles_deg(station, latitude_deg, longitude_deg, radius_m)
    limit = np.full(azimuth.shape, mask_deg)
    if station.horizon:
        corners = np.array(station.horizon)
        around = np.concatenate([corners + np.array([turn, 0.0]) for turn in (-360.0, 0.0, 360.0)])
        limit = np.maximum(limit, np.interp(azimuth, around[:, 0], around[:, 1]))
    return elevation - limit


def between_deg(lat_one, lon_one, lat_two, lon_two):
    """Angle at the Earth's centre, by chords, which are exact for small angles too."""
    chord = np.linalg.norm(cell_xyz_m(lat_one, lon_one, 1.0) - cell_xyz_m([lat_two], [lon_two], 1.0), axis=0)
    return np.degrees(2 * np.arcsin(chord / 2))


STATIONS = {
    "shipped": gc.stations("joint"),
    "walls": [
        place(55.0, 100.0, horizon=WALLS), place(-20.0, -179.9, "There", horizon=((10.0, 0.0), (350.0, 40.0))),
    ],
    "edges": [
        place(90.0, 0.0, "North"), place(-90.0, 0.0, "South"), place(0.0, 180.0, "Line"), place(0.0, 0.0, "Gulf"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("which", STATIONS)
@pytest.mark.parametrize(
    ("orbit", "mask_deg"),
    [
        ({"system": "R"}, 5.0),
        ({"system": "C", "orbit": "IGSO"}, 0.0),
        ({"radius_m": 7e6}, 25.0),
        ({"system": "C"}, -3.0),
    ],
)
def test_depth_is_that_of_brute_force(which, orbit, mask_deg):
    stations = STATIONS[which]
    networks = {"all": stations, "first": stations[:1], "others": stations[1:]}
    world = gc.depth_map(networks, gc.GeoGrid(5), **orbit, mask_deg=mask_deg)
    radius_m = world.attrs["radius_m"]
    margins = [
        margin_deg(s, world.lat.values[:, None], world.lon.values, radius_m, mask_deg) for s in gc.stations(stations)
    ]
    seen = np.array(margins) >= 0.0
    sure = (np.abs(margins) > ROUNDING_DEG).all(axis=0)
    assert sure.mean() > 0.99
    for name, wanted in {"all": seen, "first": seen[:1], "others": seen[1:]}.items():
        got = world.depth.sel(network=name).values
        assert (got == wanted.sum(axis=0))[sure].all()
    assert world.depth.dtype.kind == "i"
    assert 0 < world.depth.values.max() <= len(stations)


def test_blocks_make_no_difference(monkeypatch):
    whole = gc.depth_map("joint", gc.GeoGrid(10))
    monkeypatch.setattr(module, "_BLOCK_CELLS", 100)
    assert whole.identical(gc.depth_map("joint", gc.GeoGrid(10)))


def test_a_region_across_the_antimeridian_is_that_part_of_the_world():
    world = gc.depth_map("russia,joint", gc.GeoGrid(5))
    bering = gc.depth_map("russia,joint", gc.GeoGrid(5, (50, 70, 170, -170)))
    east = bering.assign_coords(lon=(bering.lon + 180) % 360 - 180)
    np.testing.assert_array_equal(east.depth, world.depth.sel(lat=east.lat, lon=east.lon))


@pytest.mark.parametrize("mask_deg", [0.0, 5.0, 40.0])
@pytest.mark.parametrize(
    ("station", "earth_m"),
    [
        (place(90, 0), POLE_M), (place(-90, 0), POLE_M),
        (place(0, 30), EQUATOR_M), (place(0, 180, height_m=4e3), EQUATOR_M + 4e3),
    ],
)  # fmt: skip
@pytest.mark.parametrize("radius_m", [R_MEO_M, GEO_M])
def test_circles_where_the_normal_goes_through_the_centre(station, earth_m, mask_deg, radius_m):
    """There the plane triangle of centre, station and satellite holds exactly: acos(R cos m / r) - m."""
    latitude, longitude = gc.visibility_circle(station, radius_m, mask_deg)
    wanted = np.degrees(np.arccos(earth_m * np.cos(np.radians(mask_deg)) / radius_m)) - mask_deg
    away = between_deg(latitude, longitude, station.latitude_deg, station.longitude_deg)
    # The semi-minor axis is published to 0.1 mm, which is 4e-10 deg here.
    np.testing.assert_allclose(away, wanted, atol=2e-9)


@pytest.mark.parametrize("station", gc.stations())
def test_circles_are_nearly_those_of_a_sphere(station):
    """Elsewhere the normal leans by up to 0.19 deg from the line to the centre, and so does the circle."""
    latitude, longitude = gc.visibility_circle(station, R_MEO_M, 5.0)
    wanted = np.degrees(np.arccos(6_371_000.0 * np.cos(np.radians(5.0)) / R_MEO_M)) - 5.0
    x, y, z = station.xyz_m
    geocentric = np.degrees(np.arctan2(z, np.hypot(x, y)))
    away = between_deg(latitude, longitude, geocentric, station.longitude_deg)
    # 0.19 deg, and 0.05 deg for radii up to 15 km from the mean one at such distances.
    np.testing.assert_allclose(away, wanted, atol=0.25)
    assert np.ptp(away) > 0.1  # the ellipsoid is felt


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(-5, 85), st.sampled_from([7e6, R_MEO_M, GEO_M]),
    st.sampled_from([(), WALLS]),
)  # fmt: skip
def test_on_the_circle_satellites_stand_on_mask_or_horizon(lat, lon, mask_deg, radius_m, horizon):
    station = place(lat, lon, horizon=horizon)
    latitude, longitude = gc.visibility_circle(station, radius_m, mask_deg)
    azimuth, elevation = angles_deg(station, latitude, longitude, radius_m)
    margin = margin_deg(station, latitude, longitude, radius_m, mask_deg)
    walls = [np.abs((azimuth - wall + 180) % 360 - 180) < 1e-6 for wall in (90.0, 180.0)] if horizon else [False]
    smooth = ~np.any(walls, axis=0) if horizon else np.ones(margin.size, bool)
    assert smooth.sum() >= 700
    assert np.abs(margin[smooth]).max() < 1e-6  # 1e-8 of a length that pymap3d rounds: 3 mm at the shortest ray
    assert (elevation >= mask_deg - 1e-6).all()
    assert (latitude[0], longitude[0]) == (latitude[-1], longitude[-1])


def test_walls_stand_in_the_circle():
    station = place(55.0, 100.0, horizon=WALLS)
    azimuth, elevation = angles_deg(station, *gc.visibility_circle(station, R_MEO_M, 5.0), R_MEO_M)
    east = elevation[np.abs(azimuth - 90.0) < 1e-6]
    np.testing.assert_allclose(east, [5.0, 60.0], atol=1e-6)  # the foot is below the mask
    south = elevation[np.abs(azimuth - 180.0) < 1e-6]
    np.testing.assert_allclose(south, [30.0, 5.0], atol=1e-6)


@pytest.mark.parametrize("mask_deg", [0.0, 25.0])
def test_cells_inside_the_circle_see(mask_deg):
    """The line divides cells that are seen from cells that are not; inside by the winding about each cell."""
    station = place(20.0, 175.0, horizon=WALLS)  # its circle crosses the antimeridian
    world = gc.depth_map({"here": station}, gc.GeoGrid(3), mask_deg=mask_deg)
    lat, lon = np.meshgrid(world.lat.values, world.lon.values, indexing="ij")
    azimuth, elevation = angles_deg(station, lat, lon, R_MEO_M)
    edge_azimuth, edge_elevation = angles_deg(station, *gc.visibility_circle(station, R_MEO_M, mask_deg), R_MEO_M)
    order = np.argsort(edge_azimuth, kind="stable")
    inside = elevation >= np.interp(azimuth, edge_azimuth[order], edge_elevation[order], period=None)
    near_wall = np.min([np.abs(azimuth - wall) for wall in (0.0, 90.0, 180.0, 360.0)], axis=0) < 0.5
    clear = ~near_wall & (np.abs(elevation - np.interp(azimuth, edge_azimuth[order], edge_elevation[order])) > 0.05)
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(world.depth[0].values[clear], inside[clear])


@pytest.mark.parametrize(
    ("text", "radius_km", "inclination_deg"),
    # GLONASS ICD; BDS-OS-PS.
    [
        ("R:MEO", 25508.2, 64.8), ("r", 25508.2, 64.8), ("C:MEO", 27906.1, 55), ("C:igso", 42164.2, 55),
        ("C:GEO", 42164.2, 0),
    ],
)  # fmt: skip
def test_orbits_are_those_of_the_documents(text, radius_km, inclination_deg):
    shape = OrbitShape.parse(text)
    assert shape.radius_m == pytest.approx(radius_km * 1e3)
    assert shape.inclination_deg == inclination_deg
    assert shape.slots in CONSTELLATIONS[shape.system]


@pytest.mark.parametrize("system", ["R", "C"])
def test_satellites_reach_the_latitudes_that_are_marked(system):
    """A nominal day against the band, and each satellite's stations against the map of 0.5 deg below it."""
    sky = gc.nominal_constellation(system, gc.epochs("2024-01-10", hours=24, step_s=900))
    views = gc.network_views(sky, "russia,joint")
    x, y, z = np.moveaxis(sky.positions.values, -1, 0)
    latitude, longitude = np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
    for orbit in np.unique(views.orbit):
        world = gc.depth_map("russia,joint", gc.GeoGrid(0.5), system=system, orbit=str(orbit))
        chosen = views.orbit == orbit
        row = np.floor((latitude[:, chosen] + 90) / 0.5).astype(int)
        column = np.floor((longitude[:, chosen] + 180) / 0.5).astype(int) % 720
        assert world.reached.values[row].all()
        assert not world.reached.values[row.max() + 2]  # the next one may touch the inclination
        for network in ("russia", "joint"):
            members = views.networks.members[views.networks.names.index(network)]
            seen = views.visible[members][:, :, chosen].sum(axis=0)
            # Only where a line passes through the cell may it differ: a cell is 0.5 deg, and six lines cross the map.
            assert (world.depth.sel(network=network).values[row, column] == seen).mean() > 0.97


def test_geostationary_satellites_stand_where_the_plan_has_them():
    world = gc.depth_map("china", gc.GeoGrid(2), system="C", orbit="GEO")
    # BDS-OS-PS: 80, 110.5 and 140 deg east.
    np.testing.assert_allclose(world.track_lon, np.repeat([[80.0], [110.5], [140.0]], 144, axis=1), atol=1e-6)
    assert world.reached.values.sum() == 2  # the cells on both sides of the equator


def test_synchronous_tracks_close_and_reach_their_inclination():
    world = gc.depth_map("china", gc.GeoGrid(30), system="C", orbit="IGSO")
    assert world.track_lat.max().item() == pytest.approx(55.0, abs=0.05)
    # BDS-OS-PS: they cross the equator at 118 deg east. Within a degree of it a figure of eight is straight.
    crossing = np.abs(world.track_lat.values) < 1.0
    assert crossing.sum() >= 6
    np.testing.assert_allclose(world.track_lon.values[crossing], 118.0, atol=0.6)
    # 144 steps of 10 min: a sidereal day is 4 min less than they are.
    ends = [world[name].values[0, [-1, 0]] for name in ("track_lat", "track_lon")]
    gap = between_deg(ends[0][:1], ends[1][:1], ends[0][1], ends[1][1])
    assert gap.item() < 3.0
    assert "track_lat" not in gc.depth_map("china", gc.GeoGrid(30), system="C")


@pytest.mark.parametrize(("radius_m", "limit_deg"), [(R_MEO_M, 0.05), (GEO_M, 0.03)])
def test_geocentric_latitudes_of_satellites_are_nearly_geodetic(radius_m, limit_deg):
    """What the documentation says of the difference."""
    latitude = np.linspace(-90, 90, 721)
    geodetic = ecef_to_geodetic(cell_xyz_m(latitude, 0.0, radius_m).T)[0]
    assert 0.9 * limit_deg < np.abs(geodetic - latitude).max() <= limit_deg


def test_any_radius_reaches_everywhere():
    world = gc.depth_map("joint", gc.GeoGrid(30), radius_m=2.9e7)
    assert world.reached.values.all()
    assert world.attrs["radius_m"] == 2.9e7
    assert "inclination_deg" not in world.attrs


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"system": "R", "orbit": "GEO"}, ScenarioError, "no orbit R:GEO is known; write one of R:MEO, C:GEO, C:IGSO"),
        ({"system": "X"}, ScenarioError, "no orbit X:MEO"),
        ({"radius_m": 6.0e6}, ScenarioError, "at least 6.5e"),
        ({"radius_m": float("nan")}, ScenarioError, "at least 6.5e"),
        ({"mask_deg": 91}, ScenarioError, "91 is not an angle"),
        ({"networks": "mars"}, StationError, "'mars'"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        gc.depth_map(**{"networks": "joint", "grid": gc.GeoGrid(30), **options})
