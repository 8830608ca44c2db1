"""Options of writing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from rnnlm.options import OptionError, check, option


class InitialState(Enum):
    """The state at the start: zeros, or a normal draw with standard deviation 0.5."""

    zeros = "zeros"
    normal = "normal"


@dataclass
class GenerationOptions:
    """Options for texts of every kind; those for verse alone are in `VerseOptions`."""

    # The number of texts. They are written at once, each with its own state in memory.
    num: int = option(1, minimum=1, maximum=10_000, affects_result=False)
    # The largest number of tokens; a poem in a form is as long as its form.
    length: int = option(200, minimum=1, maximum=10_000_000, affects_result=False)
    # Text i follows from the seed and i, whatever other texts are written.
    seed: int = option(1, minimum=0, maximum=2**32 - 1, affects_result=False)
    # Divides the logits; 0 takes the likeliest token, like `greedy`.
    temperature: float = option(1.0, minimum=0, affects_result=False)
    # Draw only among this many likeliest tokens.
    top_k: int | None = option(None, minimum=1, affects_result=False)
    # Draw only among the fewest likeliest tokens whose probabilities add up to this
    # (Holtzman et al. 2020), after top-k.
    top_p: float | None = option(None, above=0, maximum=1, affects_result=False)
    greedy: bool = option(False, affects_result=False)
    # Search for the likeliest text, keeping this many beginnings (beam search).
    beam: int | None = option(None, minimum=1, maximum=1000, affects_result=False)
    # Divides the positive logits of tokens that the text or its prompt has already, and multiplies
    # the negative ones (Keskar et al. 2019, section 4.1).
    repetition_penalty: float = option(1.0, minimum=0.01, maximum=100, affects_result=False)
    state: InitialState = option(InitialState.zeros, affects_result=False)
    # A text ends after any of these strings, or at `<eos>`.
    stop: list[str] = field(default_factory=list, metadata={"affects_result": False})

    @property
    def takes_likeliest(self) -> bool:
        """True if the likeliest token is always taken."""
        return self.greedy or self.temperature == 0


def check_generation(options: GenerationOptions, prefix: str = "") -> None:
    """Check that options are in range and do not contradict each other.

    Args:
        prefix: stands before the options' names in messages.

    Raises:
        OptionError: names the option and what it takes.
    """
    check(options, prefix)
    draws = {
        "temperature": options.temperature != 1,
        "top_k": options.top_k is not None,
        "top_p": options.top_p is not None,
    }
    for search, chosen in (("beam", options.beam is not None), ("greedy", options.greedy)):
        for name, given in draws.items():
            if chosen and given:
                raise OptionError(prefix + name, f"it is for draws, and {search} does not draw")
    if options.beam is not None:
        if options.repetition_penalty != 1:
            raise OptionError(f"{prefix}repetition_penalty", "beam takes probabilities as they are")
        if options.num > 1:
            raise OptionError(f"{prefix}num", "beam finds one text")
        if options.greedy:
            raise OptionError(f"{prefix}greedy", "beam searches, give one of the two")
    if "" in options.stop:
        raise OptionError(f"{prefix}stop", "it is empty, it takes a text to stop after")
