"""rnnlm/data/texts/near_copies.py"""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.addition import Addition, AdditionConfig
from rnnlm.data.jinyong import JinYong, JinYongConfig, SplitBy
from rnnlm.data.tang import Tang, TangConfig
from rnnlm.data.texts import near_copies
from rnnlm.data.texts.near_copies import assign_near_copies_together, near_copy_groups
from rnnlm.data.texts.splitting import assign_to_splits
from rnnlm.results.record import Record
from tests.conftest import ROOT, Run

SAMPLE = ROOT / "rnnlm" / "data" / "samples" / "tang.json"
POEMS = ["".join(poem["paragraphs"]) for poem in json.loads(SAMPLE.read_text(encoding="utf-8"))]


def grams(document: str) -> set[str]:
    letters = "".join(filter(str.isalnum, document)) or document
    return {letters[i : i + 5] for i in range(max(1, len(letters) - 4))}


def groups_by_brute_force(documents: list[str]) -> list[int]:
    group = list(range(len(documents)))
    all_grams = list(map(grams, documents))
    for i, j in combinations(range(len(documents)), 2):
        one, other = all_grams[i], all_grams[j]
        if 2 * len(one & other) >= min(len(one), len(other)):
            group = [group[i] if number == group[j] else number for number in group]
    return group


def together(groups: list[int]) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(len(groups)), 2) if groups[i] == groups[j]}


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from("春花秋月，。 a"), max_size=14), max_size=25),
    st.integers(1, 100),
)
def test_groups_are_those_of_comparing_all_pairs(documents: list[str], at_a_time: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_copies, "_COMPARISONS_AT_A_TIME", at_a_time)
        found = near_copy_groups(documents).tolist()
    assert together(found) == together(groups_by_brute_force(documents))


def test_variants_of_poems_are_found() -> None:
    poem, other = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。", POEMS[0]
    variants = [
        poem,
        poem.replace("，", "。"),
        poem.replace("覺", "𠮷"),
        f"{poem}{other}",
        "夜來風雨聲，花落知多少。",
        "夜來風雨聲",
    ]
    assert len(set(near_copy_groups(variants).tolist())) == 1
    assert len(set(near_copy_groups([poem, other, "夜來風雨", "夜來風雨？"]).tolist())) == 3
    assert near_copy_groups([]).tolist() == []


def test_what_very_many_documents_share_counts_as_any_other() -> None:
    draw = random.Random(0)
    letters = [chr(0x4E00 + number) for number in range(2_000)]
    documents = ["五字的開頭" + "".join(draw.sample(letters, 20)) for _ in range(400)]
    groups = near_copy_groups([*documents, "五字的開頭" + documents[7][5:10]]).tolist()
    assert groups[-1] == groups[7]
    assert len(set(groups)) == 400


def test_near_copies_are_put_into_one_split_and_counted() -> None:
    twins = [f"啊{poem[1:]}" for poem in POEMS[:300]]
    pieces, note = assign_near_copies_together([*POEMS[:300], *twins], 0.1, 0.1, seed=1)
    for texts in pieces.values():
        assert {poem for poem in POEMS[:300] if poem in texts} == {
            poem for poem, twin in zip(POEMS[:300], twins, strict=True) if twin in texts
        }
    assert [len(pieces[name]) for name in ("test", "validation", "train")] == [60, 60, 480]
    assert note.startswith(
        "600 of 600 documents are near-copies of others (share half of their 5-grams): "
        "300 groups, each in one split; "
    )
    alone = assign_to_splits([*POEMS[:300], *twins], 0.1, 0.1, seed=1)
    moved = sum(len(set(pieces[name]) - set(alone[name])) for name in pieces)
    assert f"; {moved} documents are in another split" in note


def test_without_near_copies_nothing_changes() -> None:
    pieces, note = assign_near_copies_together(POEMS, 0.1, 0.1, seed=1)
    assert pieces == assign_to_splits(POEMS, 0.1, 0.1, seed=1)
    assert note == "no document is a near-copy of another"


def test_sums_are_no_copies_of_each_other() -> None:
    corpus = Addition(AdditionConfig(name="addition", min_digits=7, max_digits=7, num_sums=500))
    sums = [*corpus.parse([]), "1234567+1234567=2469134", "1234567+1234568=2469135"]
    assert corpus.split(sums) == assign_to_splits(sums, 0.1, 0.1, seed=1)


def test_two_editions_of_a_novel_are_held_out_together() -> None:
    draw = random.Random(0)
    novels = ["".join(draw.sample(POEMS, 60)) for _ in range(20)]
    editions = [novel.replace("。", "！") for novel in novels]
    corpus = JinYong(JinYongConfig(name="jinyong", split_by=SplitBy.novel))
    for texts in corpus.split([*novels, *editions]).values():
        assert {novel for novel in novels if novel in texts} == {
            novel for novel, edition in zip(novels, editions, strict=True) if edition in texts
        }
    assert "near-copies" in corpus.notes[-1]


def test_the_rule_is_part_of_what_the_tokens_depend_on() -> None:
    assert Tang(TangConfig()).tokens_depend_on() is not None
    assert Addition(AdditionConfig()).tokens_depend_on() is None
    by_proportion, by_novel = (JinYong(JinYongConfig(split_by=by)) for by in SplitBy)
    assert by_proportion.tokens_depend_on() != by_novel.tokens_depend_on()


@pytest.mark.slow
def test_a_model_gains_nothing_from_near_copies(run_py: Run, tmp_path: Path) -> None:
    """Each poem of the sample with a variant, of which one character is another."""
    draw = random.Random(0)
    letters = sorted({letter for poem in POEMS for letter in poem if letter.isalpha()})
    variants = [draw.choice(letters) + poem[1:] for poem in POEMS]
    for name, poems in (("alone", POEMS), ("copied", [*POEMS, *variants])):
        content = json.dumps([{"paragraphs": [poem]} for poem in poems], ensure_ascii=False)
        (tmp_path / f"{name}.json").write_text(content, encoding="utf-8")
    finished = run_py(
        "-m", "model=kneser_ney", "data=tang", "data.source=alone.json,copied.json",
        "data.batch_size=4", "output_dir=out",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    records = [Record.read(path.parent) for path in tmp_path.rglob("result.json")]
    ppl = {record.source: record.test["ppl"] for record in records if record.test is not None}
    assert ppl["copied.json"] > 0.9 * ppl["alone.json"]
    logs = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("run.log")]
    assert any(f"{len(POEMS)} groups, each in one split" in log for log in logs)
