-- At most $4 purchases of a deleted ledger, in the order of the primary key, behind $3. One whose
-- key is being freed right now is left out. Answers how many there were and which was the last, of
-- kind $2: they have none.
WITH page AS (
    SELECT id FROM purchases WHERE ledger_id = $1 AND id > $3
    ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM purchases r USING page p WHERE r.ledger_id = $1 AND r.id = p.id
)
SELECT count(*) OVER (), $2::int2, id FROM page ORDER BY id DESC LIMIT 1
