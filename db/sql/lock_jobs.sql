-- Jobs that a command changes. Primary key; workers skip them while they are locked.
SELECT j.id, j.organization_id, j.ledger_id, j.kind, j.payload, j.status, j.attempts,
    j.attempts_max, j.due_at, j.lease, j.result, j.last_error, j.finished_at
FROM jobs j WHERE j.id = ANY ($1) ORDER BY j.id FOR UPDATE
