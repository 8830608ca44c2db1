"""What can be asked of a text that is to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from rnnlm.options import OptionError, check, option


class InitialState(Enum):
    """What the network starts from: zeros, or a normal draw with standard deviation 0.5."""

    zeros = "zeros"
    normal = "normal"


@dataclass
class GenerationOptions:
    """How texts are written; what holds for verse alone is in `VerseOptions`."""

    # All are written at once, each with a state of its own in memory.
    num: int = option(1, minimum=1, maximum=10_000, affects_result=False)
    # Tokens at most; a poem in a form is as long as its form.
    length: int = option(200, minimum=1, maximum=10_000_000, affects_result=False)
    # Of the draws: text i follows from the seed and i, whatever else is written.
    seed: int = option(1, minimum=0, maximum=2**32 - 1, affects_result=False)
    # Logits are divided by it; 0 takes the likeliest token, as `greedy` does.
    temperature: float = option(1.0, minimum=0, affects_result=False)
    # Only the so many likeliest tokens are drawn.
    top_k: int | None = option(None, minimum=1, affects_result=False)
    # Only the fewest likeliest tokens are drawn whose probabilities add up to this
    # (Holtzman et al. 2020), after top-k.
    top_p: float | None = option(None, above=0, maximum=1, affects_result=False)
    greedy: bool = option(False, affects_result=False)
    # The likeliest text that a search finds which keeps so many beginnings.
    beam: int | None = option(None, minimum=1, maximum=1000, affects_result=False)
    # Logits of tokens that stand in the text or its prompt are divided by it where they are
    # positive, else multiplied with it (Keskar et al. 2019, section 4.1).
    repetition_penalty: float = option(1.0, minimum=0.01, maximum=100, affects_result=False)
    state: InitialState = option(InitialState.zeros, affects_result=False)
    # A text ends after any of these, besides at `<eos>`.
    stop: list[str] = field(default_factory=list, metadata={"affects_result": False})

    @property
    def takes_likeliest(self) -> bool:
        """Whether nothing is left to chance."""
        return self.greedy or self.temperature == 0


def check_generation(options: GenerationOptions, prefix: str = "") -> None:
    """Refuse what is out of range, and options that contradict each other.

    Args:
        prefix: of the options' names, where they are part of others.

    Raises:
        OptionError: names the option and what it takes.
    """
    check(options, prefix)
    of_draws = {
        "temperature": options.temperature != 1,
        "top_k": options.top_k is not None,
        "top_p": options.top_p is not None,
    }
    for search, chosen in (("beam", options.beam is not None), ("greedy", options.greedy)):
        for name, given in of_draws.items():
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
