from collections.abc import Sequence

import pytest

from inference.catalogue import DEFAULT
from inference.device import (
    Device,
    check_providers,
    default_threads,
    fallback_in_words,
    wanted_providers,
)
from inference.model import load_model
from streamer.errors import SettingsError

CUDA, CPU, AZURE = (
    f"{name}ExecutionProvider" for name in ("CUDA", "CPU", "Azure")
)  # fmt: skip


@pytest.mark.parametrize(
    ("device", "available", "wanted"),
    [
        (Device.CPU, [AZURE, CPU], (CPU,)),
        (Device.CPU, [CUDA, CPU], (CPU,)),
        (Device.AUTO, [AZURE, CPU], (CPU,)),
        (Device.AUTO, [CUDA, CPU], (CUDA, CPU)),
        (Device.CUDA, [CUDA, CPU], (CUDA, CPU)),
    ],
)
def test_what_is_asked_for(
    device: Device, available: Sequence[str], wanted: tuple[str, ...]
) -> None:
    assert wanted_providers(device, available) == wanted


def test_cuda_that_is_not_installed_is_refused_with_what_to_do() -> None:
    with pytest.raises(SettingsError, match=r"--device cuda: .*--extra gpu") as refused:
        wanted_providers(Device.CUDA, [AZURE, CPU])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("device", "used", "fine"),
    [
        (Device.CPU, [CPU], True),
        (Device.AUTO, [CPU], True),
        (Device.AUTO, [CUDA, CPU], True),
        (Device.CUDA, [CUDA, CPU], True),
        (Device.CUDA, [CPU], False),
    ],
)
def test_cuda_that_does_not_start_is_refused_and_auto_takes_what_there_is(
    device: Device, used: Sequence[str], fine: bool
) -> None:
    if fine:
        check_providers(device, used)
        return
    with pytest.raises(SettingsError, match="fell back to CPUExecutionProvider"):
        check_providers(device, used)


@pytest.mark.parametrize(
    ("device", "available", "used", "says"),
    [
        (Device.CPU, [CUDA, CPU], CPU, None),
        (Device.AUTO, [CUDA, CPU], CUDA, None),
        (Device.AUTO, [CUDA, CPU], CPU, "CUDA did not start"),
        (Device.AUTO, [AZURE, CPU], CPU, None),
    ],
)
def test_auto_falls_back_aloud(
    device: Device, available: Sequence[str], used: str, says: str | None
) -> None:
    line = fallback_in_words(device, available, used)
    assert line == (says and f"the networks run on the CPU: {says}")


@pytest.mark.parametrize(
    ("cores", "threads"), [(1, 1), (2, 2), (3, 2), (4, 3), (9, 8), (128, 8)]
)
def test_a_core_of_three_or_more_is_left_free(cores: int, threads: int) -> None:
    assert default_threads(cores) == threads


def test_a_model_does_not_load_for_a_device_that_is_not_there() -> None:
    import onnxruntime

    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(SettingsError, match="--device cuda"):
        load_model(DEFAULT, device=Device.CUDA)
    assert load_model(DEFAULT, device=Device.AUTO).provider == CPU
