"""rnnlm/messages/standard_streams.py: streams that are closed, broken or narrow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from rnnlm.messages.standard_streams import make_streams_unbreakable
make_streams_unbreakable()
for number in range(3000):
    print("春", number, flush=True)
    print("春", number, file=sys.stderr)
opened = open("opened", "w")
opened.write(f"{opened.fileno() > 2} {sys.stdout.isatty()}")
raise SystemExit(3)
"""


def run(shell: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the code by a line of shell, in which it is `"$@"`."""
    return subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, "-c", CODE],
        capture_output=True,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
        timeout=60,
    )


def test_a_stream_that_is_closed_or_ends_does_not_end_the_process(tmp_path: Path) -> None:
    for shell in (
        '"$@" >&-',
        '"$@" >&- 2>&- <&-',
        '"$@" | head -1; exit ${PIPESTATUS[0]}',
        '"$@" 2>&1 | head -1; exit ${PIPESTATUS[0]}',
        '"$@" >/dev/full 2>/dev/full',
    ):
        result = run(shell, tmp_path)
        assert result.returncode == 3, shell
        assert b"Exception" not in result.stderr + result.stdout, shell
        assert (tmp_path / "opened").read_text() == "True False", shell
        (tmp_path / "opened").unlink()


def test_what_an_encoding_lacks_is_written_as_its_escape(tmp_path: Path) -> None:
    result = run('"$@"', tmp_path, PYTHONIOENCODING="latin-1")
    assert result.returncode == 3
    assert result.stdout.startswith(b"\\u6625 0\n\\u6625 1\n")
    assert result.stderr.startswith(b"\\u6625 0\n")
    assert len(result.stdout.splitlines()) == 3000
