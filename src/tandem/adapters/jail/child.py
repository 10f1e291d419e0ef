"""A tenant's process: reads tasks from its pipe, does them, writes the answers, until it ends."""

import os
from functools import partial
from typing import Final

import msgspec

from tandem.adapters.jail.evaluation import Evaluation
from tandem.adapters.jail.frames import ANSWER_BYTES_MAX, FRAME_BYTES_MAX, Frames, frame
from tandem.adapters.jail.page import ControlPage, new_page
from tandem.adapters.jail.rehearsal import rehearsal
from tandem.domain.evaluation import (
    Evaluated,
    Said,
    Skipped,
    TaskAnswer,
    answer_bytes,
    task_of,
)
from tandem.domain.strategies import Answer
from tandem.strategies.engine import Engine

_READ_BYTES: Final = 1 << 20
_WARM_BYTES: Final = 64 << 20
_NO_TEXT: Final = partial(Said, answer=Answer(error="it said what is no text: half a character"))


def new_engine(page: ControlPage, memory_bytes: int) -> Engine:
    """Return an engine under a control page.

    What its strategies hold may take half of `memory_bytes`, so that a script which takes too much
    fails alone, before its process does.
    """
    return Engine(control=memoryview(page.memory), memory_bytes=memory_bytes // 2)


def warm_up() -> None:
    """Import and read all that an engine needs at some time: later there are no files."""
    descriptor = new_page()
    page = ControlPage(descriptor)
    os.close(descriptor)
    for task in rehearsal():
        Evaluation(new_engine(page, _WARM_BYTES), lambda _: None).do(task)


def serve(channel: int, page: ControlPage, engine: Engine) -> None:
    """Do one task after the other until the other end hangs up."""

    def mark(number: int | None) -> None:
        page.running = number

    evaluation = Evaluation(engine, mark)
    frames = Frames(FRAME_BYTES_MAX)
    while True:
        payload = frames.take()
        if payload is None:
            data = os.read(channel, _READ_BYTES)
            if not data:
                return
            frames.add(data)
            continue
        task = task_of(payload)
        page.is_late = False
        answer = evaluation.do(task)
        page.running = None
        _write(channel, frame(bytes_of(answer)))


def bytes_of(answer: TaskAnswer) -> bytes:
    """Return an answer as it is sent, whatever strategies put into it."""
    try:
        payload = answer_bytes(answer)
    except UnicodeEncodeError:
        assert isinstance(answer, Evaluated), "nobody but a strategy says what is no text"
        said = tuple(one if _is_text(one) else _NO_TEXT(number=one.number) for one in answer.said)
        payload = answer_bytes(msgspec.structs.replace(answer, said=said))
    if len(payload) > ANSWER_BYTES_MAX:
        reason = f"its answers have {len(payload)} bytes, at most {ANSWER_BYTES_MAX}"
        payload = answer_bytes(Skipped(task_id=answer.task_id, reason=reason))
    return payload


def _is_text(said: Said) -> bool:
    try:
        msgspec.msgpack.encode(said)
    except UnicodeEncodeError:
        return False
    return True


def _write(channel: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(channel, rest) :]
