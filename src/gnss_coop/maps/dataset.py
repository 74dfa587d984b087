"""What the numbers of a map are called: names, units and coordinates of its variables, and the gains between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.geometry.visibility import time_scale
from gnss_coop.maps.tiling import Floats, Singles, Where
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import Scenario
from gnss_coop.orbits.completeness import completeness_attributes

if TYPE_CHECKING:
    import xarray as xr

_LONG_NAMES: Final = {
    "gdop": "geometric", "pdop": "position", "hdop": "horizontal", "vdop": "vertical", "tdop": "time",
}  # fmt: skip
_BESIDES: Final = ("availability_pct", "n_used_mean", "n_used_least", "pdop_ratio", "availability_gain_points")


def variable_names(kept: Sequence[str], shares: Floats) -> list[str]:
    """Return the names of a map's variables."""
    return [*(f"{dop}_{_percentile_name(float(share))}" for dop in kept for share in shares), *_BESIDES]


def _percentile_name(share: float) -> str:
    return {0.5: "median", 1.0: "worst"}.get(share, f"p{share * 100:g}".replace(".", "_"))


def map_frame(
    sky: xr.Dataset,
    places: GeoGrid | GeoPoints,
    where: Where,
    scenarios: Sequence[Scenario],
    masks_deg: Sequence[float],
) -> xr.Dataset:
    """Return coordinates and attributes of a part of a map, without data."""
    import xarray as xr

    from gnss_coop.geometry.comparison import supplement_of

    labels = [str(s) for s in scenarios]
    times = sky["time"].values
    result = xr.Dataset(
        coords={
            "systems": labels,
            "mask_deg": ("mask_deg", np.asarray(masks_deg, float), {"units": "degree"}),
            "supplemented_by": ("systems", [supplement_of(label, labels) for label in labels]),
            **_coordinates(places, where),
        },
        attrs={
            "title": "Dilution of precision over time",
            "time_start": str(times[0].astype("datetime64[s]")),
            "time_end": str(times[-1].astype("datetime64[s]")),
            "n_epochs": len(times),
            "step_s": float((times[1] - times[0]) / np.timedelta64(1, "s")) if len(times) > 1 else 0.0,
            "time_scale": time_scale(sky),
            "files": list(sky.attrs.get("files", [])),
            "frame": str(sky.attrs.get("frame", "")),
            **completeness_attributes(sky.attrs),
        },
    )
    if result.attrs["frame"] == "nominal":
        result.attrs["constellation"] = sky.attrs["title"]
    return result


def _coordinates(places: GeoGrid | GeoPoints, where: Where) -> dict[str, Any]:
    if isinstance(places, GeoGrid):
        return {
            "lat": ("lat", places.latitude_deg[where[0]], {"units": "degrees_north"}),
            "lon": ("lon", places.longitude_deg[where[1]], {"units": "degrees_east"}),
        }
    return {
        "point": ("point", list(places.names[where[0]])),
        "latitude": ("point", places.latitude_deg[where[0]], {"units": "degrees_north"}),
        "longitude": ("point", places.longitude_deg[where[0]], {"units": "degrees_east"}),
    }


def with_data(
    frame: xr.Dataset, kept: Sequence[str], shares: Floats, counts: Singles, quantiles: Singles
) -> xr.Dataset:
    """Add the variables to a frame, from counts (scenario, mask, 3, cell) and quantiles (..., dop, quantile, cell)."""
    dims = tuple(dim for dim in ("systems", "mask_deg", "lat", "lon", "point") if dim in frame.dims)
    shape = tuple(frame.sizes[dim] for dim in dims)
    result = frame.assign(
        {
            name: (dims, values.reshape(shape), {"units": units, "long_name": words})
            for name, values, units, words in _variables(kept, shares, counts, quantiles, frame.attrs["n_epochs"])
        }
    )
    return _with_gains(result)


def blanked(part: xr.Dataset, held: npt.NDArray[np.bool_]) -> xr.Dataset:
    """Return a part of a map with nothing where the files hold too little of the sky (scenario, mask, cell)."""
    import xarray as xr

    one = part["pdop_median"]
    shown = xr.DataArray(held.reshape(one.shape), dims=one.dims)
    labels = list(part["systems"].values)
    # A gain needs both: what is without a supplement has none anyway.
    joint = [labels.index(name) if name else i for i, name in enumerate(part["supplemented_by"].values)]
    both = shown & shown.isel(systems=joint)
    gains = ("pdop_ratio", "availability_gain_points")
    return part.assign({name: v.where(both if name in gains else shown) for name, v in part.data_vars.items()})


def _variables(kept: Sequence[str], shares: Floats, counts: Singles, quantiles: Singles, n_times: int) -> Iterator[Any]:
    """Yield name, values (systems, mask_deg, cell), units and description of the variables."""
    for d, dop in enumerate(kept):
        for q, share in enumerate(shares):
            name = _percentile_name(float(share))
            words = f"{_LONG_NAMES[dop]} dilution of precision, {name if name[0] != 'p' else f'{share:.4g} quantile'}"
            yield f"{dop}_{name}", quantiles[:, :, d, q], "1", words
    available_pct = (counts[:, :, 0].astype(np.float64) * 100.0 / n_times).astype(np.float32)
    yield "availability_pct", available_pct, "percent", "share of epochs available"
    yield "n_used_mean", counts[:, :, 1] / np.float32(n_times), "1", "mean number of satellites used"
    yield "n_used_least", counts[:, :, 2], "1", "least number of satellites used"


def _with_gains(result: xr.Dataset) -> xr.Dataset:
    """Add what the supplement of each scenario brings; NaN where there is none or no median to compare."""
    import xarray as xr

    labels = list(result["systems"].values)
    ratio, points = (xr.full_like(result["pdop_median"], np.nan) for _ in range(2))
    for i, joint in enumerate(result["supplemented_by"].values):
        if joint:
            j = labels.index(joint)
            alone, both = result["pdop_median"][i], result["pdop_median"][j]
            ratio[i] = (both / alone).where(np.isfinite(alone) & np.isfinite(both))
            points[i] = result["availability_pct"][j] - result["availability_pct"][i]
    ratio.attrs = {"units": "1", "long_name": "median PDOP with the supplement over that without"}
    points.attrs = {"units": "percent", "long_name": "availability gained by the supplement, percentage points"}
    return result.assign(pdop_ratio=ratio, availability_gain_points=points)
