-- Judges one attempt to buy, and reserves its units if it may: all or nothing.
--   KEYS    the gate, its orders, its users, its leases: of one sale, under one hash tag
--   ARGV    the order's key, the user, the quantity, now in ms, the lease in ms
--   →  {answer, remaining, reserved, changes, generation}; {"missing"} without a whole gate
-- The answers, in the order in which they are looked for: building; for a key that is here, again
-- (reserved: its lease is renewed) or known (confirmed or cancelled); sale_ended,
-- sale_not_started, sold_out (nothing left at all), purchase_limit_reached, sold_out (not enough
-- left); admitted. The store's rules are the same in the same order.
-- Every key of a gate holds its generation under an empty name: a gate of which one key was lost,
-- evicted or overwritten is no gate, and says so before anything is written.
local gate = redis.pcall('HMGET', KEYS[1], 'generation', 'state', 'stock', 'taken', 'reserved',
    'changes', 'limit', 'starts_at', 'ends_at')
local orders = redis.pcall('HMGET', KEYS[2], '', ARGV[1])
local users = redis.pcall('HMGET', KEYS[3], '', ARGV[2])
local generation = gate[1]
if not generation or orders[1] ~= generation or users[1] ~= generation or
    redis.pcall('ZSCORE', KEYS[4], '') ~= 'inf' then
    return {'missing'}
end
local stock, taken, reserved = tonumber(gate[3]), tonumber(gate[4]), tonumber(gate[5])
local changes, limit, starts_at = tonumber(gate[6]), tonumber(gate[7]), tonumber(gate[8])
local bought = users[2] and tonumber(users[2]) or 0
if not (stock and taken and reserved and changes and limit and starts_at) then
    return {'missing'}
end
local quantity, now = tonumber(ARGV[3]), tonumber(ARGV[4])
local remaining = stock - taken

local function answer(text)
    return {text, remaining, reserved, changes, generation}
end

if gate[2] ~= 'ready' then return answer('building') end
if orders[2] then
    if string.sub(orders[2], 1, 1) ~= 'r' then return answer('known') end
    redis.call('ZADD', KEYS[4], now + tonumber(ARGV[5]), ARGV[1])
    return answer('again')
end
if gate[9] ~= '' and now >= tonumber(gate[9]) then return answer('sale_ended') end
if now < starts_at then return answer('sale_not_started') end
if remaining <= 0 then return answer('sold_out') end
if bought + quantity > limit then return answer('purchase_limit_reached') end
if quantity > remaining then return answer('sold_out') end

redis.call('ZADD', KEYS[4], now + tonumber(ARGV[5]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], 'r:' .. ARGV[3] .. ':' .. ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], string.format('%.0f', bought + quantity))
remaining, reserved, changes = remaining - quantity, reserved + quantity, changes + 1
redis.call('HSET', KEYS[1], 'taken', string.format('%.0f', taken + quantity),
    'reserved', string.format('%.0f', reserved), 'changes', string.format('%.0f', changes))
return answer('admitted')
