"""Orbits that hold for days, from any file that has them: TLE, OMM or YUMA, told by what stands in it."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

from gnss_coop.elements.almanac import MAX_ALMANAC_BYTES, Almanac
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.tle import looks_like_tle, read_tle
from gnss_coop.formats.yuma import looks_like_yuma, read_yuma
from gnss_coop.model.timescales import TimeLike


def read_almanac(source: str | os.PathLike[str] | BinaryIO, *, reference: TimeLike | None = None) -> Almanac:
    """Read two-line elements, OMM (JSON, csv, XML) or a YUMA almanac.

    Parameters
    ----------
    source : str, path or binary file-like
        The file, packed or not.
    reference : str, numpy.datetime64 or datetime.datetime, optional
        A time within ten years of a YUMA almanac, whose weeks begin anew every 1024; the present by default.

    Returns
    -------
    Almanac
        For `forecast_positions`.

    Raises
    ------
    RinexError
        If the file cannot be read, or is none of these.
    GnssCoopError
        If two-line elements are given and the package sgp4 is not installed.

    Examples
    --------
    >>> text = '''GPS BIIA-10 (PRN 32)
    ... 1 20959U 90103A   12305.07451262 -.00000021  00000-0  10000-3 0  7565
    ... 2 20959  54.4624 233.1521 0118917 330.7963  28.5681  2.00577377160619
    ... '''
    >>> read_almanac(io.BytesIO(text.encode())).orbits[0].source
    'TLE'
    """
    path, data = read_bytes(source, max_bytes=MAX_ALMANAC_BYTES)
    text = data.decode("latin-1")
    stream = io.BytesIO(data)
    stream.name = path
    if looks_like_yuma(text):
        return read_yuma(stream, reference=reference)
    if looks_like_tle(text):
        return read_tle(stream)
    raise RinexError("is not an almanac: give two-line elements, OMM (JSON, csv, XML) or YUMA", path)
