"""rnnlm/signals/stop_signals.py: real signals, to this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from rnnlm.signals import stop_signals
from rnnlm.signals.stop_signals import StopSignals, Urgency


class Hung(Exception):  # noqa: N818
    """The handler of SIGHUP in these tests has been called."""


@pytest.fixture(autouse=True)
def sighup() -> Iterator[None]:
    def hang_up(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGHUP, hang_up)
    yield
    signal.signal(signal.SIGHUP, before)


def urgency_after(*numbers: int) -> Urgency:
    """Return how urgent a stop is after the signals, whose own handlers are then called."""
    with StopSignals() as signals:
        try:
            for number in numbers:
                signal.raise_signal(number)
        finally:
            noted.append(signals.urgency)
    return signals.urgency


noted: list[Urgency] = []


def test_a_signal_is_noted_and_does_at_the_end_what_it_would_have_done() -> None:
    with pytest.raises(KeyboardInterrupt):
        urgency_after(signal.SIGINT)
    assert noted.pop() is Urgency.AFTER_SAVING
    with pytest.raises(Hung):
        urgency_after(signal.SIGHUP)
    assert noted.pop() is Urgency.SOON
    assert urgency_after() is Urgency.NONE


def test_a_flood_is_one_request_and_ctrl_c_after_a_while_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        urgency_after(*[signal.SIGINT] * 20)
    assert noted.pop() is Urgency.AFTER_SAVING
    monkeypatch.setattr(stop_signals, "SECONDS_OF_ONE_REQUEST", 0.0)
    with pytest.raises(KeyboardInterrupt):
        urgency_after(signal.SIGINT, signal.SIGINT)
    assert noted.pop() is Urgency.NOW


def test_a_later_signal_may_leave_less_time_than_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        urgency_after(signal.SIGINT, signal.SIGHUP)
    assert noted.pop() is Urgency.SOON


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            signal.raise_signal(signal.SIGINT)
        assert signals.urgency is Urgency.NONE
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
