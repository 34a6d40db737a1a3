-- The batch's operations on credits.
INSERT INTO credit_operations (ledger_id, id, kind, reference, sender, minted, drain,
    idempotency_key, fingerprint)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7),
    unnest($8), unnest($9)
