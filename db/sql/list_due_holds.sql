-- The pending holds that are due at $1, of every ledger but those of $3, the longest overdue first.
-- Index holds_due.
SELECT h.id, h.ledger_id, h.from_account, f.address, h.to_account, o.address,
    h.amount, h.expires_at, h.status, h.ended_at, h.captured_amount, h.transfer
FROM (
    SELECT * FROM holds r
    WHERE r.status = 0 AND r.expires_at <= $1 AND r.ledger_id <> ALL ($3)
    ORDER BY r.expires_at, r.id LIMIT $2
) h
JOIN accounts f ON f.id = h.from_account
JOIN accounts o ON o.id = h.to_account
ORDER BY h.expires_at, h.id
