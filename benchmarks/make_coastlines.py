"""Make the coastlines of the maps from Natural Earth's land, as the npm package world-atlas packs it.

Run ``npm pack world-atlas@2.0.2``, unpack it, then run this script with ``package/land-50m.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

TARGET = Path(__file__).resolve().parents[1] / "src" / "gnss_coop" / "model" / "data" / "coastlines.npz"
#: Whole numbers per degree: the largest that keep 180 deg within 16 bits; one is 0.6 km at the equator.
UNITS_PER_DEG = 180
#: Land is cut along the antimeridian and closed at the south pole; such edges are no coast.
SEAM_LONGITUDE_DEG, SEAM_LATITUDE_DEG = 179.99, -89.9

Line = npt.NDArray[np.float64]


def arcs(topology: dict[str, object]) -> Iterator[Line]:
    """Yield each arc as (n, 2) of longitude and latitude [deg]; arcs are stored as steps of a lattice."""
    transform = topology["transform"]
    for steps in topology["arcs"]:
        yield np.cumsum(steps, axis=0) * transform["scale"] + transform["translate"]


def pieces(line: Line) -> Iterator[Line]:
    """Yield what is left of a line without its edges along the seams and across the antimeridian."""
    on_seam = np.abs(line[:, 0]) > SEAM_LONGITUDE_DEG
    at_pole = line[:, 1] < SEAM_LATITUDE_DEG
    no_coast = (on_seam[:-1] & on_seam[1:]) | (at_pole[:-1] & at_pole[1:]) | (np.abs(np.diff(line[:, 0])) > 180)
    for piece in np.split(line, np.flatnonzero(no_coast) + 1):
        if len(piece) > 1:
            yield piece


def main() -> None:
    topology = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = [np.rint(piece * UNITS_PER_DEG).astype(np.int16) for line in arcs(topology) for piece in pieces(line)]
    points = np.concatenate(lines)
    # Differences from point to point are small, so they compress well; their sums come back in 16 bits.
    np.savez_compressed(
        TARGET,
        steps=np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int16)),
        lengths=np.array([len(line) for line in lines], np.int32),
        units_per_deg=np.int16(UNITS_PER_DEG),
    )
    print(f"{TARGET}: {len(lines)} lines, {len(points)} points, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
