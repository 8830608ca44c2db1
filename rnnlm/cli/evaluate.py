"""`rnnlm evaluate`: measure any text with a trained model."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rnnlm.cli.model import add_device, load_model, refusing_options


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="measure any text with a trained model",
        description="Print the loss, perplexity, bits per character and unknown rate of a text "
        "file, which is cleaned and tokenized like the text that the run was trained on.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder or a checkpoint")
    parser.add_argument("text", type=Path, metavar="TEXT", help="the file to measure")
    parser.add_argument(
        "--encoding", help="encoding of the file, such as cp1252 (default: recognised)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, without rounding")
    add_device(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Print the metrics of a text.

    Raises:
        RefusedError: there is no such model, or the text cannot be read.
    """
    model = load_model(options.run, options.device)
    with refusing_options():
        evaluation = model.evaluate(options.text, options.encoding)
    if options.json:
        print(json.dumps(evaluation.to_dict(), indent=2))
        return
    for name, value in (
        ("loss", f"{evaluation.loss:.4f} nats/token"),
        ("ppl", f"{evaluation.ppl:.4g}"),
        ("bits/char", f"{evaluation.bpc:.4f}"),
        ("unknown", f"{evaluation.unknown_rate:.2%} of {evaluation.num_tokens:,} tokens"),
        ("characters", f"{evaluation.num_chars:,}"),
    ):
        print(f"{name:<11}{value}")
