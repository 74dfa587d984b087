"""YUMA almanacs, written by hand after the well-known form."""

import io
import math

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError

ENTRY = """******** Week {week} almanac for PRN-{id:02d} ********
ID:                         {id:02d}
Health:                     {health}
Eccentricity:               {e}
Time of Applicability(s):  {toa}
Orbital Inclination(rad):   {i}
Rate of Right Ascen(r/s):  -0.7977475151E-008
SQRT(A)  (m 1/2):           {sqrt_a}
Right Ascen at Week(rad):  -0.1421709985E+001
Argument of Perigee(rad):   0.942189341
Mean Anom(rad):            -0.2453186539E+001
Af0(s):                     0.2288818359E-003
Af1(s/s):                  -0.7275957614E-011
week:                        {week}
"""
USUAL = {
    "id": 1,
    "health": "000",
    "e": "0.1231098175E-001",
    "toa": "405504.0000",
    "sqrt_a": "5153.640625",
    "week": 238,
    "i": "0.9896396408",
}


def entry(**changes):
    return ENTRY.format(**(USUAL | changes)) + "\n"


def read(text, reference="2023-11-01"):
    return gc.read_almanac(io.BytesIO(text.encode()), reference=reference)


def textbook_m(t_s):
    """IS-GPS-200, table 20-IV with the almanac's parameters, seconds of week to Earth-fixed position."""
    a, e, toa = 5153.640625**2, 0.01231098175, 405504.0
    tk = t_s - toa
    mean = -2.453186539 + math.sqrt(3.986005e14 / a**3) * tk
    ecc = mean
    for _ in range(30):
        ecc = mean + e * math.sin(ecc)
    u = 2 * math.atan(math.sqrt((1 + e) / (1 - e)) * math.tan(ecc / 2)) + 0.942189341
    r = a * (1 - e * math.cos(ecc))
    node = -1.421709985 + (-0.7977475151e-8 - 7.2921151467e-5) * tk - 7.2921151467e-5 * toa
    x, y, i = r * math.cos(u), r * math.sin(u), 0.9896396408
    return np.array([
        x * math.cos(node) - y * math.cos(i) * math.sin(node), x * math.sin(node) + y * math.cos(i) * math.cos(node),
        y * math.sin(i),
    ])  # fmt: skip


def test_positions_are_those_of_the_interface_document():
    almanac = read(entry())
    week_s = 405504 + np.arange(-3, 8) * 86_400 / 2
    start = gc.parse_time("2023-10-29")  # week 2286 = 238 + 2 * 1024
    times = gc.model.timescales.to_datetime64(start + (week_s * 1e9).astype(np.int64))
    found = gc.forecast_positions(almanac, times).positions.values[:, 0]
    off_m = np.linalg.norm(found - np.array([textbook_m(t) for t in week_s]), axis=1)
    # The periodic part of the oblateness, which the document leaves out here, is up to 2.5 km.
    assert off_m.max() < 3_000.0


@pytest.mark.parametrize(("week", "reference", "expected"), [
    (238, "2023-11-01", "2023-11-02"), (238, "2005-01-01", "2004-03-18"), (2286, "2005-01-01", "2023-11-02"),
    (1023, "2019-04-10", "2019-04-04"), (0, "2019-04-01", "2019-04-11"),
])  # fmt: skip
def test_weeks_are_counted_to_the_nearest_that_fits(week, reference, expected):
    epoch_ns = read(entry(week=week), reference).orbits[0].epoch_ns
    assert gc.format_time(epoch_ns) == expected + "T16:38:24"


def test_health_and_names():
    almanac = read(entry() + entry(id=5, health="063") + entry(id=194, sqrt_a="6493.4", i="0.7"))
    assert [(o.sv, o.healthy) for o in almanac.orbits] == [("G01", True), ("G05", False), ("J02", True)]
    sky = gc.forecast_positions(almanac, ["2023-11-02"])
    assert np.isfinite(sky.positions.values[0, :, 0]).tolist() == [True, False, True]
    every = gc.forecast_positions(almanac, ["2023-11-02"], include_unhealthy=True)
    assert every.healthy.values[0].tolist() == [True, False, True]


@pytest.mark.parametrize(("changes", "words"), [
    ({"sqrt_a": "nan"}, "sqrt(a)  (m 1/2): 'nan' is not a number"),
    ({"sqrt_a": "12.0"}, "none of a navigation satellite"),
    ({"e": "0.9"}, "none of a navigation satellite"), ({"id": 150}, "identity 150"), ({"toa": "x1"}, "x1"),
])  # fmt: skip
def test_entries_that_cannot_be_are_listed(changes, words):
    almanac = read(entry(id=2) + entry(**changes))
    assert almanac.satellites == ("G02",)
    assert words in almanac.unmatched[0]


def test_an_entry_that_is_cut_short_is_listed():
    whole = entry(id=3)
    almanac = read(entry(id=2) + whole[: whole.index("Argument")])
    assert "no argument of perigee" in almanac.unmatched[0]


def test_nothing_usable_is_an_error():
    with pytest.raises(RinexError, match="no usable YUMA entry"):
        read(entry(e="0.9"))
