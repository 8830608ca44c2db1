"""rnnlm: sweeps of recurrent language models that end in a table one can defend."""

from importlib.metadata import version

__version__ = version("rnnlm")
