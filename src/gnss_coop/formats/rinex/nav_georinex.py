"""Reading through georinex instead of the own parser, checked against a scan of the file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Any, Final

import numpy as np

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.ephemerides.georinex_dataset import records_of
from gnss_coop.ephemerides.records import RecordTable
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav_header import NavHeader, read_header
from gnss_coop.formats.rinex.nav_layout import scan
from gnss_coop.formats.rinex.nav_native import read_native
from gnss_coop.kernels import rinex_nav as kernel

_SYSTEMS: Final = ("R", "C")


def read_with_georinex(sources: Sequence[Any]) -> Ephemerides:
    """Read GLONASS and BeiDou records of RINEX 2 and 3 files with georinex.

    Raises
    ------
    RinexError
        If a file is RINEX 4 or no path, or where georinex returns more or fewer records than the file holds,
        or other values: a blank field at the end of a line can shift those behind it.
    """
    tables, lines, names, headers = [], [], [], []
    for index, source in enumerate(sources):
        table, n_lines, name, header = _read_one(source)
        tables.append(replace(table, file=np.full(len(table), index, np.int16)))
        lines.append(n_lines)
        names.append(name)
        headers.append(header)
    nav = Ephemerides.from_records(
        RecordTable.concatenate(tables), np.concatenate(lines), names, headers=headers
    )  # fmt: skip
    _check_values(nav, read_native(sources).select(_SYSTEMS))
    return nav


def _read_one(source: Any) -> tuple[RecordTable, Any, str, NavHeader]:
    import georinex

    if not isinstance(source, (str, PathLike)):
        raise RinexError("georinex reads files only; use the native engine for streams")
    name, data = read_bytes(fspath(source))
    header = read_header(data, name)
    if header.version >= 4:
        raise RinexError("georinex does not read RINEX 4; use the native engine", name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of xarray, about defaults that georinex relies on
            dataset = georinex.load(fspath(source), use=set(_SYSTEMS) if header.version >= 3 else None)
    except Exception as error:  # it raises whatever its parsing runs into
        raise RinexError(f"georinex cannot read it ({error}); use the native engine", name) from error
    table, n_lines, _ = records_of(dataset)
    expected = _count(name, data, header)
    if len(table) != expected:
        raise RinexError(
            f"georinex returns {len(table)} GLONASS and BeiDou records, but the file holds {expected}; "
            "use the native engine",
            name,
        )
    return table, n_lines, name, header


def _check_values(nav: Ephemerides, truth: Ephemerides) -> None:
    """Refuse what georinex read when it differs from what stands in the files."""
    if len(nav) != len(truth):
        raise RinexError(
            f"{len(nav)} GLONASS and BeiDou records are usable as georinex reads them, but {len(truth)} as they "
            "stand in the file; use the native engine",
            truth.files[0],
        )
    # georinex drops the fourth GLONASS line and trailing spare fields: health, orbit and times are compared.
    same = np.isclose(nav.derived.elements, truth.derived.elements, rtol=1e-12, atol=0).all(axis=1)
    for name in ("toe_ns", "sent_ns", "health"):
        here, there = getattr(nav.derived, name), getattr(truth.derived, name)
        same &= (here == there) | ((here != here) & (there != there))  # blank is equal to blank
    if not same.all():
        row = int(np.argmin(same))
        raise RinexError(
            f"georinex shifts the fields of {int((~same).sum())} of {len(truth)} GLONASS and BeiDou records, "
            f"first of {truth.table.names()[row]} here; use the native engine",
            truth.files[truth.table.file[row]],
            int(truth.table.line[row]),
        )


def _count(name: str, data: bytes, header: NavHeader) -> int:
    """Count the records of GLONASS and BeiDou by the first column of their epoch lines."""
    layout = scan(name, data, header)
    first = layout.data[layout.starts[layout.first[layout.kind == kernel.EPHEMERIS]]]
    if header.version < 3:
        return int(first.size) if header.system in _SYSTEMS else 0
    return int(np.isin(first, [ord(s) for s in _SYSTEMS]).sum())
