-- At most $2 answers from before $1, the oldest first, from $3 on: the instant of the last that the
-- page before removed, so that what is dead already is not walked again. A row that a batch or
-- another server holds is left for another time: nobody waits for anybody. Index answers_by_age,
-- then the primary key. Answers how many there were and the instant of the last.
WITH page AS (
    SELECT idempotency_key, created_at FROM answers WHERE created_at >= $3 AND created_at < $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM answers a USING page p WHERE a.idempotency_key = p.idempotency_key
)
SELECT count(*) OVER (), created_at FROM page ORDER BY created_at DESC LIMIT 1
