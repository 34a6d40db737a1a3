-- The transaction's id, asked before anything is written: if the answer to COMMIT is lost, this
-- number is what pg_xact_status() is asked about. It is asked when the batch has its row locks, and
-- says as well how long it took until then, in µs: now() is when BEGIN came.
SELECT pg_current_xact_id(), (date_part('epoch', clock_timestamp() - now()) * 1000000)::int8
