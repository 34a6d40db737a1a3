-- The batch's orders, in the order of their ids; none is cancelled yet.
INSERT INTO orders (id, product_id, user_name, quantity, unit_price, metadata, purchase,
    idempotency_key, fingerprint, status)
SELECT u.*, 0 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) u
