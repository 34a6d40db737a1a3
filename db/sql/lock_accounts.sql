-- The accounts of a batch, locked in ascending order of ids, so that two batches never wait for
-- each other in a circle. Their metadata decides nothing and stays behind. accounts_by_address.
SELECT a.id, a.ledger_id, a.address, a.overdraft_limit, a.created_at,
    a.balance, a.held, a.fraction, a.version, a.updated_at
FROM (SELECT unnest($1) AS ledger_id, unnest($2) AS address) k
JOIN accounts a ON a.ledger_id = k.ledger_id AND a.address = k.address
ORDER BY a.id FOR UPDATE OF a
