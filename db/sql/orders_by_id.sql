-- The orders that a batch may cancel. Asked after the locks on their products, which whoever
-- cancels them holds. Primary key.
SELECT o.id, o.product_id, o.user_name, o.quantity, o.unit_price, o.status, o.cancelled_at,
    o.metadata, o.purchase, o.idempotency_key, o.fingerprint
FROM unnest($1, $2) k (product_id, id)
JOIN orders o ON o.product_id = k.product_id AND o.id = k.id
