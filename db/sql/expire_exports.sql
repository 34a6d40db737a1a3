-- Finished exports whose time is over at $2 are expired: nobody can fetch them any more. How many
-- it is at most is how many ids of audit records there are in $1. exports_due.
WITH due AS (
    SELECT e.id FROM exports e
    WHERE e.due_at <= $2 AND e.status < 4
    ORDER BY e.due_at, e.id LIMIT cardinality($1)
    FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE exports e SET status = 4 FROM due WHERE e.id = due.id
    RETURNING e.id
)
INSERT INTO export_audit (export_id, id, type, request_id)
SELECT d.id, ($1)[(row_number() OVER (ORDER BY d.id))::int4], 3, '' FROM ended d
