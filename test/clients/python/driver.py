"""What scenario.ts asks of each language, in Python, by the code of client/examples/python.

    python driver.py work <queue> <concurrency> <session timeout in s> <shutdown in s> <address>...
    python driver.py produce <address>
"""
import asyncio
import json
import logging
import sys
import threading

import grpc
from producer import enqueue_stream
from session import Attempt
from taskwire.v1.task_pb2 import RetryPolicy, Task, TaskState
from taskwire.v1.task_service_pb2 import AwaitTaskRequest, EnqueueBatchRequest, EnqueueRequest
from taskwire.v1.task_service_pb2_grpc import TaskServiceStub
from worker import DeadLetter, Discard, Release, Retry, Worker


def say(*words: str) -> None:
    print(*words, flush=True)


async def echo(task: Task, attempt: Attempt) -> bytes:
    return task.payload


async def large(task: Task, attempt: Attempt) -> bytes:
    return bytes(900_000)


async def too_large(task: Task, attempt: Attempt) -> bytes:
    return bytes(1_100_000)


async def third_time(task: Task, attempt: Attempt) -> bytes:
    if attempt.delivery.attempt == 1:
        raise Retry(0.02, "the first time")
    if attempt.delivery.attempt == 2:
        raise RuntimeError("the second time")
    return b"the third time"


async def bury(task: Task, attempt: Attempt) -> bytes:
    raise DeadLetter("no good")


async def discard(task: Task, attempt: Attempt) -> bytes:
    raise Discard("not worth it")


seen: set[str] = set()


async def not_now(task: Task, attempt: Attempt) -> bytes:
    if task.id not in seen:
        seen.add(task.id)
        raise Release(0.05)
    return str(attempt.delivery.attempt).encode()


async def extend(task: Task, attempt: Attempt) -> bytes:
    attempt.extend(30)
    say("started", task.id)
    await go.wait()
    return b"extended"


async def hold(task: Task, attempt: Attempt) -> bytes:
    say("started", task.id)
    try:
        await go.wait()
    except asyncio.CancelledError:
        say("cancelled", task.id)
        raise
    say("ending", task.id)
    return b"held"


async def work(queue: str, concurrency: str, session_timeout: str, shutdown: str, *addresses: str) -> None:
    global go
    go = asyncio.Event()

    loop = asyncio.get_running_loop()

    def read_go() -> None:
        if sys.stdin.readline():
            loop.call_soon_threadsafe(go.set)

    threading.Thread(target=read_go, daemon=True).start()
    handlers = {
        "echo": echo,
        "large": large,
        "too-large": too_large,
        "third-time": third_time,
        "bury": bury,
        "discard": discard,
        "not-now": not_now,
        "extend": extend,
        "hold": hold,
    }
    worker = Worker(
        addresses,
        handlers,
        queues=[queue],
        concurrency=int(concurrency),
        session_timeout=float(session_timeout),
        shutdown=float(shutdown),
    )
    await worker.run()
    say("left")


def produce(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = TaskServiceStub(channel)
        for line in sys.stdin:
            asked = json.loads(line)
            answer = follow(stub, asked) if "await" in asked else {"ids": enqueue(stub, asked)}
            say(json.dumps(answer))


def enqueue(stub: TaskServiceStub, asked: dict) -> list[str]:
    tasks = [
        EnqueueRequest(
            type=asked["type"],
            queue=asked["queue"],
            payload=bytes.fromhex(payload),
            max_retries=asked["maxRetries"],
            retry=RetryPolicy(backoff=RetryPolicy.BACKOFF_FIXED, base={"nanos": 20_000_000}),
            timeout={"seconds": asked["timeoutMs"] // 1_000, "nanos": asked["timeoutMs"] % 1_000 * 1_000_000},
        )
        for payload in asked["payloads"]
    ]
    match asked["how"]:
        case "one by one":
            answers = [stub.Enqueue(task) for task in tasks]
        case "batch":
            answers = stub.EnqueueBatch(EnqueueBatchRequest(tasks=tasks)).tasks
        case _:
            answers = enqueue_stream(stub, tasks)
    return [answer.task_id for answer in answers]


def follow(stub: TaskServiceStub, asked: dict) -> dict:
    status = stub.AwaitTask(AwaitTaskRequest(task_id=asked["await"]), timeout=15).status
    return {
        "state": TaskState.Name(status.state).removeprefix("TASK_STATE_").lower(),
        "attempt": status.attempt,
        "result": status.last_result.result.hex(),
        "error": status.last_result.error_message,
    }


logging.basicConfig(level=logging.INFO, stream=sys.stdout)
role, *arguments = sys.argv[1:]
if role == "work":
    asyncio.run(work(*arguments))
else:
    produce(*arguments)
