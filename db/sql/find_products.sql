-- The products that a crowd asks for at once, whoever they belong to. Primary key.
SELECT p.id, p.organization_id, p.name, p.price, p.stock, p.sold, p.version, p.starts_at, p.ends_at,
    p.per_user_limit, p.payment_ledger, p.payment_ledger_name, p.seller, p.seller_address,
    p.metadata
FROM products p WHERE p.id = ANY ($1)
