-- Prolongs claims that are still the owner's.
--   KEYS    what is claimed, by whom: of one ledger, under one hash tag
--   ARGV    1 the owner's token   2 when the lease ends, in ms; then addresses
--   →  the addresses that are no longer its own
local lost = {}
for i = 3, #ARGV do
    if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[1] then
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[i])
    else
        lost[#lost + 1] = ARGV[i]
    end
end
return lost
