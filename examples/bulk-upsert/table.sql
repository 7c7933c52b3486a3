CREATE TABLE products (
  sku text PRIMARY KEY,
  cents integer NOT NULL CHECK (cents > 0),
  -- The batch that the price came with; see upsert.sql.
  opened_at timestamptz NOT NULL,
  batch text COLLATE "C" NOT NULL
);
