-- A stretch of a ledger's history in the order of decision, behind the entry ($2, $3), with what a
-- replay must know of each operation. Ranges of the primary keys.
SELECT o.id, o.kind, o.sender, o.minted, o.drain, e.index, e.account_id, e.amount, e.expires_at
FROM credit_operations o
JOIN credit_entries e ON e.operation_id = o.id
WHERE o.ledger_id = $1 AND o.id >= $2 AND (o.id > $2 OR e.index > $3)
ORDER BY o.id, e.index LIMIT $4
