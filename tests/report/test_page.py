"""rnnlm/report/page.py: one page that holds what the tables hold, seen in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rnnlm.report.page import render
from rnnlm.results.columns import COLUMNS
from rnnlm.results.grouping import comparisons
from rnnlm.results.tables.formats import as_html
from rnnlm.results.tables.grid import grid_tables
from rnnlm.results.tables.group_table import groups_table
from tests.plots.sweep import Runs, failed, sweep

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Measures the page once it is loaded.
LOOK = """<script>addEventListener("load", () => { document.title = JSON.stringify({
  wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
  images: document.images.length,
  broken: [...document.images].filter(image => !image.naturalWidth).length,
  fetched: performance.getEntriesByType("resource").map(e => e.name).filter(n => !/^data:/.test(n))
}); });</script>"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Two corpora, of which one is in Chinese, and a run that has failed."""
    folder = tmp_path_factory.mktemp("sweep")
    found = sweep(folder, text_sha256="e" * 64, prompt="The tra", sample="veller <b>&\n  spoke")
    found += sweep(
        folder / "two",
        data="tang",
        source="/texts/唐诗 & 词.txt",
        text_sha256="c" * 64,
        prompt="春",
        sample="眠不觉晓，\n处处闻啼鸟。",
        overrides=["data=tang", "data.source=/texts/唐诗 & 词.txt", "seed=1"],
        versions={"rnnlm": "0.1.0"},
        options={"optimizer.lr": 0.002, "model.num_parameters": None, "data.name": "tang"},
    )
    return [*found, failed(model="gru", seed=9)]


@pytest.fixture(scope="module")
def page(runs: Runs) -> str:
    """The report of them."""
    return render(runs, ["x/result.json is not a record"], "Recurrent <models>")


def test_the_grids_and_the_means_are_those_of_the_tables(page: str, runs: Runs) -> None:
    for data in ("time_machine", "tang"):
        records = [record for _, record in runs if record.data == data]
        (comparison,) = comparisons(records)
        assert as_html(grid_tables(comparison, COLUMNS["test_ppl"])) in page
        table = groups_table([comparison])
        for name in ("validation_ppl", "test_ppl", "test_bpc"):
            for value in table.column(name):
                assert html.escape(value.shown) in page


def test_question_answer_setting_and_failures_are_told(page: str) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "Which is best: rnn, lstm or gru, with embed or onehot, on " in text
    assert "Baselines: unigram, kneser_ney, xz and bz2." in text
    assert "time_machine: Lowest test ppl: gru-embed" in text
    assert "Method: paired t test over seeds" in text
    assert "failed: time_machine gru-embed seed 9: DivergedError: loss is nan" in text
    assert "x/result.json is not a record" in text
    assert re.search(r"optimizer.lr\s*0.002", text)


def test_every_model_has_its_sample_and_no_text_is_taken_for_markup(page: str) -> None:
    assert page.count('<span class="prompt">The tra</span>veller &lt;b&gt;&amp;\n  spoke') == 6 + 4
    assert page.count("眠不觉晓，\n处处闻啼鸟。") == 6 + 4
    assert "<title>Recurrent &lt;models&gt;</title>" in page


def test_every_row_has_the_command_that_gives_it_again(page: str) -> None:
    shown = html.unescape(page)
    source = "'data.source=/texts/唐诗 & 词.txt'"
    assert shown.count(f"python run.py -m data=tang {source} seed=1,2,3</pre>") == 6
    assert shown.count(f"python run.py data=tang {source}</pre>") == 4


def test_the_page_needs_no_other_file(page: str) -> None:
    links = re.findall(r"""(?:src|href)=["']?([^"'> ]+)""", page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "url(" not in page
    assert "@import" not in page


def test_the_same_runs_give_the_same_page(page: str, runs: Runs) -> None:
    assert render(runs, ["x/result.json is not a record"], "Recurrent <models>") == page


def test_runs_of_a_baseline_alone_make_a_page(runs: Runs) -> None:
    alone = [run for run in runs if run[1].model == "unigram"][:1]
    assert "What do the baselines reach, on time_machine?" in render(alone, [], "One")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_a_browser_shows_it_without_error_or_overflow(
    width: int, page: str, tmp_path: Path
) -> None:
    assert CHROMIUM is not None
    (tmp_path / "report.html").write_text(page.replace("</body>", f"{LOOK}</body>"))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--window-size={width},900", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [
        "--disable-dev-shm-usage",
        "--virtual-time-budget=10000",
        "--dump-dom",
        f"file://{tmp_path / 'report.html'}",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "CONSOLE" not in shown.stderr
    title = re.search(r"<title>(.*?)</title>", shown.stdout)
    assert title
    seen = json.loads(html.unescape(title[1]))
    assert (seen["wide"], seen["broken"], seen["fetched"]) == (seen["room"], 0, [])
    assert seen["images"] >= 10
