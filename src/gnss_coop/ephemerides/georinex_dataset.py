"""Navigation datasets of georinex, for people who hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.ephemerides.messages import MESSAGE_INDEX
from gnss_coop.ephemerides.records import RecordTable, name_unlabelled
from gnss_coop.errors import RinexError
from gnss_coop.kernels.rinex_nav import N_FIELDS
from gnss_coop.model import timescales

if TYPE_CHECKING:
    import xarray as xr

#: georinex's names of the fields, in the order of RINEX. It gives GLONASS states in metres.
_VARIABLES: Final = {
    "R": (
        "SVclockBias", "SVrelFreqBias", "MessageFrameTime", "X", "dX", "dX2", "health", "Y", "dY", "dY2",
        "FreqNum", "Z", "dZ", "dZ2", "AgeOpInfo",
    ),
    "C": (
        "SVclockBias", "SVclockDrift", "SVclockDriftRate", "AODE", "Crs", "DeltaN", "M0", "Cuc",
        "Eccentricity", "Cus", "sqrtA", "Toe", "Cic", "Omega0", "Cis", "Io", "Crc", "omega", "OmegaDot",
        "IDOT", "spare0", "BDTWeek", "spare1", "SVacc", "SatH1", "TGD1", "TGD2", "TransTime", "AODC",
    ),
}  # fmt: skip
_IN_METRES: Final = {"X", "dX", "dX2", "Y", "dY", "dY2", "Z", "dZ", "dZ2"}
_MESSAGE: Final = {"R": MESSAGE_INDEX["R", "FDMA"], "C": MESSAGE_INDEX["C", "D1"]}
_TO_GPST: Final = {"R": timescales.utc_to_gpst_ns, "C": timescales.bdt_to_gpst_ns}


def records_of(dataset: xr.Dataset) -> tuple[RecordTable, npt.NDArray[Any], str]:
    """Return the GLONASS and BeiDou records of a dataset, their numbers of lines and the file's name.

    georinex puts a second record of one satellite and epoch under a name such as ``C14_1``, and UTC, BDT
    and GPST epochs on one axis; both are undone here.

    Raises
    ------
    RinexError
        If there are no such records, or this is another kind of dataset.
    """
    if not {"sv", "time"} <= dataset.coords.keys():
        raise RinexError("not a navigation dataset of georinex: it has no satellites and times", "georinex dataset")
    name = str(dataset.attrs.get("filename", "georinex dataset"))
    parts = [
        _of_satellite(dataset.sel(sv=label), str(label))
        for label in dataset["sv"].values
        if str(label)[0] in _VARIABLES
    ]
    table = RecordTable.concatenate(parts) if parts else None
    if table is None or len(table) == 0:
        raise RinexError("this georinex dataset holds no GLONASS or BeiDou records", name)
    n_lines = np.where(table.system == ord("R"), 3, 7)
    return name_unlabelled(table, np.zeros(len(table), dtype=bool)), n_lines, name


def _of_satellite(records: xr.Dataset, label: str) -> RecordTable:
    letter, number = label[0], int(label[1:3])
    names = _VARIABLES[letter]
    values = np.full((records.sizes["time"], N_FIELDS), np.nan)
    for k, name in enumerate(names):
        if name in records:
            values[:, k] = records[name].values / (1e3 if letter == "R" and name in _IN_METRES else 1.0)
    filled = np.flatnonzero(np.isfinite(values[:, 0]))
    # Without a time zone these are calendar times in the system's own scale.
    calendar_ns = timescales.from_datetime64(records["time"].values[filled])
    n = filled.size
    return RecordTable(
        np.full(n, ord(letter), np.uint8),
        np.full(n, number, np.int16),
        np.full(n, _MESSAGE[letter], np.int8),
        _TO_GPST[letter](calendar_ns),
        values[filled],
        np.zeros(n, np.int16),
        np.zeros(n, np.int32),
    )
