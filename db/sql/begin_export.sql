-- The export $1 is being written, by whoever holds the lease $2 of its job; also one that had
-- failed and is tried again. No row: the lease is another's by now, or there is nothing to write.
-- Primary keys.
UPDATE exports e SET status = 1, finished_at = NULL, expires_at = NULL, due_at = NULL
FROM jobs j
WHERE e.id = $1 AND e.status IN (0, 1, 3) AND j.id = e.id AND j.lease = $2 AND j.status = 1
RETURNING e.id, e.organization_id, e.source, e.format, e.ledger_id, e.ledger_name, e.account,
    e.from_at, e.to_at, e.status, e.rows, e.bytes, e.sha256, e.finished_at, e.expires_at,
    e.position
