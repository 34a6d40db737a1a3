-- Accounts as their row or their newest transfer says, whichever is newer. accounts_by_address,
-- then the newest row of each side: transfers_by_from, transfers_by_to.
SELECT a.id, a.ledger_id, a.address, a.overdraft_limit, a.created_at,
    CASE WHEN t.version > a.version THEN t.balance ELSE a.balance END, a.held, a.fraction,
    greatest(a.version, t.version), greatest(a.updated_at, t.created_at),
    coalesce(t.version > a.version, false)
FROM unnest($2) k (address)
JOIN accounts a ON a.ledger_id = $1 AND a.address = k.address
LEFT JOIN LATERAL (
    SELECT s.balance, s.version, s.created_at
    FROM (
        (SELECT from_balance AS balance, from_version AS version, created_at FROM transfers
         WHERE from_account = a.id ORDER BY created_at DESC, from_version DESC LIMIT 1)
        UNION ALL
        (SELECT to_balance, to_version, created_at FROM transfers
         WHERE to_account = a.id ORDER BY created_at DESC, to_version DESC LIMIT 1)
    ) s
    ORDER BY s.version DESC LIMIT 1
) t ON true
