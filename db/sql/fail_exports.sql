-- Exports whose jobs are dead letters have failed; how many it is at most is how many ids of audit
-- records there are in $1. They are kept until $3. exports_unfinished, jobs' primary key.
WITH dead AS (
    SELECT e.id FROM exports e JOIN jobs j ON j.id = e.id
    WHERE e.status < 2 AND j.status = 3
    ORDER BY e.id LIMIT cardinality($1)
    FOR UPDATE OF e SKIP LOCKED
), ended AS (
    UPDATE exports e SET status = 3, finished_at = $2, expires_at = $3, due_at = $3
    FROM dead WHERE e.id = dead.id
    RETURNING e.id
)
INSERT INTO export_audit (export_id, id, type, request_id)
SELECT d.id, ($1)[(row_number() OVER (ORDER BY d.id))::int4], 4, '' FROM ended d
