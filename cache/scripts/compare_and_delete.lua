-- Releases a lease only if it is still ours: without the comparison a slow owner would delete the
-- lease of whoever took over after it expired.
--   KEYS[1] the lease   ARGV[1] the owner's token   →  1 released, 0 not ours (any more)
-- A key that holds something other than a string is not ours either: it is left alone.
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'string' and kept == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
