-- Open holds of one ledger that come due evenly within a time that lies ahead. For psql, with the
-- variables ledger (the name of one that fill_ledger.sql made), holds, begins (when the first one
-- is due, in unix seconds) and seconds (how long it takes until the last one is).
BEGIN;

CREATE TEMP TABLE holders ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY a.address) - 1 AS k, count(*) OVER () AS many, a.id, a.ledger_id
FROM accounts a JOIN ledgers l ON l.id = a.ledger_id
WHERE l.name = :'ledger' AND l.deleted_at IS NULL AND a.address LIKE 'account:%';
ALTER TABLE holders ADD PRIMARY KEY (k);
ANALYZE holders;

-- Each of 1 from an account to the next one, in turn. Ids as the server makes them, a second ago:
-- four thousand to a millisecond are as many as one instant has places for.
INSERT INTO holds (id, ledger_id, from_account, to_account, amount, expires_at, status)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::int8 - 1000 - :holds / 4096 + i / 4096),
        12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || '8' || left(md5(i::text), 15))::uuid,
    payer.ledger_id, payer.id, payee.id, 1,
    to_timestamp(:begins + i * :seconds::float8 / :holds), 0
FROM generate_series(0, :holds::int8 - 1) i
JOIN holders payer ON payer.k = i % (SELECT many FROM holders LIMIT 1)
JOIN holders payee ON payee.k = (i + 1) % (SELECT many FROM holders LIMIT 1);

UPDATE accounts a SET held = a.held + placed.amount
FROM (
    SELECT from_account, sum(amount)::int8 AS amount FROM holds
    WHERE ledger_id = (SELECT ledger_id FROM holders LIMIT 1) AND status = 0 GROUP BY from_account
) placed
WHERE a.id = placed.from_account;

COMMIT;
ANALYZE holds, accounts;
