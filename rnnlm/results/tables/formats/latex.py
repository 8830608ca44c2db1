r"""Tables in LaTeX, for \usepackage{booktabs}.

Chinese is left as it is, for an engine and a package that set it: XeLaTeX or LuaLaTeX with ctex.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnlm.results.tables.table import Table

PREAMBLE = "% needs \\usepackage{booktabs}; for Chinese XeLaTeX or LuaLaTeX, and \\usepackage{ctex}"

SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedbl{}",
    "±": "$\\pm$",
    "–": "--",
    "·": "$\\cdot$",
    # A row that begins with one would be taken for an option of the row before.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}


def as_latex(tables: Sequence[Table]) -> str:
    """One `table` environment after the other, the best of each column in bold."""
    return "\n".join([PREAMBLE, *map(_latex, tables)])


def _latex(table: Table) -> str:
    columns = "".join("l" if heading.is_text else "r" for heading in table.headings)
    lines = ["\\begin{table}", "\\centering"]
    if table.title:
        lines.append(f"\\caption{{{_escape_latex(table.title)}}}")
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
    lines.append(_latex_row(_escape_latex(heading.heading) for heading in table.headings))
    lines.append("\\midrule")
    for row in table.rows:
        shown = [_escape_latex(value.shown) for value in row]
        lines.append(
            _latex_row(
                f"\\textbf{{{text}}}" if value.is_best else text
                for text, value in zip(shown, row, strict=True)
            )
        )
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"\n{{\\footnotesize {_escape_latex(note)}}}" for note in table.notes]
    return "\n".join([*lines, "\\end{table}"]) + "\n"


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _escape_latex(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))
