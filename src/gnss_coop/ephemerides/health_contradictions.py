"""Files that contradict each other on the health of a whole system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.ephemerides.records import satellite_key
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides

#: Share of a system's common records, and least number of satellites, that is more than a late record or two.
_SHARE, _FEWEST_SATELLITES = 0.5, 3
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class HealthContradiction:
    """A system that some files call healthy and others unhealthy.

    Attributes
    ----------
    system : str
        RINEX letter.
    n_records, n_common : int
        Reference times of satellites on which files contradict each other, of those that several files have.
    n_satellites : int
        Satellites that these are of.
    healthy_files, unhealthy_files : tuple of str
        The files on both sides.
    """

    system: str
    n_records: int
    n_common: int
    n_satellites: int
    healthy_files: tuple[str, ...]
    unhealthy_files: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"files contradict each other on the health of {SYSTEMS[self.system].name}: {self.n_records} of "
            f"{self.n_common} records in common, of {self.n_satellites} satellites, are healthy in "
            f"{_listed(self.healthy_files)} and unhealthy in {_listed(self.unhealthy_files)}; read together, these "
            "count as unhealthy: read the right file alone"
        )


def health_contradictions(navs: Sequence[Ephemerides]) -> list[HealthContradiction]:
    """Find systems whose health files contradict each other about, for most records that they have in common.

    Parameters
    ----------
    navs : sequence of Ephemerides
        Each read from one file.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> names = ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "brdc0100.24g.gz")
    >>> health_contradictions([gc.read_nav(f"sample_rinex/{name}") for name in names])
    []
    """
    if len(navs) < 2:
        return []
    satellite = np.concatenate([satellite_key(nav.table) for nav in navs])
    message = np.concatenate([nav.table.message for nav in navs])
    healthy = np.concatenate([nav.derived.healthy for nav in navs])
    file = np.repeat(np.arange(len(navs)), [len(nav) for nav in navs])
    keys = np.stack((satellite * len(MESSAGES) + message, np.concatenate([nav.derived.toe_ns for nav in navs])), axis=1)
    record_key, record = np.unique(keys, axis=0, return_inverse=True)
    # What one file says about one instant: one thing, or both, when health changed with the transmission.
    said, index = np.unique(np.stack((record.ravel(), file), axis=1), axis=0, return_inverse=True)
    n, n_healthy = np.bincount(index.ravel()), np.bincount(index.ravel(), weights=healthy)
    yes, no = n_healthy == n, n_healthy == 0
    n_files = np.bincount(said[:, 0])
    one_sided = [np.bincount(said[:, 0], weights=side).astype(bool) for side in (yes, no)]
    contradicted = one_sided[0] & one_sided[1]
    system = record_key[:, 0] // len(MESSAGES) // 1000
    found = []
    for letter in np.unique(system):
        common = (system == letter) & (n_files > 1)
        bad = common & contradicted
        n_satellites = len(np.unique(record_key[bad, 0] // len(MESSAGES)))
        if n_satellites >= _FEWEST_SATELLITES and bad.sum() >= _SHARE * common.sum():
            sides = [_names(navs, said[side & bad[said[:, 0]], 1]) for side in (yes, no)]
            found.append(
                HealthContradiction(chr(letter), int(bad.sum()), int(common.sum()), n_satellites, sides[0], sides[1])
            )
    return found


def _names(navs: Sequence[Ephemerides], files: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[str, ...]:
    return tuple(navs[i].files[0] for i in np.unique(files))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
