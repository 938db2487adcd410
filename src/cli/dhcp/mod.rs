//! `phoneprov dhcp`: what a DHCP server has to tell phones, so that their first question comes here.

mod block;
mod vendor;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use self::block::{Block, Tftp};
use self::vendor::{Acs, LONGEST};
use crate::config::{Config, Protocol};

/// Print the DHCP options that lead phones to this configuration's server.
///
/// Options 66, 159 and 160 have its URL, 150 its address where TFTP is on port 69. MPP phones read them in the order 66, 160,
/// 159, 150; ATA and SPA devices read 66 too. Options 43, 125 and, for IPv6, 17 name a TR-069 server, which this one is not:
/// they are comments, and in force with --acs. Kea and ISC DHCP have a file of its own for IPv6: --ipv6 prints that; what is printed for
/// dnsmasq and `RouterOS` has both.
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
    /// The TR-069 server of phones that say dslforum.org in option 60, for options 43 and 125, and 17 of IPv6.
    #[arg(long, value_name = "URL")]
    acs: Option<String>,
    /// Print the file for IPv6, for Kea and ISC DHCP.
    #[arg(long)]
    ipv6: bool,
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
    let text = match (args.dialect, args.ipv6) {
        (Dialect::Kea, false) => block.kea(),
        (Dialect::Kea, true) => block.kea6(),
        (Dialect::Isc, false) => block.isc(),
        (Dialect::Isc, true) => block.isc6(),
        (Dialect::Dnsmasq, _) => block.dnsmasq(),
        (Dialect::Mikrotik, _) => block.mikrotik(),
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
        let tftp = match (ip, port_of(Protocol::Tftp)) {
            (Some(ip), Some(69)) => Tftp::At(ip),
            (None, Some(69)) => Tftp::Nameless,
            (_, Some(_)) => Tftp::Elsewhere,
            (_, None) if self.address.is_some() => Tftp::Missing,
            (_, None) => Tftp::Nowhere,
        };
        let url = format!("{}://{host}{port}{path}", protocol.as_str());
        ensure!(url.len() <= LONGEST, "{url} has {} characters: expected {LONGEST} at the most", url.len());
        let named = self.acs.as_deref().map(acs).transpose()?;
        let is_acs_named = named.is_some();
        let acs = named.unwrap_or_else(|| Acs(url.clone()));
        Ok(Block { url, tftp, acs, is_acs_named })
    }
}

/// The URL of a TR-069 server, fit for every dialect's quotes.
fn acs(text: &str) -> anyhow::Result<Acs> {
    let is_http = ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\;,".contains(&byte));
    ensure!(
        is_http && is_plain && text.len() <= LONGEST,
        "--acs is `{text}`: expected http:// or https://, {LONGEST} characters at the most, and no spaces, quotes, `;`, `,` or `\\`"
    );
    Ok(Acs(text.to_owned()))
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
    fn an_acs_is_a_url_that_breaks_out_of_no_quotes() {
        assert!(acs("https://acs.example.com:7547/cwmp").is_ok());
        for text in ["", "http://", "ftp://a/", "http://a\";x", "http://a,b", &format!("http://{}", "a".repeat(240))] {
            assert!(acs(text).expect_err("refused").to_string().contains("expected http://"), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        assert_eq!(host("prov.example.com").ok().as_deref(), Some("prov.example.com"));
        assert_eq!(host("2001:db8::1").ok().as_deref(), Some("[2001:db8::1]"));
        for text in ["", "https://x", "a b", "x\"\ny", "a..b", "h:80"] {
            assert!(host(text).expect_err("refused").to_string().contains("expected a host's name"), "{text}");
        }
    }
}
