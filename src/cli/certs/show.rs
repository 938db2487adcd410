//! `phoneprov certs show`: what a certificate says, and which device the server reads from it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;

use super::validity;
use crate::certificate::{self, Block, Details, Fingerprint, Reader};
use crate::config::Config;
use crate::trust;

/// Show what each certificate of a file says, and which device the server reads from it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A PEM file (one certificate or a chain) or a DER certificate.
    file: PathBuf,
    /// Read devices as a server with this configuration does: by its mappings, and without its faulty runs. Without it,
    /// only the layouts of factory certificates count.
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is in a file; the form of `--json`.
#[derive(Serialize)]
struct Report {
    certificates: Vec<Certificate>,
    /// PEM labels of private keys: they are named and never shown.
    private_keys: Vec<String>,
    /// PEM labels of everything else.
    other: Vec<String>,
}

/// A certificate in words.
#[derive(Serialize)]
pub(super) struct Certificate {
    subject: Vec<Attribute>,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    validity: String,
    key: String,
    key_bits: usize,
    signature: String,
    alternative_names: Vec<String>,
    is_ca: bool,
    sha256: String,
    /// What the server reads from it, or why it reads nobody.
    device: Option<Device>,
    no_device: Option<String>,
}

#[derive(Serialize)]
struct Attribute {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Device {
    mac: Option<String>,
    serial: Option<String>,
    model: Option<String>,
}

/// Prints the file's certificates. The exit code is 0 when the file could be read, whoever it names.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = args.file.display();
    let file = trust::read(&args.file)?;
    let reader = match &args.config {
        Some(config) => Config::load(config)?.certificates,
        None => Reader::default(),
    };
    let report = report(&file, &reader, Timestamp::now()).with_context(|| format!("cannot show `{name}`"))?;
    let out = &mut io::stdout().lock();
    if args.json {
        crate::cli::json(out, &report)?;
    } else {
        print(&report, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(file: &[u8], reader: &Reader, now: Timestamp) -> anyhow::Result<Report> {
    let mut report = Report { certificates: Vec::new(), private_keys: Vec::new(), other: Vec::new() };
    for block in certificate::blocks(file)? {
        match block {
            Block::Certificate(der) => {
                let number = report.certificates.len() + 1;
                let details =
                    certificate::details(&der).with_context(|| format!("certificate {number} of the file"))?;
                report.certificates.push(Certificate::new(&der, details, reader, now));
            }
            Block::PrivateKey(label) => report.private_keys.push(label),
            Block::Other(label) => report.other.push(label),
        }
    }
    Ok(report)
}

impl Certificate {
    /// What stands in it, and whom the server reads from it.
    pub(super) fn new(der: &[u8], details: Details, reader: &Reader, now: Timestamp) -> Self {
        let (device, no_device) = match reader.device(der) {
            Ok(device) => {
                let mac = device.mac().map(|mac| mac.to_string());
                let serial = device.serial().map(ToString::to_string);
                (Some(Device { mac, serial, model: device.model().map(ToString::to_string) }), None)
            }
            Err(reason) => (None, Some(reason.to_string())),
        };
        Self {
            validity: validity(&details, now),
            subject: details.subject.into_iter().map(|(name, value)| Attribute { name, value }).collect(),
            issuer: details.issuer,
            serial: details.serial,
            not_before: details.not_before.to_string(),
            not_after: details.not_after.to_string(),
            key: details.key.kind,
            key_bits: details.key.bits,
            signature: details.signature,
            alternative_names: details.alternative_names,
            is_ca: details.is_ca,
            sha256: Fingerprint::of(der).to_string(),
            device,
            no_device,
        }
    }
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for label in &report.private_keys {
        writeln!(out, "{label}: a private key, of which nothing is shown; its certificate is another file or block")?;
    }
    for label in &report.other {
        writeln!(out, "{label}: not a certificate")?;
    }
    for (index, certificate) in report.certificates.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if report.certificates.len() > 1 {
            writeln!(out, "certificate {} of {}", index + 1, report.certificates.len())?;
        }
        print_certificate(certificate, out)?;
    }
    Ok(())
}

/// Prints it for people.
pub(super) fn print_certificate(certificate: &Certificate, out: &mut impl Write) -> io::Result<()> {
    let mut label = "subject";
    for Attribute { name, value } in &certificate.subject {
        writeln!(out, "{label:<11}{name} = {value}")?;
        label = "";
    }
    writeln!(out, "issuer     {}", certificate.issuer)?;
    writeln!(out, "serial     {}", certificate.serial)?;
    writeln!(out, "valid      {} to {}, {}", certificate.not_before, certificate.not_after, certificate.validity)?;
    writeln!(
        out,
        "key        {} {} bits, signed with {}",
        certificate.key, certificate.key_bits, certificate.signature
    )?;
    if !certificate.alternative_names.is_empty() {
        writeln!(out, "names      {}", certificate.alternative_names.join(", "))?;
    }
    if certificate.is_ca {
        writeln!(out, "authority  yes: it may sign others")?;
    }
    writeln!(out, "SHA-256    {}", certificate.sha256)?;
    match (&certificate.device, &certificate.no_device) {
        (Some(device), _) => writeln!(out, "device     {device}"),
        (None, reason) => writeln!(out, "device     none: {}", reason.as_deref().unwrap_or_default()),
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [("MAC", &self.mac), ("serial", &self.serial), ("model", &self.model)];
        let named: Vec<String> =
            parts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_deref()?))).collect();
        f.write_str(&named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Existing};

    fn shown(file: &[u8]) -> String {
        let mut out = Vec::new();
        print(&report(file, &Reader::default(), Timestamp::now()).expect("a report"), &mut out).expect("printed");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_chain_file_is_shown_certificate_by_certificate() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::create(folder.path()).expect("an authority");
        let phone = "000e08abcdef,SPA504G,88012BA01234".parse().expect("a phone");
        let issued = authority.phone(&phone, Existing::Keep).expect("a certificate");
        let files = [issued.certificate, authority.certificate(), issued.key];
        let chain = files.map(|path| std::fs::read(path).expect("a file")).concat();
        let text = shown(&chain);
        for expected in [
            "PRIVATE KEY: a private key, of which nothing is shown",
            "certificate 1 of 2\nsubject    OU = SPA504G\n           L = 88012BA01234\n           ST = 000e08abcdef\n",
            "issuer     O=phoneprov, CN=phoneprov lab authority\n",
            ", expires in 365",
            "key        RSA 2048 bits, signed with sha256WithRSAEncryption\n",
            "device     MAC 000e08abcdef, serial 88012BA01234, model SPA504G\n",
            "authority  yes: it may sign others\nSHA-256    ",
            "\ndevice     none: no field names a device (CN is \"phoneprov lab",
        ] {
            assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
        }
    }

    #[test]
    fn the_report_is_the_same_in_json() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::create(folder.path()).expect("an authority");
        let file = std::fs::read(authority.certificate()).expect("a file");
        let json =
            serde_json::to_value(report(&file, &Reader::default(), Timestamp::now()).expect("a report")).expect("JSON");
        assert_eq!(json["certificates"][0]["subject"][0]["value"], "phoneprov");
        assert_eq!(json["certificates"][0]["is_ca"], true);
        assert!(json["certificates"][0]["device"].is_null());
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let error = report(b"hello", &Reader::default(), Timestamp::now()).err().expect("an error").to_string();
        assert!(error.starts_with("neither PEM nor DER"), "{error}");
    }
}
