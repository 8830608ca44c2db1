"""rnnlm/options.py"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from rnnlm.options import OptionError, check, option, result_options


@dataclass
class Inner:
    size: int = option(4, minimum=1, maximum=8)
    share: float | None = option(None, above=0, below=1)


@dataclass
class Outer:
    inner: Inner = field(default_factory=Inner)
    kind: str = option("a", choices=("a", "b"))
    folder: str = option("here", affects_result=False)


def test_defaults_are_allowed() -> None:
    check(Outer())


@pytest.mark.parametrize(
    ("outer", "message"),
    [
        (Outer(Inner(size=0)), "inner.size: 0 is out of range, it takes at least 1 and at most 8"),
        (Outer(Inner(size=9)), "inner.size: 9 is out of range"),
        (Outer(Inner(share=0.0)), "inner.share: 0.0 is out of range, it takes more than 0"),
        (Outer(Inner(share=1.0)), "inner.share: 1.0 is out of range"),
        (Outer(Inner(share=float("nan"))), "inner.share: nan is not a finite number"),
        (Outer(kind="c"), "kind: 'c' is not one of a, b"),
    ],
)
def test_the_first_bad_value_is_named(outer: Outer, message: str) -> None:
    with pytest.raises(OptionError) as error:
        check(outer)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_only_options_that_affect_the_result_describe_it() -> None:
    assert result_options(Outer()) == {"inner.size": 4, "inner.share": None, "kind": "a"}
