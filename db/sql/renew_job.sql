-- A lease, longer; no row: it is another's by now. Primary key.
UPDATE jobs j SET due_at = $3 WHERE j.id = $1 AND j.lease = $2 AND j.status = 1 RETURNING j.id
