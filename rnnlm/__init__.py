"""Sweeps of recurrent language models that end in a table that one can defend.

`rnnlm.load(run)` returns a trained model (`rnnlm/runs/trained_model.py`).

Glossary, one word for one thing:

- token: what the model predicts, such as a character, a word or a piece of one
- corpus: texts of one kind, and how they become tokens; its source is where they come from
- split: train, validation or test
- streams, windows, documents: the three ways to cut tokens into batches
- cell: the recurrence (RNN, LSTM, GRU); features: what a token is to the first cell
- baseline: a model that is no network
- run: one configuration, trained and measured once; variant: all runs that differ only in the seed
- sweep: many runs; trial: a run of a search; preset: a configuration in `conf/experiment/`
- step: one update of the weights; epoch: one pass over the training split
- metric: a number with a name that a run reports; loss: nats per token; ppl: exp(loss)
- record: a run's `result.json`; table, row, column: many records; plot: a picture of them
- adaptation: a trained network that learns from the text that it is tested on, as it reads on
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlm.runs.trained_model import load

    __version__: str

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: PyTorch takes seconds to import, and not all need it.
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnlm")
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnlm.runs.trained_model import load

    return load
