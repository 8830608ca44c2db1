"""rnnlm/runs/checkpoint.py: what a checkpoint says of itself is enough to use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlm.data import corpora
from rnnlm.data.texts.splitting import TEST
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.model.features import Embed
from rnnlm.runs.checkpoint import DescriptionError, read_described_checkpoint, rebuild
from rnnlm.runs.run import load_corpus
from rnnlm.runs.trained_model import load
from tests.conftest import Compose, trained
from tests.trained_runs import TrainedRuns


@pytest.mark.parametrize("data", sorted(corpora()))
@pytest.mark.parametrize("model", ["rnn model.nonlinearity=relu", "gru model.num_layers=2"])
def test_network_and_tokens_come_back_from_the_checkpoint_alone(
    data: str, model: str, compose: Compose, tmp_path: Path
) -> None:
    config = compose(f"data={data}", f"model={model.split()[0]}", model.split()[1],
                     "trainer.max_steps=2")  # fmt: skip
    trained(config, tmp_path / "run")
    original = load_corpus(config)
    for path in (best_checkpoint(tmp_path / "run"), last_checkpoint(tmp_path / "run")):
        if not path.exists():
            continue
        network, tokenizer = rebuild(read_described_checkpoint(path), path)
        assert tokenizer.vocabulary.tokens == original.vocabulary.tokens
        assert tokenizer.spelling.costs == original.tokenizer.spelling.costs
        assert tokenizer.corpus.config == config.data
        (text,) = original.texts()[TEST][:1]
        assert tokenizer.prompt_tokens(text[:200]) == original.tokenizer.prompt_tokens(text[:200])
        assert not network.training
        logits_TBV, _ = network(original.splits[TEST].ids_N[:20].unsqueeze(1))
        assert logits_TBV.isfinite().all()


def test_a_run_keeps_the_words_it_was_taught(compose: Compose, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("闻人鹊\n", encoding="utf-8")
    config = compose("data=jinyong", f"data.user_dict={words}", "trainer.max_steps=2")
    trained(config, tmp_path / "run")
    for change in (lambda: words.write_text("人鹊\n", encoding="utf-8"), words.unlink):
        change()
        assert load(tmp_path / "run").tokenizer.prompt_tokens("闻人鹊笑道") == [
            "闻人鹊",
            "笑",
            "道",
        ]


def test_a_checkpoint_without_the_words_it_was_taught_is_refused(
    compose: Compose, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("闻人鹊\n", encoding="utf-8")
    config = compose("data=jinyong", f"data.user_dict={words}", "trainer.max_steps=2")
    trained(config, tmp_path / "run")
    path = best_checkpoint(tmp_path / "run")
    content = read_described_checkpoint(path)
    for kept in (None, [["闻·人", 1]], {"闻人鹊": "1"}):
        content["corpus"] = kept
        with pytest.raises(DescriptionError, match="is of another version of rnnlm"):
            rebuild(content, path)


@pytest.mark.parametrize("tie_weights", ["false", "true"])
def test_an_embedding_as_wide_as_the_vocabulary_comes_back_and_writes(
    tie_weights: str, compose: Compose, tmp_path: Path
) -> None:
    options = ("features.embedding_size=null", f"model.tie_weights={tie_weights}")
    record = trained(compose(*options, "trainer.max_steps=2"), tmp_path / "run")
    assert record.options["features.embedding_size"] is None
    model = load(tmp_path / "run")
    assert isinstance(model.network.features, Embed)
    assert model.network.features.embedding.weight.shape == (record.vocab_size, record.vocab_size)
    assert len(model.generate("It was", length=5)[0].tokens) == 5


@pytest.fixture
def checkpoint(trained_runs: TrainedRuns) -> dict[str, Any]:
    return read_described_checkpoint(best_checkpoint(trained_runs("prose")))


def test_a_checkpoint_holds_tensors_and_primitives_only(checkpoint: dict[str, Any]) -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str | int) and plain(v) for key, v in value.items())
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return value is None or isinstance(value, str | int | float | bool | torch.Tensor)

    assert plain(dict(checkpoint))


def test_another_vocabulary_is_refused(checkpoint: dict[str, Any]) -> None:
    checkpoint["vocabulary"] = checkpoint["vocabulary"][:-3]
    known = len(checkpoint["vocabulary"])
    with pytest.raises(DescriptionError, match=f"names {known} tokens, its weights are for one of"):
        rebuild(checkpoint, Path("x.ckpt"))


def test_what_cannot_be_built_is_refused(checkpoint: dict[str, Any]) -> None:
    for broken in (
        {"spelling": None},
        {"vocabulary": None},
        {"options": {**checkpoint["options"], "model": {"name": "lstm", "hidden_size": 0}}},
    ):
        with pytest.raises(DescriptionError, match="is of another version of rnnlm"):
            rebuild({**checkpoint, **broken}, Path("x.ckpt"))


def test_another_networks_weights_are_refused(checkpoint: dict[str, Any]) -> None:
    checkpoint["options"]["model"]["hidden_size"] += 1
    with pytest.raises(DescriptionError, match="holds other weights than its options ask for"):
        rebuild(checkpoint, Path("x.ckpt"))


@pytest.mark.parametrize("group", ["data", "model", "features"])
@pytest.mark.parametrize("change", [{"name": "nope"}, {"nope": 1}])
def test_options_that_are_not_known_are_refused(
    checkpoint: dict[str, Any], group: str, change: dict[str, Any]
) -> None:
    checkpoint["options"][group] |= change
    with pytest.raises(DescriptionError, match="is of another version of rnnlm") as error:
        rebuild(checkpoint, Path("x.ckpt"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no checkpoint that can be read"),
        (b"not a checkpoint", "is no checkpoint"),
        ({"state_dict": 3}, "is no checkpoint"),
        ([1, 2], "is no checkpoint"),
        ({"state_dict": {}}, "does not say what its vocabulary is"),
    ],
)
def test_what_is_no_checkpoint_is_said_in_one_line(
    content: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(DescriptionError, match=message) as error:
        read_described_checkpoint(path)
    assert "\n" not in str(error.value)
