-- An attempt that failed: due again at $4, or a dead letter at $5 when it was the last. No row: the
-- lease is another's by now. Primary key.
UPDATE jobs j SET
    status = CASE WHEN j.attempts < j.attempts_max THEN 0 ELSE 3 END,
    due_at = $4,
    last_error = $3,
    finished_at = CASE WHEN j.attempts < j.attempts_max THEN NULL ELSE $5 END
WHERE j.id = $1 AND j.lease = $2 AND j.status = 1 RETURNING j.status
