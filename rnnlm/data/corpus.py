"""The base class of corpora. Each hook is one step from files to tokens.

    files → parse → texts → split → pieces → tokenize → tokens

A text is one that `parse` returns; a piece is the part of a text that lies in one split. A corpus
overrides the hooks whose default does not fit; `preparation.py` calls them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rnnlm.data.batching import Batching
from rnnlm.data.encoding import text_and_encoding
from rnnlm.data.texts.source import File, read_source
from rnnlm.data.texts.splitting import SPLITS, SplitTexts, contiguous
from rnnlm.options import option


@dataclass
class CorpusConfig:
    """Options of every corpus."""

    name: str = ""
    # The result depends on the text, not on its path. So the fingerprint holds the text's hash.
    source: str = option("sample", affects_result=False)
    # Any text encoding that Python has; null recognises it.
    encoding: str | None = option(None, affects_result=False)
    validation_fraction: float = option(0.1, above=0, below=1)
    test_fraction: float = option(0.1, above=0, below=1)
    # Tokens that occur less often in the training split are `<unk>`.
    min_count: int = option(2, minimum=1)
    # Keep at most this many tokens, the most frequent.
    max_vocab: int | None = option(None, minimum=1)
    batching: Batching = Batching.stream
    batch_size: int = option(32, minimum=1)
    seq_len: int = option(64, minimum=1)
    # The number of steps of a batch of streams varies about `seq_len`, anew in each epoch.
    variable_seq_len: bool = False


class Corpus:
    """The way a corpus is read, cleaned, divided and cut into tokens. It holds no text itself.

    Hooks raise an OptionError if a text or an option cannot be used.

    Attributes:
        Config: the class of its options.
        sample: the file or folder below `samples/`; empty if there is none.
        published: the files that `data.source=full` downloads, as lines "name SHA-256 address"
            (a registry of pooch).
        suffixes: the endings of the files that are read from a folder or a zip.
        answer_mark: the character before the answer, if documents are tasks.
        notes: what was read, left out or changed, and how often. Hooks add to it.
        warnings: what the user should look at. Hooks add to it.
        decoded_files: the number of characters and the encoding of each file that `decode` has
            read.
    """

    Config: ClassVar[type[CorpusConfig]] = CorpusConfig
    sample: ClassVar[str] = ""
    published: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    answer_mark: ClassVar[str | None] = None

    def __init__(self, config: CorpusConfig) -> None:
        self.config = config
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.decoded_files: list[tuple[int, str]] = []

    def files(self) -> list[File]:
        """Return the files that `data.source` names."""
        return read_source(self.config.source, self.sample, self.published, self.suffixes)

    def decode(self, file: File) -> str:
        r"""Return the text of a file, its lines ending in ``\n``.

        Raises:
            OptionError: the file is not text in `data.encoding`, or its encoding is not recognised.
        """
        text, encoding = text_and_encoding(file.content, file.name, self.config.encoding)
        self.decoded_files.append((len(text), encoding))
        return text

    def parse(self, files: Sequence[File]) -> list[str]:
        """Return the cleaned texts: documents, or the parts of a running text in reading order."""
        return [self.decode(file) for file in files]

    def parse_file(self, file: File) -> list[str]:
        """Return the cleaned texts of a file that is only evaluated: all of it, without limits."""
        return self.parse([file])

    def normalized(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the texts with the characters that the model predicts, such as only a–z."""
        return texts

    def split(self, texts: Sequence[str]) -> SplitTexts:
        """Return the pieces of text in each of SPLITS; here each text is cut in reading order."""
        cuts = [
            contiguous(text, self.config.validation_fraction, self.config.test_fraction)
            for text in texts
        ]
        return {name: [piece for cut in cuts for piece in cut[name] if piece] for name in SPLITS}

    def tokenize(self, texts: Sequence[str]) -> Iterable[list[str]]:
        """Return one list of tokens for each text; joined, they are its `normalized` text."""
        return [list(text) for text in self.normalized(texts)]

    @property
    def texts_are_documents(self) -> bool:
        """True if each text that `parse` returns is a document.

        If not, `data.batching=documents` makes each line a document (`tokenizer.has_documents`).
        """
        return False

    # Few corpora need the hooks that follow.

    @property
    def alphabet(self) -> str | None:
        """The only characters that can occur; None if unknown."""
        return None

    def tokens_depend_on(self) -> Any:
        """Return what decides the tokens besides files and options: versions, dictionaries.

        It is a value that `json.dumps` takes. Fingerprints and the keys of the cache depend on it.
        """
        return None

    def after_tokenizing(self) -> None:
        """Add to `notes` and `warnings` what is only known from the tokens of all texts."""

    def in_corpus_script(self, text: str, known: Container[str]) -> str:
        """Return a text that a user typed, converted to the script and the marks of the corpus.

        Args:
            known: the tokens that the model knows.
        """
        return text

    def task_properties(self, task: str) -> dict[str, int]:
        """Return the numbers by which exact match is counted apart: `{"digits": 3, "carries": 1}`.

        Args:
            task: a document, if documents are tasks.
        """
        return {}

    def kept(self) -> Any:
        """Return what a checkpoint needs besides the options to tokenize a text.

        It consists of lists, dictionaries, texts and numbers; None if nothing is needed.
        """
        return None

    def restore(self, kept: Any) -> None:
        """Take over what `kept` returned when a checkpoint was written.

        Raises:
            ValueError: it does not fit this corpus.
        """
