-- The purchases that these idempotency keys made. Asked after the account locks: a first attempt
-- that was committing has ended by then. Index purchases_by_key.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM unnest($1) k (key)
JOIN purchases p ON p.idempotency_key = k.key
JOIN accounts b ON b.id = p.buyer
JOIN accounts w ON w.id = p.author
