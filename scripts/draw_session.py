#!/usr/bin/env python3
"""Draws the text of a terminal session as an SVG: usage: draw_session.py SESSION.txt OUT.svg

    scripts/draw_session.py docs/session.txt docs/session.svg

Lines that start with "$ " are commands; all others are output. Lines longer than the terminal are wrapped.
"""
import html
import pathlib
import sys

COLUMNS = 100
CHARACTER, LINE, MARGIN, TITLE = 7.8, 18, 16, 30  # pixels
BACKGROUND, OUTPUT, COMMAND, PROMPT = "#1e2227", "#c8ccd4", "#ffffff", "#7ec699"


def wrapped(line):
    return [line[at : at + COLUMNS] for at in range(0, len(line), COLUMNS)] or [""]


def span(text, colour, weight):
    return f'<tspan fill="{colour}" font-weight="{weight}">{html.escape(text)}</tspan>'


def drawn(line, y, is_command):
    if not line.strip():
        return ""
    content = span(line, OUTPUT, "normal")
    if is_command:
        content = span(line[:2], PROMPT, "bold") + span(line[2:], COMMAND, "bold")
    # textLength keeps columns aligned in every font.
    return f'<text x="{MARGIN}" y="{y}" textLength="{len(line) * CHARACTER:.1f}" xml:space="preserve">{content}</text>\n'


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    lines = [(part, line.startswith("$ ")) for line in source.read_text().splitlines() for part in wrapped(line)]
    width = COLUMNS * CHARACTER + 2 * MARGIN
    height = TITLE + len(lines) * LINE + MARGIN
    body = "".join(drawn(line, TITLE + (row + 1) * LINE - 4, command) for row, (line, command) in enumerate(lines))
    dots = "".join(
        f'<circle cx="{MARGIN + 6 + 18 * i}" cy="17" r="5.5" fill="{colour}"/>'
        for i, colour in enumerate(["#e06c75", "#e5c07b", "#98c379"])
    )
    target.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
        f'font-size="13">\n<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n{dots}\n{body}</svg>\n'
    )


main()
