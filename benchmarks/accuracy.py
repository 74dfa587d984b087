"""Broadcast positions against precise orbits: ``python benchmarks/accuracy.py NAV SP3 [NAV SP3 ...]``."""

import sys

import numpy as np

import gnss_coop as gc
from gnss_coop.ephemerides.messages import MESSAGES

#: GLONASS is compared within its validity; its records are used up to 30 min.
MAX_AGE_S = {"FDMA": 900.0}


def differences(nav_path: str, sp3_path: str) -> dict[str, np.ndarray]:
    """Return distances in space [m] per system and message, healthy satellites only."""
    precise = gc.read_sp3(sp3_path)
    sky = gc.satellite_positions(gc.read_nav(nav_path), precise.time.values)
    both = [sv for sv in precise.sv.values if sv in set(sky.sv.values)]
    sky, precise = sky.sel(sv=both), precise.sel(sv=both)
    distance = np.linalg.norm((sky.positions - precise.positions).values, axis=-1)
    result = {}
    for index, message in enumerate(MESSAGES):
        chosen = (sky.message.values == index) & np.isfinite(distance)
        chosen &= np.abs(np.nan_to_num(sky.age.values)) <= MAX_AGE_S.get(message.name, np.inf)
        if chosen.any():
            result[f"{message.system} {message.name}"] = distance[chosen]
    return result


def main(arguments: list[str]) -> None:
    if len(arguments) < 2 or len(arguments) % 2:
        sys.exit("usage: python benchmarks/accuracy.py NAV SP3 [NAV SP3 ...]")
    for nav_path, sp3_path in zip(arguments[::2], arguments[1::2], strict=True):
        print(f"\n{nav_path} against {sp3_path}\n")
        print("| message | positions | median [m] | 95 % [m] | largest [m] |\n| --- | --- | --- | --- | --- |")
        for name, d in differences(nav_path, sp3_path).items():
            print(f"| {name} | {d.size} | {np.median(d):.2f} | {np.percentile(d, 95):.2f} | {d.max():.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
