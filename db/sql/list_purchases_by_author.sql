-- A page of what was bought from the account $2, newest first, with id < $3. accounts_by_address,
-- then a range of purchases_by_author.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM accounts w
CROSS JOIN LATERAL (
    SELECT * FROM purchases r
    WHERE r.author = w.id AND r.id < $3
    ORDER BY r.id DESC LIMIT $4
) p
JOIN accounts b ON b.id = p.buyer
WHERE w.ledger_id = $1 AND w.address = $2
ORDER BY p.id DESC
