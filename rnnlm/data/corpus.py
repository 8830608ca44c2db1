"""The base of every corpus: text, split, vocabulary and batches behind one LightningDataModule."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from rnnlm.data.batching import Streams
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.options import OptionError, option

SPLITS = ("train", "validation", "test")


@dataclass
class CorpusConfig:
    """Options of every corpus."""

    name: str = ""
    # What the text is, not where it lies, decides a result: the text's hash is in the fingerprint.
    source: str = option("sample", affects_result=False)
    validation_fraction: float = option(0.1, above=0, below=1)
    test_fraction: float = option(0.1, above=0, below=1)
    min_count: int = option(2, minimum=1)
    batch_size: int = option(32, minimum=1)
    seq_len: int = option(64, minimum=1)


@dataclass
class Split:
    """One of train, validation and test: its raw text and the tokens made of it."""

    raw: str
    tokens: list[str]
    ids_N: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))

    @property
    def num_tokens(self) -> int:
        """Tokens that are predicted: all but the first, which nothing comes before."""
        return len(self.tokens) - 1

    @property
    def num_chars(self) -> int:
        """Characters of the raw text that the predicted tokens stand for."""
        return len(self.raw) - len(self.tokens[0])


class Corpus(LightningDataModule, ABC):
    """A text, split into train, validation and test in reading order, as batches of token indices.

    A subclass says where its text comes from (`read`) and what its tokens are (`tokenize`).
    """

    Config: ClassVar[type[CorpusConfig]]

    def __init__(self, config: CorpusConfig) -> None:
        super().__init__()
        self.config = config
        self.splits: dict[str, Split] = {}
        self.vocabulary: Vocabulary
        self.text_sha256 = ""

    @abstractmethod
    def read(self) -> str:
        """The raw text."""

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """The tokens of a piece of the raw text."""

    @property
    def closed_alphabet(self) -> bool:
        """Whether no token can come up that the training split does not show."""
        return False

    def setup(self, stage: str | None = None) -> None:
        """Read, split and number the text; every stage uses the same.

        Raises:
            OptionError: the text cannot be had, or is too small for the options.
        """
        if self.splits:
            return
        text = self.read()
        self.text_sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.splits = {
            name: Split(raw, self.tokenize(raw)) for name, raw in self._cut(text).items()
        }
        self._check_sizes()
        self.vocabulary = Vocabulary.build(
            self.splits["train"].tokens, self.config.min_count, self.closed_alphabet
        )
        for split in self.splits.values():
            split.ids_N = self.vocabulary.encode(split.tokens)

    @property
    def oov_rate(self) -> float:
        """Share of the test split's tokens that are `<unk>`."""
        return (self.splits["test"].ids_N == 0).double().mean().item()

    def train_dataloader(self) -> Streams:
        """The training split in `batch_size` streams of `seq_len` steps, never shuffled."""
        ids_N = self.splits["train"].ids_N
        return Streams(ids_N, self.config.batch_size, self.config.seq_len)

    def val_dataloader(self) -> Streams:
        """The validation split, for evaluation."""
        return Streams.for_evaluation(self.splits["validation"].ids_N)

    def test_dataloader(self) -> list[Streams]:
        """All three splits, for the evaluation of the chosen checkpoint, in the order of SPLITS."""
        return [Streams.for_evaluation(self.splits[name].ids_N) for name in SPLITS]

    def _cut(self, text: str) -> dict[str, str]:
        """Contiguous: train, then validation, then test."""
        held_out = self.config.validation_fraction + self.config.test_fraction
        if held_out >= 1:
            raise OptionError(
                "data.validation_fraction",
                f"with data.test_fraction it is {held_out:g} of the text, none is left to train on",
            )
        validation_start = math.floor(len(text) * (1 - held_out))
        test_start = math.floor(len(text) * (1 - self.config.test_fraction))
        return {
            "train": text[:validation_start],
            "validation": text[validation_start:test_start],
            "test": text[test_start:],
        }

    def _check_sizes(self) -> None:
        for name in ("validation", "test"):
            if self.splits[name].num_tokens < 1:
                raise OptionError(
                    f"data.{name}_fraction",
                    f"{getattr(self.config, f'{name}_fraction')} of the text is too little",
                )
        available = self.splits["train"].num_tokens
        batch_size, seq_len = self.config.batch_size, self.config.seq_len
        if seq_len > available:
            raise OptionError(
                "data.seq_len",
                f"{seq_len} is longer than the training text, it takes at most {max(available, 0)}",
            )
        if batch_size * seq_len > available:
            raise OptionError(
                "data.batch_size",
                f"{batch_size} streams of data.seq_len={seq_len} need more than the {available:,} "
                f"tokens to train on, it takes at most {available // seq_len}",
            )
