"""rnnlm/generation/verse/constraint.py, with networks that have learned nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from rnnlm.data.tang import SHAPES, Form, clean, is_han
from rnnlm.data.tokens.vocabulary import UNKNOWN_ID, Vocabulary
from rnnlm.generation.options import GenerationOptions
from rnnlm.generation.verse.constraint import VerseConstraint, VerseOptions
from rnnlm.generation.verse.prosody import may_rhyme
from rnnlm.generation.verse.score import score
from rnnlm.generation.writer import Text, Writer
from rnnlm.model.features import FeaturesConfig
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.options import ModelConfig
from rnnlm.options import OptionError
from tests.conftest import ROOT

SAMPLE = json.loads((ROOT / "rnnlm/data/samples/tang.json").read_text(encoding="utf-8"))
CHARACTERS = sorted({c for poem in SAMPLE for c in clean("".join(poem["paragraphs"])).text})
VOCABULARY = Vocabulary(["<unk>", "<bos>", "<eos>", *CHARACTERS])
FORMS = list(SHAPES)
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@pytest.fixture(scope="module")
def writer() -> Writer:
    torch.manual_seed(0)
    model = ModelConfig(name="gru", hidden_size=16)
    return Writer(LanguageModel(len(VOCABULARY), model, FeaturesConfig("onehot")), VOCABULARY)


def poems(writer: Writer, verse: VerseOptions, prompt: str = "", **options: Any) -> list[Text]:
    chosen = GenerationOptions(**{"num": 25, **options})
    pieces = writer.stream(list(prompt), chosen, verse)
    texts = {piece.number: piece.text for piece in pieces if piece.text is not None}
    return [texts[number] for number in sorted(texts)]


@every_form
def test_every_poem_has_the_form_and_is_whole(writer: Writer, form: Form) -> None:
    lines, length = SHAPES[form]
    for poem in poems(writer, VerseOptions(form), length=3):
        assert poem.complete
        assert len(poem.text) == len(poem.tokens) == lines * (length + 1)
        assert score(poem.text, form).form == form.name
        for place, character in enumerate(poem.text):
            line, column = divmod(place, length + 1)
            if column == length:
                assert character in ("。？！" if line % 2 else "，")
            else:
                assert is_han(character)


@every_form
def test_every_rule_asked_for_is_kept_together(writer: Writer, form: Form) -> None:
    acrostic = "春江花月夜雨山川"[: SHAPES[form][0]]
    for poem in poems(writer, VerseOptions(form, acrostic, rhyme=True, tones=True)):
        kept = score(poem.text, form, acrostic)
        assert kept.form == form.name
        assert kept.acrostic
        assert kept.rhymes
        assert kept.tones_kept == kept.tones_asked > 0


@pytest.mark.parametrize("search", [{"greedy": True}, {"beam": 4}])
def test_the_rules_hold_in_searches_too(writer: Writer, search: dict[str, Any]) -> None:
    verse = VerseOptions(Form.wujue, "山水", rhyme=True)
    (poem,) = poems(writer, verse, num=1, **search)
    kept = score(poem.text, Form.wujue, "山水")
    assert kept.form == "wujue"
    assert kept.rhymes
    assert kept.acrostic


def test_without_them_random_poems_break_the_rules(writer: Writer) -> None:
    scores = [score(poem.text) for poem in poems(writer, VerseOptions(Form.wujue))]
    assert not all(kept.rhymes for kept in scores)
    assert not all(kept.tones_kept == kept.tones_asked for kept in scores)


def test_an_acrostic_of_fewer_characters_leaves_the_other_lines_alone(writer: Writer) -> None:
    for poem in poems(writer, VerseOptions(Form.qijue, "春")):
        assert poem.text.startswith("春")


def test_an_acrostics_unknown_character_is_written_and_unknown_to_the_model(writer: Writer) -> None:
    assert "龘" not in VOCABULARY
    for poem in poems(writer, VerseOptions(Form.wujue, "春龘"), num=3):
        assert poem.text[6] == "龘"
        assert poem.tokens[6] == "<unk>"
        assert "<unk>" not in poem.text


def test_a_poem_goes_on_from_its_beginning(writer: Writer) -> None:
    beginning = "白日依山盡，黃龘"
    for poem in poems(writer, VerseOptions(Form.wujue, rhyme=True, tones=True), beginning):
        kept = score(beginning + poem.text)
        assert kept.form == "wujue"
        assert kept.rhymes


def test_rhymes_are_those_of_the_rule() -> None:
    constraint = VerseConstraint(VOCABULARY, VerseOptions(Form.wulv, rhyme=True), [])
    poem = "春花秋月何，春花秋月樓。春花秋月何，春花秋月"
    ids = VOCABULARY.encode(poem).tolist()
    allowed = (~constraint.forbidden([ids])[0]).nonzero().flatten().tolist()
    expected = [c for c in CHARACTERS if is_han(c) and may_rhyme(c, ["樓"])]
    assert sorted(VOCABULARY.decode(allowed)) == sorted(expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acrostic": "春江花月夜"}, "acrostic: 春江花月夜 has 5 characters, wujue has 4 lines"),
        (
            {"form": Form.wulv, "acrostic": "一二三四五六七八九"},
            "acrostic: 一二三四五六七八九 has 9",
        ),
        ({"acrostic": "ab"}, "acrostic: 'a' is no Chinese character"),
        (
            {"form": Form.any},
            "form: `any` cannot be used for writing, it takes wujue, qijue, wulv, qilv",
        ),
    ],
)
def test_what_does_not_fit_a_form_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as error:
        VerseOptions(**options)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("prompt", "verse", "message"),
    [
        ("白日依山盡黃", VerseOptions(), "prompt: '黃', its character 6, may not stand"),
        ("白日，", VerseOptions(), "prompt: '，', its character 3, may not stand"),
        ("abc", VerseOptions(), "prompt: 'a', its character 1"),
        ("春", VerseOptions(acrostic="江"), "prompt: '春', its character 1"),
        ("白日依山盡，" * 4, VerseOptions(), "prompt: wujue is no longer than it"),
        (
            "白日依山盡，黃河入海低。欲窮千里目，更上一層樓",
            VerseOptions(rhyme=True),
            "prompt: '樓'",
        ),
        ("白日依山盡，黃河入海了", VerseOptions(tones=True), "prompt: '了'"),
    ],
)
def test_a_beginning_that_breaks_a_rule_is_refused(
    prompt: str, verse: VerseOptions, message: str
) -> None:
    with pytest.raises(OptionError) as error:
        VerseConstraint(VOCABULARY, verse, list(prompt))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("characters", "verse", "message"),
    [
        ("春江花月。", VerseOptions(), "form: the model has never seen ，"),
        ("春江花月，", VerseOptions(), "form: the model has never seen 。"),
        ("春月，。", VerseOptions(rhyme=True), "rhyme: the model knows too few characters"),
        ("春江花，。", VerseOptions(tones=True), "tones: the model knows no character of oblique"),
    ],
)
def test_a_vocabulary_that_cannot_keep_the_rules_is_refused(
    characters: str, verse: VerseOptions, message: str
) -> None:
    vocabulary = Vocabulary(["<unk>", "<bos>", "<eos>", *characters])
    with pytest.raises(OptionError) as error:
        VerseConstraint(vocabulary, verse, [])
    assert str(error.value).startswith(message)


def test_no_rule_ever_forbids_all(writer: Writer) -> None:
    # Two rhymes each, of which the second must still be there after the first.
    vocabulary = Vocabulary(["<unk>", "<bos>", "<eos>", *"東紅月雪，。"])
    constraint = VerseConstraint(vocabulary, VerseOptions(rhyme=True), [])
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        written: list[int] = []
        while not written or not constraint.is_complete(written):
            allowed = (~constraint.forbidden([written])[0]).nonzero().flatten()
            assert len(allowed)
            assert UNKNOWN_ID not in allowed
            choice = torch.randint(len(allowed), (1,), generator=generator)
            written.append(int(allowed[choice]))
