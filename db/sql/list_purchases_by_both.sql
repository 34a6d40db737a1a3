-- A page of what the account $2 bought from the account $3, newest first, with id < $4. Twice
-- accounts_by_address, then a range of purchases_by_buyer in which other authors are passed over:
-- people buy less than they sell. IS NOT DISTINCT FROM, because no plan can take the author's
-- index for it.
SELECT p.id, p.ledger_id, p.buyer, b.address, p.author, w.address,
    p.price, p.royalty_percent, p.author_amount, p.platform_amount, p.reference, p.metadata,
    p.idempotency_key, p.fingerprint, p.refunded_at, p.author_refund
FROM accounts b
JOIN accounts w ON w.ledger_id = b.ledger_id
CROSS JOIN LATERAL (
    SELECT * FROM purchases r
    WHERE r.buyer = b.id AND r.id < $4 AND r.author IS NOT DISTINCT FROM w.id
    ORDER BY r.id DESC LIMIT $5
) p
WHERE b.ledger_id = $1 AND b.address = $2 AND w.address = $3
ORDER BY p.id DESC
