"""Figures of networks as a page of text: what they are of, then the table, no wider than a page."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.output.text_and_files import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_WIDTH: Final = 100
_WRAPPING: Final[dict[str, Any]] = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}
#: Columns as they are called in the text, where the contract's name is long.
_SHORT: Final = {"n_satellites": "sats"} | {
    f"sigma_{part}_clock_known_m": f"{part}_clock_known_m" for part in ("radial", "along", "cross", "3d")
}
#: Columns that say what a row is of: they stand before each part of a table that is too wide for one.
_KEYS: Final = ("sv", "system", "orbit", "network", "quantity", "player", "method", "n_sites")
#: Columns of worth and sites that one line tells as well, where all rows have the same.
_TOLD_ABOVE: Final = ("orbit", "network", "objective", "unit")
#: Columns that begin a part of their own.
_BEGINNINGS: Final = ("sigma_radial_m", "sigma_radial_clock_known_m", "undetermined", "shapley", "home")


def network_text(table: pd.DataFrame, *, color: bool = False) -> str:
    """Lay out a table of network figures for reading, in parts of at most 100 columns where that can be.

    Parameters
    ----------
    table : pandas.DataFrame
        With the attributes that `network_table`, `network_arcs` and the others give it.
    color : bool
        Whether to emphasise with terminal codes.
    """
    told = [*network_head(table.attrs), *network_remarks(table.attrs)]
    lines = [line for text in told for line in textwrap.wrap(text, _WIDTH, **_WRAPPING)]
    if "player" in table or "method" in table or "site" in table:
        same = {name: table[name].iloc[0] for name in _TOLD_ABOVE if name in table and table[name].nunique() == 1}
        lines.append(", ".join(f"{name} {value}" for name, value in same.items()))
        table = table.drop(columns=list(same))
    parts = (as_text(part.rename(columns=_SHORT), color=color) for part in _parts(table))
    return "\n".join(["\n".join(lines), "", "\n".join(parts)])


def _parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Split a table by columns, each part with the keys."""
    if "sv" in table and "system" in table:
        table = table.drop(columns="system")  # which the satellite tells
    if "undetermined" in table and (table["undetermined"] == "").all():
        table = table.drop(columns="undetermined")
    widths = {name: _width(table[[name]].rename(columns=_SHORT)) for name in table}
    keys = [name for name in table if name in _KEYS]
    part: list[Any] = []
    for name in table:
        if name in keys:
            continue
        full = sum(widths[column] + 2 for column in [*keys, *part, name]) - 2 > _WIDTH
        if part and (full or name in _BEGINNINGS):
            yield table[[*keys, *part]]
            part = []
        part.append(name)
    if part == ["undetermined"]:
        table = table[table["undetermined"] != ""]
    yield table[[*keys, *part]]


def _width(column: pd.DataFrame) -> int:
    return max(map(len, as_text(column).splitlines()))


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
    return lines


def network_remarks(attrs: dict[Any, Any]) -> list[str]:
    """Return the lines that say what is not in a table: epochs and satellites left out, and why there is no sigma."""
    lines = []
    if attrs["n_left_out"]:
        share = 100.0 * attrs["n_left_out"] / attrs["n_satellite_epochs"]
        lines.append(f"left out, without a usable ephemeris: {share:.2f} % of the satellite-epochs")
    if attrs["idle"]:
        lines.append(f"without any: {', '.join(attrs['idle'])}")
    rows: dict[tuple[str, str], list[str]] = {}
    for network, system, orbit, reason in attrs.get("undetermined", ()):
        rows.setdefault((network, reason), []).append(f"{system} {orbit}")
    return lines + [f"no sigma of {network} ({', '.join(of)}): {reason}" for (network, reason), of in rows.items()]
