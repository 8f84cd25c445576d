#!/usr/bin/env python3
"""Draws what run.py has measured: draw.py [--to=FOLDER] [RESULTS.json]...

For each file of results it writes cpu-PAIRSxSIZE.svg, with a bar per relay for each case of the closed loop, and, if
there was an open loop, latency-PAIRSxSIZE.svg with p50, p99 and p99.9. Of one at given rates, rates-PAIRSxSIZE.svg is all
that it writes.
"""

import argparse
import html
import json
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

WIDTH = 760
MARGIN = 16
# Where bars begin, and where they end at most: their labels come behind.
LEFT, RIGHT = 110, 560
ROW, BAR = 24, 16
HEADING = 34
PERCENTILES = ("p50", "p99", "p99_9")

STYLE = """
  svg { --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --bar: #8c959f; --own: #0969da; --paper: #ffffff; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #f0f6fc; --soft: #9198a1; --rule: #3d444d; --bar: #6e7681; --own: #4493f8; --paper: #0d1117; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; font-size: 15px; }
  .case { font-weight: 600; }
  .soft { fill: var(--soft); font-size: 12px; }
  .paper { fill: var(--paper); }
  .bar { fill: var(--bar); }
  .own { fill: var(--own); }
  .range { stroke: var(--ink); stroke-width: 1; }
  .rule { stroke: var(--rule); stroke-width: 1; }
  .span { stroke: var(--bar); stroke-width: 3; }
  .span.own { stroke: var(--own); }
"""


class Picture:
    """An SVG that grows downwards."""

    def __init__(self, title, subtitle):
        self.parts = []
        self.y = MARGIN + 14
        self.text(MARGIN, self.y, title, "title")
        self.y += 20
        self.text(MARGIN, self.y, subtitle, "soft")
        self.y += 10

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def line(self, x, y, to_x, to_y, kind):
        self.parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" class="{kind}"/>')

    def bar(self, width, kind):
        self.parts.append(f'<rect x="{LEFT}" y="{self.y + (ROW - BAR) / 2:.1f}" width="{width:.1f}" height="{BAR}" '
                          f'rx="2" class="{kind}"/>')

    def dot(self, x, kind):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{self.y + ROW / 2:.1f}" r="4.5" class="{kind}"/>')

    def heading(self, text):
        self.y += HEADING
        self.text(MARGIN, self.y - 8, text, "case")

    def name(self, name):
        self.text(LEFT - 8, self.y + ROW / 2 + 4, name, "case" if is_own(name) else "", "end")

    def as_svg(self):
        height = self.y + MARGIN
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
                f'height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n'
                f'<rect width="100%" height="100%" class="paper"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def is_own(name):
    return name in ("tandem", "deflate", "wss", "free", "two", "apart")


def where(results):
    machine = results["machine"]
    return (f"{results['pairs']} pairs, {results['size']}-byte messages, the relay on one core; {machine['cpu']}, "
            f"Linux {machine['kernel']}")


def cpu_picture(results):
    """Bars of CPU per forwarded message. Each case has a scale of its own, on which the costliest relay is the longest."""
    figures = results["figures"]
    picture = Picture("CPU per forwarded message", where(results) + ". Shorter is better")
    for case in next(iter(figures.values())):
        most = max(row[case]["most"] for row in figures.values())
        scale = (RIGHT - LEFT) / most
        picture.heading(f"{case} in flight per pair")
        for name, row in figures.items():
            at = row[case]
            picture.name(name)
            picture.bar(at["cost"] * scale, "own" if is_own(name) else "bar")
            middle = picture.y + ROW / 2
            picture.line(LEFT + at["least"] * scale, middle, LEFT + at["most"] * scale, middle, "range")
            label = f"{at['cost']:.3g} µs"
            if "limit" in figures and name != "limit":
                label += f", {at['cost'] / figures['limit'][case]['cost']:.3g} × limit"
            picture.text(LEFT + at["most"] * scale + 8, middle + 4, label)
            picture.y += ROW
    return picture.as_svg()


def decades(values):
    """The powers of ten around `values`."""
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)


def latency_picture(results):
    """p50, p99 and p99.9 of a round trip on a scale of powers of ten, the same for all cases."""
    figures = results["open_loop"]
    picture = Picture("Round trips in an open loop: p50, p99, p99.9", where(results) + ". Further left is better")
    values = [max(at[key], 0.1) for row in figures.values() for at in row.values() for key in PERCENTILES]
    marks = decades(values)
    span = max(marks[-1] - marks[0], 1)

    def x_of(microseconds):
        return LEFT + (RIGHT - LEFT) * (math.log10(max(microseconds, 0.1)) - marks[0]) / span

    for share in next(iter(figures.values())):
        picture.heading(f"at {int(share):,} round trips a second" if results.get("rates")
                        else f"at {share} % of what each relay carries in a closed loop")
        for power in marks:
            picture.line(x_of(10 ** power), picture.y, x_of(10 ** power), picture.y + ROW * len(figures), "rule")
        for name, row in figures.items():
            at, middle = row[share], picture.y + ROW / 2
            own = " own" if is_own(name) else ""
            picture.name(name)
            picture.line(x_of(at["p50"]), middle, x_of(at["p99_9"]), middle, "span" + own)
            for key in PERCENTILES:
                picture.dot(x_of(at[key]), own.strip() or "bar")
            picture.text(RIGHT + 8, middle + 4, f"{at['rate']:,.0f} a second")
            picture.y += ROW
        picture.y += 14
        for power in marks:
            milliseconds = 10.0 ** (power - 3)
            picture.text(x_of(10 ** power), picture.y, f"{milliseconds:g} ms", "soft", "middle")
    return picture.as_svg()


def draw(results, folder):
    """Writes the pictures; returns their paths."""
    made = {"cpu": cpu_picture(results)}
    if any(results.get("open_loop", {}).values()):
        made["latency"] = latency_picture(results)
    paths = []
    if results.get("rates"):
        made = {"rates": made["latency"]}
    for kind, svg in made.items():
        paths.append(os.path.join(folder, f"{kind}-{results['pairs']}x{results['size']}.svg"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(svg)
    return paths


def main():
    parser = argparse.ArgumentParser(description="Draws what run.py has measured.")
    parser.add_argument("results", nargs="*", default=[os.path.join(ROOT, "build", "bench.json")],
                        help="files that run.py has left (build/bench.json)")
    parser.add_argument("--to", default=os.path.join(ROOT, "build"), metavar="FOLDER", help="where the pictures go (build)")
    options = parser.parse_args()
    os.makedirs(options.to, exist_ok=True)
    for path in options.results:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        for made in draw(results, options.to):
            print(os.path.relpath(made))


if __name__ == "__main__":
    main()
