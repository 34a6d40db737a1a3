-- The purchases that a batch may refund. Asked after the locks on their accounts, which whoever
-- refunds them holds. Primary key.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM unnest($1, $2) k (ledger_id, id)
JOIN purchases p ON p.ledger_id = k.ledger_id AND p.id = k.id
JOIN accounts b ON b.id = p.buyer
JOIN accounts w ON w.id = p.author
