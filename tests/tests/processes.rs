//! The suite as separate processes: starts, serves, stops in good order, and comes back after kill -9.

use jingwei_proto::access::v1::Role;
use jingwei_tests::{District, Error, Options, Processes};

#[tokio::test]
async fn processes_serve_and_come_back_where_they_were() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let options =
        Options { postgres: vec![("fsync".to_owned(), "off".to_owned())], ..Options::new(folder.path()) };
    let mut processes = Processes::start(options).await?;
    let districts = District::all();
    let district = &districts[0];
    processes.set_up(district).await?;
    let token = processes.token("administrator", Role::Administrator, &district.code.to_string())?;
    let url = format!("http://{}/v1/{}/areas", processes.gateway.address(), district.name());
    let get = async || {
        let answer = reqwest::Client::new().get(&url).bearer_auth(&token).send().await?;
        Ok::<_, reqwest::Error>(answer.status().as_u16())
    };
    assert_eq!(get().await?, 200);
    processes.grids[0].kill()?;
    assert_eq!(get().await?, 503);
    processes.kill_postgres()?;
    processes.restart_postgres().await?;
    processes.grids[0].start().await?;
    processes.gateway.ready().await?;
    assert_eq!(get().await?, 200);
    assert!(processes.gateway.stop().await?.success());
    assert!(processes.grids[0].stop().await?.success());
    Ok(())
}
