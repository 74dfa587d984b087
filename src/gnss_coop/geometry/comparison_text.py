"""The comparison as a page of text: what it is of, one block a station, and the findings."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from gnss_coop.output.text_and_files import AS_GIVEN, layout, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

#: Head lines, column of the table, decimals (None: text).
_COLUMNS: tuple[tuple[tuple[str, str, str], str, int | None], ...] = (
    (("", "mask", "[deg]"), "mask_deg", AS_GIVEN),
    (("", "systems", ""), "systems", None),
    (("satellites", "mean", ""), "n_used_mean", 1),
    (("", "least", ""), "n_used_least", 0),
    (("PDOP", "median", ""), "pdop_median", 2),
    (("", "95 %", ""), "pdop_p95", 2),
    (("HDOP", "median", ""), "hdop_median", 2),
    (("VDOP", "median", ""), "vdop_median", 2),
    (("avail-", "ability", "[%]"), "availability_pct", 2),
    (("gain of", "PDOP", "[%]"), "pdop_drop_pct", 1),
    (("", "avail.", "[points]"), "availability_gain_points", 2),
)
#: Shown where the files do not hold all that is in view.
_COMPLETENESS = (("files", "hold", "[%]"), "completeness_pct", 0)
_WIDTH = 100


def comparison_text(table: pd.DataFrame, findings: Sequence[str], *, files: Sequence[str], color: bool = False) -> str:
    """Lay out a comparison for reading.

    Parameters
    ----------
    table : pandas.DataFrame
        As `gnss_coop.compare` gives it.
    findings : sequence of str
        As `gnss_coop.findings` gives them.
    files : sequence of str
        Names of the files that it comes from.
    color : bool
        Whether to emphasise with terminal codes.
    """
    from gnss_coop.orbits.completeness import COMPLETE_PCT

    shown = (*_COLUMNS, *[_COMPLETENESS] * bool((table["completeness_pct"] < COMPLETE_PCT).any()))
    columns = [(head, _cells(table[name].tolist(), decimals), decimals is not None) for head, name, decimals in shown]
    stations = table["station"].tolist()
    titles = {i: name for i, name in enumerate(stations) if i == 0 or stations[i - 1] != name}
    first, last = table.attrs["span"].split("/")
    n_epochs, step_s = table["n_epochs"].max(), table.attrs["step_s"]
    epochs = f"{n_epochs} epochs every {step_s:g} s" if step_s else "1 epoch"
    return "\n".join(
        [
            f"{files[0] if len(files) == 1 else f'{len(files)} files'}: {epochs} "
            f"from {first} to {last} {table.attrs['time_scale']}",
            f"available: PDOP <= {table.attrs['limit']:g}; receiver clocks: {table.attrs['clocks']}; "
            "gain: of the row's systems when supplemented",
            "",
            layout(columns, color=color, titles=titles),
            *(textwrap.fill(sentence, _WIDTH) for sentence in findings),
            "",
        ]
    )


def _cells(values: list[Any], decimals: int | None) -> list[str]:
    if decimals is None:
        return [str(v) for v in values]
    return [number(float(v), decimals) for v in values]
