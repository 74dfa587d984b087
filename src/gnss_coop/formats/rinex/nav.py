"""RINEX navigation files of versions 2, 3 and 4 to `Ephemerides`."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import cast

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import RinexError
from gnss_coop.formats.rinex.nav_native import Source, read_native


def read_nav(
    source: Source | Iterable[Source],
    *,
    engine: str = "native",
    accept_truncated: bool = False,
    failures: list[RinexError] | None = None,
) -> Ephemerides:
    """Read RINEX navigation files into one set of ephemerides.

    Versions 2, 3 and 4 (minor ones beyond 2.12, 3.05 and 4.02 with a warning), all systems and message types, plain or
    packed (gzip, compress, zip, tar, bzip2, xz). A record that several files carry counts once.

    Parameters
    ----------
    source : path, binary file-like, or iterable of them
        The files.
    engine : {"native", "georinex"}
        The reader. georinex knows GLONASS and BeiDou of RINEX 2 and 3 and is much slower; what it returns is
        checked against a scan of the file.
    accept_truncated : bool
        Take what is there of a file that ends in the middle of a record.
    failures : list, optional
        Where given, errors of single files are put here and the others are read all the same, unless none
        can be.

    Returns
    -------
    Ephemerides
        Records that pass the gates, and the list of those that do not (`Ephemerides.rejected`).

    Raises
    ------
    RinexError
        If a file cannot be read, is no RINEX navigation file, or is cut.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/KMS300DNK_R_20221591000_01H_MN.rnx")
    >>> nav.select("C").satellites[:4]
    ('C05', 'C08', 'C10', 'C13')
    """
    several = isinstance(source, Iterable) and not isinstance(source, (str, PathLike)) and not hasattr(source, "read")
    sources: list[Source] = list(cast("Iterable[Source]", source)) if several else [cast("Source", source)]
    if not sources:
        raise RinexError("no navigation file was given", "read_nav")
    if engine == "georinex":
        from gnss_coop.formats.rinex.nav_georinex import read_with_georinex

        return read_with_georinex(sources)
    if engine != "native":
        raise ValueError(f"engine must be 'native' or 'georinex', not {engine!r}")
    return read_native(sources, accept_truncated=accept_truncated, failures=failures)
