//! One database and one role for each service, on whatever server there is; a role reaches its own database only.

use std::path::Path;

use jingwei_cluster::random_password;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor as _, PgConnection};

use crate::{Error, folder};

/// Makes what is missing of a service's database and role (`jingwei_grid` both), with a password kept in the folder. Answers with
/// the address of the database for that role. `server` is the address of a database for one who may create both.
///
/// # Errors
/// The server cannot be reached, or its user may not create databases and roles.
pub async fn ensure(server: &str, service: &str, dir: &Path) -> Result<String, Error> {
    let name = format!("jingwei_{service}");
    let password = password(&dir.join(format!("{service}.password")))?;
    let options: PgConnectOptions = server.parse()?;
    let mut connection =
        options.clone().disable_statement_logging().connect().await.map_err(|e| unreachable(&e))?;
    // Names and passwords are made here, of letters, digits and underscores.
    let exists = |sql: &'static str| sqlx::query_scalar::<_, bool>(sql).bind(&name);
    let role = if exists("select exists (select from pg_roles where rolname = $1)")
        .fetch_one(&mut connection)
        .await?
    {
        "alter"
    } else {
        "create"
    };
    run(&mut connection, format!("{role} role {name} login password '{password}'")).await?;
    if !exists("select exists (select from pg_database where datname = $1)")
        .fetch_one(&mut connection)
        .await?
    {
        run(&mut connection, format!("grant {name} to current_user")).await?;
        run(&mut connection, format!("create database {name} owner {name}")).await?;
    }
    run(&mut connection, format!("revoke connect on database {name} from public")).await?;
    connection.close().await?;
    let own = options.username(&name).password(&password).database(&name);
    Ok(own.to_url_lossy().to_string())
}

/// Keeps the roles out of the databases that the server came with.
///
/// # Errors
/// As `ensure`.
pub async fn close_others(server: &str) -> Result<(), Error> {
    let mut connection = PgConnection::connect(server).await.map_err(|e| unreachable(&e))?;
    for database in ["postgres", "template1"] {
        run(&mut connection, format!("revoke connect on database {database} from public")).await?;
    }
    Ok(connection.close().await?)
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// The password in the file; made where there is none.
fn password(path: &Path) -> Result<String, Error> {
    let password = folder::secret(path, || Ok(random_password()?.into_bytes()))?;
    Ok(String::from_utf8(password)?)
}

fn unreachable(error: &sqlx::Error) -> Error {
    format!("连不上数据库服务器：{error}\ncannot reach the database server: {error}").into()
}
