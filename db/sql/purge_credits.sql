-- Operations on credits of a deleted ledger with all of their entries and lots, at most $4 and
-- never more than 100: one may have many thousands. In the order of the primary key, behind $3; the
-- others are ranges of theirs. One whose key is being freed right now is left out. Answers how many
-- there were and which was the last, of kind $2: their order has none.
WITH page AS (
    SELECT id FROM credit_operations WHERE ledger_id = $1 AND id > $3
    ORDER BY id LIMIT least($4, 100) FOR UPDATE SKIP LOCKED
), lots AS (
    DELETE FROM credit_lots l USING page p WHERE l.operation_id = p.id
), entries AS (
    DELETE FROM credit_entries e USING page p WHERE e.operation_id = p.id
), gone AS (
    DELETE FROM credit_operations o USING page p WHERE o.ledger_id = $1 AND o.id = p.id
)
SELECT count(*) OVER (), $2::int2, id FROM page ORDER BY id DESC LIMIT 1
