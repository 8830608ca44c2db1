"""Tables on a terminal: with as many columns as it has room for, and no figure cut off."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rnnlm.results.tables.table import BEST_MARK, Table

# Rows are not broken to fit a width that nobody is looking at.
PIPE_WIDTH = 200
COLUMN_GAP = 1
BOLD, GREEN = "bold", "green"


def table_console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a row in a file or a pipe."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_table(table: Table, console: Console) -> None:
    """Show the table, headings with a word a line.

    It is laid out here: a table of rich's own takes a millisecond a row.
    """
    indices = columns_within(table, console.width)
    if table.title:
        console.print(Text(table.title, style=BOLD))
    console.print(Text("\n").join(_lines(table, indices)), soft_wrap=True)
    notes = [f"{BEST_MARK} best on validation of its text"] if table.marked else []
    for note in notes + table.notes:
        has_failed = note.startswith("failed")
        # What failed stays on its line, so that its path can be copied and its words be found.
        console.print(Text(note, style="red" if has_failed else "dim"), soft_wrap=has_failed)
    if len(indices) < len(table.headings):
        left_out = [h.heading for i, h in enumerate(table.headings) if i not in indices]
        console.print(Text(f"no room here for {', '.join(left_out)}", style="dim"))


def _lines(table: Table, indices: list[int]) -> Iterator[Text]:
    """The headings and the rows, each column as wide as it needs."""
    headings = [table.headings[index] for index in indices]
    widths = [_width(table, index) for index in indices]
    words = [heading.heading.split() for heading in headings]
    height = max(map(len, words), default=0)

    def line(mark: str, shown: list[str], style: str, bold: list[bool]) -> Text:
        text = Text(mark.ljust(len(BEST_MARK)), style=style)
        for heading, width, content, is_bold in zip(headings, widths, shown, bold, strict=True):
            room = " " * (width - cell_len(content))
            content = content + room if heading.is_text else room + content
            text.append(" " * COLUMN_GAP + content, BOLD if is_bold else None)
        text.rstrip()
        return text

    for number in range(height):
        # The last word stands right above the column.
        above = [["", *of_one][max(0, number - height + len(of_one) + 1)] for of_one in words]
        yield line("", above, BOLD, [False] * len(above))
    for number, row in enumerate(table.rows):
        values = [row[index] for index in indices]
        mark, style = (BEST_MARK, GREEN) if number in table.marked else ("", "")
        yield line(mark, [v.shown for v in values], style, [v.is_best for v in values])


def columns_within(table: Table, width: int) -> list[int]:
    """The columns that fit a terminal of this width, by their places."""
    indices = list(range(len(table.headings)))
    needed = [COLUMN_GAP + _width(table, index) for index in indices]
    for name in table.least_needed:
        if len(BEST_MARK) + sum(needed[index] for index in indices) <= width:
            break
        indices = [index for index in indices if table.headings[index].name != name]
    return indices


def _width(table: Table, index: int) -> int:
    """What a column needs, with a word of its heading a line."""
    shown = [row[index].shown for row in table.rows]
    return max(map(cell_len, (*table.headings[index].heading.split(), *shown)), default=0)
