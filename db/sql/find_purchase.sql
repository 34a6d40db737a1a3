-- One purchase. Primary key.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM purchases p
JOIN accounts b ON b.id = p.buyer
JOIN accounts w ON w.id = p.author
WHERE p.ledger_id = $1 AND p.id = $2
