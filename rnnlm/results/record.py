"""A run's record, `result.json`: the only source of all tables.

The file has one field more than a `Record`: `sha256`, the hash of all others. A file whose hash
does not match is damaged. Files of earlier versions have no hash, so their metrics are checked for
what must hold in any record.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from rnnlm.files.atomic_write import discard, replacing
from rnnlm.files.run_files import RECORD
from rnnlm.metrics import perplexity

CHECKSUM = "sha256"
COMPLETED, FAILED = "completed", "failed"
# A larger file is not a record: that of a thousand epochs has 100 kB.
MOST_BYTES = 64 * 2**20
# The relative error allowed between a perplexity and exp of its loss, in a record without a hash.
TOLERANCE = 1e-3

# Whole numbers up to 2^53 are exact as floats, with which metrics are computed.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | float
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
OptionValue = str | bool | Number | None
# The metrics of each split of a completed run, and those that every baseline has.
SPLIT_METRICS = ("loss", "ppl", "bpc", "num_tokens", "num_chars")
BASELINE_METRICS = SPLIT_METRICS[2:]
_SURROGATE = re.compile("[\ud800-\udfff]")


class RecordError(ValueError):
    """A `result.json` is damaged, or is not a record of this project: one line."""


# Fields that only a run on a GPU has; the records of other runs leave them out.
_OF_GPUS = ("runs_per_gpu", "float32_matmul_precision")


@dataclass
class Record:
    """One run: its configuration, its metrics, what it cost, and where it was made.

    `train`, `validation` and `test` hold loss (nats per token), ppl, bpc (bits per character of the
    original text), num_tokens, num_chars, and unigram_ppl, the perplexity on the same tokens of the
    unigram model of the training text. A failed run has `error` instead. A baseline has no
    features, and no seed. An adapted run has no train split.
    """

    status: str
    data: str
    source: str
    text_sha256: str
    model: str
    features: str | None
    seed: Count | None
    fingerprint: str
    overrides: list[str] = field(default_factory=list)
    # All options that decide the result, by dotted name.
    options: dict[str, OptionValue | list[OptionValue]] = field(default_factory=dict)
    # The hash of the vocabulary and the held-out tokens: if it is equal, metrics are comparable.
    held_out_sha256: str | None = None
    error: str | None = None

    num_parameters: Count | None = None
    vocab_size: Count | None = None
    oov_rate: Share | None = None
    # The rule by which a network was measured on running text, such as `context-512`
    # (`rnnlm/data/evaluation_batches.py`). None is the rule of earlier versions and of adaptation:
    # streams of at least 20,000 tokens, each from the zero state.
    evaluation: str | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    train: dict[str, Number] | None = None
    validation: dict[str, Number] | None = None
    test: dict[str, Number] | None = None
    # The share of the test split's tasks that are answered without a mistake.
    exact_match: Share | None = None
    # The same by kind of task, with the number of tasks: `{"digits": {"1": {"share": 0.9,
    # "tasks": 20}}}`.
    exact_match_by: dict[str, dict[str, dict[str, Number]]] = field(default_factory=dict)
    # The settings of adaptation, chosen on validation; None for a run that is not adapted.
    adaptation: dict[str, OptionValue | dict[str, OptionValue]] | None = None
    # The loss of each epoch, in nats per token: `train_running`, with dropout on and while the
    # weights change, and `validation`, None for an epoch without validation.
    history: dict[str, list[Number | None]] = field(default_factory=dict)
    # The model's continuation of the prompt; all models of a text have the same prompt.
    prompt: str | None = None
    sample: str | None = None
    # The hash of `scalars.csv` as the run left it.
    scalars_sha256: str | None = None

    tokens_per_second: float | None = None
    train_seconds: float | None = None
    peak_memory_mb: float | None = None
    device: str | None = None
    # The number of runs that could share the GPU at once; `tokens_per_second` and `train_seconds`
    # then measure what is left for one of them. None without a GPU.
    runs_per_gpu: Count | None = None
    precision: str | None = None
    # The precision of float32 products on a GPU; None on a CPU, where they are not rounded.
    float32_matmul_precision: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    git_revision: str | None = None
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def model_and_features(self) -> str:
        """Model and features, such as `lstm-embed`, or the name of a baseline."""
        return f"{self.model}-{self.features}" if self.features else self.model

    @property
    def is_trained_network(self) -> bool:
        """True for a network without adaptation, False for a baseline."""
        return self.features is not None and self.adaptation is None

    def write(self, folder: Path) -> None:
        r"""Write `result.json` atomically: the folder holds this record or the previous one.

        Bytes of a file name that are not UTF-8 are spelled out, such as `\udcff`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        fields = asdict(self)
        for name in _OF_GPUS:
            if fields[name] is None:
                del fields[name]
        text = json.dumps(fields, ensure_ascii=False)
        content = json.loads(_SURROGATE.sub(lambda found: rf"\\u{ord(found[0]):04x}", text))
        content[CHECKSUM] = _checksum(content)
        if (folder / RECORD).is_dir():
            discard(folder / RECORD)
        with replacing(folder / RECORD) as temporary:
            text = json.dumps(content, indent=2, ensure_ascii=False)
            temporary.write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Return the record in a run's folder, without fields that this version does not know.

        Raises:
            FileNotFoundError: there is no record.
            RecordError: the file cannot be read, is damaged, or is not a record.
        """
        path = folder / RECORD
        try:
            content = _read_object(path)
            written = content.pop(CHECKSUM, None)
            checksum = _checksum(content)  # which also refuses half of a surrogate pair
            if written not in (None, checksum):
                raise RecordError(
                    f"{path} is damaged, its {CHECKSUM} does not match; the command that made the "
                    "run makes it again (with force=true from the start)"
                )
            record = msgspec.convert(content, cls)
            _check(record, has_checksum=written is not None)
        except (FileNotFoundError, RecordError):
            raise
        except OSError as error:
            raise RecordError(f"{path} cannot be read ({error.strerror})") from error
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path} is not a record: {_in_words(error)}") from error
        return record


def find_records(folders: Iterable[Path]) -> tuple[list[tuple[Path, Record]], list[RecordError]]:
    """Return all records below the folders, by path, and the errors of those that are broken."""
    found: list[tuple[Path, Record]] = []
    broken: list[RecordError] = []
    for path in _record_files(folders):
        try:
            found.append((path.parent, Record.read(path.parent)))
        except FileNotFoundError:
            continue  # it has been removed since
        except RecordError as error:
            broken.append(error)
    return found, broken


def _record_files(folders: Iterable[Path]) -> list[Path]:
    """The sorted paths of all files called `result.json`, each file once."""
    by_real_path: dict[str, str] = {}
    for folder in folders:
        given, real = str(folder), str(folder.resolve())
        for place, inner, files in os.walk(given):
            if RECORD in files or RECORD in inner:
                path = f"{place}/{RECORD}"
                real_path = f"{real}{path.removeprefix(given)}"
                if os.path.islink(path):  # noqa: PTH114 - a Path for each takes as long as all else
                    real_path = str(Path(path).resolve())
                by_real_path[real_path] = min(path, by_real_path.get(real_path, path))
    return sorted(map(Path, by_real_path.values()))


def _read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a file, too large, not JSON, or not an object.
        RecursionError: it is nested too deeply.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a file")
    if status.st_size > MOST_BYTES:
        raise ValueError(f"it has {status.st_size:,} bytes")
    content = json.loads(path.read_bytes().decode())
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    return content


def _check(record: Record, has_checksum: bool) -> None:
    """Check the status of a record, and the metrics of a completed run.

    Raises:
        ValueError: the record lacks some, or they contradict each other.
    """
    if record.status not in (COMPLETED, FAILED):
        raise ValueError(f"its status is {record.status[:20]!r}")
    splits = (record.train, record.validation, record.test)
    if record.status == COMPLETED:
        for split in splits if record.adaptation is None else splits[1:]:
            for metric in SPLIT_METRICS if record.features else BASELINE_METRICS:
                if split is None or metric not in split:
                    raise ValueError(f"a split has no {metric}")
    if not has_checksum:
        for split in filter(None, splits):
            _check_split(split)


def _check_split(split: dict[str, Number]) -> None:
    """Check the metrics of a split in a record without a hash.

    Raises:
        ValueError: they cannot be those of a run.
    """
    if any(split.get(count, 0) < 0 for count in ("num_tokens", "num_chars")):
        raise ValueError("a split has a negative number of tokens or characters")
    if "loss" in split and "ppl" in split:
        ppl, expected = split["ppl"], perplexity(split["loss"])
        both_nan = math.isnan(expected) and math.isnan(ppl)
        if not (both_nan or math.isclose(ppl, expected, rel_tol=TOLERANCE)):
            raise ValueError(f"a ppl is {ppl}, and exp of its loss {expected}")


def _checksum(content: dict[str, Any]) -> str:
    """The hash of the fields, independent of their order and layout."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _in_words(error: Exception) -> str:
    """The reason of an error. If a field is wrong, its name comes first."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    problem, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {problem}" if place else problem
