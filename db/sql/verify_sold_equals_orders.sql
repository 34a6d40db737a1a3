-- Is what is sold of every product what its completed orders hold, and never more than its stock?
-- Of the products that are paid into a ledger, or ('') of all. Full scan.
WITH p AS (
    SELECT s.* FROM products s
    WHERE s.payment_ledger = nullif($1::text, '')::uuid OR $1::text = ''
), held AS (
    SELECT o.product_id, sum(o.quantity) AS quantity
    FROM orders o JOIN p ON p.id = o.product_id
    WHERE o.status = 0 GROUP BY o.product_id
), bad AS (
    SELECT p.id, p.stock, p.sold, coalesce(h.quantity, 0) AS held
    FROM p LEFT JOIN held h ON h.product_id = p.id
    WHERE p.sold <> coalesce(h.quantity, 0) OR p.sold > p.stock
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' products; ' || min(id::text || ': stock ' || stock || ', sold '
            || sold || ', ordered ' || held) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' products' FROM p))
