-- Done, by the worker that holds the lease; no row: it is another's by now. Said twice, because the
-- first answer was lost, it is done all the same. Primary key.
UPDATE jobs j SET status = 2, result = $3, finished_at = $4
WHERE j.id = $1 AND j.lease = $2 AND j.status IN (1, 2) RETURNING j.id
