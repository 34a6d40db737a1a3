-- A page of a ledger's transfers, newest first, with $3 <= id < $4: the newest of each kind ($2), a
-- range of the primary key each, merged.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause
FROM (
    SELECT n.*
    FROM unnest($2) k (kind)
    CROSS JOIN LATERAL (
        SELECT * FROM transfers r
        WHERE r.ledger_id = $1 AND r.kind = k.kind AND r.id >= $3 AND r.id < $4
        ORDER BY r.id DESC LIMIT $5
    ) n
    ORDER BY n.id DESC LIMIT $5
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
ORDER BY t.id DESC
