-- One transfer: one lookup in the primary key per kind ($2).
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause
FROM unnest($2) k (kind)
CROSS JOIN LATERAL (
    SELECT * FROM transfers r
    WHERE r.ledger_id = $1 AND r.kind = k.kind AND r.id = $3
    LIMIT 1  -- or an empty table's plan walks the whole ledger
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
