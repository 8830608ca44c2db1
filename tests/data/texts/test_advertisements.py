"""rnnlm/data/texts/advertisements.py: the advertisement goes, the story stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.data.texts.advertisements import remove_advertisements


@pytest.mark.parametrize(
    "line",
    [
        "本书来自www.cr173.com免费txt小说下载站",
        "更多更新免费电子书请关注www.cr173.com",
        "http://example.org",
        "更多精彩小说请访问 WWW.EXAMPLE.COM",
        "TXT免费下载",
        "ＴＸＴ电子书下载",
        "ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ",
        "手机用户请登录wap.example.xyz阅读",
        "========www.example.com========",
        "欢迎光临 http://example.cn/x?y=1",
        "※声明：本电子书仅供读者预览，请在下载后24小时内删除，不得用作商业用途※",
        "（本章未完，请翻页）",
        "(本章未完，请点击下一页继续阅读)",
        "\u3000\u3000（好书包 www.example.net 整理）",
        "☆本书由好读网(www.example.com)提供☆",
        "全集 扫描校对：张三 www.example.com",
    ],
)
def test_a_line_that_is_an_advertisement_goes(line: str) -> None:
    assert remove_advertisements(f"{line}\n正文\n") == ("正文\n", 1)


@pytest.mark.parametrize(
    "line",
    [
        "\u3000\u3000他在纸上写下 example.com 三个字，便离开了。",
        "\u3000\u3000他说：“你去 www.example.com 看看，那里有他写的信。”",
        "他打开example.com。",
        "\u3000\u3000他免不了一死。",
        "\u3000\u3000“下载了三车粮食。”",
        "\u3000\u3000网中的鱼跳了起来，更多的鱼沉了下去。",
        "第一回 风雪夜",
    ],
)
def test_a_story_stays(line: str) -> None:
    assert remove_advertisements(f"{line}\n正文\n") == (f"{line}\n正文\n", 0)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("他退了三步，站定。〖某某文库(www.example.org)〗", "他退了三步，站定。"),
        ("剑光一闪【本书来自www.example.org】，他退了三步。", "剑光一闪，他退了三步。"),
        ("他笑了。更多精彩小说请访问www.example.com。她也笑了。", "他笑了。她也笑了。"),
        ("他走了（www.example.com）。她来了。", "他走了。她来了。"),
        ("“走！”※ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ※他说。", "“走！”他说。"),
    ],
)
def test_an_advertisement_within_a_paragraph_goes_alone(line: str, left: str) -> None:
    assert remove_advertisements(f"前文\n{line}\n") == (f"前文\n{left}\n", 1)


@given(
    st.lists(
        st.sampled_from(
            [
                "他走了。",
                "，",
                "\n",
                "\u3000",
                "www.a.com",
                "（",
                "）",
                "〖",
                "〗",
                "a",
                ".",
                "txt下载",
                "！",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_what_is_left_is_part_of_the_text(text: str) -> None:
    left, count = remove_advertisements(text)
    characters = iter(text + "\n")
    assert all(character in characters for character in left)
    if not count:
        assert left == text.strip("\n") + "\n"


@pytest.mark.parametrize(
    "part",
    [
        "字",
        "a",
        "a.",
        "（",
        "〖",
        "※",
        "www.",
        "http://",
        "a.com",
        "字www.a.com",
        "(www.a.com)",
        "txt",
    ],
)
def test_one_line_without_an_end_takes_no_longer_than_others(part: str) -> None:
    # A quadratic search would take hours.
    text = part * (1_000_000 // len(part))
    left, _ = remove_advertisements(text)
    assert len(left) <= len(text) + 1
