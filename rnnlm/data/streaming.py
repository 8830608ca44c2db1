"""A file of any size as tokens: its text comes in passages, each of which is tokenised by itself.

That the tokens are those of the whole text is up to where the passages are cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rnnlm.data.vocabulary import BEGIN, END
from rnnlm.options import OptionError


class Passage(NamedTuple):
    """Some of a file's cleaned text: whole texts, or a part of one that is tokenised by itself."""

    texts: list[str]
    begins: bool = True  # the first of them begins here
    ends: bool = True  # the last of them ends here


class Piece(NamedTuple):
    """Some of a file's tokens, in reading order."""

    tokens: list[str]  # with `<bos>` and `<eos>` where the text is in documents
    num_chars: int  # characters of the text that the predicted ones among them stand for
    first_is_given: bool  # and not predicted: nothing comes before it


def one_text(parts: Iterable[str]) -> Iterator[Passage]:
    """Parts of one text, none of them empty, as passages."""
    before, begins = "", True
    for part in parts:
        if before:
            yield Passage([before], begins, ends=False)
            begins = False
        before = part
    if before:
        yield Passage([before], begins, ends=True)


def cut_between(parts: Iterable[str], before: str, after: str) -> Iterator[str]:
    """The same text in parts that end where two characters stand side by side.

    A part is as long as it takes to find them, whatever the length of those that came.

    Args:
        before: a regular expression for the last character of a part.
        after: one for the first character of the next.
    """
    last_cut = re.compile(f".*{before}(?={after})", re.DOTALL)
    begun: list[str] = []
    previous = ""
    for part in parts:
        found = last_cut.match(previous + part)
        if found:
            cut = found.end() - len(previous)
            yield "".join([*begun, part[:cut]])
            begun = [part[cut:]]
        else:
            begun.append(part)
        previous = part[-1:]
    if any(begun):
        yield "".join(begun)


def lines_of(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Every line that is not empty as a text; one that goes on in the next passage is joined."""
    begun: list[str] = []
    for passage in passages:
        text = "\n".join(passage.texts)
        if passage.ends:
            begun, whole = [], "".join([*begun, text])
        else:
            end, newline, rest = text.rpartition("\n")
            begun, whole = ([rest], "".join([*begun, end])) if newline else ([*begun, rest], "")
        if found := [line for line in whole.split("\n") if line]:
            yield Passage(found)


def checked(path: Path, passages_of: Callable[[Path], Iterable[Passage]]) -> Iterator[Passage]:
    """The passages of a file; what is wrong with it is said in one line.

    Raises:
        OptionError: it is no file of text, cannot be read, or no text is left of it.
    """
    text_is_left = False
    try:
        if not path.exists():
            raise OptionError("text", f"no file {path}")
        if path.is_dir() or path.suffix.lower() == ".zip":
            kind = "folder" if path.is_dir() else "zip"
            raise OptionError("text", f"{path} is a {kind}, it takes one file of text")
        if not path.is_file():
            raise OptionError("text", f"{path} is no file that can be read twice")
        for passage in passages_of(path):
            text_is_left = text_is_left or any(map(str.strip, passage.texts))
            yield passage
    except OSError as error:
        raise OptionError("text", f"{path} cannot be read ({error.strerror})") from error
    except OptionError as error:
        # What reads a corpus' own text names the option that the text was given by.
        if error.option != "data.source":
            raise
        raise OptionError("text", error.problem) from error
    if not text_is_left:
        raise OptionError("text", f"no text is left of {path.name}")


def tokenised(
    passages: Iterable[Passage],
    tokenize: Callable[[Sequence[str]], Iterable[list[str]]],
    bounded: bool,
) -> Iterator[Piece]:
    """The tokens of each passage.

    Args:
        bounded: whether the texts are documents, each between `<bos>` and `<eos>`.
    """
    is_first = not bounded  # `<bos>` is given in any piece, and known to be
    for passage in passages:
        num_chars = sum(map(len, passage.texts))
        tokens: list[str] = []
        for text in tokenize(passage.texts):
            tokens += [BEGIN, *text, END] if bounded else text
        if bounded:
            # A document's end is one character more: the line end that would stand there.
            num_chars += len(passage.texts)
            if not passage.begins:
                del tokens[0]
            if not passage.ends:
                del tokens[-1]
                num_chars -= 1
        elif is_first and tokens:
            num_chars -= len(tokens[0])
        yield Piece(tokens, num_chars, is_first and bool(tokens))
        is_first = is_first and not tokens
