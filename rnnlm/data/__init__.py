"""Text to batches: one file per corpus over one base."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.data.corpus import Corpus


def corpora() -> dict[str, type[Corpus]]:
    """Every corpus by the name of its file: each module of this folder that defines one."""
    # Imported here, because the processes that segment text start faster without PyTorch.
    from rnnlm.data.corpus import Corpus

    found: dict[str, type[Corpus]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            own = member.__module__ == module.__name__
            if own and issubclass(member, Corpus) and not inspect.isabstract(member):
                found[module_info.name] = member
    return found
