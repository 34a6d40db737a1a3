-- The same walk as list_account_transfers for the kinds $7, which no index knows: of the newest $8
-- rows those that fit, and the last one of them, so that the next page can begin behind it. What it
-- reads is bounded by $8, however many rows there are of other kinds. accounts_by_address,
-- transfers_by_from, transfers_by_to.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause,
    t.kind = ANY ($7), t.place = $8
FROM (
    SELECT s.*, row_number() OVER (ORDER BY s.version DESC) AS place
    FROM accounts a
    CROSS JOIN LATERAL (
        (SELECT r.*, r.from_version AS version FROM transfers r
         WHERE r.from_account = a.id AND r.created_at >= $3
             AND (r.created_at, r.from_version) < ($4, $5)
         ORDER BY r.created_at DESC, r.from_version DESC LIMIT $8)
        UNION ALL
        (SELECT r.*, r.to_version FROM transfers r
         WHERE r.to_account = a.id AND r.created_at >= $3
             AND (r.created_at, r.to_version) < ($4, $5)
         ORDER BY r.created_at DESC, r.to_version DESC LIMIT $8)
    ) s
    WHERE a.ledger_id = $1 AND a.address = $2
    ORDER BY s.version DESC LIMIT $8
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
WHERE t.kind = ANY ($7) OR t.place = $8
ORDER BY t.version DESC LIMIT $6
