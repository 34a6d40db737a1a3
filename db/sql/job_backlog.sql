-- What waits, runs and is dead, by kind; and since when the longest waiting one is due. Indexes
-- jobs_due and jobs_finished: as many rows are read as are unfinished or dead.
SELECT k.kind, sum(k.queued)::int8, sum(k.running)::int8, sum(k.dead)::int8, min(k.oldest)
FROM (
    SELECT u.kind, count(*) FILTER (WHERE u.status = 0) AS queued,
        count(*) FILTER (WHERE u.status = 1) AS running, 0 AS dead,
        min(u.due_at) FILTER (WHERE u.status = 0) AS oldest
    FROM jobs u WHERE u.status < 2 GROUP BY u.kind
    UNION ALL
    SELECT d.kind, 0, 0, count(*), NULL
    FROM jobs d WHERE d.status >= 2 AND d.status = 3 GROUP BY d.kind
) k
GROUP BY k.kind ORDER BY k.kind
