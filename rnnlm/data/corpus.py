"""The base of every corpus: files to texts to splits to tokens to batches, in one DataModule."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from rnnlm.data import token_cache
from rnnlm.data.batching import (
    Batch,
    Batches,
    Batching,
    Documents,
    for_evaluation,
    for_training,
)
from rnnlm.data.encoding import check_encoding, decoded, is_unicode
from rnnlm.data.source import File, PublishedFile, read_file, read_source
from rnnlm.data.spelling import Spelling
from rnnlm.data.splitting import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    Pieces,
    contiguous,
    refuse_nothing_to_train_on,
)
from rnnlm.data.token_cache import TokenisedCorpus, TokenisedSplit
from rnnlm.data.vocabulary import BEGIN, BEGIN_ID, END, UNKNOWN_ID, Vocabulary
from rnnlm.options import OptionError, option

log = logging.getLogger(__name__)

PROMPT_TOKENS = 24
# Part of every key of the cache: raised when the same text would be tokenised differently.
TOKENS_VERSION = 3
# How the tokens are put into batches, or where the text lies, does not change the tokens.
NOT_IN_KEY = ("source", "batch_size", "seq_len", "variable_seq_len")


@dataclass
class CorpusConfig:
    """Options of every corpus."""

    name: str = ""
    # What the text is, not where it lies, decides a result: the text's hash is in the fingerprint.
    source: str = option("sample", affects_result=False)
    # What its files are decoded by, any text encoding of Python's; null recognises it.
    encoding: str | None = option(None, affects_result=False)
    validation_fraction: float = option(0.1, above=0, below=1)
    test_fraction: float = option(0.1, above=0, below=1)
    # Tokens that occur less often in the training split are `<unk>`.
    min_count: int = option(2, minimum=1)
    # At most this many tokens, the most frequent.
    max_vocab: int | None = option(None, minimum=1)
    batching: Batching = Batching.stream
    batch_size: int = option(32, minimum=1)
    seq_len: int = option(64, minimum=1)
    # Steps of each batch of streams vary about `seq_len`, anew in each epoch.
    variable_seq_len: bool = False


class Tokens(NamedTuple):
    """The tokens of some texts, in reading order."""

    tokens: list[str]  # with `<bos>` and `<eos>` where the text is in documents
    num_chars: int  # characters of the text that the predicted ones among them stand for


@dataclass(frozen=True)
class Split:
    """One of train, validation and test, or another text, as token indices."""

    ids_N: Tensor
    begin_id: int | None  # where the text is in documents
    num_chars: int  # characters of the text that the predicted tokens stand for
    unknown_nats: float  # what the unknown tokens cost to spell

    @property
    def predicted_N(self) -> Tensor:  # noqa: N802
        """What is predicted: all but `<bos>`, or but the very first token."""
        if self.begin_id is None:
            return self.ids_N[1:]
        return self.ids_N[self.ids_N != self.begin_id]

    @property
    def num_tokens(self) -> int:
        """How many tokens are predicted."""
        return len(self.predicted_N)


class Corpus(LightningDataModule, ABC):
    """A text, split into train, validation and test, as batches of token indices.

    A subclass says what its text is (`sample`, `published`, `parse`) and what its tokens are
    (`tokenize`). Where the text is in documents, each stands between `<bos>` and `<eos>`.

    Args:
        seed: of the order of shuffled batches.
    """

    Config: ClassVar[type[CorpusConfig]] = CorpusConfig
    sample: ClassVar[str] = ""
    published: ClassVar[tuple[PublishedFile, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    # What stands between a task and its answer, where documents are such.
    answer_mark: ClassVar[str | None] = None

    def __init__(self, config: CorpusConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.seed = seed
        self.splits: dict[str, Split] = {}
        self.vocabulary: Vocabulary
        self.spelling: Spelling
        self.text_sha256 = ""
        # What was read, left out or changed, and how often.
        self.notes: list[str] = []
        # What the user is to look at.
        self.warnings: list[str] = []
        # The characters and the encoding of each file that was decoded.
        self._decoded: list[tuple[int, str]] = []
        self._encoding_option = "data.encoding="

    def files(self) -> list[File]:
        """What `data.source` names."""
        return read_source(self.config.source, self.sample, self.published, self.suffixes)

    def decode(self, file: File) -> str:
        r"""The text of a file, lines ending in ``\n``, read in `data.encoding` or a recognised one.

        Raises:
            OptionError: it is no text in the encoding, or it cannot be told in which it is.
        """
        text, encoding = decoded(
            file.content, file.name, self.config.encoding, self._encoding_option
        )
        self._decoded.append((len(text), encoding))
        return text

    @abstractmethod
    def parse(self, files: Sequence[File]) -> list[str]:
        """The cleaned texts: documents, or pieces that are read one after the other."""

    @abstractmethod
    def tokenize(self, texts: Sequence[str]) -> Iterable[list[str]]:
        """The tokens of each text; joined, they are what normalisation leaves of it."""

    def normalised(self, texts: Sequence[str]) -> Sequence[str]:
        """What is tokenised and so predicted of each text: all of it, unless an option says so."""
        return texts

    def split(self, texts: Sequence[str]) -> Pieces:
        """The texts' division; contiguous, by proportion of each, unless a corpus knows better."""
        cuts = [
            contiguous(text, self.config.validation_fraction, self.config.test_fraction)
            for text in texts
        ]
        return {name: [piece for cut in cuts for piece in cut[name] if piece] for name in SPLITS}

    @property
    def in_documents(self) -> bool:
        """Whether the texts that `parse` returns are documents, whatever `data.batching` is."""
        return False

    @property
    def alphabet(self) -> str | None:
        """The only tokens that can come up, where that is known."""
        return None

    def tokens_depend_on(self) -> Any:
        """What, besides the files and the options, decides the tokens: versions, dictionaries."""
        return None

    def kept(self) -> Any:
        """What a checkpoint keeps, besides the options, of all that decides a text's tokens.

        Primitives; None is nothing.
        """
        return None

    def restore(self, kept: Any) -> None:
        """Take what a checkpoint has kept.

        Raises:
            ValueError: it is not what such a corpus keeps.
        """

    def setup(self, stage: str | None = None) -> None:
        """Read, split and number the text, or find it in the cache; every stage uses the same.

        Raises:
            OptionError: the text cannot be had or read, or is too small for the options.
        """
        if self.splits:
            return
        refuse_nothing_to_train_on(self.config.validation_fraction, self.config.test_fraction)
        if self.config.encoding is not None:
            check_encoding(self.config.encoding)
        files = self.files()
        key = self._key(files)
        tokenised = token_cache.load(key)
        if tokenised is None:
            tokenised = self._tokenise(files)
            token_cache.store(key, tokenised)
        self.text_sha256 = tokenised.text_sha256
        self.notes = tokenised.notes
        for note in self.notes:
            log.info("%s: %s", self.config.name, note)
        self.warnings = tokenised.warnings
        for warning in self.warnings:
            log.warning("%s: %s", self.config.name, warning)
        self.vocabulary = Vocabulary(tokenised.vocabulary)
        self.spelling = Spelling(tokenised.spelling)
        self.splits = {name: self._split_of(split) for name, split in tokenised.splits.items()}
        self._check_sizes()

    def texts(self) -> Pieces:
        """The cleaned text of each split, read anew: its documents, or its pieces in order.

        Raises:
            OptionError: the text cannot be had or read.
        """
        return self._pieces(self.files())[1]

    def read_file(self, path: Path, encoding: str | None = None) -> Split:
        """Any file as tokens, read, cleaned and tokenised as this corpus' own text is.

        All of it is taken: `data.max_chars`, `data.max_poems`, `data.form` and the division into
        splits do not apply, and a poem that comes again is not left out.

        Args:
            encoding: of the file; None takes UTF-8 where it is that, else `data.encoding` where the
                corpus has one, and else recognises it.

        Raises:
            OptionError: the file cannot be had or read, is no text of this corpus, or no text is
                left of it.
        """
        # `parse` takes notes, and those of the corpus are about its own text.
        reader = copy.copy(self)
        reader._decoded, reader._encoding_option = [], "--encoding="
        try:
            file = read_file(path)
            if encoding is not None:
                check_encoding(encoding)
            elif not is_unicode(file.content):
                encoding = self.config.encoding
            reader.config = replace(self.config, encoding=encoding)
            texts = reader.parse_file(file)
        except OptionError as error:
            # What reads a corpus' own text names the option that the text was given by.
            names = {"data.source": "text", "data.encoding": "encoding"}
            if error.option not in names:
                raise
            raise OptionError(names[error.option], error.problem) from error
        if not any(map(str.strip, texts)):
            raise OptionError("text", f"no text is left of {path.name}")
        tokens = self._tokens(self._documents(texts))
        return self._split_of(numbered(tokens, self.vocabulary, self.spelling))

    def parse_file(self, file: File) -> list[str]:
        """The cleaned texts of one file, all of it.

        A subclass whose `parse` leaves out some of a text by its options says here what all is.
        """
        return self.parse([file])

    def typed(self, text: str) -> list[str]:
        """The tokens of a text typed by hand, as this corpus would make them of its own.

        Raises:
            OptionError: it holds bytes that are no text.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:  # how Python passes on an argument that is not UTF-8
            raise OptionError("prompt", "it is not text in UTF-8") from error
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return [token for tokens in self.tokenize([text] if text else []) for token in tokens]

    def as_written(self, text: str) -> str:
        """A text in the script and with the marks of this corpus; as it stands if any will do."""
        return text

    @property
    def identity(self) -> str:
        """What the tokens are made of, besides the options: text, dictionaries, versions."""
        depends_on = self.tokens_depend_on()
        if self._lacks_unknown:
            depends_on = [depends_on, "no token is taken for <unk>"]
        if depends_on is None:
            return self.text_sha256
        return hashlib.sha256(json.dumps([self.text_sha256, depends_on]).encode()).hexdigest()

    @property
    def _lacks_unknown(self) -> bool:
        """Whether training shows no `<unk>`, though it lacks tokens that may come up.

        Earlier versions took the least frequent token for one: their runs are others.
        """
        is_closed = self.alphabet is not None and set(self.alphabet) <= set(self.vocabulary.tokens)
        return not is_closed and not bool((self.splits[TRAIN].ids_N == UNKNOWN_ID).any())

    @property
    def held_out_sha256(self) -> str:
        """Of vocabulary, validation and test: where it is the same, figures compare."""
        digest = hashlib.sha256(json.dumps(self.vocabulary.tokens).encode())
        for name in (VALIDATION, TEST):
            digest.update(self.splits[name].ids_N.numpy().astype("<i8").tobytes())
            digest.update(b"|")
        return digest.hexdigest()

    def prompt(self) -> list[str]:
        """A beginning to be continued: that of the validation split.

        Of documents the first token of the first; of a running text so many tokens.
        """
        split = self.splits[VALIDATION]
        if split.begin_id is not None:
            return self.vocabulary.decode(split.ids_N[1:2].tolist())
        return self.vocabulary.decode(split.ids_N[:PROMPT_TOKENS].tolist())

    @property
    def oov_rate(self) -> float:
        """Share of the test split's predicted tokens that are `<unk>`."""
        return (self.splits["test"].predicted_N == UNKNOWN_ID).double().mean().item()

    def train_dataloader(self) -> Batches:
        """The training split, batched as `data.batching` says."""
        split, config = self.splits["train"], self.config
        return for_training(
            config.batching,
            split.ids_N,
            config.batch_size,
            config.seq_len,
            split.begin_id,
            self.seed,
            config.variable_seq_len,
        ).to(self._device)

    def val_dataloader(self) -> Batches:
        """The validation split, for evaluation."""
        return self._whole("validation")

    def test_dataloader(self) -> list[Batches]:
        """All three splits, for the evaluation of the chosen checkpoint, in the order of SPLITS."""
        return [self._whole(name) for name in SPLITS]

    def tasks(self) -> Documents:
        """The test split by document, however it is batched elsewhere."""
        split = self.splits["test"]
        tasks = for_evaluation(Batching.documents, split.ids_N, split.begin_id)
        assert isinstance(tasks, Documents)
        return tasks

    def kinds(self, task: str) -> dict[str, int]:
        """What a task's difficulty is told by, such as its `digits`, and how many it has of it.

        Of a corpus that does not say, nothing.

        Args:
            task: a document of the text, where documents are tasks.
        """
        return {}

    def _whole(self, name: str) -> Batches:
        split = self.splits[name]
        batches = for_evaluation(self.config.batching, split.ids_N, split.begin_id)
        return batches.to(self._device)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Nothing to move: a batch is cut out of tokens that lie on the device."""
        return batch

    @property
    def _device(self) -> torch.device:
        """Where the Trainer trains, once there is one."""
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def _key(self, files: Sequence[File]) -> str:
        options = {
            name: str(value)
            for name, value in asdict(self.config).items()
            if name not in NOT_IN_KEY
        }
        described = [TOKENS_VERSION, options, self.tokens_depend_on()]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for file in files:
            digest.update(f"\n{file.name}\n{len(file.content)}\n".encode(errors="replace"))
            digest.update(file.content)
        return f"{self.config.name}-{digest.hexdigest()[:24]}"

    def _pieces(self, files: Sequence[File]) -> tuple[list[str], Pieces]:
        """The cleaned texts, and the pieces of them that are tokenised."""
        self._decoded = []
        texts = self.parse(files)
        pieces = self.split(texts)
        return texts, {name: self._documents(texts) for name, texts in pieces.items()}

    def _documents(self, texts: Sequence[str]) -> list[str]:
        """The texts, or where their lines are to be documents, each line that is not empty."""
        if not self._by_line:
            return list(texts)
        return [line for text in texts for line in text.split("\n") if line]

    @property
    def _by_line(self) -> bool:
        """Whether each line of a text is to be a document."""
        return self.config.batching is Batching.documents and not self.in_documents

    def _tokens(self, texts: Sequence[str]) -> Tokens:
        """The tokens of texts, each between `<bos>` and `<eos>` where they are documents."""
        num_chars = sum(map(len, texts))
        tokens: list[str] = []
        if self._by_line or self.in_documents:
            for text in self.tokenize(texts):
                tokens += [BEGIN, *text, END]
            # A document's end is one character more: the line end that would stand there.
            return Tokens(tokens, num_chars + len(texts))
        for text in self.tokenize(texts):
            tokens += text
        # The very first token is given.
        return Tokens(tokens, num_chars - len(tokens[0]) if tokens else num_chars)

    def _split_of(self, split: TokenisedSplit) -> Split:
        begin_id = BEGIN_ID if self.vocabulary.bounded else None
        ids_N = torch.from_numpy(split.ids.astype(np.int64))
        return Split(ids_N, begin_id, split.num_chars, split.unknown_nats)

    def _tokenise(self, files: Sequence[File]) -> TokenisedCorpus:
        texts, pieces = self._pieces(files)
        if self._decoded:
            self.notes = [self._what_was_read(texts), *self.notes]
        elif files and self.config.encoding is not None:
            raise OptionError("data.encoding", f"data={self.config.name} decodes by itself")
        bounded = self._by_line or self.in_documents
        tokens = {name: self._tokens(texts) for name, texts in pieces.items()}
        counts = Counter(tokens[TRAIN].tokens)
        if bounded:
            del counts[BEGIN], counts[END]
        vocabulary = Vocabulary.build(counts, self.config.min_count, self.config.max_vocab, bounded)
        spelling = Spelling.learned(counts, set(vocabulary.tokens))
        return TokenisedCorpus(
            _hash_of_texts(texts),
            vocabulary.tokens,
            spelling.costs,
            self.notes,
            self.warnings,
            {name: numbered(tokens[name], vocabulary, spelling) for name in SPLITS},
        )

    def _what_was_read(self, texts: Sequence[str]) -> str:
        """The encodings of the files, and how many of their characters are in the texts."""
        encodings = Counter(encoding for _, encoding in self._decoded)
        found = ", ".join(
            f"{count:,} {'file' if count == 1 else 'files'} in {encoding}"
            for encoding, count in encodings.items()
        )
        read, kept = sum(chars for chars, _ in self._decoded), sum(map(len, texts))
        return f"read {found}: {read:,} characters, {max(read - kept, 0):,} of them taken off"

    def _check_sizes(self) -> None:
        for name in ("validation", "test"):
            if self.splits[name].num_tokens < 1:
                raise OptionError(
                    f"data.{name}_fraction",
                    f"{getattr(self.config, f'{name}_fraction')} of the text is too little",
                )
        split, config = self.splits["train"], self.config
        if config.variable_seq_len and config.batching is not Batching.stream:
            raise OptionError("data.variable_seq_len", "only data.batching=stream has it")
        available = split.num_tokens
        if config.batching is Batching.documents:
            assert split.begin_id is not None
            documents = int((split.ids_N == split.begin_id).sum())
            if config.batch_size > documents:
                raise OptionError(
                    "data.batch_size",
                    f"{config.batch_size} is more than the documents to train on, "
                    f"it takes at most {documents}",
                )
        elif config.seq_len > available:
            raise OptionError(
                "data.seq_len",
                f"{config.seq_len} is longer than the training text, "
                f"it takes at most {max(available, 0)}",
            )
        elif config.batch_size * config.seq_len > available:
            raise OptionError(
                "data.batch_size",
                f"{config.batch_size} streams of data.seq_len={config.seq_len} need more than the "
                f"{available:,} tokens to train on, it takes at most {available // config.seq_len}",
            )


def _hash_of_texts(texts: Sequence[str]) -> str:
    """Of a single text its own hash; of several, one that tells where each begins."""
    content = texts[0] if len(texts) == 1 else json.dumps(texts)
    return hashlib.sha256(content.encode()).hexdigest()


def numbered(tokens: Tokens, vocabulary: Vocabulary, spelling: Spelling) -> TokenisedSplit:
    """Tokens as their numbers; those to be predicted that are unknown are charged."""
    ids = vocabulary.encode(tokens.tokens)
    # The first token is given, and not predicted.
    unknown = [tokens.tokens[place] for place in np.flatnonzero(ids == UNKNOWN_ID) if place]
    return TokenisedSplit(ids, tokens.num_chars, float(sum(map(spelling.nats, unknown))))
