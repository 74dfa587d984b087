"""RINEX 4 frames that are no ephemerides; values read by eye from the files."""

import io
import math
import os
from pathlib import Path

import numpy as np
import pytest

from gnss_coop.ephemerides.ephemerides import NavFrame
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.model import timescales

SAMPLES = Path(__file__).parents[3] / "sample_rinex"
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
needs_data = pytest.mark.skipif(
    not os.environ.get("GNSS_COOP_TESTDATA"), reason="set GNSS_COOP_TESTDATA to the folder of test data"
)

HEADER = f"{'     4.00           NAVIGATION DATA     M':<60}RINEX VERSION / TYPE\n{'':60}END OF HEADER\n"
STO = """\
> STO C19 CNVX
    2022 10 04 23 11 28 BDUT                                  UTC(NTSC)
     2.592000000000e+05-9.895302355289e-10 0.000000000000e+00 0.000000000000e+00
"""
EOP = """\
> EOP J04 CNVX
    2022 10 06 00 00 00 2.723026275635e-01-2.049922943115e-03 0.000000000000e+00
                        2.491779327393e-01-1.977920532227e-03 0.000000000000e+00
     3.421860000000e+05-3.003299236298e-03 2.534389495850e-04 0.000000000000e+00
"""
ION = """\
> ION C29 CNVX
    2022 10 05 02 00 00 2.662500000000e+01-1.250000000000e-01 9.875000000000e+00
     8.375000000000e+00-1.025000000000e+01 8.750000000000e-01 3.750000000000e-01
     2.125000000000e+00 1.000000000000e+00
"""


def frames_of(body: str) -> tuple[NavFrame, ...]:
    return read_nav(io.BytesIO((HEADER + body).encode("latin-1"))).frames


def calendar(frame: NavFrame) -> str:
    return str(timescales.to_datetime64(np.array(frame.epoch_ns)).astype("datetime64[s]"))


def test_one_frame_of_each_kind():
    sto, eop, ion = frames_of(STO + EOP + ION)
    assert (sto.kind, sto.sv, sto.message, sto.label) == ("STO", "C19", "CNVX", "BDUT UTC(NTSC)")
    assert sto.values == (259200.0, -9.895302355289e-10, 0.0, 0.0)
    assert calendar(sto) == "2022-10-04T23:11:28"
    assert (eop.kind, eop.sv, eop.message, eop.label) == ("EOP", "J04", "CNVX", "")
    assert eop.values[:3] == (0.2723026275635, -2.049922943115e-03, 0.0)
    assert math.isnan(eop.values[3])  # the field below the epoch is blank
    assert eop.values[4:] == (
        0.2491779327393,
        -1.977920532227e-03,
        0.0,
        342186.0,
        -3.003299236298e-03,
        2.534389495850e-04,
        0.0,
    )
    assert (ion.kind, ion.sv) == ("ION", "C29")
    assert ion.values[:9] == (26.625, -0.125, 9.875, 8.375, -10.25, 0.875, 0.375, 2.125, 1.0)
    assert [f.line for f in (sto, eop, ion)] == [3, 6, 10]


def test_blank_lines_and_comments_inside_frames_do_not_matter():
    comment = f"{'merged by hand':60}COMMENT\n"
    spread = (STO + ION).replace("\n", "\n\n").replace("     8.375", comment + "     8.375")
    plain, found = frames_of(STO + ION), frames_of(spread)
    for a, b in zip(plain, found, strict=True):
        assert (a.kind, a.sv, a.label, a.epoch_ns) == (b.kind, b.sv, b.label, b.epoch_ns)
        assert np.array_equal(a.values, b.values, equal_nan=True)


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("> ION C29 CNVX\n", "ION frame: its epoch cannot be read"),
        (ION.replace(" 8.375000000000e+00", " 8.37500x000000e+00"), "ION frame: '8.37500x000000e+00' is not a number"),
        (ION.replace("2022 10", "20x2 10"), "ION frame: its epoch cannot be read"),
        (ION.replace("2022 10", "2022 13"), "ION frame: its epoch cannot be read"),
    ],
)
def test_a_damaged_frame_costs_only_itself_and_is_listed(damaged, reason):
    nav = read_nav(io.BytesIO((HEADER + STO + damaged + EOP).encode("latin-1")))
    assert [f.kind for f in nav.frames] == ["STO", "EOP"]
    assert [(r.line, r.sv, r.reason) for r in nav.rejects] == [(6, "C29", reason)]


def test_a_frame_that_two_files_hold_counts_once():
    first, second = (io.BytesIO((HEADER + body).encode("latin-1")) for body in (STO + EOP, EOP + ION))
    assert [f.kind for f in read_nav([first, second]).frames] == ["STO", "EOP", "ION"]


def test_frames_of_the_hour_file():
    nav = read_nav(SAMPLES / "KMS300DNK_R_20221591000_01H_MN.rnx")
    found = {(f.kind, f.sv, f.label.split()[0] if f.label else ""): f for f in nav.frames}
    assert found.keys() == {
        ("ION", "G29", ""), ("ION", "E01", ""), ("ION", "C08", ""),
        ("STO", "G26", "GPUT"), ("STO", "E01", "GAUT"), ("STO", "E01", "GAGP"),
    }  # fmt: skip
    assert found["STO", "G26", "GPUT"].label == "GPUT UTC(USNO)"
    assert found["STO", "E01", "GAGP"].values[:3] == (295240.0, 3.201421350241e-09, -4.440892098501e-15)
    assert found["ION", "C08", ""].values[:4] == (
        2.142041921616e-08,
        1.192092895508e-07,
        -1.013278961182e-06,
        1.549720764160e-06,
    )


@needs_data
def test_examples_of_all_kinds():
    eop, ion, sto = (read_nav(next(DATA.rglob(f"Example_{kind}_Rinex400.n"))).frames for kind in ("Eop", "Ion", "Sto"))
    assert [(f.sv, f.message) for f in eop] == [("G15", "CNVX"), ("J04", "CNVX"), ("I03", "LNAV")]
    assert len(ion) == 9
    assert len(sto) == 16
    glonass = [f for f in sto if f.sv == "R"]
    assert [f.label for f in glonass] == ["GLGP", "GLGP", "GLUT UTC(SU)"]
    assert glonass[2].values[1] == 1.862645149231e-09
    assert sto[0].label == "BDGA"
    assert sto[-1].label == "SBUT EGNOS UTC(OP)"
