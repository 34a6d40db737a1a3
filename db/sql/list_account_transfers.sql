-- A page of what was booked on an account, newest first, with $3 <= created_at and (created_at,
-- version) < ($4, $5). The newest of each side, merged: in an account, order of time is order of
-- versions. accounts_by_address, transfers_by_from, transfers_by_to. Instant and version are
-- compared as one row: the walk then begins where the page does; a bound on the version alone
-- would walk past every newer entry.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause
FROM (
    SELECT s.*
    FROM accounts a
    CROSS JOIN LATERAL (
        (SELECT r.*, r.from_version AS version FROM transfers r
         WHERE r.from_account = a.id AND r.created_at >= $3
             AND (r.created_at, r.from_version) < ($4, $5)
         ORDER BY r.created_at DESC, r.from_version DESC LIMIT $6)
        UNION ALL
        (SELECT r.*, r.to_version FROM transfers r
         WHERE r.to_account = a.id AND r.created_at >= $3
             AND (r.created_at, r.to_version) < ($4, $5)
         ORDER BY r.created_at DESC, r.to_version DESC LIMIT $6)
    ) s
    WHERE a.ledger_id = $1 AND a.address = $2
    ORDER BY s.version DESC LIMIT $6
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
ORDER BY t.version DESC
