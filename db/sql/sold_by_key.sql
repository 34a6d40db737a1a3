-- Which of these idempotency keys ($2) made orders of the product $1? orders_by_key. IS NOT
-- DISTINCT FROM, because no plan can take another index for it and walk all orders of the product.
SELECT o.id, o.idempotency_key, o.user_name, o.quantity, o.status
FROM unnest($2) k (key)
JOIN orders o ON o.idempotency_key = k.key
WHERE o.product_id IS NOT DISTINCT FROM $1
