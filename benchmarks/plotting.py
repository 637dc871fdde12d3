"""Plots as SVG, without a plotting library: lines over two logarithmic axes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 46, 52
Place = Callable[[float, float], tuple[float, float]]
COLOURS = ("#1f5fa8", "#b4431f", "#2e7d4f", "#7a4a9e", "#8a6a00", "#555555", "#0f7c86", "#a33b6d")


@dataclass(frozen=True, slots=True)
class Line:
    """Points of positive coordinates, by their first."""

    name: str
    points: Sequence[tuple[float, float]]


def log_log(title: str, across: str, lines: Sequence[Line]) -> str:
    """The lines, each with its name at its end; what is not positive is left out."""
    shown = [Line(one.name, [(x, y) for x, y in one.points if x > 0 and y > 0]) for one in lines]
    xs, ys = zip(*(point for one in shown for point in one.points), strict=True)
    x_low, x_high = _decades(xs)
    y_low, y_high = _decades(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (math.log10(x) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (math.log10(y) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM),
        )

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" fill="#222222">{escape(title)}</text>',
    ]
    for decade in range(x_low, x_high + 1):
        x, y = place(10.0**decade, 10.0**y_low)
        drawn.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        drawn.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{10**decade:,}</text>')
    for decade in range(y_low, y_high + 1):
        x, y = place(10.0**x_low, 10.0**decade)
        drawn.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>')
        drawn.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>')
    drawn += _named(shown, place)
    return "\n".join([*drawn, "</svg>", ""])


def _named(lines: Sequence[Line], place: Place) -> list[str]:
    drawn, ends = [], []
    for number, one in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        at = [place(*point) for point in one.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in at]
        ends.append((at[-1][1], at[-1][0], one.name, colour))
    lowest = -math.inf
    for y, x, name, colour in sorted(ends):
        lowest = max(y, lowest + 16)  # so that no name covers another
        drawn.append(f'<text x="{x + 10:.1f}" y="{lowest + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return drawn


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)
