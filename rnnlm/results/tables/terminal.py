"""Tables on a terminal: as many columns as fit its width, with no value cut off."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rnnlm.results.tables.table import BEST_MARK, Table

# The width of the output if it is not a terminal: rows need not be broken there.
PIPE_WIDTH = 200
COLUMN_GAP = 1
BOLD, GREEN = "bold", "green"


def table_console() -> Console:
    """Return a console on standard output, as wide as the terminal or PIPE_WIDTH."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_table(table: Table, console: Console) -> None:
    """Print the table; headings have one word a line.

    The layout is our own, since rich's tables take a millisecond a row.
    """
    indices = columns_within(table, console.width)
    if table.title:
        console.print(Text(table.title, style=BOLD))
    console.print(Text("\n").join(_lines(table, indices)), soft_wrap=True)
    notes = [f"{BEST_MARK} best on validation of its text"] if table.marked else []
    for note in notes + table.notes:
        has_failed = note.startswith("failed")
        # A failure stays on one line, so that its path can be copied and its words be searched for.
        console.print(Text(note, style="red" if has_failed else "dim"), soft_wrap=has_failed)
    if len(indices) < len(table.headings):
        left_out = [h.heading for i, h in enumerate(table.headings) if i not in indices]
        console.print(Text(f"no room here for {', '.join(left_out)}", style="dim"))


def _lines(table: Table, indices: list[int]) -> Iterator[Text]:
    """The lines of the headings and the rows, with each column as wide as it needs."""
    headings = [table.headings[index] for index in indices]
    widths = [_width(table, index) for index in indices]
    words = [heading.heading.split() for heading in headings]
    height = max(map(len, words), default=0)

    def line(mark: str, shown: list[str], style: str, bold: list[bool]) -> Text:
        text = Text(mark.ljust(len(BEST_MARK)), style=style)
        for heading, width, content, is_bold in zip(headings, widths, shown, bold, strict=True):
            padding = " " * (width - cell_len(content))
            content = content + padding if heading.is_text else padding + content
            text.append(" " * COLUMN_GAP + content, BOLD if is_bold else None)
        text.rstrip()
        return text

    # Headings end right above the first row.
    columns = [[""] * (height - len(heading)) + heading for heading in words]
    for level in range(height):
        yield line("", [column[level] for column in columns], BOLD, [False] * len(columns))
    for number, row in enumerate(table.rows):
        values = [row[index] for index in indices]
        mark, style = (BEST_MARK, GREEN) if number in table.marked else ("", "")
        yield line(mark, [v.shown for v in values], style, [v.is_best for v in values])


def columns_within(table: Table, width: int) -> list[int]:
    """Return the indices of the columns that fit a terminal of this width."""
    indices = list(range(len(table.headings)))
    needed = [COLUMN_GAP + _width(table, index) for index in indices]
    for name in table.least_needed:
        if len(BEST_MARK) + sum(needed[index] for index in indices) <= width:
            break
        indices = [index for index in indices if table.headings[index].name != name]
    return indices


def _width(table: Table, index: int) -> int:
    """The width that a column needs, with one word of its heading a line."""
    shown = [row[index].shown for row in table.rows]
    return max(map(cell_len, (*table.headings[index].heading.split(), *shown)), default=0)
