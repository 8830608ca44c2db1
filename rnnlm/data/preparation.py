"""A corpus made ready: its files become token indices, or are found in the cache."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from rnnlm.data.batching import Batching, Documents
from rnnlm.data.corpus import Corpus
from rnnlm.data.encoding import check_encoding
from rnnlm.data.evaluation_batches import for_evaluation
from rnnlm.data.texts.source import File
from rnnlm.data.texts.splitting import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    SplitTexts,
    refuse_nothing_to_train_on,
)
from rnnlm.data.tokenizer import Tokenizer, documents_of, has_documents, tokens_of
from rnnlm.data.tokens import token_cache
from rnnlm.data.tokens.spelling import Spelling
from rnnlm.data.tokens.tokenized import TokenizedCorpus
from rnnlm.data.tokens.vocabulary import BEGIN, END, UNKNOWN_ID, Vocabulary
from rnnlm.options import OptionError

log = logging.getLogger(__name__)

PROMPT_TOKENS = 24
# Part of every key of the cache. Increase it when a change makes other tokens of the same text.
TOKENS_VERSION = 3
OPTIONS_WITHOUT_EFFECT_ON_TOKENS = ("source", "batch_size", "seq_len", "variable_seq_len")


class PreparedCorpus:
    """A corpus as token indices in three splits, with the tokenizer that made them.

    Attributes:
        definition: the `Corpus` whose hooks made the tokens.
    """

    def __init__(self, definition: Corpus, tokenized: TokenizedCorpus) -> None:
        self.definition, self.config = definition, definition.config
        self.text_sha256, self.splits = tokenized.text_sha256, tokenized.splits
        self.notes, self.warnings = tokenized.notes, tokenized.warnings
        self.vocabulary = Vocabulary(tokenized.vocabulary)
        self.tokenizer = Tokenizer(definition, self.vocabulary, Spelling(tokenized.spelling))

    def texts(self) -> SplitTexts:
        """Return the cleaned text of each split, read anew: its documents, or its pieces in order.

        Raises:
            OptionError: the text cannot be read.
        """
        return _read(self.definition, self.definition.files())[1]

    @property
    def identity(self) -> str:
        """The hash of what the tokens are made of, besides options: text, dictionaries, versions.

        It differs from that of earlier versions if the training split has no `<unk>`, but other
        texts may: those versions then took the least frequent token for `<unk>`, so their results
        differ.
        """
        depends_on = self.definition.tokens_depend_on()
        alphabet = self.definition.alphabet
        is_closed = alphabet is not None and set(alphabet) <= set(self.vocabulary.tokens)
        if not is_closed and not (self.splits[TRAIN].ids_N == UNKNOWN_ID).any():
            depends_on = [depends_on, "no token is taken for <unk>"]
        if depends_on is None:
            return self.text_sha256
        return hashlib.sha256(json.dumps([self.text_sha256, depends_on]).encode()).hexdigest()

    @property
    def held_out_sha256(self) -> str:
        """The hash of vocabulary, validation and test; equal hashes make metrics comparable."""
        digest = hashlib.sha256(json.dumps(self.vocabulary.tokens).encode())
        for name in (VALIDATION, TEST):
            digest.update(self.splits[name].ids_N.numpy().astype("<i8").tobytes())
            digest.update(b"|")
        return digest.hexdigest()

    @property
    def unknown_rate(self) -> float:
        """The share of the test split's predicted tokens that are `<unk>`."""
        return self.splits[TEST].unknown_rate

    def prompt(self) -> list[str]:
        """Return the tokens that begin the validation split.

        If it is in documents, this is only the first token after `<bos>`.
        """
        split = self.splits[VALIDATION]
        first = slice(PROMPT_TOKENS) if split.begin_id is None else slice(1, 2)
        return self.vocabulary.decode(split.ids_N[first].tolist())

    def tasks(self) -> Documents:
        """Return the test split by document, whatever `data.batching` is."""
        split = self.splits[TEST]
        tasks = for_evaluation(Batching.documents, split.ids_N, split.begin_id)
        assert isinstance(tasks, Documents)
        return tasks


class CorpusIdentity(NamedTuple):
    """The hashes by which a run's folder is found and its record compared, without the tokens."""

    identity: str
    text_sha256: str
    held_out_sha256: str
    vocab_size: int

    @classmethod
    def of(cls, corpus: PreparedCorpus) -> CorpusIdentity:
        """Return the identity of a corpus."""
        return cls(
            corpus.identity, corpus.text_sha256, corpus.held_out_sha256, len(corpus.vocabulary)
        )


def prepare(corpus: Corpus) -> PreparedCorpus:
    """Read, divide and tokenize a corpus, or find its tokens in the cache.

    Raises:
        OptionError: the text cannot be read, or is too small for the options.
    """
    config = corpus.config
    refuse_nothing_to_train_on(config.validation_fraction, config.test_fraction)
    if config.encoding is not None:
        check_encoding(config.encoding)
    files = corpus.files()
    key = _cache_key(corpus, files)
    tokenized = token_cache.load(key)
    if tokenized is None:
        tokenized = _tokenize(corpus, files)
        token_cache.store(key, tokenized)
    for note in tokenized.notes:
        log.info("%s: %s", config.name, note)
    for warning in tokenized.warnings:
        log.warning("%s: %s", config.name, warning)
    prepared = PreparedCorpus(corpus, tokenized)
    _check_sizes(prepared)
    return prepared


def _cache_key(corpus: Corpus, files: Sequence[File]) -> str:
    options = {
        n: str(value)
        for n, value in asdict(corpus.config).items()
        if n not in OPTIONS_WITHOUT_EFFECT_ON_TOKENS
    }
    described = [TOKENS_VERSION, options, corpus.tokens_depend_on()]
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for file in files:
        digest.update(f"\n{file.name}\n{len(file.content)}\n".encode(errors="replace"))
        digest.update(file.content)
    return f"{corpus.config.name}-{digest.hexdigest()[:24]}"


def _read(corpus: Corpus, files: Sequence[File]) -> tuple[list[str], SplitTexts]:
    """Return the cleaned texts, and for each split the documents or pieces to tokenize."""
    corpus.decoded_files = []
    texts = corpus.parse(files)
    return texts, {name: documents_of(corpus, found) for name, found in corpus.split(texts).items()}


def _tokenize(corpus: Corpus, files: Sequence[File]) -> TokenizedCorpus:
    config = corpus.config
    texts, pieces = _read(corpus, files)
    if corpus.decoded_files:
        corpus.notes = [_what_was_read(corpus.decoded_files, texts), *corpus.notes]
    elif files and config.encoding is not None:
        raise OptionError("data.encoding", f"data={config.name} decodes by itself")
    tokens = {name: tokens_of(corpus, texts) for name, texts in pieces.items()}
    counts = Counter(tokens[TRAIN].tokens)
    if has_documents(corpus):
        del counts[BEGIN], counts[END]
    vocabulary = Vocabulary.build(counts, config.min_count, config.max_vocab, has_documents(corpus))
    spelling = Spelling.learned(counts, set(vocabulary.tokens))
    tokenizer = Tokenizer(corpus, vocabulary, spelling)
    splits = {name: tokenizer.encode(tokens[name]) for name in SPLITS}
    corpus.after_tokenizing()
    # A single text has its own hash; the hash of several tells where each begins.
    content = texts[0] if len(texts) == 1 else json.dumps(texts)
    return TokenizedCorpus(
        hashlib.sha256(content.encode()).hexdigest(),
        vocabulary.tokens,
        spelling.costs,
        corpus.notes,
        corpus.warnings,
        splits,
    )


def _what_was_read(decoded: Sequence[tuple[int, str]], texts: Sequence[str]) -> str:
    """Return the encodings of the files, and how many characters are in the texts, in words."""
    found = ", ".join(
        f"{count:,} {'file' if count == 1 else 'files'} in {encoding}"
        for encoding, count in Counter(encoding for _, encoding in decoded).items()
    )
    read, kept = sum(chars for chars, _ in decoded), sum(map(len, texts))
    return f"read {found}: {read:,} characters, {max(read - kept, 0):,} of them taken off"


def _check_sizes(corpus: PreparedCorpus) -> None:
    config, train = corpus.config, corpus.splits[TRAIN]
    for name in (VALIDATION, TEST):
        if corpus.splits[name].num_tokens < 1:
            option = f"{name}_fraction"
            problem = f"{getattr(config, option)} of the text is too little"
            raise OptionError(f"data.{option}", problem)
    if config.variable_seq_len and config.batching is not Batching.stream:
        raise OptionError("data.variable_seq_len", "only data.batching=stream has it")
    available = train.num_tokens
    if config.batching is Batching.documents:
        assert train.begin_id is not None
        most = int((train.ids_N == train.begin_id).sum())
        what = "is more than the documents to train on"
    elif config.seq_len > available:
        problem = f"{config.seq_len} is longer than the training text, it takes at most {available}"
        raise OptionError("data.seq_len", problem)
    else:
        most = available // config.seq_len
        what = (
            f"streams of data.seq_len={config.seq_len} need more than the {available:,} tokens to "
            "train on"
        )
    if config.batch_size > most:
        raise OptionError("data.batch_size", f"{config.batch_size} {what}, it takes at most {most}")
