"""General compressors, which know nothing of tokens: bits per character of text they are given."""

from __future__ import annotations

import bz2
import lzma
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

from rnnlm.baselines.baseline import Baseline, Measured
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.texts.splitting import SPLITS, TRAIN


class Compressor(Baseline):
    """The length of a split's text after that of train, both compressed together, less train's.

    Train itself is compressed alone. There is no vocabulary and so neither loss nor perplexity. The
    text is what the corpus' cleaning and normalisation leave, in UTF-8, a line end after each
    document; the first token of a running text, which a network is given, is compressed too.
    """

    def measure(self, corpus: PreparedCorpus) -> Measured:
        in_documents = corpus.splits[TRAIN].begin_id is not None
        texts = {
            name: "".join(
                f"{piece}\n" if in_documents else piece
                for piece in corpus.definition.normalised(pieces)
            ).encode()
            for name, pieces in corpus.texts().items()
        }
        jobs = [texts[TRAIN] + (texts[name] if name != TRAIN else b"") for name in SPLITS]
        # The standard library's compressors let other threads run.
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
        """In bytes."""


class Xz(Compressor):
    """LZMA with a dictionary of 64 MiB, within which all that came before is found."""

    name = "xz"

    def compressed_size(self, text: bytes) -> int:
        return len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


class Bz2(Compressor):
    """Burrows-Wheeler in blocks of 900 kB: of what came before, it knows only its own block."""

    name = "bz2"

    def compressed_size(self, text: bytes) -> int:
        return len(bz2.compress(text, compresslevel=9))
