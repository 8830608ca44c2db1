"""General compressors as baselines: bits per character of the compressed text."""

from __future__ import annotations

import bz2
import lzma
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

from rnnlm.baselines.baseline import Baseline, Measured
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TRAIN


class Compressor(Baseline):
    """Compresses the text of train and of another split together, and subtracts the size of train.

    Train itself is compressed alone. Without a vocabulary there are no loss and no perplexity. The
    text is cleaned and normalized by the corpus, in UTF-8, with a line end after each document. It
    includes the first token of a running text, which a network does not predict.
    """

    def measure(self, corpus: PreparedCorpus) -> Measured:
        has_documents = corpus.splits[TRAIN].begin_id is not None
        texts = {
            name: "".join(
                f"{piece}\n" if has_documents else piece
                for piece in corpus.definition.normalized(pieces)
            ).encode()
            for name, pieces in corpus.texts().items()
        }
        jobs = [texts[TRAIN] + (texts[name] if name != TRAIN else b"") for name in SPLITS]
        # The standard library's compressors release the interpreter's lock.
        with ThreadPoolExecutor(len(jobs)) as threads:
            sizes = dict(zip(SPLITS, threads.map(self.compressed_size, jobs), strict=True))
        self.notes = [f"train's {len(texts[TRAIN]):,} bytes of text become {sizes[TRAIN]:,}"]
        measured: Measured = {}
        for name in SPLITS:
            split = corpus.splits[name]
            size = sizes[name] - (sizes[TRAIN] if name != TRAIN else 0)
            measured[name] = {
                "loss": None,
                "ppl": None,
                "bpc": 8 * size / split.num_chars,
                "num_tokens": split.num_tokens,
                "num_chars": split.num_chars,
            }
        return measured

    @abstractmethod
    def compressed_size(self, text: bytes) -> int:
        """Return the size of the compressed text in bytes."""


class Xz(Compressor):
    """LZMA with a dictionary of 64 MiB, enough to find repetitions in the whole text before."""

    name = "xz"

    def compressed_size(self, text: bytes) -> int:
        return len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


class Bz2(Compressor):
    """Burrows-Wheeler in blocks of 900 kB; it finds repetitions only within a block."""

    name = "bz2"

    def compressed_size(self, text: bytes) -> int:
        return len(bz2.compress(text, compresslevel=9))
