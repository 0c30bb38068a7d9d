//! Enterprises: the register.

use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder};

use crate::model::enterprise::Enterprise;
use crate::model::social_credit::SocialCreditCode;

/// Which enterprises of a district, in the order of their codes. An empty text is no condition.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// The district.
    pub district: i32,
    /// Of this industry.
    pub industry: &'a str,
    /// In this street or town.
    pub street: &'a str,
    /// That this officer looks after.
    pub liaison: &'a str,
}

/// A row; the code was checked when it was entered.
#[derive(sqlx::FromRow)]
struct Row {
    district: i32,
    code: String,
    display_name: String,
    industry: String,
    street: String,
    address: String,
    liaison: String,
    scale: i16,
    retired: bool,
    version: i64,
}

impl Row {
    fn enterprise(self) -> sqlx::Result<Enterprise> {
        let code: Result<SocialCreditCode, _> = self.code.parse();
        Ok(Enterprise {
            district: self.district,
            code: code.map_err(|fault| sqlx::Error::Decode(Box::new(fault)))?,
            display_name: self.display_name,
            industry: self.industry,
            street: self.street,
            address: self.address,
            liaison: self.liaison,
            scale: self.scale,
            retired: self.retired,
            version: self.version,
        })
    }
}

/// One enterprise.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    code: &SocialCreditCode,
) -> sqlx::Result<Option<Enterprise>> {
    let row = sqlx::query_as!(
        Row,
        "select district, code, display_name, industry, street, address, liaison, scale, retired, version
         from enterprise where district = $1 and code = $2",
        district,
        code.as_str(),
    )
    .fetch_optional(executor)
    .await?;
    row.map(Row::enterprise).transpose()
}

/// A page of enterprises after the code `after`, at most `limit`.
pub async fn list(
    pool: &PgPool,
    filter: &Filter<'_>,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Enterprise>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select district, code, display_name, industry, street, address, liaison, scale, retired, version
         from enterprise where district = ",
    );
    query.push_bind(filter.district).push(" and code > ").push_bind(after);
    for (column, wanted) in
        [("industry", filter.industry), ("street", filter.street), ("liaison", filter.liaison)]
    {
        if !wanted.is_empty() {
            query.push(" and ").push(column).push(" = ").push_bind(wanted);
        }
    }
    // Said in the words of the index enterprise_liaison.
    if !filter.liaison.is_empty() {
        query.push(" and liaison <> ''");
    }
    query.push(" order by code limit ").push_bind(limit);
    let rows: Vec<Row> = query.build_query_as().fetch_all(pool).await?;
    rows.into_iter().map(Row::enterprise).collect()
}

/// Enters an enterprise.
///
/// # Errors
/// `enterprise_pkey` where its code is in the register.
pub async fn insert(conn: &mut PgConnection, enterprise: &Enterprise) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into enterprise (district, code, display_name, industry, street, address, liaison, scale, retired, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        enterprise.district,
        enterprise.code.as_str(),
        enterprise.display_name,
        enterprise.industry,
        enterprise.street,
        enterprise.address,
        enterprise.liaison,
        enterprise.scale,
        enterprise.retired,
        enterprise.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes an enterprise over the version before it; false where it has another.
pub async fn update(conn: &mut PgConnection, enterprise: &Enterprise) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update enterprise set display_name = $3, industry = $4, street = $5, address = $6, liaison = $7, scale = $8, retired = $9,
           version = $10
         where district = $1 and code = $2 and version = $10::bigint - 1",
        enterprise.district,
        enterprise.code.as_str(),
        enterprise.display_name,
        enterprise.industry,
        enterprise.street,
        enterprise.address,
        enterprise.liaison,
        enterprise.scale,
        enterprise.retired,
        enterprise.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many enterprises at work a district has in each industry and each street or town, empty where not known.
pub async fn spread(pool: &PgPool, district: i32) -> sqlx::Result<Vec<(String, String, u32)>> {
    let rows = sqlx::query!(
        r#"select industry, street, count(*) as "count!" from enterprise
           where district = $1 and not retired group by industry, street"#,
        district,
    );
    let rows = rows.fetch_all(pool).await?.into_iter();
    Ok(rows.map(|row| (row.industry, row.street, u32::try_from(row.count).unwrap_or(u32::MAX))).collect())
}
