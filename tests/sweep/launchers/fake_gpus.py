"""GPUs and programs of NVIDIA's that are not there, for sweeps in processes of their own."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from rnnlm.hardware import Gpu
from rnnlm.sweep.launchers import places
from rnnlm.training.module import LanguageModelModule

FAKE_GPUS = "+hydra.callbacks.gpus._target_=tests.sweep.launchers.fake_gpus.FakeGpus"
# By optimizer.lr: what happens to a run while it shares its GPU, and to one that is alone, too.
RAISES, KILLED, ALWAYS_RAISES = 0.2, 0.3, 0.4
CUDA_ERROR = "CUDA error: an illegal memory access was encountered"
STEP = 5

# It lives while `control` is in the folder of its pipes, and notes what it is called with.
CONTROL = """#!/bin/sh
pipes=$CUDA_MPS_PIPE_DIRECTORY
if [ "$1" = -f ]; then
    echo "start $pipes $CUDA_VISIBLE_DEVICES" >> {folder}/calls
    {start}
    : > $pipes/control
    while [ -e $pipes/control ]; do sleep 0.05; done
    echo "end" >> {folder}/calls
    exit 0
fi
read command
[ -e $pipes/control ] || exit 1
echo "$command $pipes" >> {folder}/calls
[ $command = quit ] && {quit}
exit 0
"""


def fake_control(folder: Path, start: str = "", quit_by: str = "rm $pipes/control") -> Path:
    """Put a program that acts as `nvidia-cuda-mps-control` into a folder, and return its notes."""
    folder.mkdir(exist_ok=True)
    path = folder / "nvidia-cuda-mps-control"
    path.write_text(CONTROL.format(folder=folder, start=start, quit=quit_by))
    path.chmod(0o755)
    return folder / "calls"


class FakeGpus(Callback):
    """Makes a sweep believe in a GPU, and has some of the runs on it fail."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        fakes = {
            "uses_gpu": lambda accelerator: True,
            "find_gpus": lambda: [Gpu("GPU-one", "Fake", 80 * 10**9)],
            "visible_cores": lambda: [0, 1, 2, 3],
        }
        for name, fake in fakes.items():
            setattr(places, name, fake)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        rate, is_shared = config.optimizer.lr, config.runs_per_gpu > 1
        pipes = os.environ.get("CUDA_MPS_PIPE_DIRECTORY")
        with Path("environments").open("a") as file:
            file.write(f"{rate} {config.runs_per_gpu} {pipes}\n")
        original = LanguageModelModule.training_step

        def step(module: LanguageModelModule, batch: Any, index: int) -> Any:
            if index == STEP and is_shared and rate == KILLED:
                os.kill(os.getpid(), signal.SIGKILL)
            if index == STEP and (rate == ALWAYS_RAISES or (is_shared and rate == RAISES)):
                raise RuntimeError(CUDA_ERROR)
            return original(module, batch, index)

        LanguageModelModule.training_step = step  # type: ignore[assignment,method-assign]
