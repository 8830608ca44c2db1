"""rnnlm/sweep/launchers/multi_process_service.py, with a program in place of NVIDIA's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnlm.hardware import Gpu
from rnnlm.sweep.launchers import multi_process_service as mps
from rnnlm.sweep.launchers import process_server
from rnnlm.sweep.launchers.multi_process_service import ServiceError, multi_process_service
from tests.sweep.launchers.fake_gpus import fake_control

GPUS = [Gpu("GPU-one"), Gpu("GPU-two")]


@pytest.fixture(autouse=True)
def computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What a process that computes with the service says; None if it works."""
    process_server.start()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path / "no"))
    said: list[str | None] = []
    monkeypatch.setattr(mps, "why_unusable", lambda environment: said.pop(0) if said else None)
    return said


def test_a_service_of_its_own_is_started_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    calls = fake_control(tmp_path / "bin")
    with multi_process_service(GPUS) as environment:
        pipes = environment["CUDA_MPS_PIPE_DIRECTORY"]
        assert environment == {
            "CUDA_MPS_PIPE_DIRECTORY": pipes,
            "CUDA_MPS_LOG_DIRECTORY": pipes,
            "CUDA_VISIBLE_DEVICES": "GPU-one,GPU-two",
        }
        # The name of a socket there has at most 107 bytes.
        assert len(pipes) < 60
        assert Path(pipes).stat().st_mode & 0o777 == 0o700
        assert calls.read_text().splitlines() == [
            f"start {pipes} GPU-one,GPU-two",
            f"get_server_list {pipes}",
        ]
    assert calls.read_text().splitlines()[2:] == [f"quit {pipes}", "end"]
    assert not Path(pipes).exists()


def test_a_service_that_is_running_is_used_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fake_control(tmp_path / "bin")
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    (tmp_path / "control").touch()
    with multi_process_service(GPUS) as environment:
        assert environment == {}
    assert calls.read_text() == f"get_server_list {tmp_path}\n"
    assert (tmp_path / "control").exists()


def test_in_a_container_the_hosts_service_is_used_without_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    (tmp_path / "control").touch()
    with multi_process_service(GPUS) as environment:
        assert environment == {}


def test_why_there_is_no_service_is_said(tmp_path: Path, computes: list[str | None]) -> None:
    def refusal(gpus: list[Gpu]) -> str:
        with pytest.raises(ServiceError) as refused, multi_process_service(gpus):
            pass
        return str(refused.value)

    assert refusal(GPUS) == "there is no nvidia-cuda-mps-control"
    calls = fake_control(tmp_path / "bin", start="echo one; echo no permission >&2; exit 3")
    ended = "nvidia-cuda-mps-control ended with status 3: no permission"
    assert refusal(GPUS) == ended
    (tmp_path / "bin" / "nvidia-cuda-mps-control").write_text("#!/nonexistent\n")
    cannot = "nvidia-cuda-mps-control cannot be started (No such file or directory)"
    assert refusal(GPUS) == cannot
    fake_control(tmp_path / "bin")
    computes.append("RuntimeError: CUDA error: MPS server is not ready")
    assert refusal(GPUS) == "RuntimeError: CUDA error: MPS server is not ready"
    assert calls.read_text().splitlines()[-1] == "end"
    assert refusal([Gpu("MIG-one"), Gpu("MIG-two")]) == "it serves only one slice of a GPU"


def test_a_daemon_that_does_not_quit_is_killed(tmp_path: Path) -> None:
    fake_control(tmp_path / "bin", start=f"echo $$ > {tmp_path}/pid", quit_by="exit 1")
    with multi_process_service(GPUS):
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
