-- Up to $3 jobs of status $1 that had finished before $2. Index jobs_finished; what a command holds
-- is left for the next time.
DELETE FROM jobs j WHERE j.id = ANY (ARRAY(
    SELECT f.id FROM jobs f WHERE f.status >= 2 AND f.status = $1 AND f.finished_at < $2
    ORDER BY f.finished_at LIMIT $3
    FOR UPDATE SKIP LOCKED
))
