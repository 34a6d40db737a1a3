-- At most $4 transfers of a deleted ledger, in the order of the primary key, behind ($2, $3): where
-- the last page ended, so that what is dead already is not walked again. One whose key is being
-- freed right now is left out. Answers how many there were and which was the last.
WITH page AS (
    SELECT kind, id FROM transfers
    WHERE ledger_id = $1 AND (kind, id) > ($2, $3)
    ORDER BY kind, id LIMIT $4 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM transfers t USING page p
    WHERE t.ledger_id = $1 AND t.kind = p.kind AND t.id = p.id
)
SELECT count(*) OVER (), kind, id FROM page ORDER BY kind DESC, id DESC LIMIT 1
