-- The open lots of every ledger that are over at $1, the longest first. credit_lots_due.
SELECT a.ledger_id, l.account_id, a.address, l.operation_id, l.index, l.amount,
    l.amount_remaining, l.expires_at, l.is_open
FROM (
    SELECT * FROM credit_lots r
    WHERE r.is_open AND r.expires_at <= $1
    ORDER BY r.expires_at, r.operation_id, r.index LIMIT $2
) l
JOIN accounts a ON a.id = l.account_id
ORDER BY l.expires_at, l.operation_id, l.index
