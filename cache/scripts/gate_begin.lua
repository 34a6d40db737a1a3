-- Begins to build a gate, in place of the one that the caller has seen.
--   KEYS    the gate, its orders, its users, its leases: of one sale, under one hash tag
--   ARGV    the generation that is to be replaced, empty for none; the lease in ms after which an
--           unfinished gate is gone; the sale's starts_at, ends_at (empty: none) and limit per user
--   →  {"begun", the new generation}, or the state and generation of the gate that stands there:
--      somebody else was first
-- What is no whole gate is replaced whatever the caller has seen. Until it is finished, a gate
-- admits nobody but hears what becomes of orders, so nothing is lost while the store is read.
local gate = redis.pcall('HMGET', KEYS[1], 'generation', 'state')
local generation = gate[1]
local whole = generation and redis.pcall('HGET', KEYS[2], '') == generation and
    redis.pcall('HGET', KEYS[3], '') == generation and redis.pcall('ZSCORE', KEYS[4], '') == 'inf'
if whole and generation ~= ARGV[1] then return {gate[2], generation} end

local time = redis.call('TIME')
generation = time[1] .. string.format('%06d', tonumber(time[2]))
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], 'generation', generation, 'state', 'building', 'stock', 0,
    'version', -1, 'taken', 0, 'reserved', 0, 'changes', 0,
    'starts_at', ARGV[3], 'ends_at', ARGV[4], 'limit', ARGV[5])
redis.call('HSET', KEYS[2], '', generation)
redis.call('HSET', KEYS[3], '', generation)
redis.call('ZADD', KEYS[4], 'inf', '')
for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[2]) end
return {'begun', generation}
