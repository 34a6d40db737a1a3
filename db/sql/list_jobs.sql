-- A page of an organization's jobs, newest first, with id < $3: the newest of each status ($2), a
-- range of jobs_of_organization each, merged. $4: of one kind only.
SELECT j.id, j.organization_id, j.ledger_id, j.kind, j.payload, j.status, j.attempts,
    j.attempts_max, j.due_at, j.lease, j.result, j.last_error, j.finished_at
FROM (
    SELECT n.*
    FROM unnest($2) s (status)
    CROSS JOIN LATERAL (
        SELECT * FROM jobs r
        WHERE r.organization_id = $1 AND r.status = s.status AND r.id < $3
            AND ($4 IS NULL OR r.kind = $4)
        ORDER BY r.id DESC LIMIT $5
    ) n
) j
ORDER BY j.id DESC LIMIT $5
