-- A page of accounts in the byte order of their addresses: from $2 (a prefix), past $3 (a cursor),
-- before $4 (the end of the prefix). $5: without the system's own. accounts_by_address.
SELECT a.id, a.ledger_id, a.address, a.overdraft_limit, a.created_at,
    a.balance, a.held, a.fraction, a.version, a.updated_at, a.metadata
FROM accounts a
WHERE a.ledger_id = $1 AND a.address >= $2 AND a.address > $3 AND a.address < $4
    AND (NOT $5 OR left(a.address, 1) <> '@')
ORDER BY a.address LIMIT $6
