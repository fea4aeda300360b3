"""Prints what stands in the queues, once a second, until Ctrl-C.

    python watch_stats.py [host:port] [how many times]
"""
import sys
from datetime import timedelta

import grpc

from taskwire.v1.stats_service_pb2 import WatchStatsRequest
from taskwire.v1.stats_service_pb2_grpc import StatsServiceStub


def main(address: str = "127.0.0.1:50051", limit: str = "0") -> None:
    with grpc.insecure_channel(address) as channel:
        request = WatchStatsRequest(interval=timedelta(seconds=1), limit=int(limit))
        for answer in StatsServiceStub(channel).WatchStats(request):
            stats = answer.stats
            print(f"{stats.time.ToJsonString()}  workers: {stats.workers}")
            for queue in stats.queues:
                now = queue.counters
                print(f"  {queue.name:20} ready {now.ready}  active {now.active}  completed {now.completed}  dead {now.dead}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
