-- At most $4 holds of a deleted ledger, in the order of holds_by_status, behind ($2, $3). One that
-- somebody locks is left out. Answers how many there were and which was the last.
WITH page AS (
    SELECT status, id FROM holds
    WHERE ledger_id = $1 AND (status, id) > ($2, $3)
    ORDER BY status, id LIMIT $4 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM holds h USING page p WHERE h.id = p.id
)
SELECT count(*) OVER (), status, id FROM page ORDER BY status DESC, id DESC LIMIT 1
