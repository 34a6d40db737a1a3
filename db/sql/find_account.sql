-- One account with its metadata. accounts_by_address.
SELECT a.id, a.ledger_id, a.address, a.overdraft_limit, a.created_at,
    a.balance, a.held, a.fraction, a.version, a.updated_at, a.metadata
FROM accounts a WHERE a.ledger_id = $1 AND a.address = $2
