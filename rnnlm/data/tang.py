"""Tang poems by character: the JSON of a well-known collection, or texts of one poem a line.

Of a folder or a zip with files of the collection (`poet.tang.*.json`), these alone are read.

What is done to a poem's text, in this order:

1. Notes are left out: all in （…）, (…), 〖…〗, 【…】, 〔…〕, <…>, ＜…＞ and 〈…〉, one inside the
   other too; but 〈…〉 within 《…》 is part of a book's name.
2. A note's number, `[一]` or `[12]`, is left out, and so is a note in square brackets, which is
   known by an editor's word such as 一作. Other square brackets hold characters that the editors
   restored: they stay, without the brackets. ［…］ is as […].
3. A character that could not be set, described as `{…}` or by a ⿰-like sign and its two parts, or
   put in the private-use area, or shown as ○, ● or _, becomes □, the mark of a missing character.
   So does ? in a file of lines where it stands within verses.
4. All that is neither a Chinese character, □, nor one of ，。？！；：、「」『』《》 is left out.

A poem of which nothing is left, or whose brackets do not close, is left out, and so is every poem
after the first with exactly the same text. All of this is counted in the run's log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import opencc

from rnnlm.data.poem_files import NoPoemsError, read_poems
from rnnlm.data.separate_documents import SeparateDocuments, SeparateDocumentsConfig
from rnnlm.data.source import FULL, SAMPLE, File, PublishedFile
from rnnlm.data.splitting import drawn
from rnnlm.data.tang_sha256 import COMMIT, SHA256
from rnnlm.options import OptionError, option

MISSING = "□"
# Notes within notes are followed so deep.
_DEEPEST = 20
_NOTE = re.compile(
    r"（[^（）]*）|\([^()]*\)|〖[^〖〗]*〗|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|＜[^＜＞]*＞|〈[^〈〉]*〉(?![^《》]{0,40}》)"
)
_NOTE_BRACKETS = re.compile(r"[（）()〖〗【】〔〕<>＜＞\[\]{}]")
_NOTE_NUMBER = re.compile(r"\[[一二三四五六七八九十○〇0-9]+\]")
# A note in square brackets, known by an editor's words.
_NOTE_IN_SQUARE = re.compile(
    r"\[[^\[\]{}]{0,60}(?:[一又或亦集本]作|一[云本]|[原自校按]注)[^\[\]{}]{0,60}\]"
    r"|\[(?:注|按|校|案)[：:][^\[\]{}]{0,120}\]"
)
_SQUARE = str.maketrans("［］", "[]")
_RESTORED = re.compile(r"\[([^\[\]{}]*)\]")
_NOT_SET = re.compile(r"\{[^{}]*\}|[⿰-⿻]..|[\ue000-\uf8ff\U000f0000-\U0010ffff○●_＿]", re.DOTALL)
# A Chinese character, within the [] of a regular expression.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_LEFT_OUT = re.compile(rf"[^{HAN}{MISSING}，。？！；：、「」『』《》]")
_IS_HAN = re.compile(f"[{HAN}]")
_LINE_END = re.compile("[，。？！；：、]")
# The collection's own files, beside which others lie.
_OF_TANG = re.compile(r"(?:^|/)poet\.tang\.[^/]*\.json$", re.IGNORECASE)
_NAMED = 4
# Half-width marks, as they stand in files typed by hand.
_FULL_WIDTH = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ";": "；", "．": "。"})
# To traditional characters as in the mainland's editions and as in Taiwan, and to simplified ones.
_TO_OTHER_SCRIPT = ("s2t", "s2tw", "t2s")


class Script(Enum):
    """Which characters: as they stand, or converted by OpenCC."""

    original = "original"
    simplified = "simplified"
    traditional = "traditional"


class Form(Enum):
    """Verse forms: quatrains (jue) and regulated verse (lü) of lines of five and of seven."""

    any = "any"
    wujue = "wujue"
    qijue = "qijue"
    wulv = "wulv"
    qilv = "qilv"


# Lines and characters a line.
SHAPES = {Form.wujue: (4, 5), Form.qijue: (4, 7), Form.wulv: (8, 5), Form.qilv: (8, 7)}


@dataclass
class TangConfig(SeparateDocumentsConfig):
    """Options of `data=tang`."""

    script: Script = Script.original
    form: Form = Form.any
    # Only so many poems, drawn at random, the same ones each time.
    max_poems: int | None = option(None, minimum=1)


class Tang(SeparateDocuments):
    """Poems, each from `<bos>` to `<eos>`, dealt out to train, validation and test."""

    Config = TangConfig
    config: TangConfig
    sample = "tang.json"
    suffixes = (".json", ".txt")
    published = tuple(
        PublishedFile(
            name=f"tang/poet.tang.{number}.json",
            address="https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/"
            f"{COMMIT}/%E5%85%A8%E5%94%90%E8%AF%97/poet.tang.{number}.json",
            sha256=sha256,
        )
        for number, sha256 in SHA256.items()
    )

    def parse(self, files: Sequence[File]) -> list[str]:
        """The cleaned poems, no two alike, in the order of the files.

        Raises:
            OptionError: a file is not what it should be, or no poem is left.
        """
        raw, passed_over, titles, authors = self._read(files)
        left_out: Counter[str] = Counter()
        changes: Counter[str] = Counter()
        poems: dict[str, None] = {}
        for poem in map(clean, raw):
            if poem.left_out:
                left_out[poem.left_out] += 1
            elif poem.text in poems:
                left_out["duplicates"] += 1
            else:
                poems[poem.text] = None
                changes += poem.changes
        texts = list(dict.fromkeys(map(self._conversion(), poems)))
        left_out["alike after conversion"] = len(poems) - len(texts)
        if self.config.form is not Form.any:
            in_form = [poem for poem in texts if has_form(poem, self.config.form)]
            left_out[f"not in the form {self.config.form.name}"] = len(texts) - len(in_form)
            texts = in_form
        if self.config.max_poems is not None:
            few = drawn(texts, self.config.max_poems)
            left_out["not drawn"] = len(texts) - len(few)
            texts = few
        kept = f"{len(texts):,} of {len(raw):,} poems; left out: {_counts(left_out)}"
        self.notes = [kept, f"taken out of these poems or replaced: {_counts(changes)}"]
        if titles:
            self.notes.append(f"taken off the lines: {titles:,} titles, {authors:,} authors")
        if passed_over:
            self.notes.append(f"passed over, no poems of the Tang: {_named(passed_over)}")
        if not texts:
            raise OptionError("data.source", kept)
        return texts

    def parse_file(self, file: File) -> list[str]:
        """Take all poems of the file, in any form, one that comes again too."""
        poems = read_poems(self.decode(file), file.name)
        cleaned = (clean(poem).text for poem in poems.texts)
        return list(map(self._conversion(), filter(None, cleaned)))

    def files(self) -> list[File]:
        """What `data.source` names.

        Raises:
            OptionError: there are no poems in it; of a folder it is said which one below has them.
        """
        folder = Path(self.config.source).expanduser()
        for below in () if self.config.source in (SAMPLE, FULL) else _folders_of_poems(folder):
            raise OptionError("data.source", f"the poems of {folder} are in {below}, give that")
        return super().files()

    def _read(self, files: Sequence[File]) -> tuple[list[str], list[str], int, int]:
        """The poems, the names of the files without any, and how many titles and authors.

        Raises:
            OptionError: a file is not what it should be, or there is no poem in any.
        """
        of_tang = [file for file in files if _OF_TANG.search(file.name)]
        passed_over = [f.name for f in files if of_tang and not _OF_TANG.search(f.name)]
        found, without = [], []
        for file in of_tang or files:
            try:
                found.append(read_poems(self.decode(file), file.name))
            except NoPoemsError as error:
                without.append(error)
                passed_over.append(file.name)
        if without and not found:
            raise without[0]
        return (
            [text for poems in found for text in poems.texts],
            passed_over,
            sum(poems.titles for poems in found),
            sum(poems.authors for poems in found),
        )

    def typed(self, text: str) -> list[str]:
        """Characters, in the corpus' script and with its marks; none is left out.

        Raises:
            OptionError: it holds bytes that are no text.
        """
        return list(self.as_written("".join(super().typed(text))))

    def as_written(self, text: str) -> str:
        """The text in the corpus' script, with full-width marks.

        Where that is left open, characters that the model does not know are written in the other
        script if it knows them so: 春风 is 春風 to a model of traditional poems.
        """
        text = self._conversion()(text.translate(_FULL_WIDTH))
        return self._as_known(text) if self.config.script is Script.original else text

    def _as_known(self, text: str) -> str:
        known = getattr(self, "vocabulary", text)
        for conversion in _TO_OTHER_SCRIPT:
            if all(character in known for character in text):
                break
            # By whole words: 发 is 髮 in 头发 and otherwise 發.
            other = opencc.OpenCC(conversion).convert(text)
            if len(other) == len(text):
                pairs = zip(text, other, strict=True)
                text = "".join(o if c not in known and o in known else c for c, o in pairs)
        return text

    def _conversion(self) -> Callable[[str], str]:
        """What brings a text into the corpus' script."""
        if self.config.script is Script.original:
            return str
        converter = opencc.OpenCC("t2s" if self.config.script is Script.simplified else "s2t")
        return converter.convert


class Cleaned(NamedTuple):
    """A poem's text by the rules above."""

    text: str  # empty for a poem that is left out
    left_out: str  # why, if it is
    changes: Counter[str]  # what was taken out or replaced, and how often


def clean(text: str) -> Cleaned:
    """Apply the rules to a poem's text as it stands in the file."""
    changes: Counter[str] = Counter()

    def replace(pattern: re.Pattern[str], by: str, what: str) -> int:
        nonlocal text
        text, count = pattern.subn(by, text)
        changes[what] += count
        return count

    text = text.translate(_SQUARE)
    for _ in range(_DEEPEST):
        if not replace(_NOTE, "", "notes"):
            break
    replace(_NOTE_IN_SQUARE, "", "notes")
    replace(_NOTE_NUMBER, "", "notes")
    replace(_NOT_SET, MISSING, "characters that could not be set")
    text = _RESTORED.sub(r"\1", text)
    if _NOTE_BRACKETS.search(text):
        return Cleaned("", "with brackets that do not close", Counter())
    text = text.translate(_FULL_WIDTH)
    replace(_LEFT_OUT, "", "other characters")
    if not _LINE_END.sub("", text):
        return Cleaned("", "empty", Counter())
    return Cleaned(text, "", +changes)


def _folders_of_poems(folder: Path) -> list[Path]:
    """The folders below a clone of the collection that hold its files, if it does not itself."""
    try:
        if not folder.is_dir() or any(folder.glob("poet.tang.*.json")):
            return []
        return sorted({path.parent for path in folder.glob("*/poet.tang.*.json")})
    except (OSError, ValueError):
        return []  # what is wrong with it is said where it is read


def _named(names: Sequence[str]) -> str:
    some = ", ".join(names[:_NAMED])
    return some if len(names) <= _NAMED else f"{some} and {len(names) - _NAMED:,} more"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counter.items() if count) or "nothing"


def is_han(symbol: str) -> bool:
    """Whether it is one Chinese character."""
    return len(symbol) == 1 and _IS_HAN.match(symbol) is not None


def poem_lines(poem: str) -> list[str]:
    """A poem's lines, without the marks that end them."""
    return [line for line in _LINE_END.split(poem) if line]


def has_form(poem: str, form: Form) -> bool:
    """Whether the poem has the form's number of lines, each of its number of characters."""
    lines, characters = SHAPES[form]
    found = poem_lines(poem)
    return len(found) == lines and all(len(line) == characters for line in found)
