-- A page of a ledger's jobs of one kind, newest first, with id < $3. Index jobs_of_ledger.
SELECT j.id, j.organization_id, j.ledger_id, j.kind, j.payload, j.status, j.attempts,
    j.attempts_max, j.due_at, j.lease, j.result, j.last_error, j.finished_at
FROM jobs j WHERE j.ledger_id = $1 AND j.kind = $2 AND j.id < $3
ORDER BY j.id DESC LIMIT $4
