-- Are the shares of every purchase its price, are they and what was refunded exactly its transfers
-- (royalty_author 5, royalty_platform 6, refund 7), and has every author been paid what is due: the
-- percentage of each purchase that was not refunded, but for a fraction of a cent? Full scan.
WITH bought AS (
    SELECT * FROM purchases WHERE ledger_id = $1::uuid
), platform AS (
    -- A row even of a ledger without a platform; and never looked for again for each purchase.
    SELECT (SELECT id FROM accounts WHERE ledger_id = $1::uuid AND address = '@platform') AS id
), legs AS (
    SELECT cause, kind, from_account, to_account, amount, 1 AS sign
    FROM transfers WHERE ledger_id = $1::uuid AND kind IN (5, 6, 7)
), wanted AS (
    SELECT b.id AS cause, l.kind, l.from_account, l.to_account, l.amount, -1 AS sign
    FROM bought b
    CROSS JOIN platform p
    CROSS JOIN LATERAL (VALUES
        (5::int2, b.buyer, b.author, b.author_amount),
        (6::int2, b.buyer, p.id, b.platform_amount),
        (7::int2, b.author, b.buyer, b.author_refund),
        (7::int2, p.id, b.buyer, b.price - b.author_refund)
    ) l (kind, from_account, to_account, amount)
    WHERE l.amount <> 0
), authors AS (
    SELECT author, sum(author_amount - coalesce(author_refund, 0)) AS paid,
        coalesce(sum(price::numeric * royalty_percent) FILTER (WHERE refunded_at IS NULL), 0) AS due
    FROM bought GROUP BY author
), bad AS (
    SELECT 'purchase ' || coalesce(cause::text, 'none') || ': its transfers' AS what
    FROM (SELECT * FROM legs UNION ALL SELECT * FROM wanted) s
    GROUP BY cause, kind, from_account, to_account, amount HAVING sum(sign) <> 0
    UNION ALL
    SELECT 'purchase ' || id || ': its shares' FROM bought
    WHERE price <> author_amount + platform_amount
        OR (refunded_at IS NULL) <> (author_refund IS NULL)
        OR author_refund < 0 OR author_refund > price
    UNION ALL
    SELECT 'author ' || a.address || ': paid ' || coalesce(s.paid, 0) || ', fraction ' || a.fraction
        || ', due ' || coalesce(s.due, 0) || ' hundredths'
    FROM accounts a LEFT JOIN authors s ON s.author = a.id
    WHERE a.ledger_id = $1::uuid
        AND (a.fraction NOT BETWEEN 0 AND 99
            OR 100 * coalesce(s.paid, 0) + a.fraction <> coalesce(s.due, 0))
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' differences; ' || min(what) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' purchases' FROM bought))
