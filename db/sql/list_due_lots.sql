-- The open lots that are over at $1, of every ledger but those of $3, the longest first. Index
-- credit_lots_due; an account is looked up for its ledger only where some are left out.
SELECT a.ledger_id, l.account_id, a.address, l.operation_id, l.index, l.amount,
    l.amount_remaining, l.expires_at, l.is_open
FROM (
    SELECT * FROM credit_lots r
    WHERE r.is_open AND r.expires_at <= $1 AND (cardinality($3) = 0
        OR (SELECT o.ledger_id FROM accounts o WHERE o.id = r.account_id) <> ALL ($3))
    ORDER BY r.expires_at, r.operation_id, r.index LIMIT $2
) l
JOIN accounts a ON a.id = l.account_id
ORDER BY l.expires_at, l.operation_id, l.index
