"""Batches to logits: features, cells and the language model made of them. Plain torch."""

from rnnlm.model.allocation import keep_freed_memory
from rnnlm.model.reproducible import settle

settle()
keep_freed_memory()
