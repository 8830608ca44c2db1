"""rnnlm/results/record.py"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.results.record import COMPLETED, FAILED, FILE_NAME, Record, RecordError, find_records

SPLIT = {"loss": 1.5, "ppl": 4.48, "bpc": 2.16, "num_tokens": 100, "num_chars": 100}


def record(**fields: object) -> Record:
    """A completed record with sensible figures."""
    values = {
        "status": COMPLETED,
        "data": "time_machine",
        "source": "sample",
        "text_sha256": "abc",
        "model": "lstm",
        "features": "embed",
        "seed": 1,
        "fingerprint": "f00",
        "vocab_size": 70,
        "train": SPLIT,
        "validation": SPLIT,
        "test": SPLIT,
        **fields,
    }
    return Record(**values)  # type: ignore[arg-type]


def test_a_record_comes_back(tmp_path: Path) -> None:
    written = record(overrides=["data.source=日本.txt"], test={**SPLIT, "ppl": 4.123456789012345})
    written.write(tmp_path / "run")
    assert Record.read(tmp_path / "run") == written
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FILE_NAME]


def test_fields_of_another_version_are_left_out(tmp_path: Path) -> None:
    record().write(tmp_path)
    content = json.loads((tmp_path / FILE_NAME).read_text())
    del content["oov_rate"], content["sha256"]
    (tmp_path / FILE_NAME).write_text(json.dumps({**content, "from_the_future": 1}))
    assert Record.read(tmp_path).oov_rate is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"status": "completed"}', b"\xff\xfe", b'"text"', b"null"],
)
def test_what_is_no_record_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(RecordError, match=rf"{FILE_NAME} is not a record"):
        Record.read(tmp_path)


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_record_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
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
    (tmp_path / "c" / FILE_NAME).write_text("{")
    found, broken = find_records([tmp_path, tmp_path / "a", tmp_path / "c" / ".." / "a"])
    assert [r.seed for _, r in found] == [1, 2]
    assert [str(tmp_path / "c") in str(error) for error in broken] == [True]


def test_only_a_baseline_may_know_no_loss(tmp_path: Path) -> None:
    of_xz = {"bpc": 2.0, "num_tokens": 9, "num_chars": 9}
    splits = {"train": of_xz, "validation": of_xz, "test": of_xz}
    record(model="xz", features=None, seed=None, **splits).write(tmp_path / "xz")
    assert Record.read(tmp_path / "xz").cell == "xz"
    record(**splits).write(tmp_path / "lstm")
    with pytest.raises(RecordError, match="a split has no loss"):
        Record.read(tmp_path / "lstm")
