-- The batch's operations on credits.
INSERT INTO credit_operations (ledger_id, id, kind, reference, sender, minted, drain,
    idempotency_key, fingerprint)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
