-- A page of what happened in the ledger $2 of an organization ($1), or in all of its ledgers,
-- newest first, with id < $5, of the types $3 (transfers: of the kinds $4). The newest of every
-- kind of row, merged: a range of transfers', purchases' and streams' primary keys, of
-- holds_by_status, of accounts_by_creation, of events' primary key and of
-- credit_operations_by_kind for each ledger. A transfer that funds a stream (9) or is withdrawn
-- from it (10) tells of the stream. An operation on credits that serves one address says which, and
-- how much (rows 0 and 1 of its entries tell); of one kind they are those between a row of kind and
-- id and the kind itself, which no other index can be asked, even by a plan of empty tables.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), scopes AS (
    SELECT id FROM l UNION ALL SELECT $1 WHERE $2 IS NULL
), x AS MATERIALIZED (
    (SELECT n.* FROM l CROSS JOIN unnest($4) k (kind) CROSS JOIN LATERAL (
        SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id,
            (CASE WHEN t.kind IN (9, 10) THEN t.cause ELSE t.id END)::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
        FROM transfers t WHERE t.ledger_id = l.id AND t.kind = k.kind AND t.id < $5
        ORDER BY t.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
            p.buyer, p.author, p.price, NULL::uuid
        FROM purchases p WHERE 3 = ANY ($3) AND p.ledger_id = l.id AND p.id < $5
        ORDER BY p.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN generate_series(0, 3) s (status) CROSS JOIN LATERAL (
        SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
            h.from_account, h.to_account, h.amount,
            NULL::uuid
        FROM holds h
        WHERE 2 = ANY ($3) AND h.ledger_id = l.id AND h.status = s.status::int2 AND h.id < $5
        ORDER BY h.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT s.id, 6::int2, s.ledger_id, s.id::text AS subject, s.sender, s.recipient, s.total,
            NULL::uuid
        FROM streams s WHERE 6 = ANY ($3) AND s.ledger_id = l.id AND s.id < $5
        ORDER BY s.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT a.id, 1::int2, a.ledger_id, a.address, a.id AS account, NULL::uuid, NULL::int8,
            NULL::uuid
        FROM accounts a
        WHERE 1 = ANY ($3) AND a.ledger_id = l.id AND a.id < $5 AND a.address NOT LIKE '@%'
        ORDER BY a.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM scopes CROSS JOIN unnest($3) y (type) CROSS JOIN LATERAL (
        SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
        FROM events e WHERE e.scope_id = scopes.id AND e.type = y.type - 200::int2 AND e.id < $5
        ORDER BY e.id DESC LIMIT $6) n
     WHERE y.type > 200
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN unnest($3) y (type) CROSS JOIN LATERAL (
        SELECT o.id, (50 + o.kind)::int2, o.ledger_id, o.id::text AS subject,
            NULL::uuid, NULL::uuid, NULL::int8, NULL::uuid
        FROM credit_operations o
        WHERE o.ledger_id = l.id AND (o.kind, o.id) < (y.type - 50::int2, $5)
            AND o.kind >= y.type - 50::int2
        ORDER BY o.kind DESC, o.id DESC LIMIT $6) n
     WHERE y.type BETWEEN 51 AND 53
     ORDER BY n.id DESC LIMIT $6)
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
