//! Indexes and foreign keys: taken away before many rows come, and made again from what the catalogue said of them.

use futures::{StreamExt, TryStreamExt, stream};
use sqlx::{AssertSqlSafe, PgPool};

use super::rows::TABLES;

/// The constraints: foreign keys from and to the tables, primary keys and unique constraints of the tables. Foreign keys first.
const CONSTRAINTS: &str =
    "select format('%I', conname), conrelid::regclass::text, pg_get_constraintdef(oid), contype = 'f'
  from pg_constraint
  where contype in ('p', 'u') and conrelid = any($1::text[]::regclass[])
    or contype = 'f' and (conrelid = any($1::text[]::regclass[]) or confrelid = any($1::text[]::regclass[]))
  order by contype <> 'f', conrelid::regclass::text, conname";

/// The indexes that no constraint made.
const INDEXES: &str = "select format('%I', i.indexrelid::regclass::text), i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
  where i.indrelid = any($1::text[]::regclass[]) and c.oid is null order by 2, 1";

/// What is to be made again, in this order: what lies in one list can be made at the same time.
pub struct Taken {
    keys: Vec<String>,
    indexes: Vec<String>,
    foreign: Vec<String>,
}

/// Takes everything away that slows writing down; the statements that make it again come first from the catalogue itself.
pub async fn take_away(pool: &PgPool) -> sqlx::Result<Taken> {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let constraints: Vec<(String, String, String, bool)> =
        sqlx::query_as(CONSTRAINTS).bind(&tables).fetch_all(pool).await?;
    let indexes: Vec<(String, String, String)> =
        sqlx::query_as(INDEXES).bind(&tables).fetch_all(pool).await?;
    let mut taken = Taken { keys: Vec::new(), indexes: Vec::new(), foreign: Vec::new() };
    let mut transaction = pool.begin().await?;
    for (name, table, definition, foreign) in &constraints {
        let again = format!("alter table {table} add constraint {name} {definition}");
        if *foreign { &mut taken.foreign } else { &mut taken.keys }.push(again);
        let drop = format!("alter table {table} drop constraint {name}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *transaction).await?;
    }
    for (name, _, definition) in indexes {
        taken.indexes.push(definition);
        sqlx::raw_sql(AssertSqlSafe(format!("drop index {name}"))).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(taken)
}

impl Taken {
    /// Makes everything again, two at a time.
    pub async fn bring_back(self, pool: &PgPool) -> sqlx::Result<()> {
        for statements in [self.keys, self.indexes, self.foreign] {
            let each = stream::iter(statements)
                .map(|sql| async move { sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(|_| ()) });
            each.buffer_unordered(2).try_collect::<()>().await?;
        }
        Ok(())
    }
}

/// Tells the planner about the tables, and marks their pages as seen: else the server does it by itself, in the middle of what is
/// measured then.
pub async fn settle(pool: &PgPool) -> sqlx::Result<()> {
    let each = stream::iter(TABLES.iter().map(|table| table.name)).map(|table| async move {
        let sql = format!("vacuum (analyze) {table}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(|_| ())
    });
    each.buffer_unordered(2).try_collect::<()>().await
}
