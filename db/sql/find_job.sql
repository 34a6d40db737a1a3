-- One job of an organization. Primary key.
SELECT j.id, j.organization_id, j.ledger_id, j.kind, j.payload, j.status, j.attempts,
    j.attempts_max, j.due_at, j.lease, j.result, j.last_error, j.finished_at
FROM jobs j WHERE j.id = $1 AND j.organization_id = $2
