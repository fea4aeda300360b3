"""One Subscribe stream, from Hello to its end.

connecting --Welcome--> open --Drain or StopDelivery--> draining --all is confirmed--> over, as when the stream breaks

What it holds and cannot confirm when it is over goes to its worker, which settles it by token.
"""
import asyncio
import itertools
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc

from taskwire.v1 import worker_service_pb2 as wire
from taskwire.v1.worker_service_pb2_grpc import WorkerServiceStub

if TYPE_CHECKING:
    from worker import Worker

log = logging.getLogger("taskwire")

WELCOME_SECONDS = 10
UNAVAILABLE_SECONDS = 1
MAX_OUTCOMES, MAX_FRAME_BYTES = 1_000, 1024 * 1024
MAX_MESSAGE = 4_096
# Channels to one address share a connection, and its backoff, unless told otherwise; each session is to have its own.
CHANNEL_OPTIONS = [("grpc.use_local_subchannel_pool", 1)]

Outcome = dict[str, wire.Ack | wire.Nack | wire.Release]  # one entry: "ack", "nack" or "release"


@dataclass(eq=False)
class Attempt:
    """One delivery of one task. Its handler gets it beside the task."""

    session: "Session"
    delivery: wire.Delivery
    started: float = field(default_factory=time.monotonic)
    handler: asyncio.Task | None = None
    over: bool = False  # it has an outcome, or was taken away: what its handler says no longer counts

    def extend(self, seconds: float) -> None:
        """Starts the timeout of the task again, with this length."""
        if not self.over:
            self.session.send(extend=wire.Extend(tags=[self.delivery.tag], timeout=timedelta(seconds=seconds)))

    def progress(self, percent: float) -> None:
        if not self.over:
            self.session.send(progress=wire.Progress(tag=self.delivery.tag, percent=percent))


class Session:
    def __init__(self, worker: "Worker", address: str):
        self.worker = worker
        self.address = address
        self.stub: WorkerServiceStub | None = None  # since Welcome
        self.left = asyncio.Event()  # another session is wanted: this one drains, or is over
        self.draining = False  # nothing is delivered any more
        self.is_over = False
        self.held: dict[int, Attempt] = {}  # by tag: delivered, and without an outcome
        self.pending: dict[Attempt, Outcome] = {}  # outcomes that are not sent
        self.unconfirmed: dict[int, dict[Attempt, Outcome]] = {}  # by settle_id: sent, and not answered
        self._window = worker.room(self)
        self._outgoing: asyncio.Queue[wire.SubscribeRequest | None] = asyncio.Queue()
        self._settle_ids = itertools.count(1)
        self._sequence = itertools.count(1)

    async def run(self) -> None:
        """Returns when the stream is over, for whatever reason."""
        reason = "done"
        heartbeat = None
        try:
            async with grpc.aio.insecure_channel(self.address, CHANNEL_OPTIONS) as channel:
                stub = WorkerServiceStub(channel)
                # Before Hello: as soon as there is room here, the broker may hand out the same tasks again.
                await self.worker.settle_by_token(stub)
                self.send(hello=self.worker.hello(self._window))
                call = stub.Subscribe(iter_queue(self._outgoing))
                silence = WELCOME_SECONDS
                while True:
                    # Any frame is a sign of life, and nothing else is: a proxy may answer the pings of HTTP/2.
                    async with asyncio.timeout(silence):
                        frame = await call.read()
                    if frame is grpc.aio.EOF:
                        break
                    if frame.WhichOneof("frame") == "welcome":
                        self.stub = stub
                        silence = frame.welcome.session_timeout.ToTimedelta().total_seconds()
                        every = frame.welcome.heartbeat_interval.ToTimedelta().total_seconds()
                        heartbeat = asyncio.create_task(self._heartbeat(every))
                    self._receive(frame)
        except TimeoutError:
            reason = f"the broker was silent for {silence} s"
        except grpc.aio.AioRpcError as error:
            reason = f"{error.code().name}: {error.details()}"
        finally:
            if heartbeat:
                heartbeat.cancel()
            self._over(reason)

    def send(self, **frame) -> None:
        if not self.is_over:
            self._outgoing.put_nowait(wire.SubscribeRequest(**frame))

    def resize(self) -> None:
        """The window is absolute: sent again, it replaces the former one."""
        room = self.worker.room(self)
        if self.stub and not self.draining and room != self._window:
            self._window = room
            self.send(window=wire.Window(max_in_flight=room))

    def stop_delivery(self) -> None:
        self.send(stop_delivery=wire.StopDelivery())

    def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        attempt.over = True
        self.held.pop(attempt.delivery.tag, None)
        if self.is_over:
            self.worker.settle_late({attempt: outcome})
        else:
            self.pending[attempt] = outcome
            # All outcomes of this turn of the loop travel in one frame.
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        for batch in batches(self.pending):
            settle_id = next(self._settle_ids)
            self.unconfirmed[settle_id] = batch
            outcomes = [wire.Outcome(tag=attempt.delivery.tag, **outcome) for attempt, outcome in batch.items()]
            self.send(settle=wire.Settle(settle_id=settle_id, outcomes=outcomes))
        self.pending = {}

    def _receive(self, frame: wire.SubscribeResponse) -> None:
        match frame.WhichOneof("frame"):
            case "welcome":
                log.info("connected: address=%s session=%s", self.address, frame.welcome.session_id)
                for notice in frame.welcome.notices:
                    log.warning("the broker changed something: %s", notice)
                self.resize()
            case "deliver":
                for delivery in frame.deliver.deliveries:
                    attempt = self.held[delivery.tag] = Attempt(self, delivery)
                    self.worker.start(attempt)
            case "settle_result":
                self._confirm(frame.settle_result)
            case "cancel":
                for attempt in filter(None, (self.held.pop(tag, None) for tag in frame.cancel.tags)):
                    attempt.over = True
                    attempt.handler.cancel()
                # A handler that does not stop at once keeps its room. The broker delivers nothing before a frame of ours.
                self.resize()
                self._beat()
            case "drain" | "delivery_stopped":
                if frame.WhichOneof("frame") == "drain":
                    log.info("the broker leaves: address=%s reason=%s", self.address, frame.drain.reason)
                self.draining = True
                self.left.set()
        if self.draining and not self.held and not self.pending and not self.unconfirmed:
            self._outgoing.put_nowait(None)  # Closes our side; the broker answers with the end of the stream.

    def _confirm(self, answer: wire.SettleResult) -> None:
        batch = self.unconfirmed.pop(answer.settle_id, {})
        by_tag = {attempt.delivery.tag: attempt for attempt in batch}
        for rejection in answer.rejections:
            attempt = by_tag[rejection.tag]
            match rejection.reason:
                case wire.Rejection.REASON_UNAVAILABLE:
                    self.pending[attempt] = batch[attempt]
                    asyncio.get_running_loop().call_later(UNAVAILABLE_SECONDS * (1 + random.random()), self._flush)
                case wire.Rejection.REASON_INVALID:
                    self.settle(attempt, failed("InvalidOutcome", rejection.message))
                case _:
                    refused(attempt, rejection)

    async def _heartbeat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._beat()
            self.worker.settle_late({})

    def _beat(self) -> None:
        self.send(heartbeat=wire.Heartbeat(sequence=next(self._sequence)))

    def _over(self, reason: str) -> None:
        """Its handlers go on: what they do may still count, by token."""
        self.is_over = True
        level = logging.INFO if self.draining else logging.WARNING
        log.log(level, "session over: address=%s reason=%s", self.address, reason)
        self._outgoing.put_nowait(None)
        self.left.set()
        unconfirmed = {attempt: outcome for batch in self.unconfirmed.values() for attempt, outcome in batch.items()}
        self.worker.settle_late(unconfirmed | self.pending)
        self.pending = {}


def failed(error_type: str, message: str, **how) -> Outcome:
    # No more than the broker keeps, and nothing that protobuf does not take for text.
    message = message[:MAX_MESSAGE].encode(errors="replace").decode()
    return {"nack": wire.Nack(error_type=error_type, error_message=message, **how)}


def refused(attempt: Attempt, rejection: wire.Rejection | wire.TokenResult) -> None:
    """No error when STALE: the task timed out, or somebody else has it by now."""
    reason = wire.Rejection.Reason.Name(rejection.reason)
    log.warning("outcome refused: task=%s reason=%s: %s", attempt.delivery.task.id, reason, rejection.message)


def batches(outcomes: dict[Attempt, Outcome]) -> Iterator[dict[Attempt, Outcome]]:
    """As many at a time as the broker takes, and few enough bytes for one gRPC message."""
    batch, size = {}, 0
    for attempt, outcome in outcomes.items():
        added = sum(value.ByteSize() for value in outcome.values())
        if len(batch) == MAX_OUTCOMES or (batch and size + added > MAX_FRAME_BYTES):
            yield batch
            batch, size = {}, 0
        batch[attempt] = outcome
        size += added
    if batch:
        yield batch


async def iter_queue(queue: asyncio.Queue):
    while (item := await queue.get()) is not None:
        yield item
