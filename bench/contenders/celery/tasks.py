"""
The original experiment without its sleeps, late acknowledgement and everything on disk. Kind `record`: a task per record,
and one per batch that waits for them (a chord); kind `batch`: a task per batch.
"""

from celery import Celery

from work import WORK, close_batch, outcome, save

app = Celery("bench", broker=WORK["server"], backend=WORK["server"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    result_expires=3600,
)
INTERVAL_S = WORK["retryIntervalMs"] / 1000


@app.task(bind=True, max_retries=WORK["maxAttempts"] - 1)
def save_record(self, record):
    attempt = self.request.retries + 1
    try:
        save(record, attempt)
    except OSError as error:
        if attempt == WORK["maxAttempts"]:
            return outcome(record, attempt, str(error))
        raise self.retry(countdown=INTERVAL_S)
    return outcome(record, attempt)


@app.task(ignore_result=True)
def close(outcomes, batch_id):
    close_batch(batch_id, outcomes)


@app.task(bind=True, ignore_result=True, max_retries=WORK["maxAttempts"] - 1)
def run_batch(self, batch_id, records, outcomes):
    attempt = self.request.retries + 1
    waiting = []
    for record in records:
        if str(record["id"]) in outcomes:
            continue
        try:
            save(record, attempt)
            outcomes[str(record["id"])] = outcome(record, attempt)
        except OSError as error:
            if attempt < WORK["maxAttempts"]:
                waiting.append(record)
            else:
                outcomes[str(record["id"])] = outcome(record, attempt, str(error))
    if waiting:
        raise self.retry(args=[batch_id, records, outcomes], countdown=INTERVAL_S)
    close_batch(batch_id, [outcomes[str(record["id"])] for record in records])
