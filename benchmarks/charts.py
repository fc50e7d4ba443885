"""Bar charts as SVG, for pages light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, ROW, LEFT, RIGHT, TOP = 720, 26, 190, 96, 34

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
rect { fill: #b6bec8 }
.ours { fill: #1f6feb }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #57606a } }
"""


def chart(title: str, unit: str, values: Mapping[str, float]) -> str:
    """Return a chart of horizontal bars.

    Args:
        title: what is compared.
        unit: what the lengths mean.
        values: lengths by name; those of this library have its name in theirs.
    """
    longest = max(values.values())
    height = TOP + ROW * len(values) + 8
    bars = [
        _bar(name, value, longest, TOP + ROW * number)
        for number, (name, value) in enumerate(values.items())
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<text class="title" x="8" y="20">{escape(title)}: {escape(unit)}</text>',
            *bars,
            "</svg>",
            "",
        ]
    )


def _bar(name: str, value: float, longest: float, top: int) -> str:
    length = max(1.0, value / longest * (WIDTH - LEFT - RIGHT))
    kind = ' class="ours"' if "tornado-aws" in name else ""
    baseline = top + ROW * 2 // 3
    shown = f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
    return (
        f'<text x="{LEFT - 8}" y="{baseline}" text-anchor="end">{escape(name)}</text>'
        f'<rect{kind} x="{LEFT}" y="{top + 4}" width="{length:.1f}" height="{ROW - 8}" rx="2"/>'
        f'<text x="{LEFT + length + 6:.1f}" y="{baseline}">{shown}</text>'
    )
