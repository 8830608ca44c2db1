"""A run's record, `result.json`: the only thing that tables are built from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rnnlm.atomic_write import replacing

FILE_NAME = "result.json"
COMPLETED, FAILED = "completed", "failed"
# What every split of a completed record has; of a baseline those that it knows.
FIGURES = ("loss", "ppl", "bpc", "num_tokens", "num_chars")
OF_BASELINES = FIGURES[2:]


class RecordError(ValueError):
    """A `result.json` that is broken, or no record of this project."""


@dataclass
class Record:
    """One run: what it was, what came out, what it cost, and where it was made.

    `train`, `validation` and `test` hold loss (nats per token), ppl, bpc (bits per character of the
    original text), num_tokens, num_chars, and unigram_ppl, the perplexity of the unigram model of
    the training text on the same tokens. A failed run has none of them, but `error`. A baseline
    has no features, and no seed. A row of a run that was measured with help (rnnlm/adaptation/) has
    no train.
    """

    status: str
    data: str
    source: str
    text_sha256: str
    model: str
    features: str | None
    seed: int | None
    fingerprint: str
    overrides: list[str] = field(default_factory=list)
    # Every option that decides the result, by dotted name.
    options: dict[str, Any] = field(default_factory=dict)
    # Of the vocabulary and the held-out tokens: where it is the same, figures compare.
    held_out_sha256: str | None = None
    error: str | None = None

    num_parameters: int | None = None
    vocab_size: int | None = None
    oov_rate: float | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    train: dict[str, float] | None = None
    validation: dict[str, float] | None = None
    test: dict[str, float] | None = None
    # Share of the test split's tasks that are answered without a mistake, where there are tasks.
    exact_match: float | None = None
    # The same by kind of task, and how many tasks it is of: `{"digits": {"1": {"share": 0.9,
    # "tasks": 20}}}`; empty where no kinds are told apart.
    exact_match_by: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    # What was chosen on validation for the helps that the run was measured with; None without any.
    adaptation: dict[str, Any] | None = None
    # The loss of each epoch, in nats per token: `train_running`, with dropout on and the weights
    # moving, and `validation`, None where there was none. Empty where nothing was trained.
    history: dict[str, list[float | None]] = field(default_factory=dict)
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
        """Write `result.json` atomically: the folder holds a whole record, this or the last."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            replacing(folder / FILE_NAME) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            json.dump(asdict(self), file, indent=2, ensure_ascii=False)
            file.write("\n")

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record in a run's folder; fields that this version does not know are left out.

        Raises:
            FileNotFoundError: the run has left no record.
            RecordError: the file is broken or foreign.
        """
        path = folder / FILE_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise RecordError(f"{path} is not a record: {error}") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(content, dict):
            raise RecordError(f"{path} is not a record: it holds no object")
        try:
            record = cls(**{name: value for name, value in content.items() if name in known})
        except TypeError as error:
            raise RecordError(f"{path} is not a record: {error}") from error
        record._check(path)
        return record

    def _check(self, path: Path) -> None:
        if self.status not in (COMPLETED, FAILED):
            raise RecordError(f"{path} is not a record: its status is {self.status!r}")
        if self.status == COMPLETED:
            train = [] if self.adaptation is not None else [self.train]
            for split in (*train, self.validation, self.test):
                for figure in FIGURES if self.features else OF_BASELINES:
                    if not isinstance(split, dict) or not _is_number(split.get(figure)):
                        raise RecordError(f"{path} is not a record: a split has no {figure}")


def find_records(folders: Iterable[Path]) -> tuple[list[tuple[Path, Record]], list[RecordError]]:
    """All records below the folders, by path, and the files that look like one but are not."""
    found: list[tuple[Path, Record]] = []
    broken: list[RecordError] = []
    paths = {path for folder in folders for path in folder.rglob(FILE_NAME)}
    # What two of the folders lead to, by different paths, is read once.
    for path in sorted({path.resolve(): path for path in sorted(paths, reverse=True)}.values()):
        try:
            found.append((path.parent, Record.read(path.parent)))
        except RecordError as error:
            broken.append(error)
    return found, broken


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
