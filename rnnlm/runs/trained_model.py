"""A trained model, loaded from its run's folder: it generates texts and measures other texts.

model = rnnlm.load("outputs/tang/lstm-embed/seed1")
for text in model.generate("春", num=3, top_k=5):
    print(text.prompt + text.text, text.complete)
model.generate(form="wujue", acrostic="春江花月", rhyme=True)
model.evaluate("poems.txt").ppl
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import torch

from rnnlm.data.tang import SHAPES
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.evaluation.text import Evaluation, evaluate
from rnnlm.files.run_files import LOG, RECORD, best_checkpoint, last_checkpoint
from rnnlm.generation.options import GenerationOptions, InitialState, check_generation
from rnnlm.generation.verse.constraint import VerseOptions
from rnnlm.generation.writer import Addition, Text, Writer
from rnnlm.model.language_model import LanguageModel
from rnnlm.options import OptionError
from rnnlm.results.record import COMPLETED, Record, RecordError
from rnnlm.runs.checkpoint import DescriptionError, read_described_checkpoint, rebuild
from rnnlm.runtime import prepare_process
from rnnlm.training.checkpoint_file import CheckpointError
from rnnlm.training.module import FINGERPRINT

Choice = TypeVar("Choice", bound=Enum)


class LoadError(Exception):
    """The model cannot be loaded: one line says why and what to do."""


class TrainedModel:
    """A network with the tokenizer that it was trained with.

    Args:
        record: the record of the run; None if only a checkpoint was loaded.
    """

    def __init__(self, network: LanguageModel, tokenizer: Tokenizer, record: Record | None) -> None:
        self.network, self.tokenizer, self.record = network, tokenizer, record
        self._writer = Writer(network, tokenizer.vocabulary)

    def generate(self, prompt: str = "", **options: Any) -> list[Text]:
        """Return texts that continue the prompt.

        Args:
            options: those of `GenerationOptions` and, for poems in a form, of `VerseOptions`;
                `with_probabilities=True` adds the probability of each token.

        Raises:
            OptionError: an option is out of range, or does not go with the model.
        """
        for text in (prompt, options.get("acrostic") or ""):
            if unknown := self.unknown(text):
                warnings.warn(unknown_in_words(unknown), stacklevel=2)
        texts = {p.number: p.text for p in self.stream(prompt, **options) if p.text is not None}
        return [texts[number] for number in sorted(texts)]

    def stream(
        self, prompt: str = "", *, with_probabilities: bool = False, **options: Any
    ) -> Iterator[Addition]:
        """Yield the texts of `generate` piece by piece, all texts side by side."""
        verse = self._verse(options)
        if "state" in options:
            options["state"] = _choice("state", options["state"], list(InitialState))
        stop = options.pop("stop", None) or []
        stop = [stop] if isinstance(stop, str) else stop
        options["stop"] = [self.tokenizer.in_corpus_script(text, "stop") for text in stop]
        generation = GenerationOptions(**options)
        check_generation(generation)
        if verse is not None and stop:
            raise OptionError("stop", "a poem in a form ends where its form does")
        return self._writer.stream(
            self.tokenizer.prompt_tokens(prompt), generation, verse, with_probabilities
        )

    def evaluate(self, path: str | Path, encoding: str | None = None) -> Evaluation:
        """Return the metrics of a file, cleaned and tokenized as the model's own corpus was.

        Args:
            encoding: any text encoding that Python knows; None recognises the file's.

        Raises:
            OptionError: the file cannot be read, is larger than 1 GiB, or holds no text.
        """
        return evaluate(self.network, self.tokenizer, Path(path), encoding)

    def unknown(self, prompt: str) -> list[str]:
        """Return the tokens of a prompt that the model does not know."""
        tokens = self.tokenizer.prompt_tokens(prompt)
        return [t for t in dict.fromkeys(tokens) if t not in self.tokenizer.vocabulary]

    def _verse(self, options: dict[str, Any]) -> VerseOptions | None:
        """Take the options about verse out of the others, if any is given."""
        names = [field.name for field in dataclasses.fields(VerseOptions)]
        given = {name: value for name in names if (value := options.pop(name, None))}
        if not given:
            return None
        if (corpus := self.tokenizer.corpus.config.name) != "tang":
            raise OptionError(next(iter(given)), f"it is for verse, of data=tang and not {corpus}")
        if "form" in given:
            given["form"] = _choice("form", given["form"], list(SHAPES))
        if "acrostic" in given:
            given["acrostic"] = self.tokenizer.in_corpus_script(given["acrostic"], "acrostic")
        return VerseOptions(**given)


def load(run: str | Path, device: str = "cpu") -> TrainedModel:
    """Return the model of a run, or the model in a checkpoint file.

    A run's model has the weights with the lowest validation loss.

    Args:
        run: the run's folder, or the path of a checkpoint.
        device: the device that computes, such as `cpu` or `cuda`.

    Raises:
        LoadError: there is no such run, it has not completed or is a baseline, or its checkpoint
            cannot be used.
    """
    prepare_process()
    path, record = Path(run), None
    try:
        if not path.exists():
            raise LoadError(f"{path} does not exist; give the folder of a run, or a checkpoint")
        if path.is_dir():
            record = _completed(path)
            path = best_checkpoint(path)
            if not path.exists():
                raise LoadError(f"{path} is missing, force=true trains the run again")
        if not path.is_file():
            raise LoadError(f"{path} is neither the folder of a run nor a checkpoint")
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise LoadError(f"{path} cannot be read ({reason})") from error
    try:
        checkpoint = read_described_checkpoint(path)
        if record is not None and checkpoint[FINGERPRINT] != record.fingerprint:
            raise LoadError(f"{path} is of another run than the {RECORD} of its folder")
        network, tokenizer = rebuild(checkpoint, path)
    except DescriptionError as error:
        damaged = record is not None and isinstance(error.__cause__, CheckpointError)
        advice = "; force=true trains the run again" if damaged else ""
        raise LoadError(f"{error}{advice}") from error
    try:
        torch.zeros(1, device=device).tolist()
        network.to(torch.device(device))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LoadError(f"device: {device!r} is not on this machine; cpu is") from error
    return TrainedModel(network, tokenizer, record)


def unknown_in_words(unknown: list[str]) -> str:
    """Return a warning that the model does not know these tokens."""
    return f"the model has not learned {', '.join(map(repr, unknown))}: that is <unk> to it"


def _completed(folder: Path) -> Record:
    """Return the record of a run that has completed and has a network.

    Raises:
        LoadError: there is none.
    """
    try:
        record = Record.read(folder)
    except FileNotFoundError as error:
        below = sorted(path.parent for path in folder.rglob(RECORD))
        if below:
            raise LoadError(
                f"{folder} is no run itself, give one of those below it, such as {below[0]}"
            ) from error
        if last_checkpoint(folder).exists() or (folder / LOG).exists():
            raise LoadError(
                f"{folder} has not finished; the command that began it goes on with it"
            ) from error
        raise LoadError(f"no run in {folder}") from error
    except RecordError as error:
        raise LoadError(str(error)) from error
    if record.status != COMPLETED:
        raise LoadError(f"{folder} is a run that has failed: {record.error}")
    if record.adaptation is not None:
        raise LoadError(
            f"{folder} is of {record.model}: give {folder.parent.parent}, its network's"
        )
    if record.features is None:
        raise LoadError(f"{folder} is of {record.model}, a baseline: there is no network in it")
    return record


def _choice(name: str, value: str | Choice, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if value in (choice, choice.value):
            return choice
    names = ", ".join(choice.value for choice in choices)
    raise OptionError(name, f"{value!r} is not one of {names}")
