//! `phoneprov dhcp`: what a DHCP server has to tell phones, so that their first question comes here.

mod block;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use self::block::Block;
use crate::config::{Config, Protocol};

/// Print the DHCP options that lead phones to this configuration's server.
///
/// Options 66, 159 and 160 have its URL, 150 its address where TFTP is on port 69. MPP phones read them in the order 66, 160,
/// 159, 150; ATA and SPA devices read 66 too. What options 43, 125 and, for IPv6, 17 hold is said in the output.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The DHCP server that it is for.
    #[arg(long = "for", value_enum, value_name = "SERVER")]
    dialect: Dialect,
    /// The name or address that phones reach this server by; its certificate has to have it.
    #[arg(long, value_name = "HOST")]
    server: String,
    /// The path of the first question; without it the phone asks for its own first name, such as /8841-3PCC.xml.
    #[arg(long)]
    path: Option<String>,
    /// The server's IPv4 address for option 150, where HOST is a name.
    #[arg(long)]
    address: Option<Ipv4Addr>,
    /// The configuration file, whose listeners count.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// A DHCP server, by how its configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Dialect {
    /// ISC Kea: JSON.
    Kea,
    /// ISC DHCP: dhcpd.conf.
    Isc,
    /// dnsmasq.
    Dnsmasq,
    /// `RouterOS`, as its terminal takes it.
    Mikrotik,
}

/// Where a scheme is understood without a port.
const fn standard_port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Https => 443,
        Protocol::Http => 80,
        Protocol::Tftp => 69,
    }
}

/// Prints the block.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config)?;
    let block = args.block(&config)?;
    let text = match args.dialect {
        Dialect::Kea => block.kea(),
        Dialect::Isc => block.isc(),
        Dialect::Dnsmasq => block.dnsmasq(),
        Dialect::Mikrotik => block.mikrotik(),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn block(&self, config: &Config) -> anyhow::Result<Block> {
        let host = host(&self.server)?;
        let path = self.path.as_deref().unwrap_or_default();
        let is_path = path.is_empty() || path.starts_with('/');
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\;".contains(&byte));
        ensure!(is_path && is_plain, "--path is `{path}`: expected a `/`, and no spaces, quotes, `;` or `\\`");
        let port_of = |protocol| {
            let mut ports = config.listen.iter().filter(|listen| listen.protocol() == protocol);
            ports.next().map(|listen| listen.address.port())
        };
        let best = [Protocol::Https, Protocol::Http, Protocol::Tftp];
        let best = best.into_iter().find_map(|protocol| Some((protocol, port_of(protocol)?)));
        let (protocol, port) = best.context("the configuration has no listener")?;
        let port = if port == standard_port(protocol) { String::new() } else { format!(":{port}") };
        let ip = self.server.parse::<Ipv4Addr>().ok().or(self.address);
        let is_tftp_open = port_of(Protocol::Tftp) == Some(69);
        Ok(Block { url: format!("{}://{host}{port}{path}", protocol.as_str()), tftp: ip.filter(|_| is_tftp_open) })
    }
}

/// The host as a URL has it.
fn host(text: &str) -> anyhow::Result<String> {
    match text.parse() {
        Ok(IpAddr::V6(address)) => return Ok(format!("[{address}]")),
        Ok(IpAddr::V4(address)) => return Ok(address.to_string()),
        Err(_) => {}
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(is_label);
    ensure!(is_name, "--server is `{text}`: expected a host's name or address, without scheme, port and path");
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        assert_eq!(host("prov.example.com").ok().as_deref(), Some("prov.example.com"));
        assert_eq!(host("2001:db8::1").ok().as_deref(), Some("[2001:db8::1]"));
        for text in ["", "https://x", "a b", "x\"\ny", "a..b", "h:80"] {
            assert!(host(text).expect_err("refused").to_string().contains("expected a host's name"), "{text}");
        }
    }
}
