-- The transaction's id, asked before anything is written: if the answer to COMMIT is lost, this
-- number is what pg_xact_status() is asked about. It is asked when the batch has its row locks, and
-- says as well how long it took until then, in µs (now() is when BEGIN came), and since when this
-- server remembers: since its start, or since a crash (which resets its statistics). A number that
-- was never written down is given to another transaction after that.
SELECT pg_current_xact_id(), (date_part('epoch', clock_timestamp() - now()) * 1000000)::int8,
    (date_part('epoch', greatest(pg_postmaster_start_time(),
        pg_stat_get_bgwriter_stat_reset_time())) * 1000000)::int8
