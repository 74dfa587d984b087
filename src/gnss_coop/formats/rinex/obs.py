"""RINEX observation files of versions 2, 3 and 4 to `Observations`, as far as tracking is concerned."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex import hatanaka as compact_rinex
from gnss_coop.formats.rinex.obs_header import ObsHeader, read_obs_header
from gnss_coop.formats.rinex.obs_scan import ObsPart, ObsScanner, SignalBits, sv_name
from gnss_coop.formats.rinex.obs_values import ValueColumns, join_values
from gnss_coop.kernels import rinex_obs as kernel
from gnss_coop.model.observations import Observations
from gnss_coop.model.rejects import Reject

Source: TypeAlias = str | PathLike[str] | BinaryIO


def read_obs(
    source: Source | Iterable[Source], *, accept_truncated: bool = False, values: bool = False
) -> Observations:
    """Read RINEX observation files of one receiver: which satellites and signals it tracked at which epoch.

    Versions 2, 3 and 4 (minor ones beyond 2.12, 3.05 and 4.02 with a warning), plain or compact (Hatanaka), packed or
    not (gzip, compress, zip, tar, bzip2, xz). Of the observations it is only looked at whether a value is there.
    Damage costs as little as it can: a bad value costs itself, a satellite without a name costs itself, and an epoch
    with fewer satellites than it announces keeps those that it has. Satellites of a system that the header does not
    announce are read under the signal ``?``.

    Parameters
    ----------
    source : path, binary file-like, or iterable of them
        The files; several are put together in time.
    accept_truncated : bool
        Take what is there of a file that ends in the middle of an epoch.
    values : bool
        Read the pseudoranges and signal strengths too, into `Observations.values`; without, they are not converted.

    Returns
    -------
    Observations
        What can be read, the list of what cannot (`Observations.rejected`), and the list of what was damaged and is
        read all the same (`Observations.repairs`).

    Raises
    ------
    RinexError
        If a file cannot be read, is no RINEX observation file, is cut, or holds no usable epoch, or if the files are
        of different markers.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> obs.systems, obs.headers[0].receiver
    (('C', 'E', 'G', 'I', 'J', 'R', 'S'), 'TRIMBLE ALLOY')
    >>> obs.to_dataframe().iloc[0].tolist()[1:]
    ['C01', 'C2I C6I C7I L2I L6I L7I']
    """
    several = isinstance(source, Iterable) and not isinstance(source, (str, PathLike)) and not hasattr(source, "read")
    sources: list[Source] = list(cast("Iterable[Source]", source)) if several else [cast("Source", source)]
    if not sources:
        raise RinexError("no observation file was given", "read_obs")
    bits = SignalBits()
    columns = ValueColumns() if values else None
    parts = [_read_one(one, bits, columns, accept_truncated) for one in sources]
    markers = {part.header.marker.upper()[:4]: part.name for part in parts if part.header.marker}
    if len(markers) > 1:
        (first, _), (second, name) = list(markers.items())[:2]
        raise RinexError(f"marker {second} is not {first} of the other files; give one station at a time", name)
    return _join(parts, bits, columns)


def _read_one(source: Source, bits: SignalBits, columns: ValueColumns | None, accept_truncated: bool) -> ObsPart:
    name, data = read_bytes(fspath(source) if isinstance(source, PathLike) else source)
    if compact_rinex.is_compact(data):
        data = compact_rinex.expand(data, name, accept_truncated=accept_truncated)
    header = read_obs_header(data, name)
    scanner = ObsScanner(name, data, header, bits, columns)
    scanner.run(accept_truncated)
    part = scanner.part()
    if part.time_ns.size == 0:
        first = next((r for r in part.rejects if r.line), None)
        why = f" (line {first.line}: {first.reason})" if first is not None else ""
        raise RinexError(f"there is no usable epoch in the file{why}; fetch it again", name)
    return part


def _join(parts: list[ObsPart], bits: SignalBits, columns: ValueColumns | None) -> Observations:
    """Put files together in the order of time; of epochs that stand twice the first counts."""
    starts = np.cumsum([0, *(p.time_ns.size for p in parts)])
    time_ns = np.concatenate([p.time_ns for p in parts])
    row_epoch = np.concatenate([p.row_epoch + s for p, s in zip(parts, starts, strict=False)])
    _, first, place = np.unique(time_ns, return_index=True, return_inverse=True)
    kept = np.zeros(time_ns.size, dtype=bool)
    kept[first] = True
    rejects = [r for p in parts for r in p.rejects]
    for i in np.flatnonzero(~kept).tolist():
        part = int(np.searchsorted(starts, i, side="right")) - 1
        line = int(parts[part].line[i - starts[part]])
        rejects.append(Reject(parts[part].name, line, "", "epoch stands twice"))
    rows = np.flatnonzero(kept[row_epoch])
    row_code = np.concatenate([p.row_code for p in parts])
    rows = rows[np.argsort(place[row_epoch[rows]] * kernel.N_CODES + row_code[rows])]
    codes, row_sv = np.unique(row_code[rows], return_inverse=True)
    order = {p.name: i for i, p in enumerate(parts)}
    flag = np.concatenate([p.flag for p in parts])[first]
    return Observations(
        files=tuple(p.name for p in parts),
        headers=tuple(p.header for p in parts),
        time_ns=time_ns[first],
        power_failure=flag == 1,
        satellites=tuple(map(sv_name, codes.tolist())),
        row_epoch=place[row_epoch[rows]].astype(np.int32),
        row_sv=row_sv.astype(np.int32),
        signals=np.concatenate([p.row_mask for p in parts])[rows],
        codes={letter: tuple(known) for letter, known in bits.codes.items() if known},
        interval_s=_interval_s(time_ns[first], parts[0].header),
        rejects=tuple(sorted(rejects, key=lambda r: (order[r.file], r.line))),
        repairs=tuple(sorted((r for p in parts for r in p.repairs), key=lambda r: (order[r.file], r.line))),
        events=tuple(e for p in parts for e in p.events),
        values=None
        if columns is None
        else join_values([p.values for p in parts if p.values is not None], rows, columns),
    )


def _interval_s(time_ns: npt.NDArray[np.int64], header: ObsHeader) -> float:
    """Return the most frequent step, to a millisecond: receiver clocks wander by less."""
    if time_ns.size < 2:
        return header.interval_s or float("nan")
    steps: Any = np.unique(np.rint(np.diff(time_ns) / 1e6), return_counts=True)
    return float(steps[0][steps[1].argmax()] * 1e6 / const.NS_PER_S)
