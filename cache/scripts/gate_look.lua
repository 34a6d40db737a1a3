-- What a gate holds, at one moment.
--   KEYS    the gate, its orders, its users, its leases: of one sale, under one hash tag
--   ARGV    up to which end of a lease reservations are listed, and how many at most
--   →  {state, generation, stock, version, taken, reserved, changes, keys of reservations …};
--      {} without a whole gate
local gate = redis.pcall('HMGET', KEYS[1], 'generation', 'state', 'stock', 'version', 'taken',
    'reserved', 'changes')
local generation = gate[1]
local whole = generation and redis.pcall('HGET', KEYS[2], '') == generation and
    redis.pcall('HGET', KEYS[3], '') == generation and redis.pcall('ZSCORE', KEYS[4], '') == 'inf'
if not whole then return {} end
local seen = {gate[2], generation}
for i = 3, 7 do
    if not tonumber(gate[i]) then return {} end
    seen[i] = tonumber(gate[i])
end
local keys = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, key in ipairs(keys) do seen[#seen + 1] = key end
return seen
