-- Tells a gate what became of orders. Every line may be told twice, late and in any order.
--   KEYS    the gate, its orders, its users, its leases: of one sale, under one hash tag
--   ARGV    a generation or nothing, now in ms, a lease in ms; then of each order what became of
--           it, its key, its user, its quantity:
--     confirm  it was committed: counted once, whatever was known; not after it was cancelled
--     cancel   it was cancelled: its units come back once, and it is known for good
--     release  it was refused: gives a reservation back, and nothing else
--     expire   nobody knows it: the same, if its lease is over
--     doubt    it may have been committed: a key that is unknown here is reserved, with the lease
--   →  "recorded"; "missing" without a whole gate; "taken_over" when a generation is given that
--      is not being built (any more)
-- A generation says who builds: the lease is then that of the whole unfinished gate.
local gate = redis.pcall('HMGET', KEYS[1], 'generation', 'state', 'taken', 'reserved', 'changes')
local generation = gate[1]
local whole = generation and redis.pcall('HGET', KEYS[2], '') == generation and
    redis.pcall('HGET', KEYS[3], '') == generation and redis.pcall('ZSCORE', KEYS[4], '') == 'inf'
local taken, reserved, changes = tonumber(gate[3]), tonumber(gate[4]), tonumber(gate[5])
if not (whole and taken and reserved and changes) then return 'missing' end
if ARGV[1] ~= '' then
    if generation ~= ARGV[1] or gate[2] ~= 'building' then return 'taken_over' end
    for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[3]) end
end
local now = tonumber(ARGV[2])

-- Adds to what a user has; a user who has nothing costs no memory.
local function add_to_user(user, quantity)
    local kept = redis.call('HGET', KEYS[3], user)
    local has = (kept and tonumber(kept) or 0) + quantity
    if has > 0 then
        redis.call('HSET', KEYS[3], user, string.format('%.0f', has))
    else
        redis.call('HDEL', KEYS[3], user)
    end
end

local function take(user, quantity)
    taken = taken + quantity
    add_to_user(user, quantity)
end

local function give_back(order)
    if order.state == 'x' then return end
    taken = taken - order.quantity
    add_to_user(order.user, -order.quantity)
    if order.state ~= 'r' then return end
    reserved = reserved - order.quantity
    redis.call('ZREM', KEYS[4], order.key)
end

local function find(key)
    local kept = redis.call('HGET', KEYS[2], key)
    local state, quantity, user = string.match(kept or '', '^([rcx]):(%d+):(.*)$')
    if not state then return nil end
    return {key = key, state = state, quantity = tonumber(quantity), user = user}
end

local function keep(state, key, user, quantity)
    redis.call('HSET', KEYS[2], key, state .. ':' .. quantity .. ':' .. user)
    changes = changes + 1
end

local record = {}
function record.confirm(order, key, user, quantity)
    if order and order.state ~= 'r' then return end
    -- What was reserved is what was asked for; what was committed is what counts.
    if order then give_back(order) end
    take(user, tonumber(quantity))
    keep('c', key, user, quantity)
end
function record.cancel(order, key, user, quantity)
    if order and order.state == 'x' then return end
    if order then give_back(order) end
    keep('x', key, user, quantity)
end
function record.release(order, key)
    if not order or order.state ~= 'r' then return end
    give_back(order)
    redis.call('HDEL', KEYS[2], key)
    changes = changes + 1
end
function record.expire(order, key)
    local until_when = redis.call('ZSCORE', KEYS[4], key)
    if until_when and tonumber(until_when) <= now then record.release(order, key) end
end
function record.doubt(order, key, user, quantity)
    if order then return end
    take(user, tonumber(quantity))
    reserved = reserved + tonumber(quantity)
    redis.call('ZADD', KEYS[4], now + tonumber(ARGV[3]), key)
    keep('r', key, user, quantity)
end

for i = 4, #ARGV, 4 do
    record[ARGV[i]](find(ARGV[i + 1]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
redis.call('HSET', KEYS[1], 'taken', string.format('%.0f', taken),
    'reserved', string.format('%.0f', reserved), 'changes', string.format('%.0f', changes))
return 'recorded'
