"""rnnlm: sweeps of recurrent language models that end in a table one can defend.

`rnnlm.load(run)` gives a trained model (`rnnlm/trained_model.py`).
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlm.trained_model import load

__all__ = ["__version__", "load"]
__version__ = version("rnnlm")


def __getattr__(name: str) -> Any:
    # Only when it is asked for: PyTorch takes seconds to import, and not all need it.
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnlm.trained_model import load

    return load
