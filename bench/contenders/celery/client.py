"""The program that sends, as work/run-client.ts is for the others: orders as lines on stdin, lists as lines on stdout."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import redis
from celery import chord

from work import WORK, bench_record, cut_batches

if WORK["kind"] == "as-it-was":
    from as_it_was import BUFFER
else:
    from tasks import app, close, run_batch, save_record


def send_as_it_was(records, _):
    redis.Redis.from_url(WORK["server"]).rpush(BUFFER, *[json.dumps(record) for record in records])


def send(records, list_id):
    for number, batch in enumerate(cut_batches(records)):
        batch_id = f"{list_id}-{number}"
        if WORK["kind"] == "batch":
            run_batch.delay(batch_id, batch, {})
        else:
            chord([save_record.s(record) for record in batch])(close.s(batch_id))


def carry_out(order):
    def one(start):
        to = min(start + order["listSize"], order["to"])
        records = [bench_record(i, order["share"]) for i in range(start, to)]
        sent_at = time.time()
        (send_as_it_was if WORK["kind"] == "as-it-was" else send)(records, f"list-{start}")
        acked_at = time.time()
        return {"from": start, "to": to, "sentAtMs": sent_at * 1000, "ackedAtMs": acked_at * 1000}

    with ThreadPoolExecutor(order["callers"]) as callers:
        return list(callers.map(one, range(order["from"], order["to"], order["listSize"])))


print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps({"lists": carry_out(json.loads(line))}), flush=True)
