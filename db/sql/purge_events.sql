-- At most $4 events of a deleted ledger, in the order of the primary key, behind ($2, $3): nobody
-- writes to one. Answers how many there were and which was the last.
WITH page AS (
    SELECT type, id FROM events
    WHERE scope_id = $1 AND (type, id) > ($2, $3)
    ORDER BY type, id LIMIT $4
), gone AS (
    DELETE FROM events e USING page p
    WHERE e.scope_id = $1 AND e.type = p.type AND e.id = p.id
)
SELECT count(*) OVER (), type, id FROM page ORDER BY type DESC, id DESC LIMIT 1
