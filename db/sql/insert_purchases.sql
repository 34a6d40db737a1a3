-- The batch's purchases, in the order of their ids; none is refunded yet.
INSERT INTO purchases (id, ledger_id, buyer, author, price, royalty_percent, author_amount,
    platform_amount, reference, metadata, idempotency_key, fingerprint)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
