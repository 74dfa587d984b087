"""The sample that is installed with the package: a real day of GLONASS and BeiDou, and observations of that day."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from gnss_coop.errors import GnssCoopError

_FILES: Final = {
    "nav": "BRDC00IGS_R_20240100000_01D_MN.rnx.gz",
    "obs": "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz",
}


def sample_file(kind: str = "nav") -> Path:
    """Return the path of a sample file that is installed with the package.

    Parameters
    ----------
    kind : {"nav", "obs"}
        GLONASS and BeiDou ephemerides of 2024-01-10, or observations of a receiver in Indonesia on that day.

    Raises
    ------
    GnssCoopError
        For another kind, or where the package is not installed as files.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> gc.read_nav(sample_file()).systems
    ('C', 'R')
    """
    if kind not in _FILES:
        raise GnssCoopError(f"there is no sample {kind!r}; there are {', '.join(_FILES)}")
    path = files("gnss_coop") / "sample_data" / _FILES[kind]
    if not isinstance(path, Path) or not path.is_file():
        raise GnssCoopError(f"the sample {_FILES[kind]} is not installed as a file; install the package from its wheel")
    return path
