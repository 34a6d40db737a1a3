-- The same of one account ($2 in the ledger $1), with $3 <= created_at and (created_at, version) <
-- ($4, $5), and with where either side stood after it. accounts_by_address, transfers_by_from,
-- transfers_by_to.
SELECT t.id, t.kind, t.from_account, t.to_account, t.amount, t.reference, t.metadata,
    t.from_balance, t.from_version, t.to_balance, t.to_version
FROM (
    (SELECT r.*, r.from_version AS version FROM transfers r
     WHERE r.from_account = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $2)
         AND r.created_at >= $3 AND (r.created_at, r.from_version) < ($4, $5)
     ORDER BY r.created_at DESC, r.from_version DESC LIMIT $6)
    UNION ALL
    (SELECT r.*, r.to_version FROM transfers r
     WHERE r.to_account = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $2)
         AND r.created_at >= $3 AND (r.created_at, r.to_version) < ($4, $5)
     ORDER BY r.created_at DESC, r.to_version DESC LIMIT $6)
) t ORDER BY t.created_at DESC, t.version DESC LIMIT $6
