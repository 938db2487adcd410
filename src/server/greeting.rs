//! What a person sees at the start: what listens where, where things are, and what to try next.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::authority::Prepared;
use crate::config::{Config, IntakeProtocol, Protocol};

/// A profile that is ours, for a first try.
const SAMPLE: &str = "basic.txt";

/// Where the admin surface, syslog, and the intake of files are.
type Others<'a> = (Option<SocketAddr>, Option<SocketAddr>, &'a [(IntakeProtocol, SocketAddr)]);

/// Prints it to standard error: standard output is the log's.
pub(super) fn print(config: &Config, listening: &[(Protocol, SocketAddr)], others: Others<'_>, lab: Option<&Prepared>) {
    // A closed terminal stops no server.
    let _ = std::io::stderr().write_all(text(config, listening, others, lab).as_bytes());
}

fn text(config: &Config, listening: &[(Protocol, SocketAddr)], others: Others<'_>, lab: Option<&Prepared>) -> String {
    let mut text = format!("phoneprov {} is ready\n", env!("CARGO_PKG_VERSION"));
    for (protocol, address) in listening {
        let _ = writeln!(text, "  {:<9} {protocol}://{}", "listens", local(*address));
    }
    let (admin, syslog, intake) = others;
    if let Some(syslog) = syslog {
        let _ = writeln!(text, "  {:<9} syslog://{}", "listens", local(syslog));
    }
    for (protocol, address) in intake {
        let path = match protocol {
            IntakeProtocol::Http | IntakeProtocol::Https => "/home/",
            IntakeProtocol::Sftp | IntakeProtocol::Ftp | IntakeProtocol::Ftps => "",
        };
        let _ = writeln!(text, "  {:<9} {}://{}{path}", "intake", protocol.as_str(), local(*address));
    }
    if let Some(admin) = admin {
        let _ = writeln!(text, "  {:<9} http://{admin}/healthz /readyz /metrics", "admin");
    }
    let _ = writeln!(text, "  {:<9} {}", "profiles", config.profiles.display());
    if let Some(lab) = lab {
        let made = if lab.is_new { ", made just now" } else { "" };
        let folder = lab.authority.parent().unwrap_or(&lab.authority);
        let _ = writeln!(text, "  {:<9} {} (lab only{made})", "certs", folder.display());
    }
    let tries = tries(listening, lab, &config.profiles);
    if !tries.is_empty() {
        let _ = writeln!(text, "try");
        for command in tries {
            let _ = writeln!(text, "  {command}");
        }
    }
    text
}

fn tries(listening: &[(Protocol, SocketAddr)], lab: Option<&Prepared>, profiles: &Path) -> Vec<String> {
    let on = |wanted: Protocol| {
        let (_, address) = listening.iter().find(|(protocol, _)| *protocol == wanted)?;
        Some(local(*address))
    };
    let mut tries = Vec::new();
    // The sample that comes with us; who has put other profiles in its place knows their names.
    if profiles.join(SAMPLE).is_file() {
        tries.extend(on(Protocol::Http).map(|at| format!("curl http://{at}/{SAMPLE}")));
        tries.extend(on(Protocol::Tftp).map(|at| format!("curl tftp://{at}/{SAMPLE}")));
    }
    if let (Some(at), Some(lab)) = (on(Protocol::Https), lab)
        && let Some(phone) = lab.phones.first()
    {
        let (ca, certificate, key) = (lab.authority.display(), phone.certificate.display(), phone.key.display());
        let mac = phone.certificate.file_stem().unwrap_or_default().to_string_lossy().replace("phone-", "");
        tries.push(format!("curl --cacert {ca} --cert {certificate} --key {key} https://{at}/{mac}.cfg"));
    }
    tries
}

/// The address as this host reaches it: all addresses are tried by way of localhost.
fn local(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
