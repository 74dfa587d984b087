"""Maps of the form that `dop_map` gives, with values that a reader can work out, and a reader of pages."""

import html.parser

import numpy as np
import pytest
import xarray as xr

SYSTEMS = ["R", "C", "R+C"]
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(html.parser.HTMLParser):
    """Notes tags, ids and references, and checks that tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.attributes = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="session")
def parsed():
    """Parse a page; fails where tags do not close in order."""
    return Page


def make_map(lat, lon, masks=(5.0, 25.0)):
    """Each value is its own: thousands of scenario, hundreds of mask, then a plane over latitude and longitude."""
    plane = np.add.outer(np.asarray(lat), np.asarray(lon) / 10.0) / 100.0
    scenario, mask = np.arange(3.0)[:, None, None, None], np.arange(len(masks))[None, :, None, None]
    pdop = (4.0 + scenario + 0.3 * mask + plane).astype(np.float32)
    pdop[0, -1, 0, 0] = np.inf
    dims = ("systems", "mask_deg", "lat", "lon")
    ratio = np.full(pdop.shape, 0.5, np.float32)
    ratio[2] = np.nan
    gain = np.where(np.isnan(ratio), np.nan, 10.0).astype(np.float32)
    return xr.Dataset(
        {
            "pdop_median": (dims, pdop, {"units": "1", "long_name": "position dilution of precision, median"}),
            "pdop_p95": (dims, pdop + 1, {"units": "1", "long_name": "position dilution of precision, 0.95 quantile"}),
            "pdop_worst": (dims, pdop + 2, {"units": "1", "long_name": "position dilution of precision, worst"}),
            "availability_pct": (dims, np.full_like(pdop, 98.76543), {"units": "percent"}),
            "n_used_mean": (dims, np.full_like(pdop, 9.87654), {"units": "1"}),
            "n_used_least": (dims, np.full_like(pdop, 7.0), {"units": "1"}),
            "pdop_ratio": (dims, ratio, {"units": "1"}),
            "availability_gain_points": (dims, gain, {"units": "percent"}),
        },
        coords={
            "systems": SYSTEMS,
            "mask_deg": ("mask_deg", np.asarray(masks), {"units": "degree"}),
            "supplemented_by": ("systems", ["R+C", "R+C", ""]),
            "lat": ("lat", np.asarray(lat, float), {"units": "degrees_north"}),
            "lon": ("lon", np.asarray(lon, float), {"units": "degrees_east"}),
        },
        attrs={
            "title": "Dilution of precision over time", "clocks": "per-system", "max_pdop": 6.0,
            "time_start": "2024-01-10T00:00:00", "time_end": "2024-01-10T23:45:00", "n_epochs": 96, "step_s": 900.0,
            "time_scale": "GPST", "files": ["a/one.rnx", "b/two.rnx"], "frame": "broadcast", "rule": None,
        },
    )  # fmt: skip


@pytest.fixture
def world():
    """A map of the whole Earth in cells of 15 deg."""
    return make_map(np.arange(-82.5, 90, 15), np.arange(-172.5, 180, 15))


@pytest.fixture
def bering():
    """A map of a region across the antimeridian, in cells of 2 deg."""
    return make_map(np.arange(51.0, 70, 2), np.arange(171.0, 200, 2))


@pytest.fixture
def places(world):
    """A map of three places."""
    some = world.isel(lat=xr.DataArray([8, 9, 9], dims="point"), lon=xr.DataArray([20, 21, 18], dims="point"))
    some = some.drop_vars(["lat", "lon"])
    names = ["Харбин", "Chita", "Omsk"]
    return some.assign_coords(
        point=names,
        latitude=("point", [45.75, 52.03, 54.99], {"units": "degrees_north"}),
        longitude=("point", [126.64, 113.5, 73.37], {"units": "degrees_east"}),
    )
