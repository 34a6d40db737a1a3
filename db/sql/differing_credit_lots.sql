-- Which of these lots, as they follow from the history, are stored otherwise or not at all? By
-- their number. Whether the expiry of one is recorded is not asked here. Primary key.
SELECT u.n, l.operation_id IS NULL
FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
    u (operation_id, account_id, amount, amount_remaining, expires_at, index, n)
LEFT JOIN credit_lots l ON l.operation_id = u.operation_id AND l.index = u.index
WHERE l.operation_id IS NULL OR l.account_id <> u.account_id OR l.amount <> u.amount
    OR l.amount_remaining <> u.amount_remaining OR l.expires_at IS DISTINCT FROM u.expires_at
    OR (l.is_open AND u.amount_remaining = 0)
    OR (NOT l.is_open AND u.amount_remaining > 0 AND u.expires_at IS NULL)
