//! PostgreSQL's programs: where they are, and as whom they run.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::ClusterError;

/// The programs of one installation, and the user that they run as where that is not the present one.
#[derive(Debug)]
pub(crate) struct Programs {
    bin: PathBuf,
    user: Option<(u32, u32)>,
}

impl Programs {
    /// The newest installation: `$PG_BIN`, pg_config's, Debian's, Homebrew's.
    pub(crate) fn find() -> Result<Self, ClusterError> {
        let has_programs = |bin: &PathBuf| bin.join("initdb").exists() && bin.join("pg_ctl").exists();
        let bin = candidates().into_iter().find(has_programs).ok_or(ClusterError::NotInstalled)?;
        Ok(Self {
            bin,
            user: if is_root() { Some(unprivileged_user().ok_or(ClusterError::NoUser)?) } else { None },
        })
    }

    /// Gives the folder to the user that the programs run as, who must be able to reach it.
    pub(crate) fn enter(&self, dir: &Path) -> Result<(), ClusterError> {
        let Some((uid, gid)) = self.user else { return Ok(()) };
        for above in dir.ancestors().skip(1) {
            let found = fs::metadata(above)
                .map_err(|error| ClusterError::Folder { path: above.to_owned(), error })?;
            let may_enter = if found.uid() == uid {
                0o100
            } else if found.gid() == gid {
                0o010
            } else {
                0o001
            };
            if found.mode() & may_enter == 0 {
                return Err(ClusterError::Closed(above.to_owned()));
            }
        }
        self.give(dir)
    }

    /// Gives a file or folder to the user that the programs run as.
    pub(crate) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        let Some((uid, gid)) = self.user else { return Ok(()) };
        chown(path, Some(uid), Some(gid))
            .map_err(|error| ClusterError::Folder { path: path.to_owned(), error })
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &'static str, arguments: &[&str]) -> Result<(), ClusterError> {
        let failed = |output: String| ClusterError::Program { program, output };
        let mut command = Command::new(self.bin.join(program));
        // A folder that the user may not enter would fail the program; locale and PG* of the caller are not its business.
        command
            .args(arguments)
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8");
        // pg_ctl leaves a server behind, which must not hold our output or die with our terminal's Ctrl-C.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if program == "initdb" {
            command.stderr(Stdio::piped());
        }
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let done = command.output().map_err(|e| failed(e.to_string()))?;
        if done.status.success() {
            return Ok(());
        }
        Err(failed(format!(
            "{} {}{}",
            done.status,
            String::from_utf8_lossy(&done.stderr),
            log_tail(arguments)
        )))
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = env::var_os("PG_BIN").map(PathBuf::from).into_iter().collect();
    let mut installed: Vec<(u32, PathBuf)> = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| {
            let version = path.file_name()?.to_str()?.trim_start_matches("postgresql@").parse().ok()?;
            Some((version, path.join("bin")))
        })
        .collect();
    installed.sort();
    if let Ok(told) = Command::new("pg_config").arg("--bindir").output() {
        found.push(PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    }
    found.extend(installed.into_iter().rev().map(|(_, bin)| bin));
    found
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The ids of `postgres`, else `nobody`.
fn unprivileged_user() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody"))
}

/// The end of the server's log, which says why it did not start.
fn log_tail(arguments: &[&str]) -> String {
    let log = arguments.iter().skip_while(|argument| **argument != "-l").nth(1);
    let text = log.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
