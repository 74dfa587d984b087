"""read_sp3: values read by eye from real files, and small files for every rule of the format."""

import contextlib
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import GnssCoopWarning, RinexError
from gnss_coop.formats.sp3 import read_sp3

FIRST = "#{}P2024  1 10  0  0  0.00000000 {:>7d} ORBIT IGS20 FIT  IGS"
SYSTEM = "%c M  cc {} ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc"
EPOCHS = ("*  2024  1 10  0  0  0.00000000", "*  2024  1 10  0 15  0.00000000")
R02 = "PR02   9675.793281 -17954.197593 -15333.306358     20.890435"
C11 = "PC11  23058.546809  15469.428441  -2758.626850    350.971817"


def sp3(*lines: str, version: str = "d", system: str = "GPS", count: int = 2, end: str = "\n") -> bytes:
    head = [FIRST.format(version, count), "## 2296 259200.00000000", "+    2   C11R02", SYSTEM.format(system)]
    return end.join([*head, "/* a remark", *lines, ""]).encode()


def read(data: bytes) -> xr.Dataset:
    return read_sp3(io.BytesIO(data))


GOOD = sp3(EPOCHS[0], R02, C11, EPOCHS[1], C11, R02, "EOF")


def test_satellites_go_by_name_whatever_their_order():
    orbits = read(GOOD)
    assert orbits["sv"].values.tolist() == ["C11", "R02"]
    assert orbits["positions"].dims == ("time", "sv", "ecef")
    assert orbits["positions"].dtype == np.float64
    for epoch in range(2):
        both = orbits.isel(time=epoch)
        # Millimetres are the last digit of the file; 1e-6 m leaves room for rounding only.
        np.testing.assert_allclose(
            both["positions"].sel(sv="R02"), [9675793.281, -17954197.593, -15333306.358], atol=1e-6
        )
        np.testing.assert_allclose(both["clock_s"].sel(sv="R02"), 20.890435e-6, rtol=1e-12)
        np.testing.assert_allclose(both["clock_s"].sel(sv="C11"), 350.971817e-6, rtol=1e-12)
    assert orbits["time"].dtype == "datetime64[ns]"
    assert orbits["time"].values[1] == np.datetime64("2024-01-10T00:15")
    assert orbits["time"].attrs["time_scale"] == "GPST"
    assert orbits["positions"].attrs["units"] == "m"
    assert orbits.attrs == {
        "agency": "IGS",
        "frame": "IGS20",
        "orbit_type": "FIT",
        "time_system": "GPS",
        "version": "d",
        "rejected": [],
    }


# 2024-01-10: GPST - UTC = 18 s (Bulletin C), GPST - BDT = 14 s (BDS ICD), TAI - GPST = 19 s (IS-GPS-200).
@pytest.mark.parametrize(
    ("system", "added_s"),
    [
        ("GPS", 0),
        ("GAL", 0),
        ("QZS", 0),
        ("IRN", 0),
        ("ccc", 0),
        ("UTC", 18),
        ("GLO", 18),
        ("BDT", 14),
        ("TAI", -19),
    ],
)
def test_times_are_brought_to_gpst(system: str, added_s: int):
    orbits = read(sp3(EPOCHS[0], R02, "EOF", system=system))
    assert orbits["time"].values[0] - np.datetime64("2024-01-10", "s") == np.timedelta64(added_s, "s")
    assert orbits.attrs["time_system"] == system


@pytest.mark.parametrize("version", "abcd")
def test_every_version_and_the_names_of_old_files(version: str):
    orbits = read(sp3(EPOCHS[0], R02.replace("R02", "  2"), C11.replace("C11", "G 1"), "EOF", version=version))
    assert orbits["sv"].values.tolist() == ["G01", "G02"]
    assert orbits.attrs["version"] == version


def test_missing_values_are_nan():
    no_position = "PR02      0.000000      0.000000      0.000000 999999.999999"
    on_equator = "PR03  12101.500000 -22455.200000      0.000000"
    orbits = read(sp3(EPOCHS[0], no_position, on_equator, C11, EPOCHS[1], C11, "EOF"))
    assert np.isnan(orbits["positions"].sel(sv="R02")).all()
    assert np.isnan(orbits["clock_s"].sel(sv=["R02", "R03"])).all()
    assert not np.isnan(orbits["positions"].sel(sv="R03").isel(time=0)).any()  # z = 0 alone is a place
    assert np.isnan(orbits["positions"].sel(sv="R03").isel(time=1)).all()
    assert not np.isnan(orbits["positions"].sel(sv="C11")).any()


def test_velocities_and_correlations_are_passed_over():
    extra = (
        "EP  55  55  55     222",
        "VR02  20298.880364 -18462.044804   1381.387685     -4.534317",
        "EV  22  22",
    )
    lines = (EPOCHS[0], R02, *extra, C11, *extra, EPOCHS[1], R02, C11, "EOF")
    assert read(sp3(*lines)).equals(read(GOOD))


def test_line_ends_blank_lines_and_a_missing_end_make_no_difference():
    lines = (EPOCHS[0], R02, C11, EPOCHS[1], C11, R02)
    for data in (
        sp3(*lines),
        sp3(*lines, "EOF", end="\r\n"),
        sp3(*lines, "", "EOF  ", "\x1a"),
        sp3(*lines).rstrip(),
    ):
        assert read(data).equals(read(GOOD))


def test_other_epochs_than_announced_are_fine_where_the_file_ends_properly():
    assert read(sp3(EPOCHS[0], R02, "EOF", count=97)).sizes["time"] == 1


DAMAGED = {
    "not SP3": (b"     3.04           N", 1, "not an SP3"),
    "no such time": (GOOD.replace(b"*  2024  1", b"*  2024 13", 1), 6, "no such time"),
    "time goes back": (GOOD.replace(b"10  0 15", b"09  0 15"), 9, "not after"),
    "unknown time system": (GOOD.replace(b"cc GPS", b"cc XYZ"), None, "'XYZ' is unknown"),
    "no positions": (sp3("EOF"), None, "no positions"),
    "no epoch": (sp3(R02, "EOF"), 6, "position that belongs to no epoch"),
    "metres for kilometres": (
        sp3(EPOCHS[0], "PR02  9675793.2810-17954197.5930-15333306.3580", "EOF"),
        7,
        "km from the",
    ),
    "two files": (GOOD + GOOD, None, "split"),
    "cut in a number": (GOOD[:-30], 11, "cut here"),
    "cut in the clock": (GOOD[:-8], 11, "cut here"),
    "cut after a line": (sp3(EPOCHS[0], R02, C11, EPOCHS[1], C11), 10, "cut here"),
    "cut after an epoch": (sp3(EPOCHS[0], R02, C11), 8, "cut here"),
    "cut in the only epoch": (sp3(EPOCHS[0], R02, count=1), 7, "cut here"),
    "cut in an epoch line": (GOOD[: GOOD.index(b"0 15  0.")], 9, "cut here"),
}


@pytest.mark.parametrize(("data", "line", "says"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_line(data: bytes, line: int | None, says: str):
    with pytest.raises(RinexError, match=says) as caught:
        read(data)
    assert caught.value.line == line


#: Damage, how many of the four positions are left, and what is said.
LEFT_OUT = {
    "letters in a number": (GOOD.replace(b"-15333", b"-1x333", 1), 3, "line 7: '-1x333.306358' is not a number"),
    "no number": (GOOD.replace(b"  -2758.626850", b"           nan", 1), 3, "line 8: 'nan' is not a number"),
    "short line": (GOOD.replace(R02[20:].encode(), b"", 1), 3, "line 7: line is cut short"),
    "no satellite": (GOOD.replace(b"PR02", b"PR?2", 1), 3, "line 7: 'R?2' is not a satellite"),
    "satellite twice": (GOOD.replace(b"PC11", b"PR02", 1), 3, "line 8: R02 stands twice in this epoch"),
    "position before the first epoch": (GOOD.replace(EPOCHS[0].encode(), C11.encode(), 1), 2, "line 6: position that"),
    "damaged epoch": (GOOD.replace(b"10  0 15", b"10  0 ?5"), 2, "line 9: '?5' is not a whole number"),
    "unknown line": (GOOD.replace(b"PC11", b"QC11", 1), 3, "line 8: unknown kind of line"),
    "clock": (GOOD.replace(b"     20.890435", b"     20.8904_5", 1), 4, "line 7: clock '20.8904_5' is not a number"),
}


@pytest.mark.parametrize(("data", "n_left", "says"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_damaged_line_costs_itself(data: bytes, n_left: int, says: str):
    with pytest.warns(GnssCoopWarning, match="damaged lines are left out, the first is line"):
        orbits = read(data)
    assert int(np.isfinite(orbits["positions"]).all("ecef").sum()) == n_left
    assert orbits.attrs["rejected"][0].startswith(says)
    whole = read(GOOD).sel(time=orbits["time"], sv=orbits["sv"])
    same = (orbits["positions"] == whole["positions"]) | np.isnan(orbits["positions"])
    assert bool(same.all())


@pytest.mark.filterwarnings("ignore::gnss_coop.errors.GnssCoopWarning")
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
    end=st.integers(0, len(GOOD)),
)
def test_damage_never_raises_anything_else(changes: list[tuple[int, int]], end: int):
    damaged = bytearray(GOOD)
    for place, value in changes:
        damaged[place] = value
    with contextlib.suppress(RinexError):
        read(bytes(damaged[:end]))


@given(end=st.integers(0, len(GOOD) - 6))
def test_a_cut_file_is_never_taken_for_a_whole_one(end: int):
    with pytest.raises(RinexError):
        read(GOOD[:end])


@pytest.mark.parametrize(
    "word", ["9675.79_281", "nan", "inf", "0x1p+13", "1e400", "٩٦٧٥.793281", "9675.79 281", "--9675.7932"]
)
@pytest.mark.parametrize("column", [4, 18, 32, 46])
def test_what_is_no_number_is_refused(word: str, column: int):
    line = R02[:column] + word.rjust(14) + R02[column + 14 :]
    with pytest.warns(GnssCoopWarning, match=r"1 damaged lines .* line 7 \(.* is not a number\)"):
        orbits = read(sp3(EPOCHS[0], line, EPOCHS[1], R02, "EOF", count=2).decode().encode("latin-1", "replace"))
    values = orbits["clock_s"] if column == 46 else orbits["positions"]
    assert np.isnan(values.isel(time=0)).all()
    assert np.isfinite(orbits["positions"].isel(time=1)).all()


@pytest.mark.parametrize(
    ("sv", "radius_km"),
    [("R02", 9_000.0), ("R02", 27_000.0), ("C11", 25_500.0), ("E14", 40_000.0), ("G01", 42_164.0), ("L51", 6_300.0)],
)
def test_a_radius_that_no_satellite_of_the_system_has_is_refused(sv: str, radius_km: float):
    line = f"P{sv}{radius_km:14.6f}{0:14.6f}{0:14.6f}     20.890435"
    with pytest.raises(RinexError, match=f"{sv} {radius_km:.0f} km from the Earth's centre"):
        read(sp3(EPOCHS[0], line, EPOCHS[1], line, "EOF"))


@pytest.mark.parametrize(
    ("sv", "radius_km"),
    # Nearest and farthest of E14 (a 27,978 km, e 0.162) and J01 (42,164 km, 0.075), GRACE, and BeiDou's three orbits.
    [("E14", 23_450.0), ("E14", 32_510.0), ("J01", 39_000.0), ("J01", 45_330.0), ("L64", 6_860.0),
     ("C11", 27_906.0), ("C06", 42_164.0), ("R02", 25_508.0), ("G01", 26_560.0)],
)  # fmt: skip
def test_radii_of_real_satellites_are_taken(sv: str, radius_km: float):
    line = f"P{sv}{radius_km:14.6f}{0:14.6f}{0:14.6f}     20.890435"
    assert read(sp3(EPOCHS[0], line, EPOCHS[1], line, "EOF")).sizes["time"] == 2


DATA = os.environ.get("GNSS_COOP_TESTDATA")
REGISTRY = Path(DATA or "") / "registry"

#: file, satellites, epochs, then one record as printed in the file: time, satellite, x, y, z [km], clock [us]
BY_EYE = [
    (
        "gnss-benchmark-2.3.0/COD21340.sp3",
        (76, 96),
        ("2020-11-29T00:00", "G05", -9556.963202, 11930.635098, 21565.568002, -27.052635),
    ),
    (
        "gnss-benchmark-2.3.0/COD21340.sp3",
        (76, 96),
        ("2020-11-29T23:45", "E36", 20625.428686, -18778.551031, -9904.373112, 474.333887),
    ),
    (
        "debian-rtklib-2.4.3.b34+dfsg/igl15253.sp3",
        (18, 96),
        ("2009-04-01T23:45", "R02", 11307.943294, -2098.017144, -22773.084010, 20.630003),
    ),
    (
        "midgard-1.4.0/sp3c",
        (74, 2),
        ("2016-06-05T00:00", "G24", -21742.155577, -14973.767058, 3696.548394, float("nan")),
    ),
    (
        "midgard-1.4.0/sp3d",
        (122, 4),
        ("2025-01-05T00:00", "G04", 26106.374029, 108.486917, -5299.792515, 506.954769),
    ),
    (
        "orekit_jpype-13.1.9.0/gbm18432.sp3.Z",
        (71, 288),
        ("2015-05-05T00:00", "C05", 21949.996195, 35999.851286, -773.615118, -51.448699),
    ),
]


@pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")
@pytest.mark.parametrize(("name", "sizes", "record"), BY_EYE)
def test_values_read_by_eye_from_real_files(
    name: str, sizes: tuple[int, int], record: tuple[str, str, float, float, float, float]
):
    orbits = read_sp3(REGISTRY / name)
    assert (orbits.sizes["sv"], orbits.sizes["time"]) == sizes
    when, sv, *xyz_km, clock_us = record
    there = orbits.sel(time=when, sv=sv)
    np.testing.assert_allclose(there["positions"].values, np.array(xyz_km) * 1e3, atol=1e-6)  # see above
    np.testing.assert_allclose(there["clock_s"].values, clock_us * 1e-6, rtol=1e-12)
    # Navigation satellites keep 25,000 km (GLONASS) to 50,000 km (QZSS) from the geocentre, less 2,000 km for
    # eccentric ones; a column that slipped would not.
    radius_m = np.sqrt((orbits["positions"] ** 2).sum("ecef", skipna=False))
    assert float(radius_m.min()) > 23e6
    assert float(radius_m.max()) < 50e6


@pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")
def test_a_day_file_is_read_within_a_second():
    begin = time.perf_counter()
    read_sp3(REGISTRY / "orekit_jpype-13.1.9.0/gbm18432.sp3.Z")  # 1.7 MB unpacked; about 0.1 s here
    assert time.perf_counter() - begin < 3.0  # three times what is asked for, since machines are shared
