"""Maps and time series of maps as Zarr stores."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.model.grid import row_blocks
from gnss_coop.output.whole_file import draft_beside

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.maps.field import Block
    from gnss_coop.model.grid import GeoGrid

_REMOVALS: Final = 5
_PAUSE_S: Final = 0.1
_DIMS: Final = ("systems", "mask_deg", "time", "lat", "lon")


@contextmanager
def _new_store(path: str | Path, overwrite: bool) -> Iterator[Path]:
    """Give a folder to fill; it gets its name when all went well, and is gone otherwise."""
    target = Path(path).resolve()  # of a link, what it leads to is replaced
    if target.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite")
    draft = draft_beside(target)
    try:
        yield draft
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        draft.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    """Remove a folder, and once more what a thread of Zarr still put into it meanwhile."""
    for _ in range(_REMOVALS):
        shutil.rmtree(draft, ignore_errors=True)
        if not draft.exists():
            return
        time.sleep(_PAUSE_S)


def _to_the_end(write: Callable[..., Any], *given: Any, **settings: Any) -> None:
    """Write in a thread, and wait for it even when interrupted.

    Zarr writes in threads of its own: broken off in the middle, it would go on to fill a folder that is being removed.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write, *given, **settings).result()


def _zarr() -> Any:
    try:
        import zarr
    except ImportError:
        raise OutputError("Zarr needs the package zarr: pip install 'gnss-coop[map]'") from None
    return zarr


def write_zarr(dataset: xr.Dataset, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a map as a Zarr store of format 2 with consolidated metadata.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `dop_map` gives it.
    path : str or Path
        Folder; it appears under its name when it is complete.
    overwrite : bool
        Whether to replace what is there.

    Raises
    ------
    OutputError
        If the folder exists or cannot be written, or the package zarr is missing.
    """
    zarr = _zarr()
    with _new_store(path, overwrite) as draft:
        layered = [name for name, values in dataset.data_vars.items() if set(values.dims) > {"systems"}]
        _to_the_end(dataset.drop_vars(layered).to_zarr, draft, mode="w", zarr_format=2, consolidated=False)
        group = zarr.open_group(draft, mode="a", zarr_format=2)
        for name in layered:
            _to_the_end(_put_layers, group, str(name), dataset[name])
        _to_the_end(zarr.consolidate_metadata, draft, zarr_format=2)


def _put_layers(group: Any, name: str, values: xr.DataArray) -> None:
    """Add a variable, layer by layer: all of it may be more than fits into memory."""
    inner = [dim for dim in values.dims if dim not in ("systems", "mask_deg")]
    values = values.transpose(..., *inner)
    layers, shape = values.shape[: -len(inner)], values.shape[-len(inner) :]
    blocks = list(row_blocks(shape))
    chunks = (*(1 for _ in layers), blocks[0].stop, *shape[1:])
    array = _array(group, name, values.dims, values.shape, chunks, values.attrs)
    for place in np.ndindex(layers):
        for rows in blocks:
            array[(*place, rows)] = values[(*place, rows)].values


def write_field(
    blocks: Iterable[Block],
    names: list[str],
    grid: GeoGrid,
    coordinates: dict[str, Any],
    attributes: dict[str, Any],
    path: str | Path,
    *,
    overwrite: bool = False,
) -> None:
    """Write the DOPs of every cell and epoch, one whole chunk after the other.

    Parameters
    ----------
    blocks : iterable of Block
        From `dop_field`; each is one chunk of each variable, scenario and mask.
    names : list of str
        Variables, as `field_names` gives them.
    grid : GeoGrid
    coordinates : dict
        Values of systems, mask_deg and time.
    attributes : dict
        Of the store.
    path : str or Path
    overwrite : bool

    Raises
    ------
    OutputError
        As for `write_zarr`.
    """
    import xarray as xr

    zarr = _zarr()
    with _new_store(path, overwrite) as draft:
        frame = xr.Dataset(
            coords={**coordinates, "lat": grid.latitude_deg, "lon": grid.longitude_deg}, attrs=attributes
        )
        frame["lat"].attrs["units"], frame["lon"].attrs["units"] = "degrees_north", "degrees_east"
        _to_the_end(frame.to_zarr, draft, mode="w", zarr_format=2, consolidated=False)
        group = zarr.open_group(draft, mode="a", zarr_format=2)
        arrays = None
        for block in blocks:
            if arrays is None:
                arrays = [_field_array(group, name, block.values.shape[1:], grid) for name in names]
            _to_the_end(_put, arrays, block)
        _to_the_end(zarr.consolidate_metadata, draft, zarr_format=2)


def _put(arrays: list[Any], block: Block) -> None:
    for array, values in zip(arrays, block.values, strict=True):
        array[..., block.rows, block.columns] = values


def _field_array(group: Any, name: str, block_shape: tuple[int, ...], grid: GeoGrid) -> Any:
    words = "satellites used" if name == "n_used" else f"{name.upper()}; infinite without a solution"
    shape, chunks = (*block_shape[:3], *grid.shape), (1, 1, *block_shape[2:])
    return _array(group, name, _DIMS, shape, chunks, {"units": "1", "long_name": words})


def _array(
    group: Any, name: str, dims: tuple[Any, ...], shape: tuple[int, ...], chunks: tuple[int, ...], words: dict[str, Any]
) -> Any:
    """Add an array of float32 with the names that xarray reads."""
    array = group.create_array(name, shape=shape, chunks=chunks, dtype="float32", fill_value=np.nan)
    array.attrs.update({"_ARRAY_DIMENSIONS": list(dims), **words})
    return array
