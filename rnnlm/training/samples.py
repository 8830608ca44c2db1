"""Samples in training: continuations of fixed prompts, written every few epochs.

They go to the run's log, to TensorBoard, and to `samples.txt` in its folder, which ends with the
samples of the best checkpoint.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger

from rnnlm.data.preparation import PreparedCorpus
from rnnlm.files.atomic_write import write_text
from rnnlm.files.run_files import SAMPLES
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.writer import Text, Writer
from rnnlm.model.language_model import LanguageModel
from rnnlm.options import option
from rnnlm.training.averaging import AverageWeights
from rnnlm.training.module import LanguageModelModule
from rnnlm.training.stopwatch import Stopwatch

log = logging.getLogger(__name__)

TENSORBOARD_TAG = "samples"


@dataclass
class SamplesConfig(GenerationOptions):
    """Options of the samples in training; they never change the trained network."""

    length: int = option(100, minimum=1, affects_result=False)
    # None writes no samples.
    every_n_epochs: int | None = option(5, minimum=1, affects_result=False)
    # No prompt, or an empty one for a corpus without documents, means the beginning of validation.
    prompts: list[str] = field(default_factory=list, metadata={"affects_result": False})


class WriteSamples(Callback):
    """Writes samples with the same random draws each time, to the run's folder."""

    def __init__(
        self,
        config: SamplesConfig,
        corpus: PreparedCorpus,
        stopwatch: Stopwatch,
        averaging: AverageWeights,
        folder: Path,
    ) -> None:
        self._config, self._vocabulary = config, corpus.vocabulary
        self._path = folder / SAMPLES
        # The content of the file, for when an interrupted run resumes.
        self._written: list[str] = []
        self._stopwatch, self._averaging = stopwatch, averaging
        self._prompts = [corpus.tokenizer.prompt_tokens(prompt) for prompt in config.prompts] or [
            corpus.prompt()
        ]
        if not corpus.vocabulary.has_documents:
            self._prompts = [prompt or corpus.prompt() for prompt in self._prompts]
        for token in {token for prompt in self._prompts for token in prompt}:
            if token not in self._vocabulary:
                log.warning("samples.prompts: the vocabulary has no %r, it is <unk>", token)

    def state_dict(self) -> dict[str, Any]:
        return {"written": list(self._written)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._written = list(state_dict["written"])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        every, epoch = self._config.every_n_epochs, trainer.current_epoch + 1
        if every is None or epoch % every:
            return
        assert isinstance(pl_module, LanguageModelModule)
        with self._stopwatch.paused(), self._averaging.averaged_weights():
            self._log_and_save(self.generate(pl_module.network), trainer)

    def write_best(self, network: LanguageModel, epoch: int) -> None:
        """Add samples of the best checkpoint, saved after this epoch, to the file."""
        if self._config.every_n_epochs is not None:
            self._append_to_file(f"epoch {epoch}, the best on validation", self.generate(network))

    def _log_and_save(self, texts: list[Text], trainer: Trainer) -> None:
        epoch = f"epoch {trainer.current_epoch + 1}"
        for text in texts:
            log.info("%s wrote: %s|%s", epoch, text.prompt, text.text)
        self._append_to_file(epoch, texts)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                shown = "\n\n---\n\n".join(as_markdown(text.prompt, text.text) for text in texts)
                logger.experiment.add_text(TENSORBOARD_TAG, shown, trainer.global_step - 1)

    def _append_to_file(self, title: str, texts: list[Text]) -> None:
        parts = [title, *(f"{text.prompt}|{text.text}" for text in texts)]
        self._written.append("\n\n".join(parts) + "\n")
        write_text(self._path, "\n\n".join(self._written))

    def generate(self, network: LanguageModel) -> list[Text]:
        """Return a text of the network for each prompt, written on the CPU.

        A GPU would be waited for after each token.
        """
        if next(network.parameters()).is_cuda:
            network = copy.deepcopy(network).cpu()
        writer = Writer(network, self._vocabulary)
        pieces = (p for prompt in self._prompts for p in writer.stream(prompt, self._config))
        return [piece.text for piece in pieces if piece.text is not None]


def as_markdown(prompt: str, text: str) -> str:
    """Return a prompt and its continuation, indented so that nothing in them is markup."""
    return "\n".join(f"    {line}" for line in f"{prompt}|{text}".split("\n"))
