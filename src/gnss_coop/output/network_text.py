"""Figures of networks as a page of text: what they are of, then the table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.output.tables import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_WIDTH: Final = 100
#: Columns as they are called in the text, where the contract's name is long.
_SHORT: Final = {"n_satellites": "satellites"}


def network_text(table: pd.DataFrame, findings: Sequence[str] = (), *, color: bool = False) -> str:
    """Lay out a table of network figures for reading.

    Parameters
    ----------
    table : pandas.DataFrame
        With the attributes that `network_table` gives it.
    findings : sequence of str
        Sentences to stand below.
    color : bool
        Whether to emphasise with terminal codes.
    """
    return "\n".join(
        [
            *network_head(table.attrs),
            "",
            as_text(table.rename(columns=_SHORT), color=color),
            *(textwrap.fill(sentence, _WIDTH) for sentence in findings),
            *([""] if findings else []),
        ]
    )


def network_head(attrs: dict[Any, Any]) -> list[str]:
    """Return the lines that say what figures of networks are of."""
    first, last = attrs["span"].split("/")
    files = attrs["files"]
    source = files[0] if len(files) == 1 else f"{len(files)} files" if files else "nominal constellations"
    span = f"{first} to {last} {attrs['time_scale']}"
    lines = [f"{source}: {span}, step {attrs['step_s']:g} s, mask {attrs['mask_deg']:g} deg"]
    lines += [f"{name}: {', '.join(members)}" for name, members in attrs["stations"].items()]
    if "window_h" in attrs:
        lines.append(
            f"sigma: of orbits from {attrs['window_h']:g} h of ranges, 1 m at the zenith every "
            f"{attrs['range_interval_s']:g} s, satellite clock {attrs['satellite_clock']}"
        )
    if attrs["n_left_out"]:
        share = 100.0 * attrs["n_left_out"] / attrs["n_satellite_epochs"]
        lines.append(f"left out, without a usable ephemeris: {share:.2f} % of the satellite-epochs")
    if attrs["idle"]:
        lines.append(f"without any: {', '.join(attrs['idle'])}")
    return lines
