"""Write the tables of the page from what has been measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parts import PARTS, Part

BEGIN, END = "<!-- written by run.py -->", "<!-- end -->"
VERDICT = {True: "yes", False: "**no**", None: ""}


def write_page(page: Path, found: dict[str, dict[str, Any]]) -> None:
    """Replace what is between the two marks of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(section(part, found.get(part.name)) for part in PARTS)
    page.write_text(f"{before}{BEGIN}\n\n{summary(found)}\n{tables}\n{END}{after}", "utf-8")


def summary(found: dict[str, dict[str, Any]]) -> str:
    """Return a table of all parts: when each was measured, and how many bounds hold."""
    lines = ["| part | measured | bounds that hold |", "| :-- | :-- | --: |"]
    for part in PARTS:
        measured, verdicts = "*not run*", ""
        if known := found.get(part.name):
            measured = f"{known['status']} ({known['date']}, {known.get('device', 'no device')})"
            holds = [row["holds"] for row in known["rows"] if row.get("holds") is not None]
            verdicts = f"{sum(holds)} of {len(holds)}"
        lines.append(f"| {part.name} | {measured} | {verdicts} |")
    return "\n".join(lines) + "\n"


def section(part: Part, known: dict[str, Any] | None) -> str:
    """Return the heading of a part, how it was measured, and its tables."""
    lines = [f"### {part.name}\n"]
    if known is None:
        lines.append(f"*Not run.* `python experiments/gpu/run.py --only {part.name}`\n")
    else:
        on = f"{known.get('device', 'no device')}, torch {known.get('torch', 'unknown')}"
        seconds = f" after {known['seconds']} s" if "seconds" in known else ""
        lines.append(f"{known['date']}, {on}: {known['status']}{seconds}. `{known['command']}`\n")
    for name, question in part.tables.items():
        lines.append(f"{question}\n")
        if rows := [row for row in (known or {"rows": []})["rows"] if row["table"] == name]:
            lines.append(table(rows))
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a table in Markdown, with the columns that any of them has."""
    names = [name for name in {name: None for row in rows for name in row} if name != "table"]
    if "holds" in names:  # the last, wherever a row had it
        names = [*(name for name in names if name != "holds"), "holds"]
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |"]
    lines.append("|" + " :-- |" * len(names))
    for row in rows:
        cells = [VERDICT[row.get(n)] if n == "holds" else str(row.get(n, "")) for n in names]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
