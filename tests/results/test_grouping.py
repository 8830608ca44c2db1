"""rnnlm/results/grouping.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rnnlm.results.grouping import comparisons, differing_options
from rnnlm.results.record import FAILED
from tests.support.records import NO_SPLITS, baseline, record


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["rnn", "lstm"]),
            st.sampled_from([0.1, 0.2]),
            st.integers(1, 4),
        )
    )
)
def test_every_completed_run_is_in_one_group_of_its_own_kind(
    drawn: list[tuple[str, str, float, int]],
) -> None:
    records = [
        record(held_out_sha256=text, model=model, options={"optimizer.lr": lr}, seed=seed)
        for text, model, lr, seed in drawn
    ]
    found = [(c, group) for c in comparisons(records) for group in c.groups]
    assert sorted(id(r) for _, group in found for r in group.records) == sorted(map(id, records))
    kinds = []
    for _, group in found:
        (kind,) = {(r.held_out_sha256, r.model, str(r.options)) for r in group.records}
        kinds.append(kind)
        assert [r.seed for r in group.records] == sorted(r.seed or 0 for r in group.records)
    assert len(set(kinds)) == len(kinds)


def test_a_group_is_named_by_what_sets_it_apart_from_its_like() -> None:
    records = [
        record(options={"model.hidden_size": 8}),
        record(options={"model.hidden_size": 9}),
        record(model="gru", options={"model.hidden_size": 10}),
    ]
    (comparison,) = comparisons(records)
    assert {group.name for group in comparison.groups} == {
        "lstm-embed model.hidden_size=8",
        "lstm-embed model.hidden_size=9",
        "gru-embed",
    }


def test_corpora_have_options_of_their_own() -> None:
    records = [
        record(data="tang", options={"data.batching": "documents"}),
        record(data="time_machine", options={"data.batching": "stream"}),
    ]
    assert differing_options(records) == ["", ""]


def test_there_are_means_to_take_only_where_a_seed_differs() -> None:
    (one_each,) = comparisons([record(seed=1), record(seed=2, model="gru")])
    (several,) = comparisons([record(seed=1), record(seed=2)])
    assert not one_each.has_several_seeds
    assert several.has_several_seeds


def test_the_rule_of_evaluation_is_shown_only_where_it_differs() -> None:
    rule, stream = "context-512", {"data.batching": "stream"}
    now = [
        record(evaluation=rule, options=stream),
        record(model="gru", evaluation=rule, options=stream),
    ]
    # Neither documents nor other models are measured by that rule.
    others = [
        record(options={"data.batching": "documents"}, data="tang"),
        record(model="lstm+cache", adaptation={"flatness": 1.0}, options=stream),
        baseline("kneser_ney"),
        record(model="rnn", status=FAILED, error="It.", options=stream, **NO_SPLITS),
    ]
    assert differing_options([*now, *others]) == [""] * 6
    former = record(model="rnn", options=stream)
    assert differing_options([*now, *others, former]) == [
        *[f"evaluation={rule}"] * 2,
        *[""] * 4,
        "evaluation=long-streams",
    ]


def test_runs_by_documents_do_not_differ_in_a_rule_that_is_for_running_text() -> None:
    records = [
        record(evaluation="context-512", options={"data.batching": "stream"}),
        record(options={"data.batching": "documents"}),
    ]
    assert differing_options(records) == ["data.batching=stream", "data.batching=documents"]


def test_seeds_that_were_measured_by_two_rules_have_no_common_mean() -> None:
    records = [record(seed=1), record(seed=2, evaluation="context-512")]
    (comparison,) = comparisons(records)
    assert {group.options for group in comparison.groups} == {
        "evaluation=long-streams",
        "evaluation=context-512",
    }
