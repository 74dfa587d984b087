"""Order statistics in which an epoch without a solution counts as the worst.

DOP values are never averaged: near-singular geometry reaches hundreds and would rule any mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def worst_last_quantile(values: npt.ArrayLike, share: float) -> npt.NDArray[np.float64]:
    """Quantile along the last axis, with NaN taken as infinitely large.

    Between two neighbours the value is interpolated linearly; where the upper one is infinite, so is the
    result.

    Parameters
    ----------
    values : (..., n) float64
        At least one value along the last axis.
    share : float
        Between 0 and 1.

    Returns
    -------
    (...) float64

    Examples
    --------
    >>> worst_last_quantile([1.0, 2.0, np.nan], 0.5).item()
    2.0
    >>> worst_last_quantile([1.0, 2.0, np.nan], 0.95).item()
    inf
    """
    numbers = np.asarray(values, dtype=np.float64)
    ranked = np.sort(np.where(np.isnan(numbers), np.inf, numbers), axis=-1)
    place = round(share * (ranked.shape[-1] - 1), 9)  # rounding must not push a whole rank to the next one
    low, high = int(np.floor(place)), int(np.ceil(place))
    below, above = ranked[..., low], ranked[..., high]
    with np.errstate(invalid="ignore"):  # inf - inf, replaced below
        between = below + (place - low) * (above - below)
    return np.where(np.isinf(above), np.inf, between)


def availability_pct(pdop: npt.ArrayLike, limit: float) -> npt.NDArray[np.float64]:
    """Share of all epochs along the last axis with a solution and a PDOP up to the limit, in percent.

    Parameters
    ----------
    pdop : (..., n) float64
        NaN where there is no solution.
    limit : float

    Returns
    -------
    (...) float64

    Examples
    --------
    >>> availability_pct([1.0, 6.0, 7.0, np.nan], 6.0).item()
    50.0
    """
    return np.asarray(100.0 * np.mean(np.asarray(pdop, dtype=np.float64) <= limit, axis=-1))
