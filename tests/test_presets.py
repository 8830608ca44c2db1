"""conf/experiment/: every preset trains on the sample, small and for an epoch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rnnlm.config import Config
from rnnlm.files.run_files import SAMPLES
from rnnlm.results.record import COMPLETED
from rnnlm.runs.run import load_corpus
from tests.conftest import ROOT, Run, composed, trained

PRESETS = {path.stem: path for path in sorted((ROOT / "conf/experiment").glob("*.yaml"))}
RECORDS = "*/*/*/result.json"
# A preset's options of the corpus and its batches are kept: they must fit the sample.
SMALL = [
    "model.num_parameters=null",
    "model.hidden_size=8",
    "trainer.max_epochs=1",
    "trainer.max_steps=3",
    "trainer.check_val_every_n_epoch=1",
]
SMALLER = {
    "addition": ["data.num_sums=500"],
    "best_addition": ["data.num_sums=500"],
    "best_tang": ["features.embedding_size=4"],
    "best_jaychou": ["features.embedding_size=4"],
    "best_jinyong": ["features.embedding_size=4"],
}


def small(preset: str, *overrides: str) -> Config:
    return composed(f"experiment={preset}", *SMALL, *SMALLER.get(preset, []), *overrides)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_small_version_trains_on_the_sample(preset: str, tmp_path: Path) -> None:
    record = trained(small(preset, "samples.every_n_epochs=1"), tmp_path)
    assert record.status == COMPLETED, record.error
    assert record.source == "sample"
    assert (tmp_path / SAMPLES).read_text(encoding="utf-8").startswith("epoch 1\n")


@pytest.mark.parametrize("preset", PRESETS)
def test_its_command_stands_at_its_head_and_is_understood(preset: str) -> None:
    lines = PRESETS[preset].read_text(encoding="utf-8").splitlines()
    (command,) = (line for line in lines if line.startswith("#   python run.py "))
    assert f"experiment={preset}" in command
    options = [part for part in command.split() if "=" in part]
    composed(*(option.split(",")[0] for option in options))
    assert ("-m" in command.split()) == ("sweeper:" in "".join(lines) or "," in command)


def test_the_embedding_of_the_lyrics_grid_is_as_wide_as_the_vocabulary(tmp_path: Path) -> None:
    config = small("lyrics_grid")
    record = trained(config, tmp_path)
    vocab, hidden, gates = record.vocab_size, 8, 4 * 8
    assert vocab is not None
    first, second = gates * (vocab + hidden + 2), gates * (2 * hidden + 2)
    assert record.num_parameters == vocab * vocab + first + second + vocab * (hidden + 1)


def test_the_lyrics_grid_is_swept_as_it_says_unless_told_otherwise(
    run_py: Run, tmp_path: Path
) -> None:
    def cells(*options: str) -> dict[tuple[str, str], object]:
        result = run_py(*options, "experiment=lyrics_grid", *SMALL)
        assert result.returncode == 0, result.stderr
        records = [json.loads(path.read_text(encoding="utf-8")) for path in runs.glob(RECORDS)]
        shutil.rmtree(runs)
        width = "features.embedding_size"
        return {(r["model"], r["features"]): r["options"].get(width, "none") for r in records}

    runs = tmp_path / "outputs"
    assert cells("-m", "model=rnn,gru") == {
        (model, kind): width
        for model in ("rnn", "gru")
        for kind, width in (("embed", None), ("onehot", "none"))
    }
    assert cells() == {("lstm", "embed"): None}


def test_the_rnn_of_the_time_machine_reads_letters() -> None:
    corpus = load_corpus(composed("experiment=time_machine_rnn"))
    assert corpus.vocabulary.tokens[0] == "<unk>"
    assert set(corpus.vocabulary.tokens[1:]) <= set(" abcdefghijklmnopqrstuvwxyz")


def test_the_first_characters_of_tang_rnn_are_in_the_script_of_the_poems(tmp_path: Path) -> None:
    config = small("tang_rnn", "samples.every_n_epochs=1")
    trained(config, tmp_path)
    written = (tmp_path / SAMPLES).read_text(encoding="utf-8").split("\n\n\n")[0]
    texts = [part.partition("|") for part in written.split("\n\n")[1:]]
    assert [prompt for prompt, _, _ in texts] == list("日紅山夜湖海月")
    assert all(len(text) <= 50 for _, _, text in texts)
