"""A run's record, `result.json`: the only thing that tables are built from.

The file has one field more than a `Record`: `sha256`, the hash of all others. A file that does not
go with it is damaged. Files of earlier versions have none, and are checked for what must be so of
any record.
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
# Larger files are no records: those of a thousand epochs have 100 kB.
MOST_BYTES = 64 * 2**20
# How far the perplexity of a record without a checksum may be from exp of its loss, if rounded.
TOLERANCE = 1e-3

# Larger whole numbers are none that a float can hold, which is what figures are reckoned with.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Figure = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | float
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
OptionValue = str | bool | Figure | None
# What every split of a completed record has; of a baseline those that it knows.
FIGURES = ("loss", "ppl", "bpc", "num_tokens", "num_chars")
OF_BASELINES = FIGURES[2:]


class RecordError(ValueError):
    """A `result.json` that is damaged, or no record of this project: one line."""


@dataclass
class Record:
    """One run: what it was, what came out, what it cost, and where it was made.

    `train`, `validation` and `test` hold loss (nats per token), ppl, bpc (bits per character of the
    original text), num_tokens, num_chars, and unigram_ppl, the perplexity of the unigram model of
    the training text on the same tokens. A failed run has none of them, but `error`. A baseline
    has no features, and no seed. A row of a run that was measured with help has
    no train.
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
    # Every option that decides the result, by dotted name.
    options: dict[str, OptionValue | list[OptionValue]] = field(default_factory=dict)
    # Of the vocabulary and the held-out tokens: where it is the same, figures compare.
    held_out_sha256: str | None = None
    error: str | None = None

    num_parameters: Count | None = None
    vocab_size: Count | None = None
    oov_rate: Share | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    train: dict[str, Figure] | None = None
    validation: dict[str, Figure] | None = None
    test: dict[str, Figure] | None = None
    # Share of the test split's tasks that are answered without a mistake, where there are tasks.
    exact_match: Share | None = None
    # The same by kind of task, and how many tasks it is of: `{"digits": {"1": {"share": 0.9,
    # "tasks": 20}}}`; empty where no kinds are told apart.
    exact_match_by: dict[str, dict[str, dict[str, Figure]]] = field(default_factory=dict)
    # What was chosen on validation for the helps that the run was measured with; None without any.
    adaptation: dict[str, OptionValue | dict[str, OptionValue]] | None = None
    # The loss of each epoch, in nats per token: `train_running`, with dropout on and the weights
    # moving, and `validation`, None where there was none. Empty where nothing was trained.
    history: dict[str, list[Figure | None]] = field(default_factory=dict)
    # What the model goes on with after the prompt, which all models of a text are given.
    prompt: str | None = None
    sample: str | None = None
    # By which `scalars.csv` is known to be as the run left it.
    scalars_sha256: str | None = None

    tokens_per_second: float | None = None
    train_seconds: float | None = None
    peak_memory_mb: float | None = None
    device: str | None = None
    precision: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    git_revision: str | None = None
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def cell(self) -> str:
        """The cell of the grid, such as `lstm-embed`; of a baseline its name."""
        return f"{self.model}-{self.features}" if self.features else self.model

    @property
    def has_epochs(self) -> bool:
        """Whether it is of a network as it was trained: no baseline, nor measured with help."""
        return self.features is not None and self.adaptation is None

    def write(self, folder: Path) -> None:
        r"""Write `result.json` atomically: the folder holds a whole record, this or the last.

        Of a name that is not UTF-8 the bytes that are none are spelled out, such as `\udcff`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), ensure_ascii=False)
        content = json.loads(_SURROGATE.sub(_spelled_out, text))
        content[CHECKSUM] = _checksum(content)
        if (folder / RECORD).is_dir():
            discard(folder / RECORD)
        with (
            replacing(folder / RECORD) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            json.dump(content, file, indent=2, ensure_ascii=False)
            file.write("\n")

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record in a run's folder; fields that this version does not know are left out.

        Raises:
            FileNotFoundError: the run has left no record.
            RecordError: the file cannot be read, is damaged or foreign.
        """
        path = folder / RECORD
        content, checksum = _read_content(path)
        written = content.pop(CHECKSUM, None)
        if written not in (None, checksum):
            raise RecordError(
                f"{path} is damaged, its {CHECKSUM} does not fit; the command that made the run "
                "makes it again (with force=true from the start)"
            )
        try:
            record = msgspec.convert(content, cls)
        except msgspec.ValidationError as error:
            raise _no_record(path, _in_words(error)) from error
        record._check(path)
        if written is None:
            record._check_figures(path)
        return record

    def _check(self, path: Path) -> None:
        if self.status not in (COMPLETED, FAILED):
            raise _no_record(path, f"its status is {self.status[:20]!r}")
        if self.status == COMPLETED:
            train = [] if self.adaptation is not None else [self.train]
            for split in (*train, self.validation, self.test):
                for figure in FIGURES if self.features else OF_BASELINES:
                    if split is None or figure not in split:
                        raise _no_record(path, f"a split has no {figure}")

    def _check_figures(self, path: Path) -> None:
        """Refuse figures that cannot be a run's, where no checksum tells."""
        for split in filter(None, (self.train, self.validation, self.test)):
            if any(split.get(count, 0) < 0 for count in ("num_tokens", "num_chars")):
                raise _no_record(path, "a split has fewer than no tokens or characters")
            if "loss" in split and "ppl" in split:
                expected = perplexity(split["loss"])
                both_nan = math.isnan(expected) and math.isnan(split["ppl"])
                if not (both_nan or math.isclose(split["ppl"], expected, rel_tol=TOLERANCE)):
                    raise _no_record(
                        path, f"a ppl is {split['ppl']}, and exp of its loss {expected}"
                    )


def find_records(folders: Iterable[Path]) -> tuple[list[tuple[Path, Record]], list[RecordError]]:
    """All records below the folders, by path, and the files that look like one but are not."""
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
    """The paths of all files called `result.json` below the folders, in order.

    A file that two of the folders lead to, by different paths, comes once.
    """
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


_SURROGATE = re.compile("[\ud800-\udfff]")


def _spelled_out(found: re.Match[str]) -> str:
    """A surrogate as text within JSON, where a backslash is two."""
    return f"\\\\u{ord(found[0]):04x}"


def _read_content(path: Path) -> tuple[dict[str, Any], str]:
    """The object in a file, and the hash of all its fields but the checksum.

    Raises:
        FileNotFoundError: there is no such file.
        RecordError: it cannot be read, or holds no object.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _no_record(path, "it is no file")
        if status.st_size > MOST_BYTES:
            raise _no_record(path, f"it has {status.st_size:,} bytes")
        content = json.loads(path.read_bytes().decode())
        if not isinstance(content, dict):
            raise _no_record(path, "it holds no object")
        checksum = _checksum({n: value for n, value in content.items() if n != CHECKSUM})
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise _no_record(path, "it is nested too deeply") from error
    except RecordError:
        raise
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _no_record(path, str(error)) from error
    except UnicodeEncodeError as error:
        raise _no_record(path, "it holds half of a surrogate pair") from error
    except ValueError as error:  # more digits than Python reads
        raise _no_record(path, "it holds a number of thousands of digits") from error
    return content, checksum


def _checksum(content: dict[str, Any]) -> str:
    """The hash of fields, whatever their order and layout."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _no_record(path: Path, why: str) -> RecordError:
    return RecordError(f"{path} is not a record: {why}")


def _in_words(error: msgspec.ValidationError) -> str:
    """The problem with a field: its name first, and then what is expected of it."""
    problem, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {problem}" if place else problem
