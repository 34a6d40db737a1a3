-- A stretch of a ledger's operations in the order of decision, past $2. Primary key.
SELECT o.ledger_id, o.id, o.kind, o.reference, o.sender, a.address, o.minted, o.drain,
    o.idempotency_key, o.fingerprint
FROM credit_operations o
LEFT JOIN accounts a ON a.id = o.sender
WHERE o.ledger_id = $1 AND o.id > $2
ORDER BY o.id LIMIT $3
