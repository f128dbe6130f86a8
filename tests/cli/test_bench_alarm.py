"""The generator's timer rings when it is due, and never before."""

import asyncio
import contextlib
import os
import time

import pytest

from playbill.benchmarks.alarm import Alarm

WAITS_S = (1e-9, 1e-4, 2e-3, 1.001e-2)


def test_it_never_rings_early_however_often_it_is_set():
    async def waits() -> list[float]:
        early_s = []
        with contextlib.closing(Alarm()) as alarm:
            for wait_s in WAITS_S:
                due_s = time.monotonic() + wait_s
                await asyncio.wait_for(alarm.after(wait_s), 10.0)
                early_s.append(due_s - time.monotonic())
        return early_s

    assert max(asyncio.run(waits())) <= 0.0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_what_is_past_is_not_waited_for(seconds):
    async def at_once() -> None:
        with contextlib.closing(Alarm()) as alarm, pytest.raises(StopIteration):
            alarm.after(seconds).send(None)

    asyncio.run(at_once())


def test_others_run_while_it_waits_and_nothing_is_left_open():
    async def beside() -> tuple[int, int]:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.0)

        counting = asyncio.create_task(count())
        with contextlib.closing(Alarm()) as alarm:
            await alarm.after(5e-3)
        counting.cancel()
        return turns, len(os.listdir("/proc/self/fd"))

    before = asyncio.run(_descriptors())
    turns, after = asyncio.run(beside())
    assert turns > 1
    assert after == before


async def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
