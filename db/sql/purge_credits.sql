-- The oldest operations on credits of a deleted ledger with all of their entries and lots, at most
-- $2 and never more than 100: one may have many thousands. A range of the primary key, then of the
-- children's.
WITH page AS (
    SELECT id FROM credit_operations
    WHERE ledger_id = $1 ORDER BY id LIMIT least($2, 100) FOR UPDATE SKIP LOCKED
), lots AS (
    DELETE FROM credit_lots l USING page p WHERE l.operation_id = p.id
), entries AS (
    DELETE FROM credit_entries e USING page p WHERE e.operation_id = p.id
)
DELETE FROM credit_operations o USING page p WHERE o.ledger_id = $1 AND o.id = p.id
