"""rnnlm/generation/verse/score.py."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data.tang import SHAPES, Form, has_form
from rnnlm.generation.verse.prosody import may_rhyme, wanted_tone
from rnnlm.generation.verse.readings import tone
from rnnlm.generation.verse.score import Score, score

TOWER = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"


@pytest.mark.parametrize(
    ("poem", "expected"),
    [
        (TOWER, Score("wujue", True, "流樓", 10, 10, None)),
        (
            "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
            Score("wujue", True, "流楼", 10, 10, None),
        ),
        (
            "月落烏啼霜滿天，江楓漁火對愁眠。姑蘇城外寒山寺，夜半鐘聲到客船。",
            Score("qijue", True, "眠船", 14, 14, None),
        ),
        (
            "細草微風岸，危檣獨夜舟。星垂平野闊，月湧大江流。"
            "名豈文章著，官應老病休。飄飄何所似，天地一沙鷗。",
            Score("wulv", True, "舟流休鷗", 22, 22, None),
        ),
        (
            "昨夜星辰昨夜風，畫樓西畔桂堂東。身無彩鳳雙飛翼，心有靈犀一點通。"
            "隔座送鉤春酒暖，分曹射覆蠟燈紅。嗟余聽鼓應官去，走馬蘭臺類轉蓬。",
            Score("qilv", True, "東通紅蓬", 30, 30, None),
        ),
    ],
)
def test_poems_that_keep_every_rule(poem: str, expected: Score) -> None:
    assert score(poem) == expected


@pytest.mark.parametrize(
    ("broken", "tones", "rhymes"),
    [
        # The 4th of a line as the 2nd.
        (TOWER.replace("依山盡", "依水盡"), (9, 10), True),
        # The second line starts as the first: no opposition there, and no adhesion after it.
        (TOWER.replace("黃河入海流", "黃水入天流"), (8, 10), True),
        # The third line starts not as the second, and the fourth as the third.
        (TOWER.replace("欲窮千里目", "欲上千山目"), (8, 10), True),
        # An odd line that ends level, and an even one that ends oblique.
        (TOWER.replace("目", "山"), (9, 10), True),
        (TOWER.replace("樓", "柳"), (9, 10), False),
        # Another class, the same character again, and none.
        (TOWER.replace("樓", "山"), (10, 10), False),
        (TOWER.replace("樓", "流"), (10, 10), False),
        (TOWER.replace("樓", "□"), (9, 10), False),
        # The first line's end is free; a missing character asks nothing of the others.
        (TOWER.replace("盡", "天"), (10, 10), True),
        (TOWER.replace("日", "□"), (8, 8), True),
    ],
)
def test_poems_that_break_a_rule(broken: str, tones: tuple[int, int], rhymes: bool) -> None:
    found = score(broken)
    assert (found.tones_kept, found.tones_asked) == tones
    assert found.rhymes is rhymes
    assert found.form == "wujue"


def test_rhymes_that_time_has_undone() -> None:
    assert score("朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。") == Score(
        "qijue", False, "還山", 13, 14, None
    )


@pytest.mark.parametrize(
    "poem",
    [
        TOWER.replace("，", "，\n").replace("。", "。\n\u3000"),
        f"「{TOWER[:12]}」『{TOWER[12:]}』",
        TOWER.replace("盡，", "盡？").replace("流。", "流！").replace("樓。", "樓？"),
    ],
)
def test_white_space_and_marks_of_speech_do_not_matter(poem: str) -> None:
    assert score(poem) == score(TOWER)


@pytest.mark.parametrize(
    "poem",
    [
        TOWER[:-1],
        TOWER + "。",
        "，" + TOWER[:-1],
        TOWER.replace("流。", "流，"),
        TOWER.replace("盡，", "盡。"),
        TOWER[:12],
        TOWER + TOWER[:12],
        TOWER.replace("層", ""),
        TOWER.replace("層", "x"),
        TOWER.replace("，", ",").replace("。", "."),
        TOWER.replace("，", "").replace("。", ""),
    ],
)
def test_poems_without_a_form(poem: str) -> None:
    assert score(poem).form is None


def test_the_form_asked_is_the_one_that_counts() -> None:
    assert score(TOWER, Form.any) == score(TOWER, Form.wujue) == score(TOWER)
    assert score(TOWER, Form.qijue).form is None
    assert score(TOWER, Form.qijue).tones_kept == 10


def test_a_poem_without_a_form_has_tones_and_rhymes_all_the_same() -> None:
    assert score("白日依山盡，黃河流。欲窮千里目，更上一層樓。天。") == Score(
        None, True, "流樓", 7, 7, None
    )
    assert score(TOWER[:12]) == Score(None, False, "流", 4, 4, None)


@pytest.mark.parametrize("text", ["", "。", "，\n。", "\u3000"])
def test_a_text_without_lines_has_zeros(text: str) -> None:
    assert score(text, acrostic="白") == Score(None, False, "", 0, 0, False)


@pytest.mark.parametrize(
    ("acrostic", "kept"),
    [
        ("", None),
        ("白", True),
        ("白黃", True),
        ("白黃欲更", True),
        ("白黃欲更上", False),
        ("黃", False),
        ("白欲", False),
    ],
)
def test_an_acrostic(acrostic: str, kept: bool | None) -> None:
    assert score(TOWER, acrostic=acrostic).acrostic is kept


def test_a_score_in_words() -> None:
    assert (
        str(score(TOWER, acrostic="白黃"))
        == "wujue · rhymes (流 樓) · tones 10 of 10 · acrostic kept"
    )
    assert (
        str(score(TOWER.replace("樓", "水"), Form.wulv, "天"))
        == "not in form · does not rhyme (流 水) · tones 9 of 10 · acrostic not kept"
    )
    assert str(score("")) == "not in form · does not rhyme · tones 0 of 0"


def test_a_score_as_json() -> None:
    assert json.loads(json.dumps(score(TOWER).to_dict())) == {
        "form": "wujue",
        "rhymes": True,
        "rhyme_characters": "流樓",
        "tones_kept": 10,
        "tones_asked": 10,
        "acrostic": None,
    }


@st.composite
def poems_by_the_rules(draw: st.DrawFn) -> tuple[Form, str]:
    """A poem written one character at a time by the rules, as a decoder does."""
    form = draw(st.sampled_from(list(SHAPES)))
    number, length = SHAPES[form]
    lines: list[str] = []
    for place in range(number):
        lines.append("")
        while len(lines[-1]) < length:
            wanted = wanted_tone(lines, length)
            choices = [c for c in "山天流樓秋舟愁水月雨柳酒" if wanted in (None, tone(c))]
            if place % 2 and len(lines[-1]) == length - 1:
                ends = [line[-1] for line in lines[1:-1:2]]
                choices = [c for c in choices if may_rhyme(c, ends or ["流"])]
            lines[-1] += draw(st.sampled_from(choices))
    return form, "".join(f"{line}{'，。'[place % 2]}" for place, line in enumerate(lines))


@given(poems_by_the_rules())
@settings(deadline=None, max_examples=50)
def test_what_is_written_by_the_rules_keeps_them(form_and_poem: tuple[Form, str]) -> None:
    form, poem = form_and_poem
    found = score(poem)
    assert found.form == form.name
    assert found.rhymes
    assert found.tones_kept == found.tones_asked


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text("白日依山盡黃河入海流□a，。？！；：、「」\n "),
    st.lists(st.sampled_from([TOWER[:6], TOWER[6:12], TOWER[12:18], TOWER[18:], "。"])).map(
        "".join
    ),
)


@given(TEXTS, st.sampled_from([None, *Form]), st.text(max_size=3))
@settings(deadline=None)
def test_any_text_at_all_has_a_score(text: str, form: Form | None, acrostic: str) -> None:
    found = score(text, form, acrostic)
    assert 0 <= found.tones_kept <= found.tones_asked
    assert (found.acrostic is None) == (not acrostic)
    assert len(str(found).splitlines()) == 1
    if found.form:
        assert form in (None, Form.any, Form[found.form])
        assert has_form("".join(text.split()).strip("「」"), Form[found.form])
