"""rnnlm/evaluation/adaptation/options.py."""

from __future__ import annotations

from rnnlm.evaluation.adaptation.options import AdaptationConfig, variants_of


def test_each_method_is_a_variant_and_so_are_all_together() -> None:
    assert variants_of(AdaptationConfig()) == []
    assert variants_of(AdaptationConfig(cache=10)) == [("cache",)]
    assert variants_of(AdaptationConfig(dynamic=True, cache=500, kneser_ney=True)) == [
        ("dynamic",),
        ("cache",),
        ("kneser_ney",),
        ("dynamic", "cache", "kneser_ney"),
    ]
