"""Enqueues tasks in each of the three ways, and waits for the end of some. Run a worker beside it: hello.py.

    python producer.py [host:port]
"""
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from taskwire.v1.task_pb2 import RetryPolicy, TaskState
from taskwire.v1.task_service_pb2 import (
    AwaitTaskRequest,
    EnqueueBatchRequest,
    EnqueueRequest,
    EnqueueResponse,
    EnqueueStreamRequest,
)
from taskwire.v1.task_service_pb2_grpc import TaskServiceStub

BATCH = 500  # at most 1,000
MAX_UNANSWERED = 64  # so many requests of one producer the broker recognises when they come again
MAX_BREAKS = 10


def enqueue_stream(stub: TaskServiceStub, tasks: Sequence[EnqueueRequest]) -> list[EnqueueResponse]:
    """Adds any number of tasks. When the stream breaks, what was not answered is sent again, and nothing is added twice."""
    producer_id = os.urandom(8)
    batches = [tasks[start : start + BATCH] for start in range(0, len(tasks), BATCH)]
    answers: dict[int, Sequence[EnqueueResponse]] = {}
    for tried in range(1, MAX_BREAKS + 1):
        room = threading.Semaphore(MAX_UNANSWERED)

        def requests() -> Iterator[EnqueueStreamRequest]:
            for sequence, batch in enumerate(batches, start=1):
                if sequence not in answers:
                    room.acquire()
                    yield EnqueueStreamRequest(producer_id=producer_id, sequence=sequence, tasks=batch)

        try:
            for answer in stub.EnqueueStream(requests(), wait_for_ready=tried > 1):
                if answer.HasField("error"):
                    raise ValueError(f"batch {answer.sequence} was refused: {answer.error.message}")
                answers[answer.sequence] = answer.accepted.tasks
                room.release()
            return [task for sequence in sorted(answers) for task in answers[sequence]]
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or tried == MAX_BREAKS:
                raise
    return []


def wrong_fields(error: grpc.RpcError) -> list[str]:
    """All fields that the broker calls wrong."""
    status = rpc_status.from_call(error)
    bad = error_details_pb2.BadRequest()
    return [
        f"{violation.field} {violation.description}"
        for detail in (status.details if status else [])
        if detail.Unpack(bad)
        for violation in bad.field_violations
    ]


def greeting(name: str, **options) -> EnqueueRequest:
    return EnqueueRequest(
        type="hello",
        payload=json.dumps({"name": name}).encode(),
        content_type="application/json",
        **options,
    )


def main(address: str = "127.0.0.1:50051") -> None:
    with grpc.insecure_channel(address) as channel:
        stub = TaskServiceStub(channel)

        retry = RetryPolicy(backoff=RetryPolicy.BACKOFF_EXPONENTIAL, base=timedelta(milliseconds=500), jitter=0.5)
        task = stub.Enqueue(greeting("Ada", priority=1, max_retries=5, retry=retry), timeout=10)
        print(f"one: {task.task_id}, durability {EnqueueResponse.Durability.Name(task.durability)}")

        batch = stub.EnqueueBatch(EnqueueBatchRequest(tasks=map(greeting, ["Grace", "Edsger"])), timeout=10)
        print(f"batch: {len(batch.tasks)} tasks")

        many = enqueue_stream(stub, [greeting(f"guest {number}") for number in range(2_000)])
        print(f"stream: {len(many)} tasks")

        try:
            stub.Enqueue(EnqueueRequest(type="a type", priority=5_000_000))
        except grpc.RpcError as error:
            print("refused:", "; ".join(wrong_fields(error)))

        # The deadline of the call is how long to wait.
        status = stub.AwaitTask(AwaitTaskRequest(task_id=task.task_id), timeout=30).status
        print(f"{TaskState.Name(status.state)}: {status.last_result.result.decode()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
