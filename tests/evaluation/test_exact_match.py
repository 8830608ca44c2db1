"""rnnlm/evaluation/exact_match.py"""

from __future__ import annotations

import torch

from rnnlm.data.addition import Addition, AdditionConfig
from rnnlm.data.batching import Documents
from rnnlm.data.datamodule import CorpusDataModule
from rnnlm.data.preparation import prepare
from rnnlm.data.texts.splitting import SPLITS
from rnnlm.data.tokens.vocabulary import BEGIN_ID, END_ID
from rnnlm.evaluation.exact_match import answered, exact_match, exact_match_by
from rnnlm.model.cells import cells
from rnnlm.model.features import FeaturesConfig
from rnnlm.model.language_model import LanguageModel
from rnnlm.model.stepper import Stepper


def test_it_is_the_share_of_answers_that_greedy_generation_gets_right() -> None:
    corpus = prepare(
        Addition(
            AdditionConfig(name="addition", num_sums=2000, max_digits=1, batch_size=8, min_digits=1)
        )
    )
    data = CorpusDataModule(corpus)
    torch.manual_seed(0)
    config = cells()["gru"].Config(name="gru", hidden_size=32)
    network = LanguageModel(len(corpus.vocabulary), config, FeaturesConfig(name="onehot"))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(30):
        for batch in data.train_dataloader():
            logits, _ = network(batch.inputs_TB)
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), batch.targets_TB.flatten(), ignore_index=-100
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    (mark,) = corpus.vocabulary.encode("=").tolist()
    for name, batches in zip(SPLITS, data.test_dataloader(), strict=True):
        right = []
        for document in _documents(corpus.splits[name].ids_N.tolist()):
            task, answer = _at(document, mark)
            right.append(_greedy(network, task, len(answer)) == answer)
        assert isinstance(batches, Documents)
        right_D = answered(network, batches, mark)
        assert right_D.tolist() == right
        assert exact_match(right_D) == sum(right) / len(right)
        if name == "train":
            # Neither none nor all, or the test would show nothing.
            assert 0 < sum(right) < len(right)


def test_shares_by_kind_are_in_the_order_of_the_numbers_and_say_of_how_many_tasks() -> None:
    kinds = [{"digits": digits, "carries": 0} for digits in (10, 2, 10, 10, 2)]
    shares = exact_match_by(torch.tensor([True, False, False, False, False]), kinds)
    assert shares["digits"] == {
        "2": {"share": 0.0, "tasks": 2},
        "10": {"share": 1 / 3, "tasks": 3},
    }
    assert list(shares["digits"]) == ["2", "10"]
    assert shares["carries"] == {"0": {"share": 0.2, "tasks": 5}}


def test_what_tells_no_kinds_apart_has_no_shares_by_kind() -> None:
    assert exact_match_by(torch.tensor([True, False]), [{}, {}]) == {}


def _documents(ids: list[int]) -> list[list[int]]:
    starts = [i for i, token in enumerate(ids) if token == BEGIN_ID]
    return [ids[a:b] for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)]


def _at(document: list[int], mark: int) -> tuple[list[int], list[int]]:
    cut = document.index(mark) + 1
    assert document[-1] == END_ID
    return document[:cut], document[cut:]


def _greedy(network: LanguageModel, task: list[int], length: int) -> list[int]:
    """Continue the task by the most likely token, one step at a time."""
    stepper = Stepper(network)
    state, answer = network.initial_state(1), []
    for token in task:
        state = stepper.read(torch.tensor([token]), state)
    for _ in range(length):
        answer.append(int(stepper.logits(state).argmax()))
        state = stepper.read(torch.tensor([answer[-1]]), state)
    return answer
