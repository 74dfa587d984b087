"""Truth from outside: pymap3d, the IOGP's worked example, and the stations' published heights."""

import numpy as np
import pymap3d
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import CoordinateError
from gnss_coop.model.frames import (
    PZ90_02_TO_PZ90_11,
    PZ90_11_TO_ITRF2008,
    HelmertParameters,
    ecef_to_geodetic,
    enu_basis,
    geodetic_to_ecef,
    helmert,
    pz90_to_itrf,
)
from gnss_coop.model.timescales import parse_time

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)


def test_geodetic_to_ecef_on_the_axes_of_the_ellipsoid():
    """Semi-axes of WGS84 (NGA.STND.0036): 6,378,137 m and 6,356,752.3142 m."""
    xyz_m = geodetic_to_ecef([0, 0, 90, -90], [0, 90, 0, 0], 0)
    wanted_m = [[6378137, 0, 0], [0, 6378137, 0], [0, 0, 6356752.3142], [0, 0, -6356752.3142]]
    np.testing.assert_allclose(xyz_m, wanted_m, rtol=0, atol=1e-4)  # the polar axis is published to 0.1 mm


@pytest.mark.parametrize("height_m", [0.0, 1e4, 2e7, 4e7])
def test_geodetic_round_trip_at_any_height(height_m):
    latitude_deg, longitude_deg = np.meshgrid(np.linspace(-90, 90, 181), np.linspace(-179, 180, 90))
    back = ecef_to_geodetic(geodetic_to_ecef(latitude_deg, longitude_deg, height_m))
    np.testing.assert_allclose(back[0], latitude_deg, rtol=0, atol=1e-11)
    # At a pole the longitude is lost in the last bits of x and y.
    off_pole = np.abs(latitude_deg) < 90
    np.testing.assert_allclose(back[1][off_pole], longitude_deg[off_pole], rtol=0, atol=1e-11)
    np.testing.assert_allclose(back[2], height_m, rtol=0, atol=1e-7)  # a few last bits of 4e7 m


@given(LATITUDES, LONGITUDES, st.floats(-1e4, 1e5))
def test_ecef_to_geodetic_agrees_with_pymap3d_near_the_ground(latitude_deg, longitude_deg, height_m):
    """Its closed formula is good to 1e-9 deg below 100 km (and 6e-5 deg off at a satellite's height)."""
    xyz_m = pymap3d.geodetic2ecef(latitude_deg, longitude_deg, height_m)
    theirs, ours = pymap3d.ecef2geodetic(*xyz_m), ecef_to_geodetic(np.array(xyz_m))
    assert ours[0] == pytest.approx(theirs[0], abs=1e-9)
    assert ours[2] == pytest.approx(theirs[2], abs=1e-3)


def test_no_latitude_at_the_centre_of_the_earth():
    assert np.isnan(ecef_to_geodetic([[0.0, 0.0, 0.0], [1e4, 0.0, 1e3], [np.nan, 0.0, 0.0]])).all()


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "height_m"),
    [(95, 0, 0), (-90.1, 0, 0), (0, 361, 0), (0, -181, 0), (np.nan, 0, 0), (0, 0, np.inf), ([0, 91], 0, 0)],
)
def test_coordinates_that_do_not_exist(latitude_deg, longitude_deg, height_m):
    with pytest.raises(CoordinateError):
        geodetic_to_ecef(latitude_deg, longitude_deg, height_m)


@given(LATITUDES, LONGITUDES)
def test_local_axes_are_a_right_handed_frame_that_stands_on_the_ellipsoid(latitude_deg, longitude_deg):
    basis = enu_basis(np.radians(latitude_deg), np.radians(longitude_deg))
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(np.cross(basis[0], basis[1]), basis[2], atol=1e-15)
    low_m, high_m = geodetic_to_ecef(latitude_deg, longitude_deg, [0.0, 1e6])
    np.testing.assert_allclose((high_m - low_m) / 1e6, basis[2], atol=1e-14)  # last bits of 7e6 m over 1e6 m


def test_local_axes_agree_with_pymap3d():
    site, target_m = (52.2, 104.3, 500.0), np.array([-9e6, 2e7, 1.3e7])
    ours = enu_basis(*np.radians(site[:2])) @ (target_m - geodetic_to_ecef(*site))
    np.testing.assert_allclose(ours, pymap3d.ecef2enu(*target_m, *site), rtol=0, atol=1e-6)
    assert enu_basis(np.zeros((4, 1)), np.zeros(5)).shape == (4, 5, 3, 3)


def test_helmert_on_the_example_of_the_iogp():
    """IOGP Guidance Note 7-2: WGS 72 to WGS 84, coordinate-frame rotation with r_z = -0.554 arcseconds."""
    parameters = HelmertParameters((0.0, 0.0, 4.5), (0.0, 0.0, -554.0), 219.0)
    found_m = helmert([3657660.66, 255768.55, 5201382.11], parameters)
    np.testing.assert_allclose(found_m, [3657660.78, 255778.43, 5201387.75], rtol=0, atol=0.01)  # as printed


def test_pz90_by_the_rotation_matrix_of_the_convention():
    radius_m = 25_508_200.0
    mas = np.pi / 180 / 3_600_000
    shift_m = pz90_to_itrf(radius_m * np.eye(3), parse_time("2024-01-10")) - radius_m * np.eye(3)
    rx, ry, rz = 0.019 * mas, -0.042 * mas, 0.002 * mas
    wanted_m = radius_m * np.array([[0, -rz, ry], [rz, 0, -rx], [-ry, rx, 0]]) + [-0.003, -0.001, 0.0]
    np.testing.assert_allclose(shift_m, wanted_m, rtol=0, atol=1e-8)  # last bits of 2.5e7 m
    assert np.linalg.norm(shift_m, axis=1).max() < 0.01


def test_pz90_realisation_follows_the_time():
    xyz_m = np.tile([1.2e7, -1.5e7, 1.6e7], (4, 1))
    days = ("2007-09-19", "2007-09-20", "2013-12-30", "2013-12-31")
    shift_m = np.linalg.norm(pz90_to_itrf(xyz_m, [parse_time(day) for day in days]) - xyz_m, axis=1)
    assert shift_m[0] == 0.0
    # PZ-90.02: 0.5 m of translation, 6 mas and 8 ppb at 25,000 km.
    assert shift_m[1] == shift_m[2]
    assert 0.1 < shift_m[1] < 1.5
    assert 0.0 < shift_m[3] < 0.01
    chained_m = helmert(helmert(xyz_m[0], PZ90_02_TO_PZ90_11), PZ90_11_TO_ITRF2008)
    np.testing.assert_array_equal(pz90_to_itrf(xyz_m[0], parse_time("2010-01-01")), chained_m)


def test_inputs_are_left_alone():
    xyz_m = np.array([[1.2e7, -1.5e7, 1.6e7]])
    latitude_deg = np.array([10.0, 20.0])
    pz90_to_itrf(xyz_m, parse_time("2010-01-01"))
    ecef_to_geodetic(xyz_m)
    geodetic_to_ecef(latitude_deg, 0.0, 0.0)
    assert xyz_m.tolist() == [[1.2e7, -1.5e7, 1.6e7]]
    assert latitude_deg.tolist() == [10.0, 20.0]
