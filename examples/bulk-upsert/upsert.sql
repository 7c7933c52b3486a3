-- All records of a batch at once. A price stays when that of a batch which was cut later is there already.
INSERT INTO products AS p (sku, cents, opened_at, batch)
SELECT r.value->>'sku', (r.value->>'cents')::integer, r."openedAt", r.batch
FROM jsonb_to_recordset($1) AS r (value jsonb, "openedAt" timestamptz, batch text)
ORDER BY 1
ON CONFLICT (sku) DO UPDATE
SET cents = excluded.cents, opened_at = excluded.opened_at, batch = excluded.batch
WHERE (p.opened_at, p.batch) <= (excluded.opened_at, excluded.batch)
