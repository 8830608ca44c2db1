"""rnnlm/generation/options.py"""

from __future__ import annotations

from typing import Any

import pytest

from rnnlm.generation.options import GenerationOptions, check_generation
from rnnlm.options import OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.5}, "temperature: -0.5 is out of range, it takes at least 0"),
        ({"temperature": float("nan")}, "temperature: nan is not a finite number"),
        ({"top_k": 0}, "top_k: 0 is out of range, it takes at least 1"),
        ({"top_p": 0.0}, "top_p: 0.0 is out of range, it takes more than 0 and at most 1"),
        ({"num": 0}, "num: 0 is out of range"),
        ({"length": 0}, "length: 0 is out of range"),
        ({"seed": -1}, "seed: -1 is out of range"),
        ({"beam": 0}, "beam: 0 is out of range"),
        ({"repetition_penalty": 5e-324}, "repetition_penalty: 5e-324 is out of range"),
        ({"repetition_penalty": 1e308}, "repetition_penalty: 1e+308 is out of range"),
        ({"beam": 1001}, "beam: 1001 is out of range, it takes at least 1 and at most 1,000"),
        ({"beam": 2, "greedy": True}, "greedy: beam searches, give one of the two"),
        ({"stop": [""]}, "stop: it is empty"),
        ({"greedy": True, "temperature": 0.5}, "temperature: it is for draws, and greedy does"),
        ({"beam": 2, "top_k": 5}, "top_k: it is for draws, and beam does not draw"),
        ({"beam": 2, "num": 3}, "num: beam finds one text"),
        ({"beam": 2, "repetition_penalty": 1.2}, "repetition_penalty: beam takes"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as error:
        check_generation(GenerationOptions(**options))
    assert str(error.value).startswith(message)
    with pytest.raises(OptionError, match=r"^samples\."):
        check_generation(GenerationOptions(**options), "samples.")


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"greedy": True}, {"beam": 4}])
def test_what_can_be_is_taken(options: dict[str, Any]) -> None:
    check_generation(GenerationOptions(**options))
