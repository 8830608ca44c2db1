"""rnnlm/training/optimizer.py"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rnnlm.training.optimizer import (
    OptimizerConfig,
    OptimizerName,
    Schedule,
    build_optimizer,
    build_schedule,
)


def rates(num_steps: int, **options: object) -> list[float]:
    """The learning rate of each step."""
    config = OptimizerConfig(lr=1.0, **options)  # type: ignore[arg-type]
    optimizer = build_optimizer(config, [nn.Parameter(torch.zeros(1))])
    schedule = build_schedule(config, optimizer, num_steps)
    seen = []
    for _ in range(num_steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if schedule:
            schedule.step()
    return seen


@pytest.mark.parametrize("name", OptimizerName)
def test_every_optimizer_moves_the_weights(name: OptimizerName) -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer(OptimizerConfig(name, lr=0.1), [weight])
    (weight**2).sum().backward()
    optimizer.step()
    assert (weight < 1).all()


def test_options_reach_the_optimizer() -> None:
    config = OptimizerConfig(OptimizerName.sgd, lr=0.5, weight_decay=0.1, momentum=0.9)
    group = build_optimizer(config, [nn.Parameter(torch.ones(1))]).param_groups[0]
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.5, 0.1, 0.9)


def test_constant_stays() -> None:
    assert set(rates(10)) == {1.0}


def test_cosine_falls_to_zero() -> None:
    seen = rates(100, schedule=Schedule.cosine)
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == 1.0
    assert seen[-1] < 0.001


def test_one_cycle_climbs_to_the_rate_and_falls() -> None:
    seen = rates(100, schedule=Schedule.one_cycle, warmup_fraction=0.25)
    assert max(seen) == pytest.approx(1.0)
    assert seen.index(max(seen)) in (24, 25)
    assert seen[0] == pytest.approx(1 / 25)
    assert seen[-1] < 0.001


def test_plateau_divides_the_rate_when_nothing_improves() -> None:
    config = OptimizerConfig(lr=1.0, schedule=Schedule.plateau, decay=4)
    optimizer = build_optimizer(config, [nn.Parameter(torch.zeros(1))])
    schedule = build_schedule(config, optimizer, 10)
    assert schedule is not None
    for loss, expected in (
        (3.0, 1.0),
        (2.0, 1.0),
        (1.9999, 1.0),
        (2.0, 0.25),
        (1.0, 0.25),
        (1.5, 0.0625),
    ):
        schedule.step(loss)  # type: ignore[arg-type]
        assert optimizer.param_groups[0]["lr"] == expected


@pytest.mark.parametrize("name", OptimizerName)
def test_fused_or_not_the_weights_move_alike(name: OptimizerName) -> None:
    moved = []
    for fused in (False, True):
        weight = nn.Parameter(torch.linspace(-1, 1, 7))
        optimizer = build_optimizer(
            OptimizerConfig(name, lr=0.1, weight_decay=0.1), [weight], fused
        )
        for _ in range(3):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        moved.append(weight.detach())
    torch.testing.assert_close(*moved)
