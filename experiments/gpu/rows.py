"""What the parts of the check print: a line of JSON for each row of a table of the page."""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from typing import Any

import torch


def arguments(described: str | None, *more: str) -> tuple[argparse.Namespace, torch.device]:
    """Read the command line of a part; return it with the device, and do not start CUDA yet.

    Warnings and what Lightning says are silenced: a part prints rows.

    Args:
        more: the names of arguments that come first, without dashes.
    """
    parser = argparse.ArgumentParser(
        description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in more:
        parser.add_argument(name)
    parser.add_argument("--cpu", action="store_true", help="in miniature, on the CPU")
    found = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    if not (found.cpu or torch.cuda.is_available()):
        parser.exit(2, "there is no GPU; --cpu does this in miniature\n")
    return found, torch.device("cpu" if found.cpu else "cuda")


def name_device(device: torch.device) -> None:
    """Print the name of the device and the version of PyTorch, as the first line of a part."""
    on_cpu = device.type == "cpu"
    name = "a CPU, in miniature" if on_cpu else torch.cuda.get_device_name(device)
    print(json.dumps({"device": name, "torch": torch.__version__}), flush=True)


def row(table: str, **columns: Any) -> None:
    """Print a row of a table; its column `holds` is true, false, or null if there is no bound."""
    print(json.dumps({"table": table, **columns}), flush=True)
