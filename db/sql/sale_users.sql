-- How much of a product each of these users has. Asked after the locks on the products, which
-- whoever sells to them holds. A range of orders_by_user for each.
SELECT k.product_id, k.user_name, s.quantity
FROM unnest($1, $2) k (product_id, user_name)
CROSS JOIN LATERAL (
    SELECT sum(o.quantity)::int8 AS quantity FROM orders o
    WHERE o.product_id = k.product_id AND o.user_name = k.user_name AND o.status = 0
) s
WHERE s.quantity > 0
