"""rnnlm/plots/saving.py"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from rnnlm.plots.all_plots import draw_all
from rnnlm.plots.layout import Plot
from rnnlm.plots.saving import Format, encoded, write
from rnnlm.plots.style import PALETTE, PNG_DPI, WIDTH
from rnnlm.results.history import Metric, XAxis
from tests.conftest import ROOT
from tests.plots.reading import comparison_of, lightness
from tests.plots.sweep import Runs

SVG = "{http://www.w3.org/2000/svg}"


def plots_of(runs: Runs) -> list[Plot]:
    """A curve, the grid and the trade-offs."""
    return draw_all(runs, [comparison_of(runs)], [XAxis.epoch], [Metric.ppl])[0]


@pytest.fixture(scope="module")
def plots(swept: Runs) -> list[Plot]:
    return plots_of(swept)


def test_each_plot_is_two_files_and_nothing_else(plots: list[Plot], tmp_path: Path) -> None:
    paths = write(plots, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == [
        f"{plot.name}.{end}" for plot in plots for end in ("svg", "png")
    ]
    assert sorted(paths) == sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.suffix for path in write(plots, tmp_path / "svg", [Format.svg])] == [".svg"] * 4


def test_an_svg_is_text_as_paths_with_its_title(plots: list[Plot]) -> None:
    for plot in plots:
        root = ElementTree.fromstring(encoded(plot, Format.svg))
        assert root.findtext(f"{SVG}title") == plot.title
        assert root.find(f".//{SVG}text") is None
        assert root.find(f".//{SVG}image") is None
        width, height = plot.figure.get_size_inches()
        assert root.get("viewBox") == f"0 0 {72 * width:g} {72 * height:g}"


def test_the_same_records_give_the_same_files(swept: Runs, plots: list[Plot]) -> None:
    for one, other in zip(plots, plots_of(swept), strict=True):
        for form in Format:
            assert encoded(one, form) == encoded(other, form)
            assert encoded(one, form) == encoded(one, form)


def test_a_users_own_settings_do_not_matter(swept: Runs, plots: list[Plot]) -> None:
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "savefig.dpi": 10}):
        for one, other in zip(plots, plots_of(swept), strict=True):
            assert encoded(one, Format.svg) == encoded(other, Format.svg)


def grey(plot: Plot) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The picture as CIE lightness, from 0 to 100."""
    pixels = imread(io.BytesIO(encoded(plot, Format.png)))[..., :3].astype(np.float64)
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    lightness_: np.ndarray[tuple[int, int], np.dtype[np.float64]] = 116 * np.cbrt(luminance) - 16
    return lightness_


def test_a_png_is_a_picture_of_its_size(plots: list[Plot]) -> None:
    for plot in plots:
        picture = grey(plot)
        width, height = plot.figure.get_size_inches()
        assert picture.shape == (int(height * PNG_DPI), int(width * PNG_DPI))
        ink = np.mean(picture < 90)
        assert 0.01 < ink < 0.7
        # Nothing touches the edges.
        edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
        assert all(edge.min() > 99 for edge in edges)
    assert plots[0].figure.get_size_inches()[0] == WIDTH


def test_the_lines_of_the_cells_differ_in_the_grey_picture(plots: list[Plot]) -> None:
    picture = np.round(grey(plots[0]))
    for colour in PALETTE[:3]:
        level = round(lightness(colour))
        # What the line and its markers cover, and no blend of others, has this very lightness.
        assert np.mean(np.abs(picture - level) <= 1) > 0.001


def test_neither_a_display_nor_training_is_needed(swept: Runs, tmp_path: Path) -> None:
    folder = swept[0][0].parents[2]
    program = f"""
import sys
from pathlib import Path
from rnnlm.plots.all_plots import draw_all
from rnnlm.plots.saving import write
from rnnlm.results.grouping import comparisons
from rnnlm.results.record import find_records
runs, _ = find_records([Path({str(folder)!r})])
plots, _ = draw_all(runs, comparisons([record for _, record in runs]))
write(plots[:1], Path({str(tmp_path)!r}))
assert not {{"torch", "pytorch_lightning", "matplotlib.pyplot"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=ROOT)
    assert len(list(tmp_path.iterdir())) == 2


def test_only_this_package_imports_matplotlib() -> None:
    """And only what shows results imports this package: a run does not wait for it."""
    package = ROOT / "rnnlm"
    for path in package.rglob("*.py"):
        part = path.relative_to(package).parts[0]
        imported = [
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (getattr(node, "module", None), *(alias.name for alias in node.names))
            if name
        ]
        if part != "plots":
            assert not any(name.startswith("matplotlib") for name in imported), path
        if part not in ("plots", "cli", "report"):
            assert not any(name.startswith("rnnlm.plots") for name in imported), path


def test_a_folder_that_cannot_be_written_is_an_error(plots: list[Plot], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write(plots, tmp_path / "file" / "folder")
