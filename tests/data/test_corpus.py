"""rnnlm/data/corpus.py, on every corpus there is."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import corpora
from rnnlm.data.corpus import CorpusConfig
from rnnlm.data.texts.source import File
from rnnlm.options import OptionError
from tests.conftest import ROOT
from tests.support.small_corpora import named


def test_every_file_of_options_is_a_corpus_of_a_file() -> None:
    assert sorted(path.stem for path in (ROOT / "conf" / "data").glob("*.yaml")) == sorted(
        corpora()
    )


@given(st.sampled_from(sorted(corpora())), st.sampled_from([".txt", ".json"]), st.binary())
@settings(deadline=None)
def test_any_file_is_a_text_or_a_clear_error(name: str, suffix: str, content: bytes) -> None:
    corpus = named(name)
    try:
        texts = corpus.parse([File(f"some{suffix}", content)])
    except OptionError as error:
        assert str(error).startswith("data.")
        assert "\n" not in str(error)
    else:
        assert all(isinstance(text, str) for text in texts)
        for text, tokens in zip(texts[:3], corpus.tokenize(texts[:3]), strict=True):
            assert "".join(tokens) == text


def test_configs_are_of_the_common_kind() -> None:
    assert all(issubclass(kind.Config, CorpusConfig) for kind in corpora().values())


def test_files_of_a_folder_end_their_lines(tmp_path: Path) -> None:
    for name, text in (("ch10", "the end"), ("ch9", "at the"), ("ch2", "Morning\n")):
        (tmp_path / f"{name}.txt").write_text(text)
    made = named("time_machine", source=str(tmp_path))
    assert made.parse(made.files()) == ["Morning\nat the\nthe end"]
