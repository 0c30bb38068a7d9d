//! What the pid file of a data folder says of its server.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::Path;

/// The state of a data folder's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No server; a pid file may be left of one that was killed.
    Stopped,
    /// It starts, recovers or stops.
    Busy,
    /// It takes connections on this port.
    Ready(u16),
}

impl State {
    /// Reads `postmaster.pid`: pid, folder, start time, port, two addresses, shared memory, status. `data` is canonical.
    pub(crate) fn of(data: &Path) -> Self {
        let Ok(file) = fs::read_to_string(data.join("postmaster.pid")) else { return Self::Stopped };
        let lines: Vec<&str> = file.lines().map(str::trim).collect();
        let port = lines.get(3).and_then(|port| port.parse().ok());
        let Some(pid) = lines.first().and_then(|pid| pid.parse().ok()) else { return Self::Stopped };
        match port {
            _ if !is_server(pid, data) => Self::Stopped,
            Some(port) if lines.get(7) == Some(&"ready") && answers(port) => Self::Ready(port),
            _ => Self::Busy,
        }
    }
}

/// Removes the pid file of a server that is no more: PostgreSQL would not start where the pid belongs to another process by now.
pub(crate) fn clear(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join("postmaster.pid")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the process is a server of this folder; without /proc, whether there is such a process.
fn is_server(pid: u32, data: &Path) -> bool {
    if !Path::new("/proc/self").exists() {
        let asked = std::process::Command::new("ps").args(["-p", &pid.to_string()]).output();
        return asked.is_ok_and(|asked| asked.status.success());
    }
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut arguments = command.split(|byte| *byte == 0);
    arguments.any(|argument| argument == data.as_os_str().as_encoded_bytes())
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
