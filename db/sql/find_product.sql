-- One product of an organization. Primary key.
SELECT p.id, p.organization_id, p.name, p.price, p.stock, p.sold, p.version, p.starts_at, p.ends_at,
    p.per_user_limit, p.payment_ledger, p.payment_ledger_name, p.seller, p.seller_address,
    p.metadata
FROM products p WHERE p.id = $2 AND p.organization_id = $1
