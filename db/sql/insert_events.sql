-- What the batch changed and no other row records.
INSERT INTO events (scope_id, id, organization_id, ledger_id, type, subject, account, counterparty,
    amount, transfer, product_id, quantity)
SELECT coalesce(u.product_id, u.ledger_id, u.organization_id), u.*
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    u (id, organization_id, ledger_id, type, subject, account, counterparty, amount, transfer,
    product_id, quantity)
