-- A page of the transfers with a reference, newest first, with $4 <= id < $5, of the kinds $3.
-- Index transfers_by_reference.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause
FROM (
    SELECT * FROM transfers r
    WHERE r.ledger_id = $1 AND r.reference = $2 AND r.kind = ANY ($3)
        AND r.id >= $4 AND r.id < $5
    ORDER BY r.id DESC LIMIT $6
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
ORDER BY t.id DESC
