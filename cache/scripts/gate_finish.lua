-- Opens a gate that has heard of every order: from now on it admits.
--   KEYS    the gate, its orders, its users, its leases: of one sale, under one hash tag
--   ARGV    its generation; the product's stock and its version; when the gate goes, in ms since
--           1970, empty for never
--   →  1 ready, 0 it is not this generation that is being built (any more)
local gate = redis.pcall('HMGET', KEYS[1], 'generation', 'state', 'version')
local generation = gate[1]
local whole = generation and redis.pcall('HGET', KEYS[2], '') == generation and
    redis.pcall('HGET', KEYS[3], '') == generation and redis.pcall('ZSCORE', KEYS[4], '') == 'inf'
if not whole or generation ~= ARGV[1] or gate[2] ~= 'building' then return 0 end
-- A restock that was told meanwhile may be newer than what the builder read.
if tonumber(ARGV[3]) > tonumber(gate[3]) then
    redis.call('HSET', KEYS[1], 'stock', ARGV[2], 'version', ARGV[3])
end
redis.call('HSET', KEYS[1], 'state', 'ready')
for _, name in ipairs(KEYS) do
    if ARGV[4] == '' then
        redis.call('PERSIST', name)
    else
        redis.call('PEXPIREAT', name, ARGV[4])
    end
end
return 1
