-- A ledger with a long past, made in minutes: what must cost the same at ten thousand and at ten
-- million transfers is measured on it. For psql, with the variables ledger (a name), accounts
-- (2 to 100000) and transfers (a multiple of accounts).
--
-- First @world pays every account its funds, then come rounds: in round r account k pays account
-- (k + s) mod n, where s = 1 + r mod (n - 1), the same amount as everybody else. In a round
-- everyone pays once and receives once, so the balance and the version after each transfer follow
-- from its number alone: nothing is sorted, nothing is summed up, every invariant holds. Keys are
-- random, as clients' keys are: the index on them is as large and as scattered as in real life.
BEGIN;

-- Building an index from all rows takes a tenth of the time of keeping it while they arrive.
CREATE TEMP TABLE rebuilt ON COMMIT DROP AS
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = 'transfers'::regclass
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid);
DO $$
DECLARE dropped text;
BEGIN
    FOR dropped IN SELECT name FROM rebuilt LOOP EXECUTE 'DROP INDEX ' || dropped; END LOOP;
END $$;
SET LOCAL maintenance_work_mem = '512MB';

-- As the server makes them: the instant, the place within it, and 56 bits of noise.
CREATE FUNCTION pg_temp.uuid7(ms int8, ordinal int8, noise text) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(ms), 12, '0') || to_hex(28672 | (ordinal >> 6))
        || to_hex(128 | (ordinal & 63)) || left(md5(noise), 14))::uuid
$$;

CREATE TEMP TABLE plan ON COMMIT DROP AS
SELECT pg_temp.uuid7(ended_ms - :transfers / 10 - 1000, 0, :'ledger') AS ledger_id,
    ended_ms - :transfers / 10 - 1000 AS opened_ms,
    ended_ms - :transfers / 10 AS began_ms,
    1000000000::int8 AS funds
-- In the past: the server's clock is ahead of every account's newest instant.
FROM (SELECT (extract(epoch FROM now()) * 1000)::int8 - 1000 AS ended_ms) clock;

CREATE TEMP TABLE holders ON COMMIT DROP AS
SELECT k, pg_temp.uuid7(opened_ms, k % 262144, :'ledger' || k) AS id
FROM plan, generate_series(0, :accounts + 1) k;
ALTER TABLE holders ADD PRIMARY KEY (k);
ANALYZE holders;

INSERT INTO ledgers (id, organization_id, name, asset_code, asset_scale, kind, posting,
    royalty_percent, drain, accounts, issuers, created_at)
SELECT ledger_id, '00000000-0000-0000-0000-000000000000', :'ledger', 'EUR', 2, 0, 0, 70, 0, 1,
    '{}', to_timestamp(opened_ms / 1000.0)
FROM plan;

-- Ten to a millisecond, like a busy server's.
INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount, from_balance,
    from_version, to_balance, to_version, created_at, idempotency_key, fingerprint)
SELECT pg_temp.uuid7(opened_ms, k, :'ledger' || 'd' || k), ledger_id, 1, world.id, h.id, funds,
    -funds * (k + 1), k + 1, funds, 1, to_timestamp(opened_ms / 1000.0),
    md5(:'ledger' || 'key-d' || k)::uuid, sha256(int8send(k))
FROM plan, (SELECT k::int8 AS k, id FROM holders WHERE k < :accounts ORDER BY k) h,
    (SELECT id FROM holders WHERE k = :accounts) world;

INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount, from_balance,
    from_version, to_balance, to_version, created_at, idempotency_key, fingerprint)
SELECT pg_temp.uuid7(began_ms + i / 10, i % 10, :'ledger' || i), ledger_id, 3, payer.id, payee.id,
    amount,
    -- Who pays before being paid in this round stands lower meanwhile.
    CASE WHEN paying < s THEN funds - amount ELSE funds END,
    1 + 2 * r + CASE WHEN paying < s THEN 1 ELSE 2 END,
    CASE WHEN paid < s THEN funds ELSE funds + amount END,
    1 + 2 * r + CASE WHEN paid < s THEN 2 ELSE 1 END,
    to_timestamp((began_ms + i / 10) / 1000.0), md5(:'ledger' || 'key' || i)::uuid,
    sha256(int8send(i))
FROM plan, (
    SELECT i, r, s, paying, (paying + s) % :accounts AS paid, 1 + r % 100 AS amount
    FROM (
        SELECT i, i / :accounts AS r, i % :accounts AS paying,
            1 + (i / :accounts) % (:accounts - 1) AS s
        FROM generate_series(0, :transfers::int8 - 1) i
    ) numbered
) movement
JOIN holders payer ON payer.k = paying
JOIN holders payee ON payee.k = paid;

INSERT INTO accounts (id, ledger_id, address, overdraft_limit, balance, held, fraction, version,
    metadata, created_at, updated_at)
SELECT id, ledger_id,
    CASE k WHEN :accounts THEN '@world' WHEN :accounts + 1 THEN '@platform'
        ELSE 'account:' || lpad(k::text, 7, '0') END,
    0,
    CASE k WHEN :accounts THEN -funds * :accounts WHEN :accounts + 1 THEN 0 ELSE funds END,
    0, 0,
    CASE k WHEN :accounts THEN :accounts WHEN :accounts + 1 THEN 0
        ELSE 1 + 2 * (:transfers / :accounts) END,
    '{}', to_timestamp(opened_ms / 1000.0),
    to_timestamp(CASE WHEN k < :accounts THEN began_ms + (:transfers - 1) / 10
        ELSE opened_ms END / 1000.0)
FROM plan, holders;

INSERT INTO ledger_totals (ledger_id, kind, count, amount)
SELECT ledger_id, 1, :accounts, funds::numeric * :accounts FROM plan
UNION ALL
SELECT ledger_id, 3, :transfers,
    (SELECT sum(1 + r % 100) FROM generate_series(0, :transfers / :accounts - 1) r) * :accounts
FROM plan;

DO $$
DECLARE made text;
BEGIN
    FOR made IN SELECT definition FROM rebuilt LOOP EXECUTE made; END LOOP;
END $$;
COMMIT;
ANALYZE ledgers, accounts, transfers, ledger_totals;
