//! `[admin]`: where admins are answered, and how they are told without asking.

use crate::config::Admin;
use crate::config::problem::Found;
use crate::config::table::Row;
use std::net::IpAddr;
use std::net::SocketAddr;

const DISK_FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// What the table says. What is told there is for admins only, so that it takes a word more to put
/// it at a public address.
pub(crate) fn admin(row: &Row, found: &mut Found) -> Admin {
    let listen = row.socket("listen");
    if let Some(address) = listen.filter(|address| is_public(*address))
        && row.flag("allow_public") != Some(true)
    {
        found.add(
            format!("everybody could read what is for admins at `{address}`"),
            row.span("listen"),
            format!(
                "write `127.0.0.1:{}`, or a private address; or `allow_public = true` if something \
                 else keeps others out",
                address.port()
            ),
        );
    }
    let command: Vec<String> = row.words("command");
    if command.first().is_some_and(|program| !program.starts_with('/')) {
        let label = "write the whole path of the program first, such as `/usr/bin/mail`";
        found.add("`command` names no program by its path", row.span("command"), label);
    }
    Admin {
        listen,
        hosts: row.words("hosts").iter().map(|name| name.to_ascii_lowercase()).collect(),
        webhook: row.web("webhook"),
        command,
        disk_free_bytes_min: row.number("disk_free_min").unwrap_or(DISK_FREE_BYTES_MIN),
    }
}

/// Whether others than this machine and a private network reach it.
fn is_public(address: SocketAddr) -> bool {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}
