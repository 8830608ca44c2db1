"""The table of a sweep: one row a run, sorted by validation perplexity, the best marked."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from rnnlm.atomic_write import replacing
from rnnlm.results.record import COMPLETED, Record

CSV_NAME, MARKDOWN_NAME = "results.csv", "results.md"
BEST_MARK = "*"


@dataclass(frozen=True)
class Column:
    """A column: its name in CSV, its heading with the unit, and how a value is shown."""

    name: str
    heading: str
    value: Callable[[Record], Any]
    show: Callable[[Any], str] = str
    is_text: bool = False


def _of_split(split: str, metric: str) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        metrics = getattr(record, split)
        return metrics.get(metric) if metrics else None

    return value


def _significant(value: float) -> str:
    """Four significant digits, and no exponent where a person would not write one."""
    if not math.isfinite(value):
        return str(value)
    four = f"{value:#.4g}".rstrip(".")
    return four if abs(value) < 10_000 else f"{value:,.0f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


COLUMNS = (
    Column("data", "data", lambda r: r.data, is_text=True),
    Column("source", "source", lambda r: Path(r.source).name, is_text=True),
    Column("model", "model", lambda r: r.model, is_text=True),
    Column("features", "features", lambda r: r.features, is_text=True),
    Column("seed", "seed", lambda r: r.seed),
    Column("num_parameters", "parameters", lambda r: r.num_parameters, _whole),
    Column("best_epoch", "best epoch", lambda r: r.best_epoch),
    Column("train_ppl", "train ppl", _of_split("train", "ppl"), _significant),
    Column("validation_ppl", "validation ppl", _of_split("validation", "ppl"), _significant),
    Column(
        "validation_unigram_ppl",
        "unigram validation ppl",
        _of_split("validation", "unigram_ppl"),
        _significant,
    ),
    Column("test_ppl", "test ppl", _of_split("test", "ppl"), _significant),
    Column("test_bpc", "test bits/char", _of_split("test", "bpc"), _significant),
    Column("exact_match", "exact match", lambda r: r.exact_match, lambda v: f"{v:.2%}"),
    Column("tokens_per_second", "tokens/s", lambda r: r.tokens_per_second, _whole),
    Column("train_seconds", "training s", lambda r: r.train_seconds, _significant),
    Column("status", "status", lambda r: r.status, is_text=True),
)


# What a narrow terminal is spared, first to go first; the files have every column.
LEAST_NEEDED = (
    "train_seconds",
    "tokens_per_second",
    "source",
    "best_epoch",
    "status",
    "seed",
    "test_bpc",
    "num_parameters",
    "validation_unigram_ppl",
    "data",
)
# Columns that stand only where a run has something to say in them.
SOMETIMES = ("exact_match",)
COLUMN_GAP = 1


class Table:
    """The records of one or more sweeps, in the order they are shown.

    Runs on the same text stand together, the best validation perplexity first and failed runs last;
    the first of each text is its best. Perplexities of different texts or vocabularies do not
    compare, so a best is never picked across them.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = sorted(records, key=_order)
        self._best: set[int] = set()
        seen: set[tuple[Any, ...]] = set()
        for index, record in enumerate(self.records):
            if record.status == COMPLETED and _comparable(record) not in seen:
                seen.add(_comparable(record))
                self._best.add(index)

        self.columns = [
            column
            for column in COLUMNS
            if column.name not in SOMETIMES
            or any(column.value(r) is not None for r in self.records)
        ]
        if any(differing := _differing_options(self.records)):
            options = dict(zip(map(id, self.records), differing, strict=True))
            column = Column("options", "options", lambda r: options[id(r)] or None, is_text=True)
            self.columns.insert([c.name for c in self.columns].index("seed"), column)

    def is_best(self, index: int) -> bool:
        """Whether the row has the best validation perplexity of its text."""
        return index in self._best

    def cells(self, index: int, columns: Sequence[Column]) -> list[str]:
        """A row as it is shown, in the given columns."""
        values = (column.value(self.records[index]) for column in columns)
        return [
            "-" if value is None else column.show(value)
            for column, value in zip(columns, values, strict=True)
        ]

    def columns_within(self, width: int) -> list[Column]:
        """The columns that fit a terminal of this width, headings with a word a line."""
        columns = self.columns
        for name in LEAST_NEEDED:
            rows = [self.cells(index, columns) for index in range(len(self.records))]
            needed = len(BEST_MARK) + sum(
                COLUMN_GAP + max(cell_len(text) for text in (*column.heading.split(), *cells))
                for column, *cells in zip(columns, *rows, strict=True)
            )
            if needed <= width:
                break
            columns = [column for column in columns if column.name != name]
        return columns

    def print(self, console: Console) -> None:
        """Show the table on a terminal, with as many columns as it has room for."""
        columns = self.columns_within(console.width)
        table = RichTable(
            box=None, header_style="bold", pad_edge=False, padding=(0, COLUMN_GAP, 0, 0)
        )
        table.add_column("", width=len(BEST_MARK))
        for column in columns:
            justify: JustifyMethod = "left" if column.is_text else "right"
            table.add_column("\n".join(column.heading.split()), justify=justify, no_wrap=True)
        for index in range(len(self.records)):
            best = self.is_best(index)
            row = [Text(BEST_MARK if best else ""), *map(Text, self.cells(index, columns))]
            table.add_row(*row, style="bold green" if best else None)
        console.print(table)
        if self._best:
            console.print(f"{BEST_MARK} best validation perplexity on its text", style="dim")
        if len(columns) < len(self.columns):
            left_out = ", ".join(c.heading for c in self.columns if c not in columns)
            console.print(f"no room here for {left_out}", style="dim")
        for record in self.records:
            if record.error:
                name = f"{record.data} {record.model}-{record.features} seed {record.seed}"
                console.print(Text(f"failed: {name}: {record.error}"), style="red")

    def write_csv(self, path: Path) -> None:
        """Full precision, one row a run; `best` is 1 for the best of its text."""
        with (
            replacing(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file)
            writer.writerow([column.name for column in self.columns] + ["best"])
            for index, record in enumerate(self.records):
                values = [column.value(record) for column in self.columns]
                writer.writerow([*values, int(self.is_best(index))])

    def write_markdown(self, path: Path) -> None:
        """As on the terminal, the best of each text in bold."""
        lines = [
            "| " + " | ".join(column.heading for column in self.columns) + " |",
            "|" + "|".join(" :-- " if column.is_text else " --: " for column in self.columns) + "|",
        ]
        for index in range(len(self.records)):
            row = [cell.replace("|", r"\|") for cell in self.cells(index, self.columns)]
            row = [f"**{cell}**" for cell in row] if self.is_best(index) else row
            lines.append("| " + " | ".join(row) + " |")
        with replacing(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def write(self, folder: Path) -> None:
        """`results.csv` and `results.md` in the folder."""
        self.write_csv(folder / CSV_NAME)
        self.write_markdown(folder / MARKDOWN_NAME)


def _differing_options(records: Sequence[Record]) -> list[str]:
    """Of each record, the overrides that not all have and that no column shows."""
    shown = ("data", "model", "features", "seed", "data.source", "output_dir", "force")
    own = [[o for o in r.overrides if o.partition("=")[0] not in shown] for r in records]
    common = set(own[0]).intersection(*own) if own else set()
    return [" ".join(o for o in overrides if o not in common) for overrides in own]


def _comparable(record: Record) -> tuple[Any, ...]:
    """Records with the same of this have been measured on the same tokens."""
    return (record.data, record.text_sha256, record.vocab_size, *_test_size(record))


def _test_size(record: Record) -> tuple[Any, ...]:
    return (record.test["num_tokens"], record.test["num_chars"]) if record.test else ()


def _order(record: Record) -> tuple[Any, ...]:
    ppl = record.validation["ppl"] if record.validation else math.inf
    return (
        record.data,
        record.status != COMPLETED,
        *(str(part) for part in _comparable(record)[1:]),
        ppl,
        record.model,
        record.features,
        record.seed,
    )
