-- The batch's orders, in the order of their ids; none is cancelled yet.
INSERT INTO orders (id, product_id, user_name, quantity, unit_price, metadata, purchase,
    idempotency_key, fingerprint, status)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7),
    unnest($8), unnest($9), 0
