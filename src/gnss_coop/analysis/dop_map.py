"""DOP maps: statistics of the dilution of precision over time, for grids and lists of places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.analysis.map_work import (
    Floats,
    MapWork,
    Progress,
    Singles,
    arrange,
    check_memory,
    kept_dops,
    thread_count,
)
from gnss_coop.analysis.visibility import mask_radians, time_scale
from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.kernels import tiles
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import PER_SYSTEM, Scenario, parse_scenarios

if TYPE_CHECKING:
    import xarray as xr

_LONG_NAMES: Final = {
    "gdop": "geometric", "pdop": "position", "hdop": "horizontal", "vdop": "vertical", "tdop": "time",
}  # fmt: skip
#: Memory that a map takes from the kernel to its file, as a multiple of the result.
_COPIES: Final = 3
_VARIABLES_BESIDES: Final = 5  # availability, two numbers of satellites, two gains


def dop_map(
    sky: xr.Dataset,
    places: GeoGrid | GeoPoints,
    systems: str | Sequence[str] = ("R", "C", "R+C"),
    *,
    mask_deg: float | Sequence[float] = 5.0,
    clocks: str = PER_SYSTEM,
    limit: float = 6.0,
    percentiles: Sequence[float] = (50.0, 95.0, 100.0),
    dops: Sequence[str] = ("pdop", "hdop", "vdop"),
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute maps of DOP percentiles, availability and gain over all epochs.

    An epoch without a solution counts as unavailable and as the worst: percentiles that fall among such
    epochs are infinite. Percentiles are exact (linear between neighbours); DOPs are computed in double
    precision and kept in single precision.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) [m], as `satellite_positions` or `nominal_constellation` gives them.
    places : GeoGrid or GeoPoints
        Where; cells of a grid lie on the ellipsoid.
    systems : str or sequence of str
        Scenarios such as ``"R"``, ``"C"``, ``"R+C"``.
    mask_deg : float or sequence of float
        Elevation mask or masks.
    clocks : str
        ``"per-system"``, ``"common"`` or ``"prior:NS"``, as for `dilution_of_precision`.
    limit : float
        Largest PDOP with which a position counts as available.
    percentiles : sequence of float
        Percentiles over time [%]; 50 is called median, 100 worst. The median is always there.
    dops : sequence of str
        Which of gdop, pdop, hdop, vdop, tdop; pdop is always there.
    threads : int, optional
        All processors by default.
    progress : callable, optional
        Called with the number of tiles done and of all tiles.

    Returns
    -------
    xarray.Dataset
        float32 (systems, [mask_deg,] lat, lon), or (..., point): ``pdop_median``, ``pdop_p95``,
        ``pdop_worst`` and so on; ``availability_pct``, ``n_used_mean``, ``n_used_min``; for scenarios that
        another one supplements (coordinate ``supplemented_by``) ``pdop_ratio``, the median with the
        supplement over that without, and ``availability_gain_points``, NaN for the others.

    Raises
    ------
    ScenarioError, TimeError
        For systems, masks, percentiles or a limit that make no sense, or a sky without epochs.
    GridError
        For a map that takes more memory than the machine has.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=3600), systems="RC")
    >>> world = gc.dop_map(sky, gc.GeoGrid(step_deg=15), ["R", "C", "R+C"], mask_deg=15)
    >>> world.pdop_median.dims, world.sizes["lat"]
    (('systems', 'lat', 'lon'), 12)
    """
    scenarios, shares, kept = check_settings(systems, mask_deg, clocks, limit, percentiles, dops)
    n_times = sky.sizes["time"]
    if n_times == 0:
        raise TimeError("there are no epochs to map; ask for a longer span or a shorter step")
    n_threads, n_layers = thread_count(threads), len(scenarios) * np.size(mask_deg)
    n_cells = len(places) if isinstance(places, GeoPoints) else places.shape[0] * places.shape[1]
    result_values = n_cells * n_layers * (len(kept) * shares.size + _VARIABLES_BESIDES)
    check_memory(4 * (_COPIES * result_values + n_threads * n_layers * len(kept) * n_times * tiles.LANES))
    work = MapWork.of(sky, scenarios, mask_radians(mask_deg), kept, limit, shares)
    counts, quantiles = work.run(arrange(places), n_threads, progress)
    result = _dataset(sky, places, scenarios, mask_deg, kept, shares, counts, quantiles)
    result.attrs |= {"clocks": clocks, "max_pdop": limit}
    return result.isel(mask_deg=0) if np.ndim(mask_deg) == 0 else result


def check_settings(
    systems: str | Sequence[str], mask_deg: float | Sequence[float], clocks: str, limit: float,
    percentiles: Sequence[float], dops: Sequence[str] = ("pdop", "hdop", "vdop"),
) -> tuple[tuple[Scenario, ...], Floats, list[str]]:  # fmt: skip
    """Return scenarios, percentiles as shares, and DOPs; refuse what makes no sense, before anything is computed."""
    scenarios = parse_scenarios(systems, clocks)
    mask_radians(mask_deg)
    if not limit > 0.0:
        raise ScenarioError(f"the largest PDOP must be a positive number, such as 6, not {limit:g}")
    return scenarios, _shares(percentiles), kept_dops(dops)


def variable_names(kept: Sequence[str], shares: Floats) -> list[str]:
    """Return the names of a map's variables."""
    percentiles = [f"{dop}_{_percentile_name(float(share))}" for dop in kept for share in shares]
    return [*percentiles, "availability_pct", "n_used_mean", "n_used_min", "pdop_ratio", "availability_gain_points"]


def _shares(percentiles: Sequence[float]) -> Floats:
    bad = [p for p in percentiles if not 0.0 <= p <= 100.0]
    if bad:
        raise ScenarioError(f"percentiles lie between 0 and 100, not {', '.join(f'{p:g}' for p in bad)}")
    wanted = np.unique([50.0, *percentiles])
    return np.asarray(wanted / 100.0, dtype=np.float64)


def _percentile_name(share: float) -> str:
    return {0.5: "median", 1.0: "worst"}.get(share, f"p{share * 100:g}".replace(".", "_"))


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
    yield "n_used_min", counts[:, :, 2], "1", "least number of satellites used"


def _dataset(
    sky: xr.Dataset, places: GeoGrid | GeoPoints, scenarios: Sequence[Scenario], mask_deg: Any,
    kept: Sequence[str], shares: Floats, counts: Singles, quantiles: Singles,
) -> xr.Dataset:  # fmt: skip
    import xarray as xr

    from gnss_coop.analysis.comparison import supplement_of

    labels = [str(s) for s in scenarios]
    times = sky["time"].values
    if isinstance(places, GeoGrid):
        where: tuple[str, ...] = ("lat", "lon")
        shape: tuple[int, ...] = places.shape
        coords: dict[str, Any] = {
            "lat": ("lat", places.latitude_deg, {"units": "degrees_north"}),
            "lon": ("lon", places.longitude_deg, {"units": "degrees_east"}),
        }
    else:
        where, shape = ("point",), (len(places),)
        coords = {
            "point": ("point", list(places.names)),
            "latitude": ("point", places.latitude_deg, {"units": "degrees_north"}),
            "longitude": ("point", places.longitude_deg, {"units": "degrees_east"}),
        }
    dims = ("systems", "mask_deg", *where)
    variables = {
        name: (dims, values.reshape(*values.shape[:2], *shape), {"units": units, "long_name": words})
        for name, values, units, words in _variables(kept, shares, counts, quantiles, len(times))
    }
    result = xr.Dataset(
        variables,
        coords={
            "systems": labels,
            "mask_deg": ("mask_deg", np.atleast_1d(np.asarray(mask_deg, float)), {"units": "degree"}),
            "supplemented_by": ("systems", [supplement_of(label, labels) for label in labels]),
            **coords,
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
        },
    )
    if result.attrs["frame"] == "nominal":
        result.attrs["constellation"] = sky.attrs["title"]
    return _with_gains(result)


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
