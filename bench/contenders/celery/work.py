"""The work, as work/*.ts has it: the failures, the cutting and the durable store."""

import json
import os
from datetime import datetime, timezone

WARM_UP_FROM = 1_000_000_000
WORK = json.loads(os.environ["BENCH_WORK"])


def bench_record(record_id, share):
    """Every 1/share-th record has one of the two values that are kept apart."""
    if int((record_id + 1) * share) <= int(record_id * share):
        return {"id": record_id, "v": record_id + 1000}
    return {"id": record_id, "v": WORK["apart"][int(record_id * share) % 2]}


def fails(record_id, attempt):
    """The same failures as in work.ts."""
    if record_id >= WARM_UP_FROM:
        return False
    word = 0xFFFFFFFF
    hashed = (record_id * 0x9E3779B1 ^ attempt * 0x85EBCA6B) & word
    hashed = (hashed ^ hashed >> 16) * 0x7FEB352D & word
    hashed = (hashed ^ hashed >> 15) * 0x846CA68B & word
    return (hashed ^ hashed >> 16) / 2**32 < WORK["failureRate"]


def cut_batches(records):
    """Each record goes into the first batch that has room and nothing it must be kept from."""
    one, other = WORK["apart"]
    batches, open_ones = [], []
    for record in records:
        enemy = {one: other, other: one}.get(record["v"])
        batch = next((b for b in open_ones if enemy is None or all(r["v"] != enemy for r in b)), None)
        if batch is None:
            batch = []
            batches.append(batch)
            open_ones.append(batch)
        batch.append(record)
        open_ones = [b for b in open_ones if len(b) < WORK["maxBatchSize"]]
    return batches


def sync_folder(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def staged(record):
    return os.path.join(WORK["stagingDir"], f"{record['id']}.json")


def save(record, attempt):
    """Saves a record durably, or fails where this attempt has to."""
    if fails(record["id"], attempt):
        raise OSError("failed on purpose")
    write_durably(staged(record), json.dumps(record))
    sync_folder(WORK["stagingDir"])


def outcome(record, attempts, error=None):
    return {
        "recordId": f"r:{record['id']}",
        "value": record,
        "outcome": "saved" if error is None else "rolled_back",
        "attempts": attempts,
        "error": error,
        "at": datetime.now(timezone.utc).isoformat(),
    }


def close_batch(batch_id, outcomes):
    """Writes the batch's file at once and durably, and clears what was staged."""
    temporary = os.path.join(WORK["stagingDir"], f"{batch_id}.tmp")
    write_durably(temporary, "".join(json.dumps(o) + "\n" for o in outcomes))
    os.rename(temporary, os.path.join(WORK["outDir"], f"{batch_id}.log"))
    sync_folder(WORK["outDir"])
    for kept in outcomes:
        if kept["outcome"] == "saved":
            os.unlink(staged(kept["value"]))
