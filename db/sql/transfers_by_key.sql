-- The transfers that these idempotency keys made. Asked after the account locks: a first attempt
-- that was committing has ended by then. Index transfers_by_key.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause
FROM unnest($1) k (key)
JOIN transfers t ON t.idempotency_key = k.key
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
