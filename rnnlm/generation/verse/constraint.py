"""Poems in a form: the lines, their punctuation and, if asked for, rhyme, tones and an acrostic.

Before each character the constraint forbids all that break a rule, and the model chooses among the
others. So every poem is whole, and none has to be thrown away.

Shapes: V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlm.data.tang import SHAPES, Form, is_han
from rnnlm.data.tokens.vocabulary import UNKNOWN_ID, Vocabulary
from rnnlm.generation.constraints import Constraint
from rnnlm.generation.verse.prosody import may_rhyme, wanted_tone
from rnnlm.generation.verse.readings import Tone, rhyme, tone
from rnnlm.options import OptionError

# The mark after the first line of a couplet, and the marks after the second line.
PAUSE, STOPS = "，", "。？！"


@dataclass(frozen=True)
class VerseOptions:
    """The rules that a poem keeps.

    Raises:
        OptionError: the acrostic does not fit the form.
    """

    form: Form = Form.wujue
    # The first characters of the first lines.
    acrostic: str = ""
    # Even lines rhyme (`may_rhyme`).
    rhyme: bool = False
    # Level and oblique tones alternate at the key places (`wanted_tone`).
    tones: bool = False

    def __post_init__(self) -> None:
        if self.form is Form.any:
            forms = ", ".join(form.name for form in SHAPES)
            raise OptionError("form", f"`any` cannot be used for writing, it takes {forms}")
        lines, _ = SHAPES[self.form]
        if len(self.acrostic) > lines:
            longer = "" if lines == 8 else "; wulv and qilv have 8"
            raise OptionError(
                "acrostic",
                f"{self.acrostic} has {len(self.acrostic)} characters, "
                f"{self.form.name} has {lines} lines{longer}",
            )
        for character in self.acrostic:
            if not is_han(character):
                raise OptionError("acrostic", f"{character!r} is no Chinese character")


class VerseConstraint(Constraint):
    """The rules of a form for a vocabulary of characters.

    Args:
        prompt: the tokens at the beginning of the poem.

    Raises:
        OptionError: the vocabulary has no punctuation or no rhymes, or the prompt breaks a rule.
    """

    def __init__(
        self, vocabulary: Vocabulary, options: VerseOptions, prompt: Sequence[str]
    ) -> None:
        self._vocabulary, self._options, self._prompt = vocabulary, options, list(prompt)
        self._lines, self._length = SHAPES[options.form]
        self._poem = self._lines * (self._length + 1)
        # The prompt and the acrostic may have characters that the model does not know.
        symbols = list(dict.fromkeys([*vocabulary.tokens, *prompt, *options.acrostic]))
        self._index = {symbol: index for index, symbol in enumerate(symbols)}
        self._characters = [symbol for symbol in symbols if is_han(symbol)]
        self._pause, self._stops = self._mask(PAUSE), self._mask(STOPS)
        for marks, mask in ((PAUSE, self._pause), (STOPS, self._stops)):
            if not mask[: len(vocabulary)].any():
                raise OptionError(
                    "form", f"the model has never seen {marks[0]}, it cannot write verse"
                )
        self._any = self._mask(self._characters)
        self._by_tone = {kind: self._with_tone(kind) for kind in Tone} if options.tones else {}
        self._rhyming: dict[str, Tensor] = {}
        self._first_rhymes = self._with_enough_rhymes() if options.rhyme else self._any
        self._check_prompt()
        self.longest = self._poem - len(self._prompt)

    def forbidden(self, texts: Sequence[Sequence[int]]) -> Tensor:
        return torch.stack([self._forbidden(written) for written in texts])

    def _forbidden(self, written: Sequence[int]) -> Tensor:
        allowed = self._allowed(self._symbols(written))[: len(self._vocabulary)]
        if not allowed.any():
            # The model writes `<unk>` for a character of the acrostic that it does not know.
            allowed = allowed.clone()
            allowed[UNKNOWN_ID] = True
        return ~allowed

    def is_complete(self, written: Sequence[int]) -> bool:
        return len(written) == self.longest

    def added(self, written: Sequence[int]) -> str:
        return self._symbols(written)[-1]

    def _symbols(self, written: Sequence[int]) -> list[str]:
        """Return the poem so far, with the characters of the acrostic, known or not."""
        symbols = [*self._prompt, *self._vocabulary.decode(written)]
        for line, character in enumerate(self._options.acrostic):
            place = line * (self._length + 1)
            if len(self._prompt) <= place < len(symbols):
                symbols[place] = character
        return symbols

    def _allowed(self, symbols: Sequence[str]) -> Tensor:
        """Return a mask of the symbols that may come next, (V,) bool."""
        line, place = divmod(len(symbols), self._length + 1)
        if place == self._length:
            return self._stops if line % 2 else self._pause
        options = self._options
        if place == 0 and line < len(options.acrostic):
            return self._mask(options.acrostic[line])
        allowed = self._any
        lines = self._lines_of(symbols)
        if options.rhyme and line % 2 and place == self._length - 1:
            allowed = self._rhymes_with([each[-1] for each in lines[1:line:2]])
        if options.tones and (wanted := wanted_tone(lines, self._length)):
            allowed = allowed & self._by_tone[wanted]
        return allowed

    def _lines_of(self, symbols: Sequence[str]) -> list[str]:
        """Return the lines without their marks; the last one is not finished."""
        step = self._length + 1
        return [
            "".join(symbols[start : start + self._length])
            for start in range(0, len(symbols) + 1, step)
        ]

    def _rhymes_with(self, used: Sequence[str]) -> Tensor:
        if not used:
            return self._first_rhymes
        first = used[0]
        if first not in self._rhyming:
            self._rhyming[first] = self._mask(
                character for character in self._characters if may_rhyme(character, [first])
            )
        return self._rhyming[first] & ~self._mask(used)

    def _with_enough_rhymes(self) -> Tensor:
        """Return the characters with a rhyme for every couplet of the form."""
        kinds = {c: (rhyme(c), tone(c)) for c in self._characters if may_rhyme(c, [])}
        if self._options.tones:
            kinds = {c: kind for c, kind in kinds.items() if kind[1] is Tone.level}
        sizes = Counter(kind for c, kind in kinds.items() if c in self._vocabulary)
        enough = [c for c, kind in kinds.items() if sizes[kind] >= self._lines // 2]
        if not enough:
            raise OptionError("rhyme", "the model knows too few characters that rhyme")
        return self._mask(enough)

    def _with_tone(self, wanted: Tone) -> Tensor:
        mask = self._mask(c for c in self._characters if tone(c) is wanted)
        if not mask[: len(self._vocabulary)].any():
            raise OptionError("tones", f"the model knows no character of {wanted.value} tone")
        return mask

    def _mask(self, symbols: Iterable[str]) -> Tensor:
        mask = torch.zeros(len(self._index), dtype=torch.bool)
        mask[[self._index[symbol] for symbol in symbols if symbol in self._index]] = True
        return mask

    def _check_prompt(self) -> None:
        if len(self._prompt) >= self._poem:
            raise OptionError("prompt", f"{self._options.form.name} is no longer than it")
        for place, symbol in enumerate(self._prompt):
            if not self._allowed(self._prompt[:place])[self._index[symbol]]:
                line = place // (self._length + 1) + 1
                raise OptionError(
                    "prompt",
                    f"{symbol!r}, its character {place + 1}, may not stand there in line {line} "
                    f"of {self._options.form.name} with what else is asked for",
                )
