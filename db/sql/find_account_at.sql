-- How an account stood at $3: the newest transfer until then says it. accounts_by_address, then
-- the newest row of each side: transfers_by_from, transfers_by_to.
SELECT coalesce(t.balance, 0), coalesce(t.version, 0)
FROM accounts a
LEFT JOIN LATERAL (
    SELECT s.balance, s.version
    FROM (
        (SELECT from_balance AS balance, from_version AS version FROM transfers
         WHERE from_account = a.id AND created_at <= $3
         ORDER BY created_at DESC, from_version DESC LIMIT 1)
        UNION ALL
        (SELECT to_balance, to_version FROM transfers
         WHERE to_account = a.id AND created_at <= $3
         ORDER BY created_at DESC, to_version DESC LIMIT 1)
    ) s
    ORDER BY s.version DESC LIMIT 1
) t ON true
WHERE a.ledger_id = $1 AND a.address = $2
