-- The batch's purchases, in the order of their ids; none is refunded yet.
INSERT INTO purchases (id, ledger_id, buyer, author, price, royalty_percent, author_amount,
    platform_amount, reference, metadata, idempotency_key, fingerprint)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7),
    unnest($8), unnest($9), unnest($10), unnest($11), unnest($12)
