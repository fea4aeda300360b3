"""A worker for tasks of the type "hello". Its producer: producer.py.

    python hello.py [host:port ...]
"""
import asyncio
import json
import logging
import sys

from session import Attempt
from taskwire.v1.task_pb2 import Task
from worker import DeadLetter, Worker


async def hello(task: Task, attempt: Attempt) -> bytes:
    try:
        name = json.loads(task.payload)["name"]
    except (ValueError, KeyError) as error:
        raise DeadLetter("the payload has no name") from error
    # Blocking work belongs into `await asyncio.to_thread(...)`: a loop that stands still sends no heartbeats.
    return json.dumps(f"Hello, {name}!").encode()


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
asyncio.run(Worker(sys.argv[1:] or ["127.0.0.1:50051"], {"hello": hello}, concurrency=10).run())
