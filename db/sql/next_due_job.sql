-- When there will be something to claim: the head of index jobs_due.
SELECT j.due_at FROM jobs j WHERE j.status < 2 AND j.kind = ANY ($1) ORDER BY j.due_at, j.id LIMIT 1
