-- Renews the mark of a request that still runs.
--   KEYS[1] the idempotency key   ARGV[1] the mark   ARGV[2] the lease in ms   →  1 ours, 0 not
-- A mark that is gone (it expired under a server that stood still, or Redis was flushed) is set
-- again; whatever else is there, another's mark or an answer, is left alone.
local kept = redis.pcall('GET', KEYS[1])
if kept == false then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
end
if type(kept) == 'string' and kept == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
