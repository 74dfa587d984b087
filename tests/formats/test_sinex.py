"""Positions of markers from SINEX: columns of the document, and files that are something else."""

from pathlib import Path

import pytest

from gnss_coop.errors import RinexError
from gnss_coop.formats.sinex import read_sinex_position

# Written by the columns of SINEX 2.02 (section 4), with coordinates of IGS week 2131.
LINES = """%=SNX 2.02 IGS 20:342:00000 IGS 20:313:00000 20:319:86370 P 01062 2 S
+SOLUTION/ESTIMATE
*INDEX TYPE__ CODE PT SOLN _REF_EPOCH__ UNIT S __ESTIMATED VALUE____ _STD_DEV___
     1 STAX   CHAN  A    1 20:316:43200 m    2 -2.67442768300000E+06 1.00000E-03
     2 STAY   CHAN  A    1 20:316:43200 m    2 3.757143061000000E+06 1.00000E-03
     3 STAZ   CHAN  A    1 20:316:43200 m    2 4.391521511000000E+06 1.00000E-03
     4 STAX   IRKJ  A    1 20:316:43200 m    2 -9.68328993000000E+05 1.00000E-03
-SOLUTION/ESTIMATE
+SOLUTION/APRIORI
     1 STAX   CHAN  A    1 20:316:43200 m    2 -2.67442700000000E+06 1.00000E-03
-SOLUTION/APRIORI
%ENDSNX
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "week.snx"
    path.write_text(LINES)
    return path


def test_estimates_count_and_not_what_they_started_from(path: Path) -> None:
    found = read_sinex_position(path, "CHAN00CHN")
    assert found.position_m == (-2674427.683, 3757143.061, 4391521.511)
    assert found.epoch == "20:316:43200"


def test_a_marker_that_is_not_there(path: Path) -> None:
    with pytest.raises(RinexError, match="no position of SHAO; the file has CHAN, IRKJ"):
        read_sinex_position(path, "SHAO")
    with pytest.raises(RinexError, match="no position of IRKJ"):  # one coordinate of three
        read_sinex_position(path, "IRKJ")


def test_other_files_and_damage(path: Path) -> None:
    other = path.with_name("other.txt")
    other.write_text("hello\n")
    with pytest.raises(RinexError, match="this is not a SINEX file"):
        read_sinex_position(other, "CHAN")
    path.write_text(LINES.replace("3.757143061000000E+06", "3.7571x3061000000E+06"))
    with pytest.raises(RinexError, match=r"line 5: '3.7571x3061000000E\+06' is no coordinate"):
        read_sinex_position(path, "CHAN")
    path.write_text(LINES.replace("3.757143061000000E+06", "3.757143061000000E+07"))
    with pytest.raises(RinexError, match=r"CHAN lies 37922 km from the Earth's centre"):
        read_sinex_position(path, "CHAN")
