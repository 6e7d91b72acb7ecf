"""Which long works are under way: so that none is begun twice, and that none is left unsaid when the bot stops."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_REMEMBERED = 500


class Jobs:
    """The long works of one connection to Discord, each by the message that it is shown in."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[object] | None] = {}
        self._finished = deque[int](maxlen=_REMEMBERED)

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._tasks

    def finish(self, message_id: int) -> None:
        """Remember for a while that the work of a message is over, so that a late press does not wipe its outcome."""
        self._finished.append(message_id)

    def is_finished(self, message_id: int) -> bool:
        """Tell whether the work of a message was done lately."""
        return message_id in self._finished

    @contextmanager
    def running(self, message_id: int) -> Iterator[None]:
        """Count whatever the current task does within as one work."""
        self._tasks[message_id] = asyncio.current_task()
        try:
            yield
        finally:
            del self._tasks[message_id]

    async def close(self, *, within_s: float) -> None:
        """Cancel what is under way and wait until each work has said so, for so long at most."""
        tasks = {task for task in self._tasks.values() if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
