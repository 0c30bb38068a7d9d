//! `jingwei`: the whole suite on one machine (`up`), and tokens for it (`token`).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use jingwei_kit::clock::Clock;
use jingwei_kit::{serve, telemetry};
use jingwei_standalone::demo::{self, Demo};
use jingwei_standalone::keys::{Grant, LocalKey, read_role, read_scope};
use jingwei_standalone::{Error, Options, Suite, folder};
use time::Duration;
use tokio_util::sync::CancellationToken;

/// 经纬：整套系统在一台机器上运行。Jingwei: the whole suite on one machine.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// 启动数据库、服务和网关 / start the database, the services and the gateway
    Up(Up),
    /// 打印一个令牌 / print a token
    Token(Token),
}

#[derive(Args)]
struct Up {
    /// 网关端口，0 为任意空闲端口 / the gateway's port; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// 数据目录 / the data folder
    #[arg(long, default_value_os_t = folder::default_dir())]
    data_dir: PathBuf,
    /// 使用已有的 PostgreSQL（须可建库建角色）/ a PostgreSQL server that exists, as a user who may create databases and roles
    #[arg(long, env = "JINGWEI_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// 不载入示范区县 / do not load the demo district
    #[arg(long)]
    no_demo: bool,
    /// 示范区县不带历史 / the demo district without its history
    #[arg(long)]
    no_history: bool,
}

#[derive(Args)]
struct Token {
    /// 角色，如 grid-worker / the role, e.g. grid-worker
    #[arg(long, value_parser = read_role)]
    role: jingwei_proto::access::v1::Role,
    /// 范围：区划代码或资源名 / the scope: digits of a district or area, or a resource name
    #[arg(long, value_parser = read_scope)]
    scope: jingwei_kit::caller::Scope,
    /// 持有人 / who it stands for
    #[arg(long, default_value = "demo")]
    subject: String,
    /// 姓名 / the person's name
    #[arg(long)]
    name: Option<String>,
    /// 有效小时数 / valid for so many hours
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=8760))]
    hours: i64,
    /// 数据目录 / the data folder
    #[arg(long, default_value_os_t = folder::default_dir())]
    data_dir: PathBuf,
}

fn main() -> ExitCode {
    let done = match Command::parse().what {
        What::Up(up) => {
            tokio::runtime::Runtime::new().map_err(Error::from).and_then(|runtime| runtime.block_on(run(up)))
        }
        What::Token(token) => print_token(&token),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print_token(token: &Token) -> Result<(), Error> {
    let key = LocalKey::open(&token.data_dir)?;
    let grant = Grant { role: token.role, scope: token.scope.clone() };
    let (now, valid) = (Clock::system().now(), Duration::hours(token.hours));
    println!("{}", key.token(&token.subject, token.name.as_deref(), &grant, now, valid)?);
    Ok(())
}

async fn run(up: Up) -> Result<(), Error> {
    let mut settings = jingwei_kit::config::Settings::from_env("JINGWEI_");
    let options = telemetry::Options::read("jingwei", &mut settings);
    settings.finish()?;
    let telemetry = telemetry::start(options).await?;
    // Heard from the beginning: told so during the start, it stops in good order right after.
    let stop = CancellationToken::new();
    let (told, cancelled) = (tokio::spawn(serve::told_to_stop()), stop.clone());
    tokio::spawn(async move {
        // Where signals cannot be heard, the process ends by them as it would without this.
        if told.await.is_ok_and(|told| told.is_ok()) {
            cancelled.cancel();
        }
    });
    let clock = Clock::system();
    let options = Options { dir: up.data_dir, port: up.port, database_url: up.database_url, clock };
    let demo = match (up.no_demo, up.no_history) {
        (true, _) => Demo::None,
        (false, true) => Demo::District,
        (false, false) => Demo::History,
    };
    let worked = work(options, demo, &stop).await;
    telemetry.stop();
    worked
}

async fn work(options: Options, demo: Demo, stop: &CancellationToken) -> Result<(), Error> {
    let dir = options.dir.clone();
    Suite::can_listen(&options).await?;
    demo::load(&options, demo, stop).await?;
    if stop.is_cancelled() {
        return Ok(());
    }
    let suite = Suite::start(options).await?;
    announce(&suite, &dir);
    let worked = tokio::select! {
        () = suite.ended() => Err("有一个部分意外停止 / a part has stopped unexpectedly".into()),
        () = stop.cancelled() => Ok(()),
    };
    println!("正在停止…… / stopping…");
    let stopped = suite.stop().await;
    worked.and(stopped)
}

fn announce(suite: &Suite, dir: &Path) {
    let (gateway, grid, monitor) = (suite.gateway(), suite.grid(), suite.monitor());
    println!(
        "\n经纬已启动 / Jingwei is up
  网关 gateway   http://{gateway}        （JSON、gRPC、gRPC-Web；接口文档 API docs: http://{gateway}/docs）
  网格服务 grid   grpc://{grid}
  营商环境 monitor grpc://{monitor}
  数据目录 data   {}

  令牌 a token:   jingwei token --data-dir {0} --role grid-worker --scope 410182002011001
  按 Ctrl-C 停止 / Ctrl-C stops",
        dir.display()
    );
}
