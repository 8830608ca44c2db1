"""rnnlm/signals/exit_status.py"""

from __future__ import annotations

import signal

import pytest

from rnnlm.signals.exit_status import ending_by_signal, status_after


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (-signal.SIGKILL, "killed by SIGKILL, as the system does where memory runs out"),
        (-signal.SIGSEGV, "killed by SIGSEGV"),
        (-40, "killed by signal 40"),
        (status_after(signal.SIGTERM), "stopped by SIGTERM"),
        (1, None),
        (0, None),
    ],
)
def test_a_signal_that_ended_a_process_is_named(exit_code: int, said: str | None) -> None:
    assert ending_by_signal(exit_code) == said
