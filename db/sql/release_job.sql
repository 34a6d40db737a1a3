-- Given back by a worker that stops: due at $3, the attempt does not count, and the other servers
-- hear of it. No row: the lease is another's by now. Primary key.
WITH released AS (
    UPDATE jobs j SET status = 0, attempts = j.attempts - 1, due_at = $3, lease = NULL
    WHERE j.id = $1 AND j.lease = $2 AND j.status = 1 RETURNING j.id
)
SELECT r.id, pg_notify('penstock_jobs', '') FROM released r
