-- A page of a ledger's purchases, newest first, with id < $2: a range of the primary key.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM (
    SELECT * FROM purchases r
    WHERE r.ledger_id = $1 AND r.id < $2
    ORDER BY r.id DESC LIMIT $3
) p
JOIN accounts b ON b.id = p.buyer
JOIN accounts w ON w.id = p.author
ORDER BY p.id DESC
