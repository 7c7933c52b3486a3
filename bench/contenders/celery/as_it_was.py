"""
The original experiment as it was, as far as it is known here: lists go into Redis, a loop looks once a second and hands one
batch at a time to Celery, and a task sleeps between its attempts. Celery and Redis as they come: nothing is acknowledged
late, nothing in Redis is synced.
"""

import json
import sys
import time

import redis
from celery import Celery

from work import WORK, close_batch, cut_batches, outcome, save

app = Celery("bench", broker=WORK["server"], backend=WORK["server"])
BUFFER = "buffer"
POLL_S = 1


@app.task(name="run_batch")
def run_batch(batch_id, records):
    outcomes = []
    for record in records:
        for attempt in range(1, WORK["maxAttempts"] + 1):
            try:
                save(record, attempt)
                outcomes.append(outcome(record, attempt))
                break
            except OSError as error:
                if attempt == WORK["maxAttempts"]:
                    outcomes.append(outcome(record, attempt, str(error)))
                else:
                    time.sleep(WORK["retryIntervalMs"] / 1000)
    close_batch(batch_id, outcomes)


def poll():
    """The pacing: at most one batch a second."""
    buffer = redis.Redis.from_url(WORK["server"])
    number = 0
    print("poller is up", flush=True)
    while True:
        time.sleep(POLL_S)
        waiting = [json.loads(item) for item in buffer.lrange(BUFFER, 0, 99)]
        if not waiting:
            continue
        batch = cut_batches(waiting)[0]
        for record in batch:
            buffer.lrem(BUFFER, 1, json.dumps(record))
        run_batch.delay(f"batch-{number}", batch)
        number += 1


if __name__ == "__main__" and sys.argv[1:] == ["poll"]:
    poll()
