"""DOP maps: statistics of the dilution of precision over time, for grids and lists of places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnss_coop.maps.job import MapJob
from gnss_coop.maps.tiling import Progress, check_memory
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import PER_SYSTEM

if TYPE_CHECKING:
    import xarray as xr


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
        ``pdop_worst`` and so on; ``availability_pct``, ``n_used_mean``, ``n_used_least``; for scenarios that
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
    job = MapJob.of(
        sky, places, systems, mask_deg=mask_deg, clocks=clocks, limit=limit, percentiles=percentiles, dops=dops,
        threads=threads,
    )  # fmt: skip
    return map_in_memory(job, progress)


def map_in_memory(job: MapJob, progress: Progress | None = None) -> xr.Dataset:
    """Compute a map that was asked for, and hold all of it.

    Raises
    ------
    GridError
        For a map that takes more memory than the machine has.
    """
    check_memory(job.n_bytes + job.working_bytes)
    frame, variables = job.compute(progress)
    return frame.assign(variables)
