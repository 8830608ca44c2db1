"""rnnlm/signals/ctrl_c.py, in small processes of their own that signal themselves."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from rnnlm.signals.exit_status import INTERRUPTED_STATUS, TERMINATED_STATUS

BEGIN = """
import os, signal, time
from rnnlm.signals.ctrl_c import interruption

def send(number, times=1, gap=0.0):
    for _ in range(times):
        os.kill(os.getpid(), number)
        time.sleep(gap)

interruption.install()
"""
INTERRUPTED = "interrupted; the same command goes on with what is left\n"
TERMINATED = "stopped by SIGTERM; the same command goes on with what is left\n"


def ended(code: str) -> tuple[int, str, str]:
    """The status, output and errors of a process that runs the code."""
    command = [sys.executable, "-c", BEGIN + code]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return result.returncode, result.stdout, result.stderr


def in_a_body(code: str) -> tuple[int, str, str]:
    """The same, where the code is what may be interrupted."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return ended(f"def body():\n{body}    return 0\nraise SystemExit(interruption.run(body))\n")


def test_before_there_is_anything_to_save_the_process_ends_at_once() -> None:
    code = "print('said')\ntry:\n    send({0}, 5)\nfinally:\n    print('not reached')"
    assert ended(code.format("signal.SIGINT")) == (INTERRUPTED_STATUS, "said\n", INTERRUPTED)
    assert ended(code.format("signal.SIGTERM")) == (TERMINATED_STATUS, "said\n", TERMINATED)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGINT, (INTERRUPTED_STATUS, "saved\n", INTERRUPTED)),
        (signal.SIGTERM, (TERMINATED_STATUS, "saved\n", TERMINATED)),
    ],
)
def test_work_is_stopped_so_that_it_can_save(
    number: signal.Signals, expected: tuple[int, str, str]
) -> None:
    code = f"try:\n    send({int(number)})\nfinally:\n    time.sleep(0.1)\n    print('saved')"
    assert in_a_body(code) == expected


def test_signals_at_once_are_one() -> None:
    code = "try:\n    send({0})\nfinally:\n    send({0}, 19, 0.01)\n    print('saved')"
    for number, status, line in ((2, INTERRUPTED_STATUS, INTERRUPTED), (15, 143, TERMINATED)):
        assert in_a_body(code.format(number)) == (status, "saved\n", line)


def test_a_second_ctrl_c_does_not_wait_for_what_is_being_saved() -> None:
    code = """try:
    send(signal.SIGINT)
finally:
    time.sleep(0.6)
    try:
        send({0})
        print('saved')
    finally:
        send(signal.SIGINT, 5, 0.2)
        send(signal.SIGTERM, 5)"""
    assert in_a_body(code.format("signal.SIGINT")) == (INTERRUPTED_STATUS, "", INTERRUPTED)
    assert in_a_body(code.format("signal.SIGTERM")) == (TERMINATED_STATUS, "", TERMINATED)


def test_a_signal_that_a_library_has_swallowed_is_heard_all_the_same() -> None:
    code = "try:\n    send(signal.SIGINT)\nexcept BaseException:\n    pass\nprint('went on')"
    assert in_a_body(code) == (INTERRUPTED_STATUS, "went on\n", INTERRUPTED)


def test_after_the_work_a_signal_ends_the_process_and_what_was_printed_is_kept() -> None:
    code = "print('table')\nstatus = interruption.run(lambda: 0)\nsend(signal.SIGINT)\n"
    assert ended(code) == (INTERRUPTED_STATUS, "table\n", INTERRUPTED)
    after = "def body():\n    send(2)\ninterruption.run(body)\nsend(2, 5)\nsend(15)\nprint('end')"
    assert ended(after) == (0, "end\n", INTERRUPTED)


def test_what_is_ignored_stays_ignored() -> None:
    code = "signal.signal(signal.SIGINT, signal.SIG_IGN)\ninterruption.install()\nsend(2)\nprint(1)"
    assert ended(code) == (0, "1\n", "")


def test_an_error_of_the_work_is_left_to_the_caller() -> None:
    status, _, errors = in_a_body("raise ValueError('a bug')")
    assert status == 1
    assert errors.endswith("ValueError: a bug\n")
