-- At most $2 streams of a deleted ledger. A range of the primary key.
DELETE FROM streams WHERE ledger_id = $1 AND id = ANY (ARRAY(
    SELECT id FROM streams WHERE ledger_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))
