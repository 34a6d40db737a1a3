-- Leases up to $5 jobs that are due at $1 to $3 until $4: queued ones, and those whose lease has
-- ended. One of these that has used up its attempts becomes a dead letter instead, so that a job
-- that kills its servers does not do so for ever. Rows that another worker is just taking are
-- skipped. Index jobs_due, in its order.
WITH due AS (
    SELECT d.id, d.attempts < d.attempts_max AS lives FROM jobs d
    WHERE d.status < 2 AND d.due_at <= $1 AND d.kind = ANY ($2)
    ORDER BY d.due_at, d.id LIMIT $5
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs j SET
    status = CASE WHEN due.lives THEN 1 ELSE 3 END,
    attempts = CASE WHEN due.lives THEN j.attempts + 1 ELSE j.attempts END,
    lease = $3,
    due_at = CASE WHEN due.lives THEN $4 ELSE j.due_at END,
    last_error = CASE WHEN j.status = 1 THEN 'the lease ended without a word from its worker'
        ELSE j.last_error END,
    finished_at = CASE WHEN due.lives THEN NULL ELSE $1 END
FROM due WHERE j.id = due.id
RETURNING j.id, j.organization_id, j.ledger_id, j.kind, j.payload, j.status, j.attempts,
    j.attempts_max, j.due_at, j.lease, j.result, j.last_error, j.finished_at
