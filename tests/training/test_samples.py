"""rnnlm/training/samples.py, in real training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rnnlm.data.texts.splitting import SPLITS
from rnnlm.files.run_files import SAMPLES
from rnnlm.options import OptionError, result_options
from rnnlm.training.samples import TENSORBOARD_TAG
from tests.conftest import Compose, trained


def logged(folder: Path, tag: str) -> dict[int, str]:
    """Return the texts that TensorBoard shows under a tag, by step."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    found = events.Tensors(f"{tag}/text_summary")
    return {event.step: event.tensor_proto.string_val[0].decode() for event in found}


def test_samples_are_written_every_few_epochs_from_fixed_prompts(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = compose(
        "data=tang",
        "trainer.max_epochs=5",
        "samples.every_n_epochs=2",
        "samples.prompts=['春','日']",
        "samples.length=10",
        "samples.temperature=0.5",
    )
    with caplog.at_level("INFO", logger="rnnlm"):
        trained(config, tmp_path / "run")
    messages = [r.getMessage() for r in caplog.records if " wrote: " in r.getMessage()]
    assert [m.split("|")[0] for m in messages] == [
        *("epoch 2 wrote: 春", "epoch 2 wrote: 日"),
        *("epoch 4 wrote: 春", "epoch 4 wrote: 日"),
    ]
    shown = logged(tmp_path / "run", TENSORBOARD_TAG)
    assert len(shown) == 2
    for text, both in zip(shown.values(), (messages[:2], messages[2:]), strict=True):
        for message in both:
            assert message.split(" wrote: ")[1] in text


@pytest.mark.parametrize("averaging", ["none", "ema"])
def test_a_file_has_them_all_and_ends_with_the_chosen_checkpoints(
    compose: Compose, tmp_path: Path, averaging: str
) -> None:
    config = compose(
        "data=tang",
        "trainer.max_epochs=4",
        "samples.every_n_epochs=2",
        "samples.prompts=['春','日']",
        "samples.length=10",
        f"optimizer.averaging={averaging}",
        "optimizer.ema_decay=0.8",
    )
    record = trained(config, tmp_path / "run")
    written = (tmp_path / "run" / SAMPLES).read_text(encoding="utf-8")
    first, second, chosen = written.split("\n\n\n")
    assert [part.splitlines()[0] for part in (first, second, chosen)] == [
        *("epoch 2", "epoch 4"),
        f"epoch {record.best_epoch}, the best on validation",
    ]
    for part in (first, second, chosen):
        assert [text[:2] for text in part.strip().split("\n\n")[1:]] == ["春|", "日|"]
    assert record.best_epoch == 4
    assert chosen.split("\n", 1)[1] == second.split("\n", 1)[1] + "\n"


def test_without_prompts_it_goes_on_from_the_validation_text(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for prompts in ("[]", "['']"):
        caplog.clear()
        with caplog.at_level("INFO", logger="rnnlm"):
            record = trained(
                compose("samples.every_n_epochs=1", f"samples.prompts={prompts}"),
                tmp_path / prompts,
            )
        (message,) = [r.getMessage() for r in caplog.records if " wrote: " in r.getMessage()]
        assert message.startswith(f"epoch 1 wrote: {record.prompt}|")


def test_what_is_trained_does_not_depend_on_them(compose: Compose, tmp_path: Path) -> None:
    results: list[Any] = []
    for number, options in enumerate(
        (["samples.every_n_epochs=1", "samples.num=3"], ["samples.every_n_epochs=null"])
    ):
        config = compose("model.dropout=0.5", "trainer.max_epochs=2", *options)
        trained(config, tmp_path / str(number))
        record = json.loads((tmp_path / str(number) / "result.json").read_text())
        results.append([*(record[split] for split in SPLITS), record["sample"]])
        results.append(result_options(config))
    assert results[:2] == results[2:]


def test_an_unknown_token_of_a_prompt_is_named_in_the_log(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained(compose("samples.prompts=['龘']"), tmp_path / "run")
    assert "samples.prompts: the vocabulary has no '龘', it is <unk>" in caplog.text


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("samples.every_n_epochs=0", "samples.every_n_epochs: 0 is out of range"),
        ("samples.temperature=-1", "samples.temperature: -1.0 is out of range"),
        ("samples.stop=['']", "samples.stop: it is empty"),
    ],
)
def test_bad_options_are_named(option: str, message: str, compose: Compose) -> None:
    with pytest.raises(OptionError) as error:
        compose(option)
    assert str(error.value).startswith(message)
