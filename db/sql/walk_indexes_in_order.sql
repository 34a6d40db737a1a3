-- Until this transaction ends, no bitmap scans: a claim that was planned on an empty table would
-- sort the whole backlog for the few jobs at its head, which the index gives in order.
SELECT set_config('enable_bitmapscan', 'off', true)
