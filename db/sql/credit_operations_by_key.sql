-- The operations that these idempotency keys made. credit_operations_by_key.
SELECT o.ledger_id, o.id, o.kind, o.reference, o.sender, a.address, o.minted, o.drain,
    o.idempotency_key, o.fingerprint
FROM unnest($1) k (key)
JOIN credit_operations o ON o.idempotency_key = k.key
LEFT JOIN accounts a ON a.id = o.sender
