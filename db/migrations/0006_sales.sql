-- Products on sale and their orders.
--
-- An instant of creation is inside the id (UUIDv7) and nowhere else. Of a product only stock, sold
-- and version change, and nothing indexes those: a batch of orders is one update of the row that
-- touches no index. The fillfactor leaves room for its versions on its page.

CREATE TABLE products (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    price int8 NOT NULL CHECK (price >= 0),
    stock int8 NOT NULL,
    sold int8 NOT NULL CHECK (sold BETWEEN 0 AND stock),
    version int8 NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,  -- NULL: never
    per_user_limit int8 NOT NULL CHECK (per_user_limit >= 1),
    -- Where it is paid into, by names too: those never change, and outlive the ledger. NULL: an
    -- order moves no money.
    payment_ledger uuid,
    payment_ledger_name text,
    seller uuid,
    seller_address text COLLATE "C",
    metadata text,  -- NULL is {}
    CHECK (num_nulls(payment_ledger, payment_ledger_name, seller, seller_address) IN (0, 4))
) WITH (fillfactor = 50);
CREATE INDEX products_by_organization ON products (organization_id, id);
-- What is not over yet, among all that ever was.
CREATE INDEX products_by_end ON products (coalesce(ends_at, 'infinity'::timestamptz), id);

CREATE TABLE orders (
    product_id uuid NOT NULL,
    id uuid NOT NULL,
    quantity int8 NOT NULL CHECK (quantity > 0),
    unit_price int8 NOT NULL,
    -- Both change once, when it is cancelled, which touches no index.
    cancelled_at timestamptz,
    status int2 NOT NULL,  -- 0: completed
    user_name text COLLATE "C" NOT NULL,
    metadata text,  -- NULL is {}
    purchase uuid,  -- NULL: nothing was to be paid
    idempotency_key uuid,
    fingerprint bytea,
    PRIMARY KEY (product_id, id)
) WITH (fillfactor = 95);
CREATE INDEX orders_by_user ON orders (product_id, user_name, id);
CREATE UNIQUE INDEX orders_by_key ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What happens to a product, or to its orders, lies with it: then scope_id is the product. Last,
-- because writers wait from here to the end.
ALTER TABLE events ADD COLUMN product_id uuid, ADD COLUMN quantity int8;
