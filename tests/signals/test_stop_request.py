"""rnnlm/signals/stop_request.py: real signals, to this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from rnnlm.signals.stop_request import Stopped, StopRequest


class Heard(Exception):  # noqa: N818
    """A handler of these tests has been called."""


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    def hear(*_: object) -> None:
        raise Heard

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    before = {number: signal.signal(number, hear) for number in numbers}
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def work(request: StopRequest, *numbers: int, lightning: bool = False) -> None:
    """Listen to the signals that come during work which does not heed the request."""
    with request.listening():
        if lightning:
            signal.signal(signal.SIGTERM, lambda *_: pytest.fail("Lightning's handler"))
            request.restore_sigterm_handler()
        request.fulfil()
        for number in numbers:
            signal.raise_signal(number)


def test_a_signal_is_noted_and_ends_the_run_once_the_run_allows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = StopRequest()
    with pytest.raises(Stopped, match="SIGTERM") as stopped:
        work(request, signal.SIGTERM, signal.SIGTERM, lightning=True)
    assert not request.is_overdue
    monkeypatch.setattr("rnnlm.signals.stop_request.SECONDS_UNTIL_OVERDUE", 0)
    assert request.is_overdue
    with pytest.raises(SystemExit, match="143"):
        stopped.value.end_run()
    with pytest.raises(Heard):
        signal.raise_signal(signal.SIGTERM)


def test_a_second_ctrl_c_acts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnlm.signals.stop_request.SECONDS_UNTIL_OVERDUE", 0)
    request = StopRequest()
    with pytest.raises(Heard):
        work(request, signal.SIGINT, signal.SIGINT)
    assert not request.is_overdue
    with pytest.raises(KeyboardInterrupt):
        Stopped(signal.SIGINT).end_run()


def test_a_users_signal_waits_for_the_run_if_it_has_a_handler() -> None:
    with pytest.raises(Stopped, match="SIGUSR1") as stopped:
        work(StopRequest(), signal.SIGUSR1)
    with pytest.raises(Heard):
        stopped.value.end_run()
    assert signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL


def test_what_is_ignored_stays_ignored() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    work(StopRequest(), signal.SIGINT, signal.SIGTERM, lightning=True)
