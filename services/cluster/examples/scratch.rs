//! Runs a command with `DATABASE_URL` naming an empty database on a cluster of its own, which is gone afterwards:
//! `cargo run -p jingwei-cluster --example scratch -- COMMAND ARGUMENT…`. For checks that need a PostgreSQL.

use std::error::Error;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, ExitCode};
use std::{env, fs};

use jingwei_cluster::{Cluster, Options, random_password};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().ok_or("no command given")?;
    let dir = env::temp_dir().join(format!("jingwei-scratch-{}", random_password()?));
    fs::create_dir(&dir)?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
    let settings = vec![("fsync".to_owned(), "off".to_owned())];
    let cluster = Cluster::start(&Options { dir: dir.clone(), port: None, settings })?;
    let done = Command::new(program).args(arguments).env("DATABASE_URL", cluster.url("postgres")).status();
    cluster.stop()?;
    fs::remove_dir_all(&dir)?;
    Ok(if done?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
