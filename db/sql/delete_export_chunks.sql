-- Up to $2 chunks of exports that are expired at $1. exports_due, chunks' primary key.
WITH gone AS (
    SELECT c.export_id, c.start
    FROM exports e JOIN export_chunks c ON c.export_id = e.id
    WHERE e.due_at <= $1 AND e.status = 4
    ORDER BY e.due_at, e.id, c.start LIMIT $2
    FOR UPDATE OF c SKIP LOCKED
)
DELETE FROM export_chunks c USING gone
WHERE c.export_id = gone.export_id AND c.start = gone.start
