"""rnnlm/runs/trained_model.py, the Python API, on runs of every corpus."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch

import rnnlm
from rnnlm.data.tang import Script, Tang
from rnnlm.files.run_files import best_checkpoint
from rnnlm.options import OptionError
from rnnlm.results.record import Record
from rnnlm.runs.trained_model import LoadError, load
from tests.conftest import Compose, trained
from tests.trained_runs import RUNS, TrainedRuns


@pytest.mark.parametrize("name", RUNS)
def test_any_run_writes_and_the_joined_tokens_are_the_text(
    name: str, trained_runs: TrainedRuns
) -> None:
    model = rnnlm.load(trained_runs(name))
    prompt = {"tang": "春", "prose": "The", "words": "It was", "lyrics": "我", "novels": "他",
              "sums": "1"}[name]  # fmt: skip
    if name == "sums":
        prompt = "12+3="
    texts = model.generate(prompt, num=5, length=30, with_probabilities=True)
    assert len({text.text for text in texts}) > 1
    for text in texts:
        assert text.prompt == prompt
        assert text.text == "".join(text.tokens).removesuffix("<eos>")
        assert "<unk>" not in text.text
        assert "<bos>" not in text.text
        assert text.complete == (text.tokens[-1] == "<eos>")
        assert text.ppl is not None
        assert len(text.probabilities or ()) == len(text.tokens) <= 30


def test_a_text_is_the_same_whatever_else_is_written(trained_runs: TrainedRuns) -> None:
    model = load(trained_runs("prose"))
    whole = [text.text for text in model.generate("It ", num=9, top_p=0.9)]
    assert [text.text for text in model.generate("It ", num=4, top_p=0.9)] == whole[:4]
    assert [text.text for text in load(trained_runs("prose")).generate("It ", top_p=0.9)] == [
        whole[0]
    ]


def test_the_record_and_the_weights_are_those_of_the_best_epoch(
    trained_runs: TrainedRuns,
) -> None:
    folder = trained_runs("prose")
    model = load(folder)
    assert model.record == Record.read(folder)
    saved = torch.load(best_checkpoint(folder), weights_only=True)["state_dict"]
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, saved[f"network.{name}"])
    from_checkpoint = load(best_checkpoint(folder))
    assert from_checkpoint.record is None
    assert from_checkpoint.generate("It ") == model.generate("It ")


def test_an_unknown_character_of_the_prompt_is_named(trained_runs: TrainedRuns) -> None:
    model = load(trained_runs("prose"))
    with pytest.warns(
        UserWarning, match="the model has not learned '龘', '靐': that is <unk> to it"
    ):
        (text,) = model.generate("T龘h靐龘")
    assert text.prompt == "T龘h靐龘"


def test_where_texts_have_a_beginning_no_prompt_is_needed(trained_runs: TrainedRuns) -> None:
    assert load(trained_runs("tang")).generate()[0].text
    with pytest.raises(OptionError, match="prompt: this model's texts have no beginning"):
        load(trained_runs("prose")).generate()


def test_verse_is_for_tang(trained_runs: TrainedRuns) -> None:
    (poem,) = load(trained_runs("tang")).generate(acrostic="春")
    assert len(poem.text) == 24
    with pytest.raises(OptionError, match="rhyme: it is for verse, of data=tang and not time_mac"):
        load(trained_runs("prose")).generate("The", rhyme=True)
    with pytest.raises(OptionError, match="form: 'ballad' is not one of"):
        load(trained_runs("tang")).generate(form="ballad")


def test_what_is_not_asked_for_is_no_option(trained_runs: TrainedRuns) -> None:
    model = load(trained_runs("tang"))
    (text,) = model.generate("春", form=None, acrostic="", rhyme=False, tones=False, stop=[])
    assert text == model.generate("春")[0]


def test_a_text_to_stop_after_may_stand_alone(trained_runs: TrainedRuns) -> None:
    texts = load(trained_runs("tang")).generate("春", num=9, stop="，")
    assert all("，" not in text.text[:-1] for text in texts)
    assert any(text.text.endswith("，") for text in texts)
    with pytest.raises(OptionError, match="stop: a poem in a form ends where its form does"):
        load(trained_runs("tang")).generate(form="wujue", stop="。")


def test_verse_and_stops_are_in_the_script_of_the_corpus(trained_runs: TrainedRuns) -> None:
    model = load(trained_runs("tang"))
    assert isinstance(model.tokenizer.corpus, Tang)
    model.tokenizer.corpus.config.script = Script.traditional
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (poem,) = model.generate(acrostic="长风")
        assert (poem.text[0], poem.text[6]) == ("長", "風")
        (text,) = model.generate("风", stop=",")
    assert text.prompt == "風"
    assert "，" not in text.text[:-1]


def test_a_prompt_in_the_other_script_is_read_as_the_poems_are_written(
    trained_runs: TrainedRuns,
) -> None:
    model = load(trained_runs("tang"))
    assert {"風", "長"} <= set(model.tokenizer.vocabulary.tokens)
    assert not {"风", "长"} & set(model.tokenizer.vocabulary.tokens)
    (text,) = model.generate("春风")
    assert text == model.generate("春風")[0]
    (poem,) = model.generate(acrostic="长风", form="wujue")
    assert (poem.text[0], poem.text[6]) == ("長", "風")
    # A known character stays as it is typed, and so does one that is known in no script.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert model.generate("春龘云")[0].prompt == "春龘雲"


def test_an_unknown_character_of_an_acrostic_is_named(trained_runs: TrainedRuns) -> None:
    with pytest.warns(UserWarning, match="the model has not learned '龘'"):
        load(trained_runs("tang")).generate(acrostic="龘")


def test_an_option_that_is_none_is_a_type_error(trained_runs: TrainedRuns) -> None:
    with pytest.raises(TypeError, match="nope"):
        load(trained_runs("tang")).generate(nope=1)


@pytest.fixture
def run(trained_runs: TrainedRuns, tmp_path: Path) -> Path:
    """A run of one's own."""
    return Path(shutil.copytree(trained_runs("prose"), tmp_path / "runs" / "prose"))


def change(run: Path, **changes: object) -> None:
    record = json.loads((run / "result.json").read_text())
    del record["sha256"]  # as an earlier version writes it
    (run / "result.json").write_text(json.dumps({**record, **changes}))


def refused(path: Path | str) -> str:
    with pytest.raises(LoadError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_there_must_be_a_run(run: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "nope") == (
        f"{tmp_path}/nope does not exist; give the folder of a run, or a checkpoint"
    )
    assert refused(run.parent).endswith(
        f"is no run itself, give one of those below it, such as {run}"
    )
    assert refused("a" * 300).endswith("cannot be read (File name too long)")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty") == f"no run in {tmp_path}/empty"


def test_the_run_must_have_completed(run: Path) -> None:
    change(run, status="failed", error="it diverged")
    assert refused(run) == f"{run} is a run that has failed: it diverged"
    (run / "result.json").unlink()
    assert refused(run).startswith(f"{run} has not finished; the command that began it goes on")
    (run / "result.json").write_text("{")
    assert "is not a record" in refused(run)


def test_the_checkpoint_must_be_the_runs(run: Path) -> None:
    change(run, fingerprint="other")
    assert (
        refused(run)
        == f"{best_checkpoint(run)} is of another run than the result.json of its folder"
    )
    shutil.rmtree(run / "checkpoints")
    assert refused(run) == f"{best_checkpoint(run)} is missing, force=true trains the run again"


def test_a_baseline_does_not_write(compose: Compose, tmp_path: Path) -> None:
    trained(compose("model=unigram"), tmp_path / "unigram")
    assert refused(tmp_path / "unigram").endswith("unigram, a baseline: there is no network in it")


def test_a_device_that_is_not_there_is_named(trained_runs: TrainedRuns) -> None:
    for device in ("cuda", "nope", "meta"):
        with pytest.raises(LoadError, match=f"device: '{device}' is not on this machine"):
            load(trained_runs("prose"), device)
