"""rnnlm/runs/run.py: a run's metrics, computed again from its checkpoint in the plainest way."""

from __future__ import annotations

import itertools
import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.files.run_files import best_checkpoint, last_checkpoint
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.product import has_fast_bfloat16
from rnnlm.model.stepper import Stepper
from rnnlm.results.record import COMPLETED, FAILED, Record
from rnnlm.runs.run import load_corpus
from tests.conftest import Compose, trained
from tests.support.runs import scalars


def metrics(record: Record) -> dict[str, Any]:
    """What must be the same whenever the same run is made again."""
    names = ("num_parameters", "vocab_size", "oov_rate", "epochs", "best_epoch", "history", *SPLITS)
    return {name: getattr(record, name) for name in names}


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_recorded_loss_is_the_likelihood_of_every_token_in_reading_order(
    cell: str, compose: Compose, tmp_path: Path, text_file: Path
) -> None:
    config = compose(
        f"model={cell}", f"data.source={text_file}", "model.dropout=0.5", "trainer.max_epochs=2"
    )
    record = trained(config, tmp_path / "run")
    corpus = load_corpus(config)
    network = LanguageModel(len(corpus.vocabulary), config.model, config.features)
    best = torch.load(best_checkpoint(tmp_path / "run"), weights_only=True)["state_dict"]
    network.load_state_dict({k.removeprefix("network."): v for k, v in best.items()})
    stepper = Stepper(network.double())
    for name in SPLITS:
        # One token after the other, from the zero state to the end of the split.
        ids = corpus.splits[name].ids_N
        state, nats = network.initial_state(1), 0.0
        for token, following in itertools.pairwise(ids):
            state = stepper.read(token.view(1), state)
            nats -= stepper.logits(state).log_softmax(-1)[0, following].item()
        recorded = getattr(record, name)
        assert recorded["num_tokens"] == recorded["num_chars"] == len(ids) - 1
        assert recorded["loss"] == pytest.approx(nats / (len(ids) - 1), rel=1e-5)
        assert recorded["ppl"] == math.exp(recorded["loss"])
        bits = (nats + corpus.splits[name].unknown_nats) / math.log(2)
        assert recorded["bpc"] == pytest.approx(bits / (len(ids) - 1), rel=1e-5)


def test_the_best_checkpoint_is_the_one_evaluated(compose: Compose, tmp_path: Path) -> None:
    # The network soon overfits so small a text, and its validation loss rises.
    options = ("data.max_chars=3000", "model.hidden_size=64", "optimizer.lr=0.02")
    record = trained(compose(*options, "trainer.max_epochs=30"), tmp_path)
    losses = [value for _, value in scalars(tmp_path, "loss/validation")]
    assert len(losses) == record.epochs == 30
    assert record.best_epoch == losses.index(min(losses)) + 1 < 25
    assert record.validation is not None
    assert record.validation["loss"] == pytest.approx(min(losses), rel=1e-6)


def test_the_same_run_gives_the_same_metrics_to_the_last_digit(
    compose: Compose, tmp_path: Path
) -> None:
    config = compose("model.dropout=0.2")
    first = trained(config, tmp_path / "first")
    torch.manual_seed(12345)
    torch.rand(100)
    second = trained(config, tmp_path / "second")
    assert first.status == COMPLETED
    assert metrics(first) == metrics(second)


def test_seed_zero_is_a_seed_like_any_other(compose: Compose, tmp_path: Path) -> None:
    zero, again, one = (
        metrics(trained(compose(f"seed={seed}"), tmp_path / str(folder)))
        for folder, seed in enumerate((0, 0, 1))
    )
    assert zero == again
    assert zero != one


def test_the_record_says_what_was_run_and_where(compose: Compose, tmp_path: Path) -> None:
    record = trained(compose("features=onehot"), tmp_path)
    content = json.loads((tmp_path / "result.json").read_text())
    assert content["status"] == COMPLETED
    assert (content["data"], content["source"]) == ("time_machine", "sample")
    assert (content["model"], content["features"], content["seed"]) == ("lstm", "onehot", 1)
    assert content["overrides"] == ["seed=1"]
    assert len(content["text_sha256"]) == 64
    assert set(content["versions"]) == {"rnnlm", "torch", "lightning"}
    assert content["device"] == "cpu"
    assert content["precision"] == "32-true"
    assert content["evaluation"] == "context-512"
    missing = [name for name, value in content.items() if value is None]
    assert set(missing) <= {"error", "adaptation", "exact_match", "git_revision"}
    assert record.tokens_per_second is not None
    assert record.tokens_per_second > 0


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_log_tells_of_bfloat16_units_once_and_where_they_are(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture, precision: str
) -> None:
    with caplog.at_level("INFO", "rnnlm"):
        trained(compose(f"trainer.precision={precision}"), tmp_path)
    lines = [line for line in caplog.messages if "trainer.precision=bf16-mixed" in line]
    told = precision == "32-true" and has_fast_bfloat16(torch.device("cpu"))
    assert len(lines) == told


def test_unknown_characters_do_not_dominate(compose: Compose, tmp_path: Path) -> None:
    text = "the sea was calm and the day was long. " * 200
    path = tmp_path / "text.txt"
    path.write_text(text[: len(text) - 200] + "Ω" + text[-200:], encoding="utf-8")
    options = (f"data.source={path}", "trainer.max_epochs=20", "optimizer.lr=0.01")
    record = trained(compose(*options), tmp_path / "run")
    assert record.oov_rate is not None
    assert 0 < record.oov_rate < 0.05
    assert record.test is not None
    assert record.validation is not None
    # One unseen character in 780 adds little to the loss.
    assert record.test["loss"] - record.validation["loss"] < 0.1


def test_checkpoints_hold_tensors_and_primitives_only(compose: Compose, tmp_path: Path) -> None:
    trained(compose(), tmp_path)
    for path in (best_checkpoint(tmp_path), last_checkpoint(tmp_path)):
        assert "state_dict" in torch.load(path, weights_only=True)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_the_last_checkpoint_is_of_the_last_epoch(compose: Compose, tmp_path: Path) -> None:
    trained(compose("optimizer.lr=0.2", "trainer.max_epochs=4"), tmp_path)
    history = torch.load(last_checkpoint(tmp_path), weights_only=True)["history"]
    assert len(history["train_running"]) == 4


def test_a_failure_is_recorded_in_one_line_with_its_traceback_in_the_log(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = compose("optimizer=sgd", "optimizer.lr=1e30", "trainer.gradient_clip_val=null")
    with caplog.at_level(logging.DEBUG, logger="rnnlm"):
        record = trained(config, tmp_path)
    assert record.status == FAILED == Record.read(tmp_path).status
    assert record.error is not None
    assert "loss is" in record.error
    assert "optimizer.lr" in record.error
    assert record.test is None
    assert any(entry.exc_info for entry in caplog.records)


def test_what_an_earlier_attempt_left_is_removed(compose: Compose, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best-v1.ckpt").write_text("stale")
    (tmp_path / "run.log").write_text("kept")
    trained(compose(), tmp_path)
    assert not (tmp_path / "checkpoints" / "best-v1.ckpt").exists()
    assert (tmp_path / "run.log").read_text() == "kept"


def test_steps_can_be_limited_to_less_than_an_epoch(compose: Compose, tmp_path: Path) -> None:
    assert trained(compose("trainer.max_steps=3"), tmp_path).status == COMPLETED


def test_early_stopping_stops(compose: Compose, tmp_path: Path) -> None:
    options = ("early_stopping.patience=2", "optimizer.lr=1e-12", "trainer.max_epochs=50")
    record = trained(compose(*options, "early_stopping.min_delta=0.01"), tmp_path)
    assert record.epochs == 3


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimizer_trains_with_every_schedule(
    optimizer: str, schedule: str, compose: Compose, tmp_path: Path, text_file: Path
) -> None:
    options = (f"optimizer={optimizer}", f"optimizer.schedule={schedule}", "trainer.max_epochs=2")
    record = trained(compose(*options, f"data.source={text_file}"), tmp_path)
    assert record.status == COMPLETED, record.error


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_precision_is_an_option(
    cell: str, precision: str, compose: Compose, tmp_path: Path, text_file: Path
) -> None:
    options = (f"model={cell}", f"data.source={text_file}", "trainer.max_epochs=2")
    exact = trained(compose(*options), tmp_path / "exact")
    other = trained(compose(*options, f"trainer.precision={precision}"), tmp_path / "other")
    assert other.test is not None
    assert exact.test is not None
    assert other.test["loss"] != exact.test["loss"]
    assert other.test["loss"] == pytest.approx(exact.test["loss"], rel=0.02)


@pytest.mark.parametrize("batching", ["stream", "windows", "documents"])
@pytest.mark.parametrize("data", ["tang", "time_machine"])
def test_every_corpus_trains_in_every_batching(
    data: str, batching: str, compose: Compose, tmp_path: Path
) -> None:
    record = trained(compose(f"data={data}", f"data.batching={batching}"), tmp_path)
    assert record.status == COMPLETED, record.error
    assert record.validation is not None
    assert record.validation["ppl"] < (record.vocab_size or 0)


def test_answers_are_checked_one_by_one_however_the_sums_are_batched(
    compose: Compose, tmp_path: Path
) -> None:
    for batching in ("stream", "windows", "documents"):
        options = ("data=addition", "data.num_sums=27", "data.max_digits=1", "data.batch_size=8")
        record = trained(
            compose(*options, f"data.batching={batching}", "data.seq_len=2"),
            tmp_path / batching,
        )
        assert record.status == COMPLETED, record.error
        assert record.exact_match is not None
        # The test split has three sums.
        assert record.exact_match * 3 == pytest.approx(round(record.exact_match * 3))
        for by_kind in (record.exact_match_by["digits"], record.exact_match_by["carries"]):
            assert sum(kind["tasks"] for kind in by_kind.values()) == 3


def test_kinds_of_sums_are_told_even_where_a_digit_is_unknown(
    compose: Compose, tmp_path: Path
) -> None:
    options = ("data=addition", "data.num_sums=20", "data.max_digits=2", "data.min_count=12")
    record = trained(compose(*options, "data.batch_size=8"), tmp_path)
    assert record.status == COMPLETED, record.error
    assert record.oov_rate
    assert {"digits", "carries"} == set(record.exact_match_by)


def test_batching_of_documents_does_not_change_what_is_measured(
    compose: Compose, tmp_path: Path
) -> None:
    as_stream = trained(compose("data=tang"), tmp_path / "stream")
    as_documents = trained(compose("data=tang", "data.batching=documents"), tmp_path / "documents")
    assert as_stream.test is not None
    assert as_documents.test is not None
    for name in ("num_tokens", "num_chars", "unigram_ppl"):
        assert as_stream.test[name] == as_documents.test[name]


def test_tensorboard_holds_one_curve_per_metric_and_real_hparams(
    compose: Compose, tmp_path: Path
) -> None:
    record = trained(compose("trainer.max_epochs=3"), tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {f"{m}/{split}" for m in ("loss", "ppl") for split in ("train", "test")} <= tags
    assert {"loss/validation", "ppl/validation", "loss/train_running"} <= tags
    assert "hp_metric" not in tags
    curve = [event.value for event in events.Scalars("loss/validation")]
    assert curve == pytest.approx([value for _, value in scalars(tmp_path, "loss/validation")])
    assert record.test is not None
    assert events.Scalars("ppl/test")[-1].value == pytest.approx(record.test["ppl"])

    plugin = events.summary_metadata
    experiment = plugin_data_pb2.HParamsPluginData.FromString(
        plugin["_hparams_/experiment"].plugin_data.content
    ).experiment
    metric_tags = {info.name.tag for info in experiment.metric_infos}
    assert {"ppl/validation_best", "ppl/test", "bpc/test"} <= metric_tags <= tags
    start = plugin_data_pb2.HParamsPluginData.FromString(
        plugin["_hparams_/session_start_info"].plugin_data.content
    ).session_start_info
    assert start.hparams["cell"].string_value == "lstm"
    assert start.hparams["num_parameters"].number_value == record.num_parameters


def test_a_batch_that_only_begins_a_document_is_no_divergence(
    compose: Compose, tmp_path: Path
) -> None:
    options = ("data=tang", "data.batching=stream", "data.batch_size=1", "data.seq_len=1")
    record = trained(compose(*options, "trainer.max_steps=100"), tmp_path)
    assert record.status == COMPLETED, record.error
