"""Checkpoint files that end with a hash of their content, so that damage is noticed.

A checkpoint is the zip file that PyTorch writes. The hash is in the comment at the end of the zip
file, which PyTorch skips. PyTorch itself checks no checksum: a flipped bit would change a weight.
"""

from __future__ import annotations

import copy
import errno
import hashlib
import io
import os
import struct
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from lightning_fabric.plugins import CheckpointIO

from rnnlm.files.atomic_write import replacing
from rnnlm.hardware import is_out_of_memory
from rnnlm.messages.legible import legible

_BEGIN = b"PK\x03\x04"
# The last record of a zip file: its mark, 16 bytes about the parts, the length of the comment.
_END = struct.Struct("<4s16sH")
_END_MARK = b"PK\x05\x06"
_HASH_MARK, _HASH_LENGTH = b"sha256:", 64
_COMMENT_LENGTH = len(_HASH_MARK) + _HASH_LENGTH
# An entry of the checkpoints from which a run can go on.
_OPTIMIZER_STATES = "optimizer_states"


class CheckpointError(Exception):
    """A checkpoint cannot be used; the line says which one, and why."""


class DamagedError(CheckpointError):
    """A checkpoint is not as it was written."""


class AtomicCheckpointIO(CheckpointIO):
    """Lets Lightning write checkpoints atomically, and check them when it reads them.

    A checkpoint that holds the weights alone waits in memory until one is written from which the
    run can go on. So the best epoch is not written each time that there is a better one.
    """

    def __init__(self) -> None:
        self._waiting: dict[Path, dict[str, Any]] = {}

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint, which replaces an earlier one once it is on the disk.

        Raises:
            OSError: it cannot be written.
        """
        if _OPTIMIZER_STATES not in checkpoint:
            # Training goes on to change the weights.
            self._waiting[Path(path)] = copy.deepcopy(checkpoint)
            return
        # First those that wait: a run that goes on takes them to be there.
        for place, content in {**self._waiting, Path(path): checkpoint}.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(content, place)
        self._waiting.clear()

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Read a checkpoint of tensors and plain values to the CPU."""
        return read_checkpoint_file(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint."""
        self._waiting.pop(Path(path), None)
        Path(path).unlink(missing_ok=True)


def write_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint with its hash; until it is whole, an earlier file stays.

    Raises:
        OSError: it cannot be written.
    """
    # First into memory: when PyTorch cannot write a file, it does not say why.
    file = io.BytesIO()
    torch.save(content, file)
    size = file.seek(-_END.size, os.SEEK_END)
    mark, parts, comment = _END.unpack(file.read())
    assert (mark, comment) == (_END_MARK, 0), "PyTorch writes another kind of file"
    file.seek(size)
    file.write(_END.pack(mark, parts, _COMMENT_LENGTH) + _HASH_MARK)
    file.write(_hash(file, file.tell()))
    with replacing(path) as temporary:
        temporary.write_bytes(file.getbuffer())


def read_checkpoint_file(path: Path) -> dict[str, Any]:
    """Check that a checkpoint is as it was written, and read it to the CPU.

    Raises:
        CheckpointError: it is damaged, or is no checkpoint.
        OSError, MemoryError, RuntimeError: it may be sound, but it cannot be read now, or there is
            no memory for it.
    """
    try:
        if not path.is_file():
            raise CheckpointError(f"{path} is no file" if path.exists() else f"{path} is missing")
        with path.open("rb") as file:
            _check(file, path)
            file.seek(0)
            with warnings.catch_warnings():
                # PyTorch warns of unknown formats; a file that it cannot read is an error below.
                warnings.simplefilter("ignore")
                content = torch.load(file, map_location="cpu", weights_only=True)
    except (CheckpointError, OSError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        # The first sentence only: PyTorch adds advice on how to read files that nobody trusts.
        reason = legible(str(error).partition(". ")[0]) or type(error).__name__
        raise CheckpointError(f"{path} is no checkpoint that can be read ({reason})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is no checkpoint: it holds no dictionary")
    return content


def _check(file: IO[bytes], path: Path) -> None:
    """Raise CheckpointError if a file is not as it was written."""
    if file.read(len(_BEGIN)) != _BEGIN:
        raise CheckpointError(f"{path} is no checkpoint that can be read (it is no zip file)")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _END.size - _COMMENT_LENGTH, 0))
    end = file.read()
    if end[_END.size :].startswith(_HASH_MARK):
        if _hash(file, size - _HASH_LENGTH) != end[-_HASH_LENGTH:]:
            raise DamagedError(
                f"{path} is damaged: its content does not have the hash it ends with"
            )
    elif _END.unpack(end[-_END.size :])[::2] == (_END_MARK, 0):
        _check_parts(file, path)
    else:
        raise DamagedError(f"{path} is damaged: its end is missing")


def _check_parts(file: IO[bytes], path: Path) -> None:
    """Check the checksum of every part of a zip file, if the checkpoint has no hash.

    Earlier versions of this project, and other programs, write such checkpoints.
    """
    try:
        with zipfile.ZipFile(file) as parts:
            for part in parts.infolist():
                # PyTorch writes parts like this, and would read beyond a part that is not.
                if part.compress_type or part.compress_size != part.file_size:
                    raise zipfile.BadZipFile
            damaged = parts.testzip()
    except Exception as error:
        if is_out_of_memory(error) or getattr(error, "errno", None) == errno.EIO:
            raise
        raise DamagedError(f"{path} is damaged: its list of parts cannot be read") from error
    if damaged is not None:
        raise DamagedError(f"{path} is damaged: its part {damaged} does not have its checksum")


def _hash(file: IO[bytes], length: int) -> bytes:
    """Return the SHA-256 of a file's first bytes in hexadecimal digits, and stop after them."""
    file.seek(0)
    found = hashlib.sha256()
    while length and (block := file.read(min(length, 1 << 20))):
        found.update(block)
        length -= len(block)
    return found.hexdigest().encode()
