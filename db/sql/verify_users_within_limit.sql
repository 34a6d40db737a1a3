-- Has no user more of a product than its limit allows? Of the products that are paid into a
-- ledger, or ('') of all. Full scan.
WITH p AS (
    SELECT s.* FROM products s
    WHERE s.payment_ledger = nullif($1::text, '')::uuid OR $1::text = ''
), bought AS (
    SELECT o.product_id, o.user_name, sum(o.quantity) AS quantity
    FROM orders o JOIN p ON p.id = o.product_id
    WHERE o.status = 0 GROUP BY o.product_id, o.user_name
), bad AS (
    SELECT p.id, b.user_name, b.quantity, p.per_user_limit
    FROM bought b JOIN p ON p.id = b.product_id
    WHERE b.quantity > p.per_user_limit
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' users; ' || min(id::text || ', ' || user_name || ': ' || quantity
            || ' of ' || per_user_limit) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' users' FROM bought))
