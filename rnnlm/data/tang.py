"""Tang poems by character: the JSON of the collection chinese-poetry, or one poem a line.

The collection is at https://github.com/chinese-poetry/chinese-poetry. If a folder or a zip holds
files of it (`poet.tang.*.json`), only these are read.

A poem's text is cleaned in this order:

1. Notes are left out: everything in （…）, (…), 〖…〗, 【…】, 〔…〕, <…>, ＜…＞ and 〈…〉, also
   one inside the other; but 〈…〉 within 《…》 is part of a book's name.
2. The number of a note, `[一]` or `[12]`, is left out, and so is a note in square brackets, which
   has an editor's word such as 一作. Other square brackets hold characters that the editors
   restored: these stay, without the brackets. ［…］ is treated as […].
3. A character that could not be set becomes □, the mark of a missing character: one described as
   `{…}` or by a sign like ⿰ and two parts, one of the private-use area, and ○, ● or _. So does ?
   within verses in a file of lines.
4. Everything else is left out, but for Chinese characters and □，。？！；：、「」『』《》.

A poem of which nothing is left, or whose brackets do not close, is left out, and so is a poem with
exactly the text of an earlier one. The run's log counts all of this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import opencc

from rnnlm.data.separate_documents import SeparateDocuments, SeparateDocumentsConfig
from rnnlm.data.texts.poem_files import NoPoemsError, Poems, read_poems
from rnnlm.data.texts.source import FULL, SAMPLE, File, SourceError
from rnnlm.data.texts.splitting import drawn
from rnnlm.options import option

MISSING = "□"
# The greatest depth of notes within notes.
_DEEPEST = 20
_NOTE = re.compile(
    r"（[^（）]*）|\([^()]*\)|〖[^〖〗]*〗|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|＜[^＜＞]*＞|〈[^〈〉]*〉(?![^《》]{0,40}》)"
)
_NOTE_BRACKETS = re.compile(r"[（）()〖〗【】〔〕<>＜＞\[\]{}]")
_NOTE_NUMBER = re.compile(r"\[[一二三四五六七八九十○〇0-9]+\]")
# A note in square brackets, marked by an editor's words.
_NOTE_IN_SQUARE = re.compile(
    r"\[[^\[\]{}]{0,60}(?:[一又或亦集本]作|一[云本]|[原自校按]注)[^\[\]{}]{0,60}\]"
    r"|\[(?:注|按|校|案)[：:][^\[\]{}]{0,120}\]"
)
_SQUARE = str.maketrans("［］", "[]")
_RESTORED = re.compile(r"\[([^\[\]{}]*)\]")
_NOT_SET = re.compile(r"\{[^{}]*\}|[⿰-⿻]..|[\ue000-\uf8ff\U000f0000-\U0010ffff○●_＿]", re.DOTALL)
# Chinese characters, for the [] of a regular expression.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_LEFT_OUT = re.compile(rf"[^{HAN}{MISSING}，。？！；：、「」『』《》]")
_IS_HAN = re.compile(f"[{HAN}]")
_LINE_END = re.compile("[，。？！；：、]")
# The files of chinese-poetry with Tang poems; other files lie beside them.
_IN_COLLECTION = re.compile(r"(?:^|/)poet\.tang\.[^/]*\.json$", re.IGNORECASE)
_NAMED = 4
# Half-width marks, which stand in files typed by hand.
_FULL_WIDTH = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ";": "；", "．": "。"})
# OpenCC's conversions: to traditional characters of the mainland and of Taiwan, and to simplified.
_TO_OTHER_SCRIPT = ("s2t", "s2tw", "t2s")


class Script(Enum):
    """The script of the characters: as they stand in the file, or converted by OpenCC."""

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
    # Keep at most this many poems. A hash of each poem chooses them, so they are always the same.
    max_poems: int | None = option(None, minimum=1)


class Tang(SeparateDocuments):
    """Poems, each from `<bos>` to `<eos>`, assigned at random to train, validation and test."""

    Config = TangConfig
    config: TangConfig
    sample = "tang.json"
    suffixes = (".json", ".txt")
    published = (files("rnnlm.data") / "tang_files.txt").read_text("utf-8")

    def parse(self, files: Sequence[File]) -> list[str]:
        """Return the cleaned poems, no two alike, in the order of the files."""
        raw, passed_over = self._read(files)
        left_out: Counter[str] = Counter()
        changes: Counter[str] = Counter()
        poems: dict[str, None] = {}
        for poem in map(clean, raw.texts):
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
        kept = f"{len(texts):,} of {len(raw.texts):,} poems; left out: {_counts(left_out)}"
        self.notes = [kept, f"taken out of these poems or replaced: {_counts(changes)}"]
        if raw.titles:
            taken = f"{raw.titles:,} titles, {raw.authors:,} authors"
            self.notes.append(f"taken off the lines: {taken}")
        if passed_over:
            self.notes.append(f"passed over, no poems of the Tang: {_named(passed_over)}")
        if not texts:
            raise SourceError(kept)
        return texts

    def parse_file(self, file: File) -> list[str]:
        """Return all poems of the file, in any form, also one that occurs twice."""
        poems = read_poems(self.decode(file), file.name)
        cleaned = (clean(poem).text for poem in poems.texts)
        return list(map(self._conversion(), filter(None, cleaned)))

    def files(self) -> list[File]:
        folder = Path(self.config.source).expanduser()
        if self.config.source not in (SAMPLE, FULL) and (below := _folders_of_poems(folder)):
            raise SourceError(f"the poems of {folder} are in {below[0]}, give that")
        return super().files()

    def _read(self, files: Sequence[File]) -> tuple[Poems, list[str]]:
        """Return the poems, and the names of the files that hold none."""
        in_collection = [file for file in files if _IN_COLLECTION.search(file.name)]
        passed_over = [f.name for f in files if in_collection and not _IN_COLLECTION.search(f.name)]
        read, errors = [], []
        for file in in_collection or files:
            try:
                read.append(read_poems(self.decode(file), file.name))
            except NoPoemsError as error:
                errors.append(error)
                passed_over.append(file.name)
        if errors and not read:
            raise errors[0]
        texts = [text for poems in read for text in poems.texts]
        titles, authors = sum(p.titles for p in read), sum(p.authors for p in read)
        return Poems(texts, titles, authors), passed_over

    def in_corpus_script(self, text: str, known: Container[str]) -> str:
        """Return the text in the corpus' script, with full-width marks.

        If `data.script` leaves the script open, characters that the model does not know are written
        in the other script if it knows them so: 春风 is 春風 to a model of traditional poems.
        """
        text = self._conversion()(text.translate(_FULL_WIDTH))
        if self.config.script is not Script.original:
            return text
        for conversion in _TO_OTHER_SCRIPT:
            if all(character in known for character in text):
                break
            # OpenCC converts whole words: 发 is 髮 in 头发 and otherwise 發.
            other = opencc.OpenCC(conversion).convert(text)
            if len(other) == len(text):
                pairs = zip(text, other, strict=True)
                text = "".join(o if c not in known and o in known else c for c, o in pairs)
        return text

    def _conversion(self) -> Callable[[str], str]:
        """Return the function that converts a text to the script of the corpus."""
        if self.config.script is Script.original:
            return str
        converter = opencc.OpenCC("t2s" if self.config.script is Script.simplified else "s2t")
        return converter.convert


class Cleaned(NamedTuple):
    """A poem's text, cleaned by the rules above."""

    text: str  # empty if the poem is left out
    left_out: str  # the reason, if it is
    changes: Counter[str]  # how often something was taken out or replaced


def clean(text: str) -> Cleaned:
    """Return a poem's text, as it stands in the file, cleaned by the rules above."""
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
    """Return the folders just below that hold files of the collection, if `folder` holds none."""
    try:
        if not folder.is_dir() or any(folder.glob("poet.tang.*.json")):
            return []
        return sorted({path.parent for path in folder.glob("*/poet.tang.*.json")})
    except (OSError, ValueError):
        return []  # reading it reports the problem


def _named(names: Sequence[str]) -> str:
    some = ", ".join(names[:_NAMED])
    return some if len(names) <= _NAMED else f"{some} and {len(names) - _NAMED:,} more"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counter.items() if count) or "nothing"


def is_han(symbol: str) -> bool:
    """Return True for a single Chinese character."""
    return len(symbol) == 1 and _IS_HAN.match(symbol) is not None


def poem_lines(poem: str) -> list[str]:
    """Return a poem's lines, without the marks that end them."""
    return [line for line in _LINE_END.split(poem) if line]


def has_form(poem: str, form: Form) -> bool:
    """Return True if the poem has the lines of the form, each with its number of characters."""
    lines, characters = SHAPES[form]
    found = poem_lines(poem)
    return len(found) == lines and all(len(line) == characters for line in found)
