"""The HDF5 library is called by one thread of a process at a time."""

from __future__ import annotations

import threading
from typing import Any, Final

#: The library in the wheels of netCDF4 is not made for threads: two at once end the process (SIGSEGV, SIGBUS). The lock
#: of xarray is not taken by direct calls of netCDF4; so this one is held around all that reads or writes netCDF files,
#: and handed to xarray where it reads lazily.
HDF5_LOCK: Final = threading.RLock()


class LockedVariable:
    """A variable of an open netCDF file that is filled bit by bit while other threads may use other files.

    Parameters
    ----------
    variable : netCDF4.Variable
    """

    def __init__(self, variable: Any) -> None:
        self._variable = variable

    def __setitem__(self, where: Any, values: Any) -> None:
        with HDF5_LOCK:
            self._variable[where] = values
