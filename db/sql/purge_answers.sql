-- At most $2 answers from before $1, the oldest first: answers_by_age, then the primary key. A row
-- that a batch or another server holds is left for another time: nobody waits for anybody.
DELETE FROM answers WHERE idempotency_key = ANY (ARRAY(
    SELECT idempotency_key FROM answers WHERE created_at < $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
