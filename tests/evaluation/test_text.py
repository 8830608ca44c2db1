"""rnnlm/evaluation/text.py: any file under a trained run."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.evaluation_batches import CONTEXT
from rnnlm.data.texts.splitting import TEST
from rnnlm.data.tokens.vocabulary import BEGIN_ID
from rnnlm.evaluation import text as evaluation
from rnnlm.options import OptionError
from rnnlm.results.record import Record
from rnnlm.runs.run import load_corpus
from rnnlm.runs.trained_model import load
from tests.conftest import TINY, composed
from tests.trained_runs import RUNS, TrainedRuns


def file_of_test_split(name: str, folder: Path) -> Path:
    """The test split of a run, as a file."""
    corpus = load_corpus(composed(*TINY, *RUNS[name]))
    path = folder / "test.txt"
    path.write_text("\n".join(corpus.texts()[TEST]), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [name for name in RUNS if name != "novels"])
def test_the_test_split_as_a_file_has_the_records_figures_to_the_last_digit(
    name: str, trained_runs: TrainedRuns, tmp_path: Path
) -> None:
    run = trained_runs(name)
    record = Record.read(run)
    measured = load(run).evaluate(file_of_test_split(name, tmp_path))
    assert record.test is not None
    for metric in ("loss", "ppl", "bpc", "num_tokens", "num_chars"):
        assert getattr(measured, metric) == record.test[metric]
    assert measured.unknown_rate == record.oov_rate


@pytest.mark.parametrize("name", RUNS)
def test_a_text_in_many_parts_is_hardly_different(
    name: str, trained_runs: TrainedRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = file_of_test_split(name, tmp_path), load(trained_runs(name))
    whole = model.evaluate(path)
    monkeypatch.setattr(evaluation, "PART_TOKENS", 300)
    parts = model.evaluate(path)
    for metric in ("num_tokens", "num_chars", "unknown_rate"):
        assert getattr(parts, metric) == getattr(whole, metric)
    # Documents are whole in any part; else every part but the first begins with context.
    by_document = name in ("lyrics", "sums")
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6 if by_document else 1e-5)
    assert parts.bpc == pytest.approx(whole.bpc, rel=1e-6 if by_document else 1e-5)


@given(st.lists(st.integers(0, 12), min_size=1), st.integers(2, 30))
def test_no_document_is_cut(lengths: list[int], part_tokens: int) -> None:
    ids_N = torch.tensor([i for length in lengths for i in (BEGIN_ID, *[9] * length)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "PART_TOKENS", part_tokens)
        by_document = [part for part, _ in evaluation.parts(ids_N, by_document=True)]
    assert torch.equal(torch.cat(by_document), ids_N)
    assert all(part[0] == BEGIN_ID for part in by_document)
    assert max(map(len, by_document)) < part_tokens + 13


@settings(deadline=None)
@given(st.integers(2, 3000), st.integers(2, 1000))
def test_each_part_begins_with_the_end_of_the_one_before(num: int, part_tokens: int) -> None:
    ids_N = torch.arange(num)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "PART_TOKENS", part_tokens)
        parts = list(evaluation.parts(ids_N, by_document=False))
    assert torch.equal(torch.cat([ids_N[:1], *(part[first:] for part, first in parts)]), ids_N)
    for part, first in parts:
        assert torch.equal(part, torch.arange(int(part[0]), int(part[-1]) + 1))
        assert 0 < len(part) - first <= part_tokens
        assert first >= min(CONTEXT, int(part[first]))


def test_unknown_tokens_are_counted_and_charged(trained_runs: TrainedRuns, tmp_path: Path) -> None:
    model = load(trained_runs("prose"))
    path = tmp_path / "text"
    path.write_text("It 龘 was")
    measured = model.evaluate(path)
    assert measured.unknown_rate == 1 / 7
    spelled = model.tokenizer.spelling.nats("龘")
    assert measured.bpc == pytest.approx((measured.loss + spelled / 7) / math.log(2))
    assert measured.ppl == math.exp(measured.loss)


def test_the_first_token_is_given(trained_runs: TrainedRuns, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("龘It")
    measured = load(trained_runs("prose")).evaluate(path)
    assert (measured.num_tokens, measured.num_chars, measured.unknown_rate) == (2, 2, 0)
    path.write_text("I")
    with pytest.raises(OptionError, match=r"text: .* has nothing to predict"):
        load(trained_runs("prose")).evaluate(path)


def test_poems_are_read_as_the_corpus_reads_them(trained_runs: TrainedRuns, tmp_path: Path) -> None:
    model = load(trained_runs("tang"))
    lines, collection = tmp_path / "poems.txt", tmp_path / "poems.json"
    poems = ["白日依山盡，黃河入海流。", "春眠不覺曉（一作「早」），處處聞啼鳥。"]
    lines.write_text("登高:" + poems[0] + "\n春曉:" + poems[1], encoding="utf-8")
    collection.write_text(json.dumps([{"paragraphs": [poem]} for poem in poems]))
    measured = model.evaluate(lines)
    assert measured == model.evaluate(collection)
    assert measured.num_tokens == measured.num_chars == 2 * 13
    assert dataclasses.asdict(measured) == measured.to_dict()


def test_the_encoding_of_a_text_can_be_said(trained_runs: TrainedRuns, tmp_path: Path) -> None:
    model = load(trained_runs("prose"))
    (tmp_path / "utf8").write_text("It isn’t so. " * 9, encoding="utf-8")
    (tmp_path / "cp1252").write_bytes(("It isn’t so. " * 9).encode("cp1252"))
    assert model.evaluate(tmp_path / "cp1252", "cp1252") == model.evaluate(tmp_path / "utf8")
    with pytest.raises(OptionError, match=r"text: cp1252 is not text in .* --encoding=cp1252"):
        model.evaluate(tmp_path / "cp1252")
    with pytest.raises(OptionError, match="encoding: 'zip' is no encoding of text"):
        model.evaluate(tmp_path / "utf8", "zip")
    # The encoding of the run's own text is taken, unless a file is UTF-8.
    model.tokenizer.corpus.config.encoding = "cp1252"
    assert model.evaluate(tmp_path / "cp1252") == model.evaluate(tmp_path / "utf8")


def test_a_text_is_decoded_like_any_source(trained_runs: TrainedRuns, tmp_path: Path) -> None:
    model = load(trained_runs("novels"))
    text = "\u3000\u3000他走進門來，說道：「好冷！」\n" * 30
    found = []
    for encoding_name in ("utf-8", "gb18030", "utf-16"):
        (tmp_path / encoding_name).write_bytes(text.encode(encoding_name))
        found.append(model.evaluate(tmp_path / encoding_name))
    assert found[0] == found[1] == found[2]
