"""The same bytes for any number of threads, instruction set and order of calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from classicseg._kernels import ext

# There are two instruction sets: x86-64-v3 (AVX2), and the baseline of any processor.
SETS = sorted({"baseline", ext.instruction_set})

# These multiply and add in one step where the processor can: see test_densecrf_input.py.
FUSED = ("dense crf", "refined")


@pytest.fixture(scope="module")
def found() -> dict[str, list[dict[str, str]]]:
    """Digests of each round, from a process for each instruction set."""
    script = Path(__file__).parent / "digests.py"
    processes = {}
    for name in SETS:
        wanted = {} if name == ext.instruction_set else {"CLASSICSEG_ISA": name}
        processes[name] = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, env=os.environ | wanted
        )
    outputs = {name: process.communicate()[0] for name, process in processes.items()}
    assert all(process.returncode == 0 for process in processes.values())
    return {name: json.loads(output) for name, output in outputs.items()}


def test_threads_and_the_order_of_calls_change_no_byte(
    found: dict[str, list[dict[str, str]]],
) -> None:
    for name, rounds in found.items():
        for other in rounds[1:]:
            assert other == rounds[0], name


def test_the_instruction_set_changes_no_byte(found: dict[str, list[dict[str, str]]]) -> None:
    if len(found) == 1:
        pytest.skip("this processor has one instruction set")
    first, second = (
        {kernel: digest for kernel, digest in rounds[0].items() if kernel not in FUSED}
        for rounds in found.values()
    )
    assert first == second
    assert len(set(first.values())) == len(first) >= 18
