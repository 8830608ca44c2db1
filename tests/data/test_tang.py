"""rnnlm/data/tang.py, on text as dirty as the real collection."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.encoding import decode
from rnnlm.data.preparation import PreparedCorpus
from rnnlm.data.tang import (
    SHAPES,
    Form,
    Script,
    Tang,
    TangConfig,
    clean,
    has_form,
    poem_lines,
)
from rnnlm.data.texts.poem_files import read_poems
from rnnlm.data.texts.source import File
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.options import OptionError
from tests.conftest import ROOT
from tests.support.small_corpora import prepared, untrained

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "tang.json"


made = partial(prepared, "tang", batch_size=2, seq_len=4, min_count=1)


def poems(corpus: PreparedCorpus) -> dict[str, list[str]]:
    return {
        name: re.findall(
            "<bos>(.*?)<eos>",
            "".join(corpus.vocabulary.decode(corpus.splits[name].ids_N.tolist())),
        )
        for name in SPLITS
    }


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("白日依山，黃河入海。", "白日依山，黃河入海。"),
        ("春風（一作「秋風」）起，", "春風起，"),
        ("春風（見《英華》（卷二））起，", "春風起，"),
        ("春〖周紹良錄〗風(注)起【校】，", "春風起，"),
        ("[爽]節在重九[一]，物華[12]新。", "爽節在重九，物華新。"),
        ("蔓草{艹/糓}生，⿰木養深。", "蔓草□生，□深。"),
        ("有意\ue85a鯨○●□，", "有意□鯨□□□，"),
        ("流水,人家.何處?", "流水，人家。何處？"),
        ("長安abc 1·2…一片月。", "長安一片月。"),
        ("「君不見」、《水調》：黃河！", "「君不見」、《水調》：黃河！"),
        ("𧽼𢬵〇字。", "𧽼𢬵〇字。"),
    ],
)
def test_the_rules_for_a_poems_text(dirty: str, expected: str) -> None:
    assert clean(dirty)[:2] == (expected, "")


@pytest.mark.parametrize(
    ("dirty", "reason"),
    [
        ("", "empty"),
        ("（全是注）", "empty"),
        ("，。", "empty"),
        ("Latin only", "empty"),
        ("春風（一作秋風，", "with brackets that do not close"),
        ("春風）起，", "with brackets that do not close"),
    ],
)
def test_why_a_poem_is_left_out(dirty: str, reason: str) -> None:
    assert clean(dirty)[:2] == ("", reason)


@given(st.text())
def test_a_cleaned_poem_stays_as_it_is(text: str) -> None:
    poem = clean(text)
    assert poem.left_out or clean(poem.text) == (poem.text, "", Counter())


def test_a_poems_lines() -> None:
    assert poem_lines("春眠，不覺曉。。夜來？") == ["春眠", "不覺曉", "夜來"]
    assert poem_lines("，。") == []


def read(file: File) -> list[str]:
    """The poems of a file in UTF-8 or another encoding that is recognised."""
    return read_poems(decode(file.content, file.name), file.name).texts


def json_file(content: object, name: str = "poems.json") -> File:
    return File(name, json.dumps(content, ensure_ascii=False).encode())


def test_what_is_left_out_is_counted() -> None:
    texts = ["春眠不覺曉。", "", "夜來風雨聲。", "春眠不覺曉。（重）", "（注"] + [
        f"花落知多少{c}。" for c in "天地玄黃宇宙洪荒日月盈昃"
    ]
    corpus = Tang(TangConfig(name="tang"))
    kept = corpus.parse([json_file([{"paragraphs": [text]} for text in texts])])
    assert len(kept) == 14
    assert corpus.notes == [
        "14 of 17 poems; left out: 1 empty, 1 duplicates, 1 with brackets that do not close",
        "taken out of these poems or replaced: nothing",
    ]


def test_what_is_changed_is_counted() -> None:
    dirty = "春（一（二））[三]風{亻/口}○a1，"
    assert clean(dirty).changes == {
        "notes": 3,
        "characters that could not be set": 2,
        "other characters": 2,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"paragraphs": ["a', r"poems\.json is not whole JSON: .*truncated"),
        (b"{}", r"poems\.json holds no list of poems"),
        (b'["a"]', r"poems\.json: poem 1 has no list of texts called 'paragraphs'"),
        (b'[{"paragraphs": []}, {"paragraphs": [1]}]', r"poems\.json: poem 2 has no list"),
        (b"[" * 100_000, r"poems\.json is not"),
        (b"\xff\xff\xff", r"poems\.json is not text in"),
        (b"", r"poems\.json holds no text"),
    ],
)
def test_json_of_another_shape_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        read(File("poems.json", content))


@given(
    st.sampled_from(["poems.json", "poems.txt"]), st.one_of(st.binary(), st.text().map(str.encode))
)
def test_any_file_is_poems_or_a_clear_error(name: str, content: bytes) -> None:
    try:
        found = Tang(TangConfig(name="tang")).parse([File(name, content)])
    except OptionError as error:
        assert str(error).startswith("data.source: ")
        assert "\n" not in str(error)
    else:
        assert found


def test_texts_with_titles_and_texts_without() -> None:
    titled = "首春:寒隨窮律變，春逐鳥聲開。\n初晴落景：晚霞聊自怡，初晴彌可喜。\n"
    assert read(File("poems.txt", titled.encode("gb18030"))) == [
        "寒隨窮律變，春逐鳥聲開。",
        "晚霞聊自怡，初晴彌可喜。",
    ]
    plain = "寒隨窮律變，春逐鳥聲開。\n君問歸期：未有期。\n"
    assert read(File("poems.txt", plain.encode())) == plain.splitlines()


def test_no_poem_is_in_two_splits_and_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    entries = json.loads(SAMPLE.read_text(encoding="utf-8"))
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, order in ((one, entries), (other, [*entries[::-1], *entries[:50]])):
        folder.mkdir()
        for number in range(4):
            content = json.dumps(order[number::4], ensure_ascii=False)
            (folder / f"poet.{number}.json").write_text(content, encoding="utf-8")
    first, second = poems(made(source=str(one))), poems(made(source=str(other)))
    assert first == second
    everything = [poem for name in SPLITS for poem in first[name]]
    assert len(everything) == len(set(everything)) == len(entries)


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.any])
def test_one_form_alone(form: Form) -> None:
    found = [poem for texts in poems(made(form=form)).values() for poem in texts]
    lines, characters = SHAPES[form]
    assert len(found) > 50
    for poem in found:
        # Unknown characters are spelled <unk>; each was one character.
        assert has_form(poem.replace("<unk>", "□"), form)
        assert len(poem.replace("<unk>", "□")) == lines * (characters + 1)


def test_some_of_the_poems_are_always_the_same(tmp_path: Path) -> None:
    entries = json.loads(SAMPLE.read_text(encoding="utf-8"))
    reversed_file = tmp_path / "reversed.json"
    reversed_file.write_text(json.dumps(entries[::-1], ensure_ascii=False), encoding="utf-8")
    corpus = made(max_poems=100)
    some = poems(corpus)
    assert sum(map(len, some.values())) == 100
    assert f"{len(entries) - 100:,} not drawn" in corpus.notes[1]
    assert poems(made(max_poems=100, source=str(reversed_file))) == some
    few = {poem for texts in poems(made(max_poems=50)).values() for poem in texts}
    assert len(few) == 50
    assert poems(made(max_poems=10**6)) == poems(made())


def test_scripts_are_converted() -> None:
    original = set(made().vocabulary.tokens)
    simplified = set(made(script=Script.simplified).vocabulary.tokens)
    traditional = set(made(script=Script.traditional).vocabulary.tokens)
    assert "風" in original & traditional
    assert "風" not in simplified
    assert "风" in simplified


def test_a_beginning_typed_by_hand_is_in_the_corpus_script() -> None:
    typed = untrained(Tang(TangConfig(script=Script.traditional))).prompt_tokens(
        "春风,abc（一）?\0"
    )
    assert typed == list("春風，abc（一）？\0")
    assert untrained(Tang(TangConfig())).prompt_tokens("春风.") == list("春风。")


def test_the_full_collection(real_data: Path) -> None:
    corpus = made(source="full", min_count=2)
    read, note, changes, copies = corpus.notes
    assert read.startswith("read 58 files in UTF-8: 17,084,548 characters")
    assert "groups, each in one split" in copies
    assert note.startswith("56,547 of 57,607 poems; left out: 827 duplicates")
    assert "notes" in changes
    assert sum(split.num_tokens for split in corpus.splits.values()) > 3_400_000
    assert corpus.unknown_rate < 0.002
    assert corpus.splits["test"].num_tokens == corpus.splits["test"].num_chars


def test_the_sample_is_verse_in_all_forms() -> None:
    texts = ["".join(poem["paragraphs"]) for poem in json.loads(SAMPLE.read_text(encoding="utf-8"))]
    assert sum(map(len, texts)) >= 12_000
    assert len(set(texts)) == len(texts)
    assert all(clean(text) == (text, "", Counter()) for text in texts)
    for form in SHAPES:
        assert sum(has_form(text, form) for text in texts) > 50
