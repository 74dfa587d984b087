"""Maps too large to be held: computed into a file of their own, read from there bit by bit, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnss_coop.errors import OutputError
from gnss_coop.maps.dop_map import map_in_memory
from gnss_coop.maps.job import PART_BYTES
from gnss_coop.maps.tiling import check_memory
from gnss_coop.output.hdf5 import HDF5_LOCK, LockedVariable

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.maps.job import MapJob
    from gnss_coop.maps.tiling import Progress


@contextmanager
def computed_map(job: MapJob, folder: Path, progress: Progress | None = None) -> Iterator[xr.Dataset]:
    """Compute a map and have it until the end of the block: a small one in memory, others in a scratch file.

    Parameters
    ----------
    job : MapJob
    folder : Path
        Where the scratch file is put, in a folder of its own that is removed at the end.
    progress : callable, optional
        As for `dop_map`.

    Yields
    ------
    xarray.Dataset
        As `dop_map` gives it; values that lie in a file are read anew whenever they are asked for.

    Raises
    ------
    GridError
        For a map that takes more memory than the machine has.
    OutputError
        If the scratch file cannot be written, or would not fit the disk.
    """
    if job.n_bytes <= PART_BYTES:
        yield map_in_memory(job, progress)
        return
    import xarray as xr
    from xarray.backends import NetCDF4DataStore

    check_memory(job.working_bytes)
    _check_room(job, folder)
    with ExitStack() as stack:
        try:
            file = _scratch_file(folder, stack)
            frame, variables = _fill(job, file, progress)
        except (OSError, RuntimeError) as error:  # the second is what the netCDF library raises
            raise _unwritable(folder, error) from None
        store = NetCDF4DataStore(file, lock=HDF5_LOCK)  # type: ignore[no-untyped-call]
        stored = xr.open_dataset(store, decode_cf=False, cache=False)
        for variable in stored.variables.values():
            variable.encoding = {}  # drop_encoding would read all values in some versions of xarray
        world = stored.assign_coords(frame.coords).assign_attrs(frame.attrs)
        for name, attributes in variables.items():
            world[name].attrs = attributes
        yield world


def _scratch_file(folder: Path, stack: ExitStack) -> Any:
    """Open a netCDF file that is gone when the stack is left, and, where the system allows, has no name even before.

    A file without a name takes no room on the disk once the program has ended, however it ended.
    """
    import netCDF4

    room = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix=".gnss-coop-", dir=folder, ignore_cleanup_errors=True))
    )
    with HDF5_LOCK:
        file = netCDF4.Dataset(room / "map.nc", "w")
        file.set_fill_off()  # all of it is going to be written
    stack.callback(_close, file)
    if os.name == "posix":
        (room / "map.nc").unlink()
        room.rmdir()
    return file


def _close(file: Any) -> None:
    with HDF5_LOCK:
        file.close()


def _fill(job: MapJob, file: Any, progress: Progress | None) -> tuple[xr.Dataset, dict[str, dict[str, Any]]]:
    """Compute a map into a file of plain numbers; return coordinates and attributes, and those of the variables."""

    def room(name: str, dims: tuple[str, ...], shape: tuple[int, ...]) -> LockedVariable:
        with HDF5_LOCK:
            for dim, size in zip(dims, shape, strict=True):
                if dim not in file.dimensions:
                    file.createDimension(dim, size)
            variable = file.createVariable(name, "f4", dims, contiguous=True)
            variable.set_auto_maskandscale(False)
        return LockedVariable(variable)

    frame, variables = job.compute(progress, room)
    with HDF5_LOCK:
        file.sync()
    return frame, {name: attributes for name, (_, _, attributes) in variables.items()}


def _check_room(job: MapJob, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if job.n_bytes > free:
        raise OutputError(
            f"this map of {job.n_bytes / 1e9:.1f} GB is kept in a file meanwhile, and the disk of {folder} has "
            f"{free / 1e9:.1f} GB free; name an output on another disk, or take fewer cells, masks, percentiles or "
            "scenarios"
        )


def _unwritable(folder: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(f"cannot keep the map in {folder} meanwhile: {reason}")
