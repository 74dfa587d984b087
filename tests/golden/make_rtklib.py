"""Make ``rtklib.json``: positions, look angles and DOP of the sample day by RTKLIB alone, through pyrtklib 0.2.7.

RTKLIB reads the file, chooses the records (`satpos`, broadcast, with its own rule), computes positions, look angles
from the station's coordinates (`satazel`) and, with one receiver clock, DOP (`dops`). Nothing of gnss_coop is used.
Run as ``python tests/golden/make_rtklib.py`` with pyrtklib installed.

The epochs are nearer to one GLONASS and one BeiDou reference time than to any other, so that the choice of the
record leaves no doubt. Satellites that RTKLIB holds for unhealthy are left out.
"""

from __future__ import annotations

import gzip
import json
import math
import tempfile
from pathlib import Path

import pyrtklib as rtk

FOLDER = Path(__file__).resolve().parent
SAMPLE = FOLDER.parents[1] / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
EPOCHS_GPST = ((2024, 1, 10, 1, 10, 0), (2024, 1, 10, 7, 20, 0), (2024, 1, 10, 13, 40, 0), (2024, 1, 10, 19, 50, 0))
MASKS_DEG = (5, 15, 25)
# IGS weekly SINEX, week 2131 (IGb14), and for Shanghai a site log: X, Y, Z [m].
STATIONS_M = {
    "Changchun": (-2674427.683, 3757143.061, 4391521.511),
    "Urumqi": (193030.142, 4606851.284, 4393311.524),
    "Shanghai": (-2831733.583, 4675665.958, 3275369.410),
    "Obninsk": (2936431.719, 2178364.750, 5208858.357),
    "Irkutsk": (-968328.993, 3794426.502, 5018167.191),
    "Petropavlovsk-Kamchatsky": (-3580828.380, 1399698.257, 5072185.026),
}


def array(kind: type, values: tuple[float, ...]) -> object:
    result = kind(len(values))
    for i, value in enumerate(values):
        result[i] = value
    return result


def read() -> rtk.nav_t:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "day.rnx")
        path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
        nav = rtk.nav_t()
        assert rtk.readrnx(str(path), 0, "", rtk.obs_t(), nav, rtk.sta_t()) == 1
    rtk.uniqnav(nav)
    return nav


def positions_m(nav: rtk.nav_t, when: rtk.gtime_t) -> dict[str, list[float]]:
    state, clock, variance, health = rtk.Arr1Ddouble(6), rtk.Arr1Ddouble(2), rtk.Arr1Ddouble(1), rtk.Arr1Dint(1)
    found = {}
    for sv in [f"R{n:02d}" for n in range(1, 28)] + [f"C{n:02d}" for n in range(1, 64)]:
        number = rtk.satid2no(sv)
        known = number and rtk.satpos(when, when, number, rtk.EPHOPT_BRDC, nav, state, clock, variance, health)
        if known and health[0] == 0:
            found[sv] = [round(state[i], 4) for i in range(3)]
    return found


def look_angles_rad(xyz_m: list[float], station_m: tuple[float, ...]) -> tuple[float, float]:
    geodetic, azel = rtk.Arr1Ddouble(3), rtk.Arr1Ddouble(2)
    rtk.ecef2pos(array(rtk.Arr1Ddouble, station_m), geodetic)
    apart = [a - b for a, b in zip(xyz_m, station_m, strict=True)]
    length = math.hypot(*apart)
    rtk.satazel(geodetic, array(rtk.Arr1Ddouble, tuple(a / length for a in apart)), azel)
    return azel[0], azel[1]


def dop(sky: list[tuple[float, float]], mask_deg: float) -> list[float] | None:
    """GDOP, PDOP, HDOP and VDOP with one clock; None without a solution."""
    result = rtk.Arr1Ddouble(4)
    rtk.dops(len(sky), array(rtk.Arr1Ddouble, tuple(x for pair in sky for x in pair)), math.radians(mask_deg), result)
    return [result[i] for i in range(4)] if result[0] > 0 else None


def main() -> None:
    nav = read()
    cases = []
    for calendar in EPOCHS_GPST:
        found = positions_m(nav, rtk.epoch2time(array(rtk.Arr1Ddouble, calendar)))
        angles = {
            name: {sv: look_angles_rad(xyz_m, place) for sv, xyz_m in found.items()}
            for name, place in STATIONS_M.items()
        }
        cases.append({
            "time_gpst": "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*calendar),
            "positions_m": found,
            "look_angles_deg": {
                name: {sv: [round(math.degrees(x), 7) for x in pair] for sv, pair in sky.items()}
                for name, sky in angles.items()
            },
            "dop": [
                [name, mask_deg, systems, dop([p for sv, p in sky.items() if sv[0] in systems], mask_deg)]
                for name, sky in angles.items()
                for mask_deg in MASKS_DEG
                for systems in ("R", "C", "R+C")
            ],
        })  # fmt: skip
    (FOLDER / "rtklib.json").write_text(json.dumps(cases, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
