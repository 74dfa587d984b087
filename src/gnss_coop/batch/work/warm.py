"""A worker's first task: all kernels, once, on next to nothing, so that they are compiled before many need them."""

from __future__ import annotations

from typing import Final

from gnss_coop.batch.inputs.scan import NamedBytes
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.work.day import Day
from gnss_coop.batch.work.products import PRODUCTS
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.model.network import Geodetic, Network, Station

#: A GLONASS record of a circular orbit, in the form of RINEX 3.
_STATE: Final = (
    ("2.551000000000E+04", "0.000000000000E+00", "0.000000000000E+00", "0.000000000000E+00"),
    ("0.000000000000E+00", "-1.800000000000E-01", "0.000000000000E+00", "0.000000000000E+00"),
    ("0.000000000000E+00", "3.580000000000E+00", "0.000000000000E+00", "0.000000000000E+00"),
)


def warm(products: tuple[str, ...]) -> None:
    """Make products of one record, for one place; nothing is kept."""
    place = Station(name="Warm", geodetic=Geodetic(latitude_deg=0, longitude_deg=0, height_m=0))
    settings = Settings(
        ("R",), ("per-system",), (5.0,), Network("warm", (place,)), step_s=900, map_step_s=900,
        map_grid_deg=90, map_percentiles=(50.0,),
    )  # fmt: skip
    day = Day("2024-01-10", read_nav(NamedBytes(_rinex(), "warm")), settings)
    for name in products:
        for part in PRODUCTS[name].parts(settings):
            PRODUCTS[name].compute(day, part)


def _rinex() -> bytes:
    header = (("     3.04           N                   R", "RINEX VERSION / TYPE"), ("", "END OF HEADER"))
    lines = [f"{text:<60}{label}" for text, label in header]
    lines.append("R01 2024 01 10 11 45 00 0.000000000000E+00 0.000000000000E+00 0.000000000000E+00")
    lines += ["    " + "".join(f"{number:>19}" for number in axis) for axis in _STATE]
    return "\n".join([*lines, ""]).encode()
