"""Texts by a network, from a prompt and options."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnnlm.data.tokens.vocabulary import BEGIN_ID, Vocabulary
from rnnlm.generation.beam import search
from rnnlm.generation.constraints import Constraint, FreeText
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.sampling import Token, sample
from rnnlm.generation.verse.constraint import VerseConstraint, VerseOptions
from rnnlm.metrics import perplexity
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.stepper import Stepper
from rnnlm.options import OptionError


@dataclass(frozen=True)
class Text:
    """A text that was written after a prompt."""

    prompt: str
    text: str
    # The tokens of the text, with `<eos>` if the model ended it.
    tokens: tuple[str, ...]
    # The negative log-likelihood of each token under the model, without temperature and constraint;
    # None if not asked for.
    nats: tuple[float, ...] | None
    # True if the text came to its end: `<eos>`, a stop string, or the last line of its form.
    complete: bool

    @property
    def probabilities(self) -> tuple[float, ...] | None:
        """The probability of each token."""
        return None if self.nats is None else tuple(math.exp(-nats) for nats in self.nats)

    @property
    def ppl(self) -> float | None:
        """Perplexity of the text under the model."""
        return None if self.nats is None else perplexity(sum(self.nats) / len(self.nats))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, without probabilities if they were not asked for."""
        described: dict[str, Any] = {
            "prompt": self.prompt,
            "text": self.text,
            "complete": self.complete,
        }
        if self.nats is not None:
            described |= {
                "ppl": self.ppl,
                "tokens": list(self.tokens),
                "probabilities": list(self.probabilities or ()),
            }
        return described


class Addition(NamedTuple):
    """The characters that a new token adds to one of the texts."""

    number: int  # the number of the text, from 0
    added: str
    text: Text | None  # the whole text, once it is finished


class Writer:
    """Writes texts with a network and its vocabulary."""

    def __init__(self, network: LanguageModel, vocabulary: Vocabulary) -> None:
        self._stepper = Stepper(network)
        self._vocabulary = vocabulary

    def stream(
        self,
        prompt: Sequence[str],
        options: GenerationOptions,
        verse: VerseOptions | None = None,
        with_probabilities: bool = False,
    ) -> Iterator[Addition]:
        """Write texts, and yield what each token adds as it comes.

        Args:
            prompt: the tokens before the text. A vocabulary with `<bos>` needs none.

        Raises:
            OptionError: the prompt is empty, or the vocabulary or the prompt does not allow the
                verse that was asked for.
        """
        vocabulary = self._vocabulary
        constraint: Constraint
        if verse is None:
            constraint = FreeText(vocabulary, options.stop)
        else:
            constraint = VerseConstraint(vocabulary, verse, prompt)
        given = [BEGIN_ID] if vocabulary.has_documents else []
        given += vocabulary.encode(prompt).tolist()
        if not given:
            raise OptionError("prompt", "this model's texts have no beginning, it needs a text")
        if options.beam is None:
            tokens = sample(self._stepper, given, constraint, options, with_probabilities)
        else:
            tokens = iter(search(self._stepper, given, constraint, options))
        return self._additions("".join(prompt), tokens, constraint, with_probabilities)

    def _additions(
        self, prompt: str, tokens: Iterator[Token], constraint: Constraint, with_probabilities: bool
    ) -> Iterator[Addition]:
        parts: dict[int, list[str]] = defaultdict(list)
        nats: dict[int, list[float]] = defaultdict(list)
        for number, _, token_nats, is_last, written in tokens:
            added = constraint.added(written)
            parts[number].append(added)
            if token_nats is not None:
                nats[number].append(token_nats)
            if not is_last:
                yield Addition(number, added, None)
                continue
            text_nats = tuple(nats.pop(number, ()))
            text = Text(
                prompt,
                "".join(parts.pop(number)),
                tuple(self._vocabulary.decode(written)),
                text_nats if with_probabilities else None,
                constraint.is_complete(written),
            )
            yield Addition(number, added, text)
