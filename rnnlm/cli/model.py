"""The trained model that a subcommand uses: a run's, a checkpoint's, or the best of a sweep."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.cli.output import RefusedError
from rnnlm.cli.selection import runs_that_meet
from rnnlm.options import OptionError
from rnnlm.results.columns import SELECTED_BY, Better
from rnnlm.results.grouping import measured_on
from rnnlm.results.record import COMPLETED
from rnnlm.signals.ctrl_c import ended_by_interrupts

if TYPE_CHECKING:
    from rnnlm.runs.trained_model import TrainedModel


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the flag for the device that the model uses."""
    parser.add_argument(
        "--device", default="cpu", help="device to compute on, such as cuda (default: %(default)s)"
    )


def load_model(run: Path, device: str) -> TrainedModel:
    """Load the model of a run or a checkpoint.

    Raises:
        RefusedError: there is none that can be used.
    """
    # Here, so that the other subcommands do not wait for PyTorch.
    with ended_by_interrupts():
        from rnnlm.runs.trained_model import LoadError, load

    try:
        return load(run, device)
    except LoadError as error:
        raise RefusedError(str(error)) from error


def best_run(data: str, folder: Path, conditions: Sequence[str]) -> Path:
    """Find the run of a corpus with the fewest bits per character on validation.

    Args:
        conditions: which runs to choose from, such as `model=lstm`.

    Raises:
        RefusedError: there is none, or their metrics are not comparable.
    """
    found, _ = runs_that_meet([f"data={data}", *conditions], [folder])
    trained = [
        (path, record)
        for path, record in found
        if record.status == COMPLETED and record.is_trained_network
    ]
    if not trained:
        raise RefusedError(f"no run of {data} below {folder} has completed with a network")
    texts = {measured_on(record): record for _, record in trained}
    if len(texts) > 1:
        sources = sorted({record.source for record in texts.values()})
        which = f"sources {', '.join(sources)}" if len(sources) > 1 else "vocabularies or splits"
        raise RefusedError(
            f"the runs of {data} below {folder} were measured on different held-out tokens "
            f"({which}); narrow them with --where, or give a run"
        )
    values = [SELECTED_BY.value(record) for _, record in trained]
    return trained[values.index(Better.lower.best(values))][0]


@contextlib.contextmanager
def refusing_options() -> Iterator[None]:
    """Turn an error about an option into one that names its flag on the command line.

    Raises:
        RefusedError: an option cannot be used.
    """
    try:
        yield
    except OptionError as error:
        flag = f"--{error.option.replace('_', '-')}"
        if error.option == "text":
            flag = "TEXT"
        elif "." in error.option:  # an option of the run
            flag = error.option
        raise RefusedError(f"{flag}: {error.problem}") from error
