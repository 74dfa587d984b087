"""Pictures of a positioning: scatter, errors over time, expected against measured, residuals, offsets of clocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.model import timescales
from gnss_coop.output.pages.figures import scenario_strokes
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gnss_coop.positioning.result import Positioning
    from gnss_coop.positioning.solution import Solution

#: Options of savefig by suffix: no date and no program version, so that the same figures give the same file.
_KINDS: Final[dict[str, dict[str, Any]]] = {
    ".png": {"format": "png", "dpi": 150, "metadata": {"Software": None}},
    ".svg": {"format": "svg", "metadata": {"Date": None}},
}
_SETTINGS: Final = {"svg.hashsalt": "gnss-coop", "font.family": "DejaVu Sans", "font.size": 9.0, "axes.linewidth": 0.6}
_GRID: Final[dict[str, Any]] = {"color": "#d8dcdf", "linewidth": 0.5}
_CIRCLE: Final = "#444444"
_PANEL_IN: Final = 2.6
_MOST_POINTS: Final = 6000  # of one panel; more are thinned evenly


def plot_scatter(result: Positioning, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw east and north errors, a panel per scenario and mask, all on one scale, with the circle of 95 %.

    Parameters
    ----------
    result : Positioning
    path : str or Path
        Name ending in .png or .svg.
    overwrite : bool
        Whether to replace what is there.

    Raises
    ------
    OutputError
        For an unknown kind of picture, a file that exists, or without matplotlib.
    """
    return _write(result, path, overwrite, _scatter)


def plot_errors(result: Positioning, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw horizontal and vertical errors over time, a row of panels per mask; see `plot_scatter`."""
    return _write(result, path, overwrite, _errors)


def plot_expected(result: Positioning, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw the shares of errors below a size, measured and as DOP and sigma predict them; see `plot_scatter`."""
    return _write(result, path, overwrite, _expected)


def plot_residuals(result: Positioning, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw residuals over elevation, a panel per system, with their rms and sigma; see `plot_scatter`."""
    return _write(result, path, overwrite, _residuals)


def plot_offsets(result: Positioning, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw the offset of GLONASS against each other system over time, with the broadcast one; see `plot_scatter`."""
    return _write(result, path, overwrite, _offsets)


#: All pictures by name.
PLOTS: Final = {
    "scatter": plot_scatter,
    "errors": plot_errors,
    "expected": plot_expected,
    "residuals": plot_residuals,
    "offsets": plot_offsets,
}


def _write(result: Positioning, path: str | Path, overwrite: bool, draw: Callable[[Positioning], Figure]) -> Figure:
    check_picture(path, overwrite=overwrite)
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        figure = draw(result)
        kind = _KINDS[Path(path).suffix.lower()]
        replace_file(path, lambda draft: figure.savefig(draft, **kind), overwrite=overwrite)
    return figure


def check_picture(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse a picture that could not be written.

    Raises
    ------
    OutputError
        For an unknown kind of picture, a file that exists, or without matplotlib.
    """
    if find_spec("matplotlib") is None:
        raise OutputError("pictures need the package matplotlib: pip install 'gnss-coop[map]'")
    if Path(path).suffix.lower() not in _KINDS:
        raise OutputError(f"{path}: unknown kind of picture; its name must end in {' or '.join(_KINDS)}")
    if Path(path).exists() and not overwrite:
        raise OutputError(f"{str(path)!r} exists already; choose another name or allow overwriting")


def _grid(result: Positioning) -> tuple[list[str], list[float]]:
    """Return scenarios and masks, in order."""
    return list(dict.fromkeys(s for s, _ in result.solutions)), sorted({m for _, m in result.solutions})


def _figure(rows: int, columns: int, height_in: float, **sharing: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.5, _PANEL_IN * columns), 0.7 + height_in * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **sharing)


def _title(figure: Figure, result: Positioning, what: str) -> None:
    day = timescales.format_time(int(result.measured.time_ns[0]))[:10]
    figure.suptitle(f"{result.station}, {day}: {what}", fontsize=11)


def _scatter(result: Positioning) -> Figure:
    scenarios, masks = _grid(result)
    figure, axes = _figure(len(masks), len(scenarios), _PANEL_IN, sharex=True, sharey=True)
    strokes = scenario_strokes(scenarios)
    radii = [_level_95_m(result, s) for s in result.solutions.values()]
    # The scale is that of the panel with the median radius, so that one bad scenario does not flatten the others.
    known = [r for r in radii if math.isfinite(r)]
    reach_m = _round_up(2.0 * float(np.median(known)) if known else 1.0)
    for row, mask in enumerate(masks):
        for column, name in enumerate(scenarios):
            s, axis = result.solutions[name, mask], axes[row, column]
            errors = result.errors_m(s)[s.fixed]
            thinned = errors[:: max(1, len(errors) // _MOST_POINTS)]
            axis.plot(thinned[:, 0], thinned[:, 1], ".", color=strokes[name].color, markersize=1.5, alpha=0.4)
            radius_m = _level_95_m(result, s)
            if math.isfinite(radius_m):
                turn = np.linspace(0, 2 * np.pi, 181)
                axis.plot(radius_m * np.cos(turn), radius_m * np.sin(turn), color=_CIRCLE, linewidth=0.9)
            beyond = int((np.abs(errors[:, :2]).max(axis=1) > reach_m).sum()) if len(errors) else 0
            words = f"95 %: {radius_m:.1f} m" if math.isfinite(radius_m) else "no fix"
            axis.text(0.03, 0.97, words, transform=axis.transAxes, va="top", fontsize=8)
            if beyond:
                share = 100 * beyond / len(errors)
                axis.text(0.03, 0.03, f"{share:.1f} % beyond", transform=axis.transAxes, fontsize=7, color=_CIRCLE)
            axis.set_title(f"{name} above {mask:g} deg", fontsize=9)
            axis.set(xlim=(-reach_m, reach_m), ylim=(-reach_m, reach_m), aspect="equal")
            axis.grid(True, **_GRID)
        axes[row, 0].set_ylabel("north [m]")
    for axis in axes[-1]:
        axis.set_xlabel("east [m]")
    _title(figure, result, "horizontal errors")
    return figure


def _level_95_m(result: Positioning, solution: Solution) -> float:
    errors = result.errors_m(solution)[solution.fixed]
    return float(np.percentile(np.hypot(errors[:, 0], errors[:, 1]), 95)) if len(errors) else math.nan


def _round_up(length_m: float) -> float:
    """Return 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(length_m))
    return float(next(f * power for f in (1, 2, 5, 10) if f * power >= length_m * (1 - 1e-9)))


def _errors(result: Positioning) -> Figure:
    scenarios, masks = _grid(result)
    figure, axes = _figure(2, len(masks), 2.0, sharex=True, sharey="row")
    figure.set_size_inches(max(7.0, 4.2 * len(masks)), 4.8)
    strokes = scenario_strokes(scenarios)
    times = timescales.to_datetime64(result.measured.time_ns)
    tops: list[list[float]] = [[], []]
    for column, mask in enumerate(masks):
        for name in scenarios:
            s = result.solutions[name, mask]
            errors = result.errors_m(s)
            for row, values in enumerate((np.hypot(errors[:, 0], errors[:, 1]), errors[:, 2])):
                axes[row, column].plot(
                    times, values, ".", color=strokes[name].color, markersize=1.2, alpha=0.5, label=name
                )
                if s.fixed.any():
                    tops[row].append(float(np.percentile(np.abs(values[s.fixed]), 99)))
        axes[0, column].set_title(f"mask {mask:g} deg", fontsize=9)
        axes[1, column].tick_params(axis="x", rotation=30, labelsize=8)
    for row, label in enumerate(("horizontal [m]", "up [m]")):
        top = float(np.median(tops[row])) * 1.5 if tops[row] else 1.0
        axes[row, 0].set_ylabel(label)
        axes[row, 0].set_ylim(0 if row == 0 else -top, top)
        for axis in axes[row]:
            axis.grid(True, **_GRID)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    for handle in legend.get_lines():
        handle.set_markersize(6)
        handle.set_alpha(1)
    _title(figure, result, "errors over time (GPST)")
    return figure


def _expected(result: Positioning) -> Figure:
    from gnss_coop.kernels.positioning import expected_percentile

    scenarios, masks = _grid(result)
    figure, axes = _figure(1, len(masks), 3.0, sharey=True)
    figure.set_size_inches(max(5.5, 4.0 * len(masks)), 4.2)
    strokes = scenario_strokes(scenarios)
    shares = np.concatenate([np.arange(0.10, 0.98, 0.04), [0.98, 0.99]])
    for column, mask in enumerate(masks):
        axis = axes[0, column]
        for name in scenarios:
            s, stroke = result.solutions[name, mask], strokes[name]
            if not s.fixed.any():
                continue
            space = np.linalg.norm(result.errors_m(s)[s.fixed], axis=1)
            promised = [expected_percentile(s.covariance_m2, 0, 2, float(p)) for p in shares]
            axis.plot(np.percentile(space, 100 * shares), 100 * shares, color=stroke.color, linewidth=1.8,
                      label=f"{name} measured")  # fmt: skip
            axis.plot(
                promised, 100 * shares, color=stroke.color, linewidth=1.0, linestyle="--", label=f"{name} expected"
            )
        axis.axhline(95, color=_CIRCLE, linewidth=0.6)
        axis.set_xscale("log")
        axis.set_xlabel("3D error [m]")
        axis.set_title(f"mask {mask:g} deg", fontsize=9)
        axis.grid(True, which="both", **_GRID)
    axes[0, 0].set(ylabel="share of epochs with a fix [%]", ylim=(0, 100))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    _title(figure, result, "measured, and expected from DOP and sigma")
    return figure


def _offsets(result: Positioning) -> Figure:
    table = result.clock_offsets()
    # GLONASS against each of the others, or all pairs where there is no GLONASS.
    pairs = [p for p in table["pair"].unique() if p.startswith("R-")] or list(table["pair"].unique())
    if not pairs:
        raise OutputError("there is one system only, and so no offset to draw")
    figure, axes = _figure(len(pairs), 1, 1.7, sharex=True)
    figure.set_size_inches(7.5, 0.9 + 1.7 * len(pairs))
    strokes = scenario_strokes([p[-1] for p in pairs])
    for row, pair in enumerate(pairs):
        axis, own = axes[row, 0], table[table["pair"] == pair]
        offset_ns = own["offset_ns"].to_numpy()
        middle, sent = float(np.median(offset_ns)), float(own["broadcast_ns"].iloc[0])
        reach = 6.0 * max(float(np.percentile(np.abs(offset_ns - middle), 68)), 0.1)
        axis.plot(own["time_gpst"], offset_ns, ".", color=strokes[pair[-1]].color, markersize=1.5, alpha=0.6)
        words = f"median {middle:.1f} ns"
        if math.isfinite(sent):
            words += f", broadcast {sent:.1f} ns"
            axis.axhline(sent, color=_CIRCLE, linewidth=1.0, linestyle="--")
        axis.text(0.01, 0.95, words, transform=axis.transAxes, va="top", fontsize=8)
        axis.set(ylabel=f"{pair} [ns]", ylim=(middle - reach, middle + reach))
        axis.grid(True, **_GRID)
    _title(figure, result, "offset between the clocks of systems (GPST)")
    return figure


def _residuals(result: Positioning) -> Figure:
    m, s = result.measured, result.everything
    bins = result.residuals_by_elevation()
    figure, axes = _figure(1, len(m.systems), 3.0, sharey=True)
    used = np.isfinite(s.residual_m) & (s.state > 0)
    reach_m = _round_up(3.0 * float(bins["rms_m"].max())) if len(bins) else 1.0
    strokes = scenario_strokes(list(m.systems))
    for k, letter in enumerate(m.systems):
        axis: Axes = axes[0, k]
        rows = np.flatnonzero(used & (m.system == k))
        rows = rows[:: max(1, len(rows) // _MOST_POINTS)]
        axis.plot(np.degrees(result.seen.elevation[rows]), s.residual_m[rows], ".", color=strokes[letter].color,
                  markersize=1.2, alpha=0.3)  # fmt: skip
        own = bins[bins["system"] == letter]
        middle = own["elevation_deg"].to_numpy() + 2.5
        for sign in (-1, 1):
            axis.plot(middle, sign * own["rms_m"], color=_CIRCLE, linewidth=1.2, label="rms" if sign > 0 else None)
            axis.plot(middle, sign * own["sigma_m"], color=_CIRCLE, linewidth=0.9, linestyle="--",
                      label="sigma of the weights" if sign > 0 else None)  # fmt: skip
        axis.set(xlim=(0, 90), ylim=(-reach_m, reach_m), xlabel="elevation [deg]")
        axis.set_title(letter, fontsize=9)
        axis.grid(True, **_GRID)
    axes[0, 0].set_ylabel("residual [m]")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    _title(figure, result, "residuals with all systems")
    return figure
