"""Differences between groups in English sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnnlm.results.columns import Better, Column, Scale
from rnnlm.results.differences import LEVEL, Difference, Differences, unit_of
from rnnlm.results.grouping import Group
from rnnlm.results.phrases import capitalised, listed
from rnnlm.results.record import Record
from rnnlm.results.statistics import ROUNDING

BY_ONE_SEED = "by one seed, which cannot tell a difference from chance"


def paragraph(differences: Differences) -> list[str]:
    """Return lines on what is best, what cannot be distinguished, and the method."""
    if len(differences.pairs) == 1:
        on_pairs = [f"{capitalised(sentence(differences.pairs[0]))}."]
    else:
        on_pairs = [_tests(differences), _one_seed(differences), _exact(differences)]
    lines = [*answer(differences), *on_pairs, _not_compared(differences), _method(differences)]
    return [line for line in lines if line]


def answer(differences: Differences) -> list[str]:
    """Return a sentence on the best group, and if that is a baseline one on the best network."""
    groups, networks = differences.groups, differences.networks
    best = differences.best_of(groups)
    if best is None or best.features or not networks:
        return [_best(differences, groups)]
    on_networks = _best(differences, networks)
    on_networks = f"Of the networks the {on_networks[0].lower()}{on_networks[1:]}"
    return [_best(differences, groups), on_networks]


def sentence(pair: Difference) -> str:
    """Return a difference in words, with its interval and its test, without a full stop."""
    name = _name(pair.metric)
    differs = f"{name} of {pair.better} is {_compared_to(pair, f'of {pair.worse}')}"
    if pair.is_exact:
        return f"{differs}, exactly: neither has a seed to vary"
    if pair.p_corrected is None:
        return f"{differs}, {BY_ONE_SEED}"
    interval, tested = _interval(pair), f"n = {pair.n}, {_p(pair.p_corrected)}"
    if pair.num_tests > 1:
        tested += f" after Holm's correction for {pair.num_tests} comparisons"
    if pair.is_distinguishable:
        return f"{differs}, {interval}, {tested}"
    if pair.p is not None and pair.p <= LEVEL:
        interval += " before correction"
    return (
        f"{name} of {pair.better} is not distinguishable from that of {pair.worse}: "
        f"{_amount(pair)}, {interval}, {tested}"
    )


def shown_p(p: float) -> str:
    """Format p with two digits, or four where two would hide on which side of the level it is."""
    if p < 1e-4:
        return "< 0.0001"
    two = f"{p:.2g}"
    return f"{p:.4g}" if float(two) == LEVEL else two


def _p(p: float) -> str:
    return f"p {shown_p(p)}" if p < 1e-4 else f"p = {shown_p(p)}"


def _name(metric: Column[Record]) -> str:
    """The quantity that is compared: of losses the perplexity."""
    return metric.exp_heading if metric.scale is Scale.log_value else metric.heading


def _direction(metric: Column[Record]) -> str:
    return "lower" if metric.better is Better.lower else "higher"


def _amount(pair: Difference) -> str:
    """The effect, such as `3.1 % lower`, or `the same`."""
    size = _size(pair.effect)
    return "the same" if size == "0" else f"{size} {unit_of(pair.metric)} {_direction(pair.metric)}"


def _compared_to(pair: Difference, other: str) -> str:
    amount = _amount(pair)
    return f"{amount} {'as' if amount == 'the same' else 'than'} {other}"


def _interval(pair: Difference) -> str:
    assert pair.low is not None
    assert pair.high is not None
    unit, direction = unit_of(pair.metric), _direction(pair.metric)
    low, high = _size(pair.low), _size(pair.high)
    if pair.low >= 0 or low == "0":
        return f"95 % interval {low} to {high} {unit}"
    opposite = "higher" if direction == "lower" else "lower"
    return f"95 % interval from {low} {unit} {opposite} to {high} {unit} {direction}"


def _size(effect: float) -> str:
    """An effect without its sign, with one decimal, or two digits if it is less than one."""
    size = abs(effect)
    if size < 100 * ROUNDING:
        return "0"
    if size >= 1:
        return f"{size:,.1f}"
    return f"{size:.{1 - math.floor(math.log10(size))}f}"


def _best(differences: Differences, groups: Sequence[Group]) -> str:
    """A sentence on the best of some groups, and from which others it can be distinguished."""
    metric = differences.metric
    best = differences.best_of(groups)
    if best is None:
        return f"There is no {_name(metric)} to compare."
    superlative = "Lowest" if metric.better is Better.lower else "Highest"
    line = f"{superlative} {_name(metric)}: {best.name}"
    names, others = {group.name for group in groups}, len(groups) - 1
    if not others:
        return f"{line}, with nothing to compare it to."
    own = [p for p in differences.pairs if best.name in p.names and names.issuperset(p.names)]
    apart = [p.worse for p in own if p.is_distinguishable and p.better == best.name]
    # The pair may have other seeds than those that the best group's own mean is over.
    outdone_by = [p.better for p in own if p.is_distinguishable and p.worse == best.name]
    alike = [_other(p.names, best.name) for p in own if not p.is_distinguishable]
    if len(apart) == others > 1:
        return f"{line}, distinguishable from all others."
    if len(alike) == others > 1:
        return f"{line}, not distinguishable from any other."
    if apart:
        line += f", distinguishable from {listed(apart)}"
    if alike:
        line += f", not distinguishable from {listed(alike)}"
    if outdone_by:
        line += f", but worse over the seeds they share than {listed(outdone_by)}"
    return f"{line}."


def _tests(differences: Differences) -> str:
    tested, alike = differences.tested, differences.not_distinguishable
    if len(tested) < 2:
        return "".join(f"{capitalised(sentence(pair))}." for pair in tested)
    if not alike:
        return f"All {len(tested)} tested differences are distinguishable."
    p_values = {pair.names: pair.p_corrected for pair in alike if pair.p_corrected is not None}
    if len(alike) == len(tested):
        least = _p(min(p_values.values()))
        return f"Not distinguishable: all of the {len(tested)} pairs tested (least {least})."
    with_p = {names: f" ({_p(p)})" for names, p in p_values.items()}
    return f"Not distinguishable: {_by_group(differences, with_p, 'from')}."


def _one_seed(differences: Differences) -> str:
    pairs = [pair.names for pair in differences.pairs if pair.is_distinguishable is None]
    if not pairs:
        return ""
    if len(pairs) == sum(not pair.is_exact for pair in differences.pairs) > 1:
        return f"All of the {len(pairs)} pairs are compared {BY_ONE_SEED}."
    return f"Compared {BY_ONE_SEED}: {_by_group(differences, dict.fromkeys(pairs, ''), 'with')}."


def _exact(differences: Differences) -> str:
    exact = [f"{p.better} is {_compared_to(p, p.worse)}" for p in differences.pairs if p.is_exact]
    return f"Compared exactly, because no seed varies: {', '.join(exact)}." if exact else ""


def _not_compared(differences: Differences) -> str:
    parts = [f"{name} ({why})" for name, why in differences.left_out]
    if differences.without_shared_seed:
        names = dict.fromkeys(differences.without_shared_seed, "")
        parts.append(f"without a shared seed {_by_group(differences, names, 'with')}")
    if differences.num_not_compared:
        parts.append(f"{differences.num_not_compared:,} more that are worse on validation")
    return f"Not compared: {', '.join(parts)}." if parts else ""


def _method(differences: Differences) -> str:
    num_tests = len(differences.tested)
    if not num_tests:
        return ""
    log = "" if differences.metric.scale is Scale.share else "the log of "
    method = f"Method: paired t test over seeds on {log}{_name(differences.metric)}"
    level = f"{100 * LEVEL:.0f} %"
    if num_tests == 1:
        return f"{method}, at a level of {level}."
    return (
        f"{method}, Holm's correction for {num_tests} comparisons to a level of {level} "
        "for all of them together; intervals are of each difference by itself."
    )


def _by_group(differences: Differences, pairs: dict[tuple[str, str], str], word: str) -> str:
    """Each pair once, with the group that comes first: `a from b and c; b from d`.

    Args:
        pairs: two names each, and what follows the second one.
    """
    left = dict(pairs)
    parts: list[str] = []
    for name in (group.name for group in differences.groups):
        own = [names for names in left if name in names]
        others = [f"{_other(names, name)}{left.pop(names)}" for names in own]
        parts += [f"{name} {word} {listed(others)}"] if others else []
    return "; ".join(parts)


def _other(names: tuple[str, str], name: str) -> str:
    return names[1] if names[0] == name else names[0]
