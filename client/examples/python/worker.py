"""A Taskwire worker: keeps one session open, runs the handlers of what it delivers, and leaves in good order.

It reconnects after anything but its own stop, with a jittered backoff, and opens the next session before it leaves one whose
broker drains. docs/writing-workers.md tells why it does what it does.
"""
import asyncio
import itertools
import logging
import os
import random
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import grpc

from session import CHANNEL_OPTIONS, Attempt, Outcome, Session, batches, failed, refused
from taskwire.v1 import worker_service_pb2 as wire
from taskwire.v1.task_pb2 import Task
from taskwire.v1.worker_service_pb2_grpc import WorkerServiceStub

log = logging.getLogger("taskwire")

MAX_RESULT_BYTES = 1024 * 1024
MIN_BACKOFF, MAX_BACKOFF = 0.1, 5
STABLE_SECONDS = 5  # a session that lived this long was a success
CLOSE_SECONDS = 4
SETTLE_SECONDS = 10

Handler = Callable[[Task, Attempt], Awaitable[bytes | None]]


class Retry(Exception):
    """The attempt failed; the next one follows after `delay` seconds instead of by the task's own policy."""

    def __init__(self, delay: float, message: str):
        super().__init__(message)
        self.delay = delay


class DeadLetter(Exception):
    """Trying again would not help: the task is dead at once."""


class Discard(Exception):
    """Not worth keeping: the task ends as cancelled."""


class Release(Exception):
    """Not now: the task is back after `delay` seconds, and no attempt is spent."""

    def __init__(self, delay: float = 0):
        super().__init__(f"released for {delay} s")
        self.delay = delay


class Worker:
    def __init__(
        self,
        addresses: Sequence[str],
        handlers: dict[str, Handler],
        *,
        queues: Sequence[str] = (),
        concurrency: int = 4,
        session_timeout: float = 30,
        shutdown: float = 10,
    ):
        self.addresses = addresses
        self.handlers = handlers
        self.queues = queues or [name.replace("/", ".") for name in handlers]  # a queue is named as its type is
        self.concurrency = concurrency
        self.session_timeout = session_timeout
        self.shutdown = shutdown
        self.id = f"{socket.gethostname()}-{os.urandom(4).hex()}"
        self._running: set[Attempt] = set()  # whose handler runs, of whatever session
        self._late: dict[Attempt, Outcome] = {}  # not confirmed by the stream that they came on
        self._late_lock = asyncio.Lock()
        self._session: Session | None = None  # the one that gets tasks
        self._sessions: set[asyncio.Task] = set()  # that one, and those that drain
        self._is_stopping = False

    async def run(self) -> None:
        """Works until SIGTERM or SIGINT comes; returns when what it held is settled or given back."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        connecting = asyncio.create_task(self._stay_connected())
        await stop.wait()
        connecting.cancel()
        log.info("stopping: running=%d", len(self._running))
        await self._leave()

    async def _stay_connected(self) -> None:
        failures = 0
        for address in itertools.cycle(self.addresses):
            session = self._session = Session(self, address)
            began = time.monotonic()
            running = asyncio.create_task(session.run())
            self._sessions.add(running)
            running.add_done_callback(self._sessions.discard)
            await session.left.wait()
            if session.draining and len(self.addresses) > 1:
                continue
            failures = 1 if time.monotonic() - began > STABLE_SECONDS else failures + 1
            # At random: workers that lost the same broker must not come back together.
            await asyncio.sleep(random.uniform(MIN_BACKOFF, min(MAX_BACKOFF, MIN_BACKOFF * 2**failures)))

    async def _leave(self) -> None:
        self._is_stopping = True
        if self._session:
            self._session.stop_delivery()
        handlers = {attempt.handler for attempt in self._running}
        if handlers:
            await asyncio.wait(handlers, timeout=self.shutdown)
        for attempt in [attempt for attempt in self._running if not attempt.over]:
            attempt.handler.cancel()
            attempt.session.settle(attempt, {"release": wire.Release()})
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=CLOSE_SECONDS)
        for session in self._sessions:
            session.cancel()
        async with grpc.aio.insecure_channel(self.addresses[0], CHANNEL_OPTIONS) as channel:
            await self._try_by_token(WorkerServiceStub(channel))

    def hello(self, window: int) -> wire.Hello:
        return wire.Hello(
            worker_id=self.id,
            host=socket.gethostname(),
            sdk="taskwire-example-python/0.1.0",
            queues=[wire.QueueSubscription(queue=queue, types=self.handlers) for queue in self.queues],
            window=wire.Window(max_in_flight=window),
            session_timeout=timedelta(seconds=self.session_timeout),
            concurrency=self.concurrency,
        )

    def room(self, session: Session) -> int:
        """How many tasks a session may hold, beside what is here and its broker does not count: handlers of other sessions,
        those that do not stop though their task was taken away, and late outcomes, whose tasks must not come back first."""
        others = {attempt for attempt in self._running if attempt.over or attempt.session is not session}
        return max(0, self.concurrency - len(others | self._late.keys()))

    def start(self, attempt: Attempt) -> None:
        if self._is_stopping:  # It was on its way when we asked for no more.
            attempt.session.settle(attempt, {"release": wire.Release()})
            return
        self._running.add(attempt)
        attempt.handler = asyncio.create_task(self._run_handler(attempt))
        attempt.handler.add_done_callback(lambda _: self._ended(attempt))

    async def _run_handler(self, attempt: Attempt) -> None:
        outcome = await self._outcome(attempt.delivery.task, attempt)
        if not attempt.over:
            attempt.session.settle(attempt, outcome)

    def _ended(self, attempt: Attempt) -> None:
        self._running.discard(attempt)
        if self._session:
            self._session.resize()

    async def _outcome(self, task: Task, attempt: Attempt) -> Outcome:
        try:
            handler = self.handlers.get(task.type)
            if not handler:
                raise LookupError(f"no handler registered for task type: {task.type}")
            result = await handler(task, attempt) or b""
            if len(result) > MAX_RESULT_BYTES:
                raise ValueError(f"the result has {len(result)} bytes, at most {MAX_RESULT_BYTES} are kept")
            return {"ack": wire.Ack(result=result)}
        except Release as error:
            return {"release": wire.Release(delay=timedelta(seconds=error.delay))}
        except Exception as error:
            how = {}
            if isinstance(error, Retry):
                how = {"action": wire.Nack.ACTION_RETRY, "retry_delay": timedelta(seconds=error.delay)}
            elif isinstance(error, DeadLetter):
                how = {"action": wire.Nack.ACTION_DEAD_LETTER}
            elif isinstance(error, Discard):
                how = {"action": wire.Nack.ACTION_DISCARD}
            log.warning("attempt failed: task=%s attempt=%d error=%r", task.id, attempt.delivery.attempt, error)
            return failed(type(error).__name__, str(error), **how)

    def settle_late(self, outcomes: dict[Attempt, Outcome]) -> None:
        """Keeps what could not be settled on its stream; at once or with the next session it is settled by token."""
        self._late |= outcomes
        if self._late and self._session and self._session.stub and not self._session.is_over:
            asyncio.create_task(self._try_by_token(self._session.stub))

    async def _try_by_token(self, stub: WorkerServiceStub) -> None:
        try:
            await self.settle_by_token(stub)
        except grpc.aio.AioRpcError as error:
            log.warning("not settled by token: %s", error.details())

    async def settle_by_token(self, stub: WorkerServiceStub) -> None:
        async with self._late_lock:
            for batch in batches(dict(self._late)):
                outcomes = [token_outcome(attempt, outcome) for attempt, outcome in batch.items()]
                request = wire.SettleTasksRequest(worker_id=self.id, outcomes=outcomes)
                answer = await stub.SettleTasks(request, timeout=SETTLE_SECONDS)
                for attempt, result in zip(batch, answer.results):
                    if result.reason == wire.Rejection.REASON_UNAVAILABLE:
                        continue  # The store is away. Again with the next heartbeat.
                    del self._late[attempt]
                    if result.settled:
                        log.info("settled by token: task=%s", attempt.delivery.task.id)
                    else:
                        refused(attempt, result)
            if self._session:
                self._session.resize()


def token_outcome(attempt: Attempt, outcome: Outcome) -> wire.TokenOutcome:
    took = timedelta(seconds=time.monotonic() - attempt.started)
    return wire.TokenOutcome(lease_token=attempt.delivery.lease_token, duration=took, **outcome)
