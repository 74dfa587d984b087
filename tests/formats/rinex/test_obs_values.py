"""read_obs(..., values=True): every number of a file, read by a second reader without any care for speed."""

import gzip
import io
import os
import time
from pathlib import Path

import hatanaka
import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"
DATA = os.environ.get("GNSS_COOP_TESTDATA")
needs_data = pytest.mark.skipif(DATA is None, reason="GNSS_COOP_TESTDATA is not set")


def labelled(text: str, label: str) -> str:
    return f"{text:60}{label}\n"


def v3(
    *body: str, types: tuple[str, ...] = ("G    4 C1C L1C S1C C2W",), more: str = "", version: str = "3.04"
) -> bytes:
    head = labelled(f"     {version}           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    head += "".join(labelled(line, "SYS / # / OBS TYPES") for line in types)
    head += labelled("  2024     1    10     0     0    0.0000000     GPS", "TIME OF FIRST OBS") + more
    return (head + labelled("", "END OF HEADER") + "".join(line + "\n" for line in body)).encode()


def epoch(second: int, count: int, flag: int = 0) -> str:
    return f"> 2024 01 10 00 00 {second:2d}.0000000  {flag}{count:3d}"


def read(data: bytes, **settings: bool) -> gc.Observations:
    return gc.read_obs(io.BytesIO(data), values=True, **settings)


def row(obs: gc.Observations, sv: str, at: int = 0) -> dict[str, float]:
    """The pseudoranges of a satellite at one epoch, by code."""
    assert obs.values is not None
    (i,) = np.flatnonzero((obs.row_epoch == at) & (np.array(obs.satellites)[obs.row_sv] == sv))
    codes = obs.values.codes[sv[0]]
    return {code: v for code, v in zip(codes, obs.values.pseudorange_m[i], strict=False) if np.isfinite(v)}


def field(value: float) -> str:
    return f"{value:14.3f}  "


# --- Against other readers ------------------------------------------------------------------------------------------


def plain_reader(text: str) -> dict[tuple[int, str], dict[str, float]]:
    """Pseudoranges by epoch and satellite, with Python's float() on every field."""
    header, _, body = text.partition("END OF HEADER")
    types: dict[str, list[str]] = {}
    letter = ""
    for line in header.splitlines():
        if line[60:].strip() == "SYS / # / OBS TYPES":
            letter = line[0] if line[0] != " " else letter
            types.setdefault(letter, []).extend(line[7:60].split())
    found: dict[tuple[int, str], dict[str, float]] = {}
    at = -1
    for line in body.splitlines()[1:]:
        if line.startswith(">"):
            at += 1
            continue
        values = {}
        for k, code in enumerate(types[line[0]]):
            cell = line[3 + 16 * k : 17 + 16 * k].strip()
            if code[0] == "C" and cell and float(cell) != 0:
                values[code] = float(cell)
        found[at, line[:3].replace(" ", "0")] = values
    return found


def test_every_pseudorange_of_the_sample() -> None:
    obs = gc.read_obs(SAMPLE, values=True)
    assert obs.values is not None
    expected = plain_reader(hatanaka.decompress(SAMPLE.read_bytes()).decode())
    assert len(expected) == len(obs.row_epoch)
    for i, (at, sv) in enumerate(zip(obs.row_epoch.tolist(), obs.row_sv.tolist(), strict=True)):
        name = obs.satellites[sv]
        mine = dict(zip(obs.values.codes[name[0]], obs.values.pseudorange_m[i].tolist(), strict=False))
        assert {k: v for k, v in mine.items() if not np.isnan(v)} == expected[at, name]  # to the last bit


@needs_data
def test_pseudoranges_and_strengths_of_a_day_are_those_of_rtklib(tmp_path: Path) -> None:
    import pyrtklib as rtk

    path = Path(DATA or "") / "registry/pygnss-tec-0.3.1/CIBG00IDN_R_20240100000_01D_30S_MO.crx.gz"
    plain = hatanaka.decompress(gzip.decompress(path.read_bytes()))
    (tmp_path / "day.obs").write_bytes(plain[: plain.index(b"> 2024 01 10 02 00")])
    theirs = rtk.obs_t()
    assert rtk.readrnx(str(tmp_path / "day.obs"), 1, "", theirs, rtk.nav_t(), rtk.sta_t()) == 1
    obs = gc.read_obs(tmp_path / "day.obs", values=True)
    assert obs.values is not None
    place = {
        (obs.time_ns[e], obs.satellites[s]): i for i, (e, s) in enumerate(zip(obs.row_epoch, obs.row_sv, strict=True))
    }
    names = {rtk.satid2no(sv): sv for sv in obs.satellites if sv[0] in "GRECJ"}
    epoch_0 = 315964800  # 1980-01-06 in seconds since 1970
    compared = 0
    for k in range(theirs.n):
        one = theirs.data[k]
        if one.sat not in names:
            continue
        sv = names[one.sat]
        i = place[round((one.time.time - epoch_0 + one.time.sec) * 1e9), sv]
        for j in range(2):
            code = "C" + rtk.code2obs(one.code[j])
            if one.P[j] != 0 and len(code) == 3:
                column = obs.values.codes[sv[0]].index(code)
                assert obs.values.pseudorange_m[i, column] == one.P[j]
                # RTKLIB keeps strengths in units of 0.001 dB-Hz (0.25 in older versions).
                assert obs.values.cn0_dbhz[i, column] == pytest.approx(one.SNR[j] * rtk.SNR_UNIT, abs=0.26)
                compared += 1
    assert compared > 10_000


@needs_data
@pytest.mark.parametrize("name", ["badg0440.16o.Z", "badg0440.16d.Z"])
def test_version_2_plain_and_compact_are_those_of_rtklib(name: str, tmp_path: Path) -> None:
    import pyrtklib as rtk

    path = next((Path(DATA or "") / "registry").rglob(name))
    plain = hatanaka.decompress(path.read_bytes())
    (tmp_path / "day.16o").write_bytes(plain)
    theirs = rtk.obs_t()
    assert rtk.readrnx(str(tmp_path / "day.16o"), 1, "", theirs, rtk.nav_t(), rtk.sta_t()) == 1
    obs = gc.read_obs(path, values=True)
    assert obs.values is not None
    place = {
        (obs.time_ns[e], obs.satellites[s]): i for i, (e, s) in enumerate(zip(obs.row_epoch, obs.row_sv, strict=True))
    }
    names = {rtk.satid2no(sv): sv for sv in obs.satellites if sv[0] in "GR"}
    compared = 0
    for k in range(theirs.n):
        one = theirs.data[k]
        i = place.get((round((one.time.time - 315964800 + one.time.sec) * 1e9), names.get(one.sat, "")))
        if i is None:
            continue
        mine = set(obs.values.pseudorange_m[i][np.isfinite(obs.values.pseudorange_m[i])].tolist())
        for j in range(2):
            if one.P[j] != 0:
                assert one.P[j] in mine
                compared += 1
    assert compared > 5_000


# --- Rules of the format --------------------------------------------------------------------------------------------


def test_values_strengths_and_blanks() -> None:
    obs = read(v3(epoch(0, 2), f"G01{field(23629347.915)}{field(1.0)}{field(45.25)}", f"G02{'':48}{field(2e7)}"))
    assert obs.values is not None
    assert row(obs, "G01") == {"C1C": 23629347.915}
    assert row(obs, "G02") == {"C2W": 2e7}
    assert obs.values.cn0_dbhz[0, 0] == 45.25
    assert np.isnan(obs.values.cn0_dbhz[1]).all()


def test_without_values_nothing_is_kept() -> None:
    data = v3(epoch(0, 1), f"G01{field(23629347.915)}")
    assert gc.read_obs(io.BytesIO(data)).values is None


@pytest.mark.parametrize("version", ["3.02", "3.05", "4.00", "4.02"])
def test_versions(version: str) -> None:
    obs = read(v3(epoch(0, 1), f"G01{field(23629347.915)}", version=version))
    assert row(obs, "G01") == {"C1C": 23629347.915}


def test_version_2_goes_over_lines_of_five() -> None:
    head = labelled("     2.11           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    head += labelled("     7    C1    L1    L2    S1    P1    P2    S2", "# / TYPES OF OBSERV")
    head += labelled("", "END OF HEADER")
    lines = [
        " 24  1 10  0  0  0.0000000  0  2G01R02",
        field(2.1e7) + field(1.0) + field(2.0) + field(40.0) + field(2.2e7),
        field(2.3e7) + field(35.5),
        "",
        f"{field(1.9e7):16}",
    ]
    obs = gc.read_obs(io.BytesIO((head + "\n".join(lines) + "\n").encode()), values=True)
    assert obs.values is not None
    assert row(obs, "G01") == {"C1": 2.1e7, "P1": 2.2e7, "P2": 2.3e7}
    assert row(obs, "R02") == {"P2": 1.9e7}
    columns = dict(zip(obs.values.codes["G"], obs.values.cn0_dbhz[0].tolist(), strict=True))
    assert (columns["C1"], columns["P2"]) == (40.0, 35.5)


def test_new_types_within_the_body_hold_from_there_on() -> None:
    types = labelled("G    2 L1C C1C", "SYS / # / OBS TYPES").rstrip("\n")
    obs = read(
        v3(
            epoch(0, 1), f"G01{field(2.1e7)}{field(1.0)}", epoch(15, 1, flag=4), types,
            epoch(30, 1), f"G01{field(1.0)}{field(2.2e7)}",
        )
    )  # fmt: skip
    assert row(obs, "G01", 0) == {"C1C": 2.1e7}
    assert row(obs, "G01", 1) == {"C1C": 2.2e7}


def test_scale_factors_are_taken_out() -> None:
    more = labelled("G  100  1 C1C", "SYS / SCALE FACTOR")
    obs = read(v3(epoch(0, 1), f"G01{field(2362934791.5)}{'':32}{field(2e7)}", more=more))
    assert row(obs, "G01") == {"C1C": 23629347.915, "C2W": 2e7}
    more = labelled("G   10", "SYS / SCALE FACTOR")
    assert row(read(v3(epoch(0, 1), f"G01{field(2e8)}", more=more)), "G01") == {"C1C": 2e7}
    with pytest.raises(RinexError, match="scale factor '7' is not one of 1, 10, 100 and 1000"):
        read(v3(epoch(0, 1), f"G01{field(2e8)}", more=labelled("G    7", "SYS / SCALE FACTOR")))


def test_a_satellite_that_comes_twice_keeps_the_first_value_of_each_signal() -> None:
    obs = read(v3(epoch(0, 2), f"G01{field(2.1e7)}", f"G01{field(9.9e7)}{'':32}{field(2.2e7)}"))
    assert row(obs, "G01") == {"C1C": 2.1e7, "C2W": 2.2e7}


def test_a_damaged_value_costs_itself() -> None:
    obs = read(v3(epoch(0, 1), f"G01    2?629347.915  {'':32}{field(2e7)}"))
    assert row(obs, "G01") == {"C2W": 2e7}


def test_several_files_with_other_signals() -> None:
    first = v3(epoch(0, 1), f"G01{field(2.1e7)}")
    second = v3(epoch(30, 1), f"G01{field(2.2e7)}{field(2.3e7)}", types=("G    2 C5Q C1C",))
    obs = gc.read_obs([io.BytesIO(second), io.BytesIO(first)], values=True)
    assert row(obs, "G01", 0) == {"C1C": 2.1e7}
    assert row(obs, "G01", 1) == {"C5Q": 2.2e7, "C1C": 2.3e7}


def test_a_day_of_a_hundred_satellites_takes_seconds() -> None:
    # 2880 epochs of 99 satellites with 20 observations each: 93 MB. Bound: 2.5 s on a machine of its own; four times
    # that where others compute too.
    line = "".join(field(2.1e7 + 1e3 * k) for k in range(20))
    types = ("G   20 C1C L1C D1C S1C C2W L2W D2W S2W C1W L1W D1W S1W C5Q", "       L5Q D5Q S5Q C2L L2L D2L S2L")
    satellites = "".join(f"G{k:02d}{line}\n" for k in range(1, 100))
    blocks = [
        f"> 2024 01 10 {s // 3600:2d} {s // 60 % 60:2d} {s % 60:2d}.0000000  0 99\n{satellites}"
        for s in range(0, 86400, 30)
    ]
    data = v3(types=types) + "".join(blocks).encode()
    read(v3(epoch(0, 1), f"G01{field(2.1e7)}"))  # the kernels are compiled, or loaded
    before = time.perf_counter()
    obs = read(data)
    took_s = time.perf_counter() - before
    assert obs.values is not None
    assert np.isfinite(obs.values.pseudorange_m).sum() == 2880 * 99 * 5
    assert took_s < 10.0
    print(f"{len(data) / 1e6:.0f} MB in {took_s:.2f} s")
