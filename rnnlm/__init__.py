"""rnnlm: sweeps of recurrent language models that end in a table one can defend.

`rnnlm.load(run)` gives a trained model (`rnnlm/runs/trained_model.py`).
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
