"""Long work inside an explorer, in short turns, so that its controls answer meanwhile and it can be stopped."""

import asyncio
import time

from nnlib.widgets.base import button

TURN, PAUSE = 0.08, 0.02  # seconds: of work, and for the messages of controls


class InTurns:
    """What an explorer needs to work in turns: it comes before `Explorer` among the bases.

    `update` calls `work_on(job, ...)` and draws what is there of it; a job has `done` and `advance()`, which does a
    small piece. It works to the end at once without the event loop of a running kernel, and until the explorer, when it
    is made, sets `_whole` to False.
    """

    _stopped, _whole, _unfinished, _task = False, True, False, None

    def stop_button(self):
        """A button that stops the work, or goes on with it."""
        self.stopper = button("stop training", self._toggle, "stop the training that runs; press again to go on")
        return self.stopper

    def work_on(self, *jobs):
        """Advance jobs, one after the other, by one turn or to their end. Returns whether all are done."""
        in_turns, end = not self._whole and _loop_runs(), time.perf_counter() + TURN
        todo = [job for job in jobs if not job.done]
        while todo and not self._stopped:
            todo[0].advance()
            todo = todo[todo[0].done:]
            if in_turns and time.perf_counter() > end:
                break
        self._unfinished = bool(todo) and not self._stopped
        self.stopper.description = "go on training" if self._stopped and todo else "stop training"
        if self._unfinished and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return not todo

    def finish(self):
        """Work to the end at once."""
        self._stopped, whole, self._whole = False, self._whole, True
        try:
            self.refresh()
        finally:
            self._whole = whole

    def _toggle(self):
        self._stopped = not self._stopped and self._unfinished
        self.refresh()

    def _changed(self, change):
        self._stopped = False
        super()._changed(change)

    async def _run(self):
        try:
            while self._unfinished:
                await asyncio.sleep(PAUSE)
                if self._unfinished:
                    self.refresh()
        finally:
            self._task = None


def _loop_runs():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
