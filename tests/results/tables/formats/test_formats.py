"""rnnlm/results/tables/formats: the same numbers in all, and no text is taken for markup."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.results.columns import COLUMNS
from rnnlm.results.grouping import comparisons
from rnnlm.results.tables.formats import FORMATS, as_csv, as_html, as_json, as_latex, as_markdown
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.group_table import groups_table
from rnnlm.results.tables.run_table import runs_table
from rnnlm.results.tables.table import Heading, Table, Value
from tests.support.records import grid, record, split, three_runs


def ppl_grid() -> list[Table]:
    (comparison,) = comparisons(grid())
    return grid_tables(comparison, COLUMNS["test_ppl"])


def tables() -> list[Table]:
    return [
        runs_table(three_runs()),
        groups_table(comparisons(grid())),
        *ppl_grid(),
        runs_table([record(source="/texts/诗 & 词_100%.txt", options={"a.b": "{x|y}~^\\"})]),
    ]


def rows_of_html(text: str) -> list[list[str]]:
    body = text[text.index("<tbody>") :]
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<td.*?</td>", row)]
        for row in re.findall(r"<tr>.*?</tr>", body)
    ]


def rows_of_latex(text: str) -> list[list[str]]:
    body = text[text.index("\\midrule") + 9 : text.index("\\bottomrule")]
    plain = re.sub(r"\\textbf\{(.*?)\}(?= &| \\\\)", r"\1", body).replace("$\\pm$", "±")
    for special, character in (("\\_", "_"), ("\\%", "%"), ("\\&", "&")):
        plain = plain.replace(special, character)
    return [
        re.split(r" (?<!\\)& ", line.removesuffix(" \\\\")) for line in plain.strip().split("\n")
    ]


def rows_of_markdown(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell).replace("**", "") for cell in row] for row in cells]


@pytest.mark.parametrize("table", tables()[:3], ids=["runs", "groups", "grid"])
def test_all_formats_hold_the_same_numbers(table: Table) -> None:
    shown = [[value.shown for value in row] for row in table.rows]
    assert rows_of_html(as_html([table])) == shown
    assert rows_of_latex(as_latex([table])) == shown
    assert rows_of_markdown(as_markdown([table])) == shown
    in_full = list(csv.DictReader(io.StringIO(as_csv([table]))))
    (in_json,) = json.loads(as_json([table]))
    assert len(in_full) == len(in_json["rows"]) == len(table.rows)
    numbers = 0
    for row, of_csv, of_json in zip(table.rows, in_full, in_json["rows"], strict=True):
        for heading, value in zip(table.headings, row, strict=True):
            names = [f"{heading.name}_{part}" for part in heading.parts] or [heading.name]
            for name in names:
                assert of_csv[name] == ("" if of_json[name] is None else str(of_json[name]))
            # People see the number that machines get, rounded.
            column = COLUMNS.get(heading.name)
            if value.value is not None and column and not column.is_text:
                shown_mean = column.show(of_json[names[0]])
                assert value.shown.split(" ± ")[0] == shown_mean
                numbers += 1
    assert numbers > 5 or table.title


def test_csv_has_every_digit_and_says_what_is_best() -> None:
    exact = 4.000000123456789
    table = runs_table([record(validation=split(exact)), *three_runs()[2:]])
    rows = list(csv.DictReader(io.StringIO(as_csv([table]))))
    assert float(rows[0]["validation_ppl"]) == exact
    assert [row["best"] for row in rows] == ["1", "0"]
    assert rows[1]["validation_ppl"] == ""


def test_tables_with_titles_share_a_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(ppl_grid() * 2))))
    assert len(rows) == 6
    assert rows[0]["table"].startswith("test ppl · time_machine")


def test_an_html_file_is_a_page_that_says_its_encoding() -> None:
    page = FORMATS["html"]([runs_table([record(source="诗.txt")])])
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert "诗.txt</td>" in page


def test_infinity_is_no_number_of_json() -> None:
    text = as_json([runs_table([record(test=split(float("inf")))])])
    assert json.loads(text, parse_constant=pytest.fail)[0]["rows"][0]["test_ppl"] == "inf"


def test_the_best_is_bold() -> None:
    table = runs_table(three_runs(), ["model", "test_ppl"])
    assert "| lstm | 5.000 |" in as_markdown([table])
    assert "| rnn | **4.000** |" in as_markdown([table])
    assert "\\textbf{4.000}" in as_latex([table])
    assert "<strong>4.000</strong>" in as_html([table])


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_place(text: str, title: str) -> None:
    table = Table(
        [Heading("a", "a"), Heading("b", text)], [[Value(1, "1"), Value(text, text)]], title
    )
    page = as_html([table])
    assert (
        re.sub(r"</?(div|table|caption|thead|tbody|tr|th|td)( [^<>]*)?>", "", page).count("<") == 0
    )
    markdown = as_markdown([table])
    assert len([line for line in markdown.splitlines() if line.startswith("|")]) == 3
    row = as_latex([table]).splitlines()
    assert sum(line.endswith(" \\\\") for line in row) == 2
    assert next(csv.DictReader(io.StringIO(as_csv([table]), newline="")))["a"] == "1"


@pytest.mark.skipif(not shutil.which("xelatex"), reason="no TeX is installed")
def test_latex_compiles(tmp_path: Path) -> None:
    every_character = "".join(map(chr, range(32, 127)))
    strange = Table([Heading("a", every_character)], [[Value("", every_character)]], "日本 诗词")
    text = FORMATS["latex"]([*tables(), strange])
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\n\\begin{document}\n"
        f"{text}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:]
    assert (tmp_path / "t.pdf").stat().st_size > 1000


def of_texts(*texts: str) -> Table:
    return Table([Heading("name", "name", is_text=True)], [[Value(text, text)] for text in texts])


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-x", "="]
)
def test_a_text_that_begins_as_a_formula_is_a_text_to_a_spreadsheet(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([of_texts(text)])))
    assert row["name"].startswith("'")
    assert json.loads(as_json([of_texts(text)]))[0]["rows"][0]["name"] == text


@pytest.mark.parametrize("value", [-0.5, -1, 1e-9, float("-inf"), "-0.5", "+1", None, "a=b", "-"])
def test_numbers_stay_numbers_in_csv(value: object) -> None:
    table = Table([Heading("x", "x")], [[Value(value, "")]])
    (row,) = csv.DictReader(io.StringIO(as_csv([table])))
    assert row["x"] == ("'-" if value == "-" else "" if value is None else str(value))


@given(st.lists(st.text() | st.floats() | st.integers(), min_size=1))
@settings(deadline=None, derandomize=True)
def test_a_cell_of_csv_is_a_number_or_begins_no_formula_and_comes_back(
    values: list[object],
) -> None:
    rows = [[Value(value, "")] for value in values]
    read = list(csv.DictReader(io.StringIO(as_csv([Table([Heading("x", "x")], rows)]))))
    for value, row in zip(values, read, strict=True):
        cell = row["x"]
        assert cell.isprintable() or not any(ord(character) < 32 for character in cell)
        if cell.startswith(("=", "+", "-", "@")):
            float(cell)
        if isinstance(value, float | int):
            assert float(cell) == float(value) or value != value
        elif str(value).isprintable():
            assert cell.removeprefix("'") == str(value).removeprefix("'")


def test_what_records_say_is_one_line_without_control_characters_in_every_format() -> None:
    name = "\x1b]0;owned\x07\n\x9b2J" + "x" * 100_000
    table = runs_table([record(model=name, features=name, data=name, source=name)])
    for form in ("markdown", "latex", "html"):
        text = FORMATS[form]([table])
        assert "\x1b" not in text
        assert "\x9b" not in text
        assert len(text) < 5_000
    assert "\x1b" not in as_csv([table])
    assert "\x9b" not in as_json([table])
