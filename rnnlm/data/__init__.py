"""Text to tokens to batches. Each corpus is a file of this folder, and `data=` takes its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.data.corpus import Corpus

# The base classes of corpora, and a module that takes seconds to import.
NO_CORPORA = ("corpus", "datamodule", "running_text", "separate_documents")


def corpora() -> dict[str, type[Corpus]]:
    """Return the class of every corpus by the name of its file."""
    # Imported here, because the processes that segment text start faster without PyTorch.
    from rnnlm.data.corpus import Corpus

    found: dict[str, type[Corpus]] = {}
    for file in pkgutil.iter_modules(__path__):
        if file.ispkg or file.name in NO_CORPORA:
            continue
        module = importlib.import_module(f"{__name__}.{file.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ == module.__name__ and issubclass(member, Corpus):
                found[file.name] = member
    return found
