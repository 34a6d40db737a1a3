-- A page of what the account $2 bought, newest first, with id < $3. accounts_by_address, then a
-- range of purchases_by_buyer.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM accounts b
CROSS JOIN LATERAL (
    SELECT * FROM purchases r
    WHERE r.buyer = b.id AND r.id < $3
    ORDER BY r.id DESC LIMIT $4
) p
JOIN accounts w ON w.id = p.author
WHERE b.ledger_id = $1 AND b.address = $2
ORDER BY p.id DESC
