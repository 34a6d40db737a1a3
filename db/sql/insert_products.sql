-- New products: of those that the batch sold from already, as they are after it.
INSERT INTO products (id, organization_id, name, price, stock, sold, version, starts_at, ends_at,
    per_user_limit, payment_ledger, payment_ledger_name, seller, seller_address, metadata)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
