"""rnnlm/training/checkpoint_file.py"""

from __future__ import annotations

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.training.checkpoint_file import (
    AtomicCheckpointIO,
    CheckpointError,
    read_checkpoint_file,
    write_checkpoint,
)

CONTENT = {"weights": torch.arange(300.0), "epoch": 3, "names": ["春", "江"], "none": None}


def same(content: dict[str, Any]) -> bool:
    weights = content.pop("weights")
    return torch.equal(weights, CONTENT["weights"]) and content == {  # type: ignore[arg-type]
        name: value for name, value in CONTENT.items() if name != "weights"
    }


def test_a_checkpoint_comes_back_and_pytorch_reads_it_too(tmp_path: Path) -> None:
    path = tmp_path / "春.ckpt"
    write_checkpoint(CONTENT, path)
    assert same(read_checkpoint_file(path))
    assert same(torch.load(path, weights_only=True))
    assert same(torch.load(path, weights_only=True, mmap=True))
    assert zipfile.ZipFile(path).testzip() is None
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_one_without_a_hash_as_others_write_it_is_read(tmp_path: Path) -> None:
    torch.save(CONTENT, tmp_path / "other.ckpt")
    assert same(read_checkpoint_file(tmp_path / "other.ckpt"))


def test_weights_alone_wait_for_a_checkpoint_to_go_on_from(tmp_path: Path) -> None:
    files, best, last = AtomicCheckpointIO(), tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    weights, tied = torch.zeros(3), {}
    for value in (1.0, 2.0):
        weights.fill_(value)
        tied = {"one": weights, "other": weights}
        files.save_checkpoint({"state_dict": tied}, best)
    weights.fill_(9.0)
    assert list(tmp_path.iterdir()) == []
    files.save_checkpoint({"state_dict": tied, "optimizer_states": []}, last)
    kept = files.load_checkpoint(best)["state_dict"]
    assert torch.equal(kept["one"], torch.full((3,), 2.0))
    assert kept["one"].data_ptr() == kept["other"].data_ptr()
    assert torch.equal(files.load_checkpoint(last)["state_dict"]["one"], weights)
    best.unlink()
    files.save_checkpoint({"state_dict": tied, "optimizer_states": []}, last)
    assert not best.exists()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A checkpoint with a hash, and one without."""
    path = tmp_path_factory.mktemp("checkpoint") / "file.ckpt"
    write_checkpoint(CONTENT, path)
    without = io.BytesIO()
    torch.save(CONTENT, without)
    return {"with": path.read_bytes(), "without": without.getvalue()}


@pytest.mark.parametrize("kind", ["with", "without"])
@given(data=st.data())
@settings(
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_change_of_a_file_gives_other_content(
    tmp_path: Path, written: dict[str, bytes], kind: str, data: st.DataObject
) -> None:
    content = bytearray(written[kind])
    begin = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["bit", "bytes", "zeros", "cut", "left out"]))
    if how == "bit":
        content[begin] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "bytes":
        drawn = data.draw(st.binary(min_size=1, max_size=20))
        content[begin : begin + len(drawn)] = drawn
    elif how == "cut":
        del content[begin:]
    else:
        end = min(begin + data.draw(st.integers(1, 400)), len(content))
        content[begin:end] = bytes(end - begin) if how == "zeros" else b""
    path = tmp_path / "file.ckpt"
    path.write_bytes(content)
    try:
        read = read_checkpoint_file(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path} is ")
        assert "\n" not in str(error)
    else:
        assert same(read)


@given(st.binary() | st.binary().map(lambda content: b"PK\x03\x04" + content))
@settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"no checkpoint|damaged"):
        read_checkpoint_file(path)


def test_what_cannot_be_read_for_now_is_not_said_to_be_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.ckpt"
    write_checkpoint(CONTENT, path)
    for error in (
        OSError(errno.EIO, "Input/output error"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ):

        def load(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(torch, "load", load)
        with pytest.raises(type(error)) as raised:
            read_checkpoint_file(path)
        assert raised.value is error


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no file"):
        read_checkpoint_file(tmp_path)
    with pytest.raises(CheckpointError, match="is missing"):
        read_checkpoint_file(tmp_path / "file.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="holds no dictionary"):
        read_checkpoint_file(tmp_path / "list.ckpt")
