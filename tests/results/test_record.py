"""rnnlm/results/record.py"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.files.run_files import RECORD
from rnnlm.results.record import FAILED, Record, RecordError, find_records
from tests.support.records import SPLIT, record


def test_a_record_comes_back(tmp_path: Path) -> None:
    written = record(overrides=["data.source=日本.txt"], test={**SPLIT, "ppl": 4.123456789012345})
    written.write(tmp_path / "run")
    assert Record.read(tmp_path / "run") == written
    assert [path.name for path in (tmp_path / "run").iterdir()] == [RECORD]


def test_only_a_run_on_a_gpu_says_how_many_could_share_it(tmp_path: Path) -> None:
    record().write(tmp_path)
    assert "runs_per_gpu" not in json.loads((tmp_path / RECORD).read_text())
    record(runs_per_gpu=8).write(tmp_path)
    assert Record.read(tmp_path).runs_per_gpu == 8


def test_fields_of_another_version_are_left_out(tmp_path: Path) -> None:
    record().write(tmp_path)
    content = json.loads((tmp_path / RECORD).read_text())
    del content["oov_rate"], content["sha256"]
    (tmp_path / RECORD).write_text(json.dumps({**content, "from_the_future": 1}))
    assert Record.read(tmp_path).oov_rate is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"status": "completed"}', b"\xff\xfe", b'"text"', b"null"],
)
def test_what_is_no_record_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(RecordError, match=rf"{RECORD} is not a record"):
        Record.read(tmp_path)


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_record_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(RecordError):
        Record.read(tmp_path)


def test_a_completed_record_has_perplexities(tmp_path: Path) -> None:
    record(test=None).write(tmp_path)
    with pytest.raises(RecordError, match="a split has no loss"):
        Record.read(tmp_path)


def test_a_failed_record_needs_none(tmp_path: Path) -> None:
    record(status=FAILED, test=None, error="RuntimeError: no").write(tmp_path)
    assert Record.read(tmp_path).error == "RuntimeError: no"


def test_a_write_that_fails_leaves_the_record_before(tmp_path: Path) -> None:
    record().write(tmp_path)
    with pytest.raises(TypeError):
        record(overrides=[object()]).write(tmp_path)
    assert Record.read(tmp_path) == record()
    assert len(list(tmp_path.iterdir())) == 1


def test_records_are_found_and_broken_ones_named(tmp_path: Path) -> None:
    record(seed=1).write(tmp_path / "a" / "one")
    record(seed=2).write(tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / RECORD).write_text("{")
    found, broken = find_records([tmp_path, tmp_path / "a", tmp_path / "c" / ".." / "a"])
    assert [r.seed for _, r in found] == [1, 2]
    assert [str(tmp_path / "c") in str(error) for error in broken] == [True]


def test_only_a_baseline_may_know_no_loss(tmp_path: Path) -> None:
    of_xz = {"bpc": 2.0, "num_tokens": 9, "num_chars": 9}
    splits = {"train": of_xz, "validation": of_xz, "test": of_xz}
    record(model="xz", features=None, seed=None, **splits).write(tmp_path / "xz")
    assert Record.read(tmp_path / "xz").model_and_features == "xz"
    record(**splits).write(tmp_path / "lstm")
    with pytest.raises(RecordError, match="a split has no loss"):
        Record.read(tmp_path / "lstm")


def test_a_record_that_does_not_go_with_its_checksum_is_damaged(tmp_path: Path) -> None:
    record().write(tmp_path)
    path = tmp_path / RECORD
    whole = path.read_text()
    content = json.loads(whole)
    assert list(content)[-1] == "sha256"
    path.write_text(json.dumps(dict(reversed(content.items()))))  # in another order and layout
    assert Record.read(tmp_path) == record()
    path.write_text(whole.replace('"seed": 1', '"seed": 2'))
    with pytest.raises(RecordError, match=f"^{path} is damaged, .* makes it again"):
        Record.read(tmp_path)


def without_checksum(folder: Path, **changes: object) -> None:
    """Write a record as an earlier version does."""
    record(test={**SPLIT, "loss": 1.5, "ppl": math.exp(1.5)}).write(folder)
    content = json.loads((folder / RECORD).read_text())
    del content["sha256"], content["train"], content["validation"]
    splits = dict.fromkeys(("train", "validation"), content["test"])
    (folder / RECORD).write_text(json.dumps({**content, **splits, **changes}))


def test_a_record_of_an_earlier_version_has_no_checksum_and_must_be_true_to_itself(
    tmp_path: Path,
) -> None:
    without_checksum(tmp_path)
    assert Record.read(tmp_path).seed == 1
    without_checksum(tmp_path, test={**SPLIT, "ppl": 4.98})
    with pytest.raises(RecordError, match=r"a ppl is 4\.98, and exp of its loss 4\.48168"):
        Record.read(tmp_path)
    infinite = {**SPLIT, "loss": 800.0, "ppl": math.inf}
    without_checksum(tmp_path, test=infinite)
    assert Record.read(tmp_path).test == infinite


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "1"}, r"seed: Expected `int \| null`, got `str`"),
        ({"vocab_size": -1}, r"vocab_size: Expected `int` >= 0"),
        ({"oov_rate": 2.5}, r"oov_rate: Expected `float` <= 1\.0"),
        ({"options": {"a": {}}}, r"options\[\.\.\.\]: Expected"),
        (
            {"test": {**SPLIT, "num_tokens": -1, "ppl": math.exp(1.5)}},
            "a negative number of tokens",
        ),
        ({"source": "\udcff"}, "surrogates not allowed"),
        ({"seed": None, "epochs": 10**30}, "epochs: "),
    ],
)
def test_a_field_of_another_type_is_named_with_what_it_takes(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    without_checksum(tmp_path, **changes)
    with pytest.raises(RecordError, match=f"is not a record: .*{message}") as error:
        Record.read(tmp_path)
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_utf_8_are_written_spelled_out(tmp_path: Path) -> None:
    record(source="data/\udcc9\udce4.txt", overrides=["data.source=\udcff"]).write(tmp_path)
    found = Record.read(tmp_path)
    assert found.source == r"data/\udcc9\udce4.txt"
    assert found.overrides == [r"data.source=\udcff"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_record_and_gives_way_to_one(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / RECORD)
    with pytest.raises(RecordError, match="is not a record: it is not a file"):
        Record.read(tmp_path)
    assert len(find_records([tmp_path])[1]) == 1
    record().write(tmp_path)
    assert Record.read(tmp_path) == record()


def test_a_file_too_large_for_a_record_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / RECORD).open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(RecordError, match="it has 68,157,440 bytes"):
        Record.read(tmp_path)


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
TEXTS = st.text()
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS


@given(
    st.builds(
        record,
        source=TEXTS,
        model=TEXTS,
        seed=st.none() | st.integers(0, 2**32 - 1),
        overrides=st.lists(TEXTS),
        options=st.dictionaries(TEXTS, SCALARS | st.lists(SCALARS)),
        test=st.fixed_dictionaries(dict.fromkeys(SPLIT, NUMBERS)),
        history=st.dictionaries(TEXTS, st.lists(st.none() | NUMBERS)),
        exact_match=st.none() | st.floats(0, 1),
        exact_match_by=st.dictionaries(
            TEXTS, st.dictionaries(TEXTS, st.dictionaries(TEXTS, NUMBERS))
        ),
        adaptation=st.none() | st.dictionaries(TEXTS, SCALARS | st.dictionaries(TEXTS, SCALARS)),
        sample=st.none() | TEXTS,
        train_seconds=st.none() | st.floats(allow_nan=False),
    )
)
@settings(
    deadline=None,
    derandomize=True,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_record_comes_back_as_it_was(tmp_path: Path, written: Record) -> None:
    written.write(tmp_path)
    assert Record.read(tmp_path) == written
