-- The batch's transfers, in the order of their ids.
INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount, from_balance,
    from_version, to_balance, to_version, created_at, reference, metadata, reverts,
    idempotency_key, fingerprint, cause)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
