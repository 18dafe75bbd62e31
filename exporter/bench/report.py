"""Tells what a run has measured: lines for the terminal, and one HTML page with plots."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from exporter.bench.document import Document, Row
from exporter.html_report import report_environment

__all__ = ["format_document", "write_page"]

_TEMPLATES = Path(__file__).parent / "templates"
#: In the order of a photo's way; what is left of the total is waiting.
STAGES = ("decode", "preprocess", "infer", "refine", "encode")
#: Of the plot of quality against time, in its own units.
_PLOT_WIDTH, _PLOT_HEIGHT, _PLOT_MARGIN = 640, 300, 46


def format_document(document: Document) -> str:
    """Every row's median, and how many times as fast as the slowest peer's or the first row's."""
    lines = []
    for part in dict.fromkeys(row.part for row in document.rows):
        rows = document.of_part(part)
        lines.append(part)
        width = max(len(f"{row.contestant}, {row.case}") for row in rows)
        for row in rows:
            total_ms = row.median_ms()
            text = f"{total_ms:9.0f} ms" if total_ms is not None else " " * 12
            stages = ", ".join(
                f"{stage} {row.median_ms(stage):.0f}"
                for stage in STAGES
                if row.median_ms(stage) is not None
            )
            values = ", ".join(f"{name} {_short(value)}" for name, value in row.values.items())
            told = "; ".join(filter(None, (stages, values)))
            lines.append(f"  {row.contestant + ', ' + row.case:{width}}{text}  {told}")
        lines += [f"  {text}" for text in ratios(rows)]
    return "\n".join(lines)


def ratios(rows: Sequence[Row]) -> list[str]:
    """By case: how many times as fast as each peer the others are."""
    lines = []
    for case in dict.fromkeys(row.case for row in rows):
        here = [row for row in rows if row.case == case and row.median_ms()]
        for peer in (row for row in here if row.is_peer):
            lines += [
                f"{row.contestant}: {_of(peer, row):.1f} times as fast as {peer.contestant}, {case}"
                for row in here
                if not row.is_peer
            ]
    return lines


def _of(slow: Row, fast: Row) -> float:
    return (slow.median_ms() or math.nan) / (fast.median_ms() or math.nan)


def _short(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def write_page(document: Document, path: Path) -> None:
    """One file, which loads nothing."""
    environment = report_environment(_TEMPLATES)
    environment.filters["short"] = _short
    warm = document.of_part("warm")
    page = environment.get_template("bench.html").render(
        about=document.about,
        bars=[(case, _bars(rows)) for case, rows in _by_case(warm).items()],
        cold=[(case, _bars(rows)) for case, rows in _by_case(document.of_part("cold")).items()],
        ratios=ratios([*warm, *document.of_part("cold")]),
        points=_points(document.of_part("quality")),
        plot=(_PLOT_WIDTH, _PLOT_HEIGHT, _PLOT_MARGIN),
        quality=document.of_part("quality"),
        network=document.of_part("network"),
        transfer=document.of_part("transfer"),
        stages=STAGES,
        spans=(*STAGES, "other"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _by_case(rows: Sequence[Row]) -> dict[str, list[Row]]:
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row)
    return cases


def _bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Each row's stages as shares of the longest total."""
    longest_ms = max(row.median_ms() or 0.0 for row in rows)
    bars = []
    for row in rows:
        total_ms = row.median_ms() or 0.0
        stages = [(stage, row.median_ms(stage) or 0.0) for stage in STAGES]
        spent_ms = sum(value for _, value in stages)
        parts = [*stages, ("other", max(0.0, total_ms - spent_ms))]
        bars.append(
            {
                "row": row,
                "total_ms": total_ms,
                "runs": len(row.times_ms["total"]),
                "parts": [(name, ms, 100 * ms / longest_ms) for name, ms in parts if ms > 0],
            }
        )
    return bars


def _points(rows: Sequence[Row]) -> dict[str, Any]:
    """Contestants by time and by error, both as means over the sets; places on the plot."""
    found: dict[str, tuple[float, float, bool]] = {}
    for title in dict.fromkeys(row.contestant for row in rows):
        own = [row for row in rows if row.contestant == title]
        time_ms = median(ms for row in own for ms in row.times_ms["total"])
        error = sum(float(row.values["mae"] or 0) for row in own) / len(own)
        found[title] = time_ms, error, own[0].is_peer
    if not found:
        return {}
    slowest = max(time_ms for time_ms, _, _ in found.values())
    worst = max(error for _, error, _ in found.values())
    inner_width, inner_height = (_PLOT_WIDTH - 2 * _PLOT_MARGIN, _PLOT_HEIGHT - 2 * _PLOT_MARGIN)
    return {
        title: {
            "x": round(_PLOT_MARGIN + 0.8 * inner_width * time_ms / slowest, 1),
            "y": round(_PLOT_HEIGHT - _PLOT_MARGIN - 0.9 * inner_height * error / worst, 1),
            "time_ms": time_ms,
            "error": error,
            "is_peer": is_peer,
        }
        for title, (time_ms, error, is_peer) in found.items()
    }
