//! Ports for servers that are started later, or again at the same address.

use std::io;
use std::net::TcpListener;

/// Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): one of those may
/// be taken by any connection before the server starts, and again while it is down.
const RANGE: std::ops::Range<u16> = 10_240..32_768;
const ATTEMPTS: usize = 64;

/// A port of 127.0.0.1 on which nobody listens, chosen at random: others look for one at the same time.
///
/// # Errors
/// None was found, with the last reason.
pub fn free() -> io::Result<u16> {
    let mut found = Err(io::ErrorKind::AddrInUse.into());
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        found = TcpListener::bind(("127.0.0.1", port)).map(|_| port);
        if found.is_ok() {
            break;
        }
    }
    found
}
