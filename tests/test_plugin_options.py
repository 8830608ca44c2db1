"""rnnlm/plugin_options.py"""

from __future__ import annotations

from typing import Any

import pytest

from rnnlm.options import OptionError
from rnnlm.plugin_options import check_plugin


class Base:
    def __init__(self, folder: str, mark: str | None = None) -> None:
        """One of a kind."""


class Plugin(Base):
    def __init__(self, size: int = 1, rate=0.5, shown: bool = False, **others: Any) -> None:  # type: ignore[no-untyped-def]
        """Takes what its base takes, too."""


class Forwarding(Base):
    def __init__(self, **others: Any) -> None:
        """Passes all on."""


class ForwardingAll(Forwarding):
    def __init__(self, *, folder: str, **others: Any) -> None:
        """Passes the rest on."""


TARGET = f"{__name__}.Plugin"


def check(**options: Any) -> None:
    check_plugin({"_target_": TARGET, **options}, "p", Base, "plugin", set_here=["folder"])


def test_what_a_constructor_takes_is_allowed() -> None:
    check()
    check(size=3, rate=2.5, shown=True, mark=None)
    check(rate=1, mark="x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "big"}, "p.size: big: expected int, got str"),
        ({"size": 1.5}, "p.size: 1.5: expected int, got float"),
        ({"rate": "fast"}, "p.rate: fast: expected float, got str"),
        ({"shown": 1}, "p.shown: 1: expected bool, got int"),
        ({"mark": 2024}, "p.mark: 2024: expected str or null, got int, a text in quotes is typed"),
        ({"sise": 1}, "p.sise: no such option, did you mean size?"),
        ({"zzz": 1}, "p.zzz: no such option, there are mark, rate, shown, size"),
        ({"folder": "x"}, "p.folder: follows from the run's folder and cannot be given"),
    ],
)
def test_the_first_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as error:
        check(**options)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (5, "p: 5 is no plugin, which has a class as its _target_"),
        ({"size": 1}, "p: {'size': 1} is no plugin, which has a class as its _target_"),
        ({"_target_": "no.such"}, "p._target_: 'no.such' cannot be imported"),
        ({"_target_": ""}, "p._target_: '' cannot be imported"),
        ({"_target_": "os.system"}, "p._target_: 'os.system' is no plugin"),
        ({"_target_": "builtins.dict"}, "p._target_: 'builtins.dict' is no plugin"),
    ],
)
def test_a_target_is_a_class_of_its_kind(plugin: Any, message: str) -> None:
    with pytest.raises(OptionError) as error:
        check_plugin(plugin, "p", Base, "plugin")
    assert str(error.value) == message


def test_what_is_forwarded_is_checked_where_it_goes() -> None:
    def receive(queue: int = 10) -> None:
        """Takes what nobody else has."""

    plugin = {"_target_": f"{__name__}.ForwardingAll", "folder": "x", "mark": "y"}
    check_plugin(plugin, "p", Base, "plugin")
    with pytest.raises(OptionError, match=r"^p\.queue: no such option"):
        check_plugin({**plugin, "queue": 5}, "p", Base, "plugin")
