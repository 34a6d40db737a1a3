-- A page of the products that had not ended before $1, oldest first, with id > $2: of the
-- organization $3, or of all. A range of products_by_end, however many are over; few are not.
WITH p AS MATERIALIZED (
    SELECT * FROM products
    WHERE coalesce(ends_at, 'infinity'::timestamptz) >= $1 AND id > $2
        AND ($3 IS NULL OR organization_id = $3)
)
SELECT p.id, p.organization_id, p.name, p.price, p.stock, p.sold, p.version, p.starts_at, p.ends_at,
    p.per_user_limit, p.payment_ledger, p.payment_ledger_name, p.seller, p.seller_address,
    p.metadata
FROM p ORDER BY p.id LIMIT $4
