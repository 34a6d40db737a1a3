-- A page of what the account $7 had a part in, newest first, with id < $5 (an instant not after
-- $8), of the types $3 (transfers: of the kinds $4), in the ledger $2 or in every ledger of an
-- organization ($1) where there is such an account. Both sides of every kind of row, merged:
-- accounts_by_address, then ranges of the parties' indexes; rows of other types are passed over.
-- Transfers of one instant come together: what two lanes or servers decided in it has its ids in
-- another order than its versions.
-- Operations on credits by their entries, each looked up by itself (LIMIT 1 keeps the planner from
-- beginning with the operations); those of an issuer by credit_operations_by_issuer.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), own AS MATERIALIZED (
    SELECT a.id, a.ledger_id, a.address FROM l JOIN accounts a ON a.ledger_id = l.id
    WHERE a.address = $7
), x AS MATERIALIZED (
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id,
            (CASE WHEN t.kind IN (9, 10) THEN t.cause ELSE t.id END)::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
         FROM transfers t
         WHERE t.from_account = own.id AND t.created_at <= $8 AND t.id < $5 AND t.kind = ANY ($4)
         ORDER BY t.created_at DESC FETCH FIRST $6 ROWS WITH TIES)
        UNION ALL
        (SELECT t.id, (100 + t.kind)::int2, t.ledger_id,
            (CASE WHEN t.kind IN (9, 10) THEN t.cause ELSE t.id END)::text, t.from_account,
            t.to_account, t.amount, t.id
         FROM transfers t
         WHERE t.to_account = own.id AND t.created_at <= $8 AND t.id < $5 AND t.kind = ANY ($4)
         ORDER BY t.created_at DESC FETCH FIRST $6 ROWS WITH TIES)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
             p.buyer, p.author, p.price, NULL::uuid
         FROM purchases p WHERE 3 = ANY ($3) AND p.buyer = own.id AND p.id < $5
         ORDER BY p.id DESC LIMIT $6)
        UNION ALL
        (SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
             p.buyer, p.author, p.price, NULL::uuid
         FROM purchases p WHERE 3 = ANY ($3) AND p.author = own.id AND p.id < $5
         ORDER BY p.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT s.id, 6::int2, s.ledger_id, s.id::text AS subject, s.sender, s.recipient, s.total,
            NULL::uuid
         FROM streams s WHERE 6 = ANY ($3) AND s.sender = own.id AND s.id < $5
         ORDER BY s.id DESC LIMIT $6)
        UNION ALL
        (SELECT s.id, 6::int2, s.ledger_id, s.id::text AS subject, s.sender, s.recipient, s.total,
            NULL::uuid
         FROM streams s WHERE 6 = ANY ($3) AND s.recipient = own.id AND s.id < $5
         ORDER BY s.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN generate_series(0, 3) s (status) CROSS JOIN LATERAL (
        (SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
             h.from_account, h.to_account, h.amount,
            NULL::uuid
         FROM holds h
         WHERE 2 = ANY ($3) AND h.from_account = own.id AND h.status = s.status::int2
             AND h.id < $5
         ORDER BY h.id DESC LIMIT $6)
        UNION ALL
        (SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
             h.from_account, h.to_account, h.amount,
            NULL::uuid
         FROM holds h
         WHERE 2 = ANY ($3) AND h.to_account = own.id AND h.status = s.status::int2
             AND h.id < $5
         ORDER BY h.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT own.id, 1::int2, own.ledger_id, own.address, own.id, NULL::uuid, NULL::int8,
        NULL::uuid
     FROM own WHERE 1 = ANY ($3) AND own.id < $5 AND own.address NOT LIKE '@%')
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
         FROM events e
         WHERE e.account = own.id AND e.id < $5 AND e.type + 200 = ANY ($3)
             AND e.product_id IS NULL
         ORDER BY e.id DESC LIMIT $6)
        UNION ALL
        (SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
         FROM events e
         WHERE e.counterparty = own.id AND e.id < $5 AND e.type + 200 = ANY ($3)
             AND e.product_id IS NULL
         ORDER BY e.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT e.operation_id, (50 + o.kind)::int2, own.ledger_id, e.operation_id::text AS subject,
            NULL::uuid, NULL::uuid, NULL::int8, NULL::uuid
         FROM (
             SELECT DISTINCT ON (e.operation_id) e.operation_id FROM credit_entries e
             WHERE e.account_id = own.id AND e.operation_id < $5 AND $3 && '{51, 52, 53}'::int2[]
             ORDER BY e.operation_id DESC) e
         CROSS JOIN LATERAL (
             SELECT o.kind FROM credit_operations o
             WHERE o.ledger_id = own.ledger_id AND o.id = e.operation_id
                 AND o.kind + 50 = ANY ($3)
             LIMIT 1) o
         ORDER BY e.operation_id DESC LIMIT $6)
        UNION ALL
        (SELECT o.id, 53::int2, o.ledger_id, o.id::text AS subject,
            NULL::uuid, NULL::uuid, NULL::int8, NULL::uuid
         FROM credit_operations o
         WHERE o.sender = own.id AND o.minted AND 53 = ANY ($3) AND o.id < $5
         ORDER BY o.id DESC LIMIT $6)) n)
    ORDER BY id DESC LIMIT $6
)
SELECT x.id, x.type, l.name, x.subject, a.address, c.address, coalesce(x.amount, only_one.amount),
    x.transfer, o.reference
FROM x
LEFT JOIN l ON l.id = x.ledger_id
LEFT JOIN credit_operations o ON o.ledger_id = x.ledger_id
    AND o.id = CASE WHEN x.type IN (51, 52, 53, 207) THEN x.subject::uuid END
LEFT JOIN LATERAL (
    SELECT e.account_id, abs(e.amount) AS amount
    FROM credit_entries e
    WHERE e.operation_id = CASE WHEN x.type IN (51, 52, 53) THEN x.id END AND e.index = 0
        AND NOT EXISTS (
            SELECT 1 FROM credit_entries n
            WHERE n.operation_id = x.id AND n.index = 1 AND n.account_id IS DISTINCT FROM o.sender)
) only_one ON true
LEFT JOIN accounts a
    ON a.id = coalesce(x.account, o.sender, CASE WHEN x.type < 53 THEN only_one.account_id END)
LEFT JOIN accounts c
    ON c.id = CASE WHEN x.type = 53 THEN only_one.account_id ELSE x.counterparty END
ORDER BY x.id DESC
