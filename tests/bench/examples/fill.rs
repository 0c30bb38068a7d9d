//! Fills a database by hand: `fill DATABASE_URL EVENTS [DAYS [DATA_KEY]]`; says how long it took and how big the tables are.

use jingwei_bench::fill::{Options, fill};
use jingwei_grid::seal::Keyring;
use jingwei_kit::clock::Clock;
use jingwei_kit::config::Secret;
use sqlx::PgPool;

/// Seals numbers where no key is given: a service must have the same to open them.
const DATA_KEY: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const SIZES: &str = "select relname::text, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) from pg_class
  where relkind = 'r' and relnamespace = 'public'::regnamespace order by pg_total_relation_size(oid) desc limit 10";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: fill DATABASE_URL EVENTS [DAYS [DATA_KEY]]";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, events, rest @ ..] = &arguments[..] else { return Err(usage.into()) };
    let days = rest.first().map_or(Ok(365), |days| days.parse())?;
    let key = rest.get(1).map_or(DATA_KEY, String::as_str);
    let options = Options {
        events: events.parse()?,
        districts: Vec::new(),
        now: Clock::system().now(),
        days,
        seed: 1,
        data_keys: Keyring::parse(&Secret::new(key)).ok_or(usage)?,
    };
    println!("{:?}", fill(url, &options).await?);
    let pool = PgPool::connect(url).await?;
    let sizes: Vec<(String, i64, i64, i64)> = sqlx::query_as(SIZES).fetch_all(&pool).await?;
    println!("{:<24} {:>12} {:>10} {:>10}", "table", "rows", "MB", "index MB");
    for (table, rows, bytes, index) in sizes {
        println!("{table:<24} {rows:>12} {:>10} {:>10}", bytes >> 20, index >> 20);
    }
    Ok(())
}
