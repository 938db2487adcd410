//! `phoneprov certs lab`: the lab authority, the server's certificate, and one for each phone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;

use super::validity;
use crate::authority::{Authority, Existing, HostName, Issued, LabPhone, Outcome};
use crate::certificate::{self, Block, Details};
use crate::trust;

/// Make certificates for a lab: an authority, the server's certificate, and one for each phone.
///
/// What is there already is kept. The authority is ca.pem, the server's certificate server.pem, that of a phone
/// phone-MAC.pem; the private keys (.key, mode 0600) lie beside them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to keep them in.
    #[arg(long, value_name = "FOLDER", default_value = "certs/lab")]
    dir: PathBuf,
    /// A further name or address under which phones reach the server; may be repeated.
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<HostName>,
    /// A phone that gets a certificate; may be repeated. Unless given, MODEL and SERIAL are those of the certificate that it
    /// has; without one, MODEL is CP-8841-3PCC and SERIAL is made from MAC.
    #[arg(long = "phone", value_name = "MAC[,MODEL[,SERIAL]]")]
    phones: Vec<LabPhone>,
    /// Make the server's certificate and those of the phones named here anew, for the keys that they have.
    #[arg(long)]
    renew: bool,
}

/// Makes what is missing and prints a line for each certificate.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    make(args, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn make(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let existing = if args.renew { Existing::Renew } else { Existing::Keep };
    let had = args.dir.join("ca.pem").try_exists().unwrap_or(false);
    let authority = Authority::open_or_create(&args.dir)?;
    let outcome = if had { Outcome::Kept } else { Outcome::Made };
    let path = authority.certificate();
    line(out, outcome, &path, &format!("the lab authority, {}", validity(&read(&path)?, Timestamp::now())))?;

    let server = authority.server(&args.names, existing)?;
    let details = read(&server.certificate)?;
    let names = details.alternative_names.join(", ");
    line(out, server.outcome, &server.certificate, &format!("for {names}, {}", validity(&details, Timestamp::now())))?;
    let missing = |name: &&HostName| !details.alternative_names.contains(&name.to_string());
    for name in args.names.iter().filter(missing) {
        writeln!(
            out,
            "         it does not name {name}: run again with --renew to make it anew with that name as well"
        )?;
    }
    for phone in &args.phones {
        self::phone(out, phone, &authority.phone(phone, existing)?)?;
    }
    Ok(())
}

fn phone(out: &mut impl Write, phone: &LabPhone, issued: &Issued) -> anyhow::Result<()> {
    let details = read(&issued.certificate)?;
    let subject: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = format!("{}, {}", subject.join(", "), validity(&details, Timestamp::now()));
    line(out, issued.outcome, &issued.certificate, &text)?;
    let phone = phone.or_as_in(&details);
    let asked = format!("OU={}, L={}, ST={}", phone.model, phone.serial, phone.mac);
    if subject.join(", ") != asked {
        writeln!(out, "         it does not say {asked}: run again with --renew to make it anew")?;
    }
    Ok(())
}

fn line(out: &mut impl Write, outcome: Outcome, path: &Path, text: &str) -> io::Result<()> {
    let outcome = match outcome {
        Outcome::Made => "made",
        Outcome::Renewed => "renewed",
        Outcome::Kept => "kept",
    };
    writeln!(out, "{outcome:<8} {}: {text}", path.display())
}

fn read(path: &Path) -> anyhow::Result<Details> {
    let file = trust::read(path)?;
    let blocks = certificate::blocks(&file).with_context(|| format!("`{}`", path.display()))?;
    let der = blocks.iter().find_map(|block| match block {
        Block::Certificate(der) => Some(der),
        Block::PrivateKey(_) | Block::Other(_) => None,
    });
    let der = der.with_context(|| format!("`{}` holds no certificate", path.display()))?;
    certificate::details(der).with_context(|| format!("`{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(options: &[&str]) -> Result<Args, clap::Error> {
        Command::try_parse_from([&["lab"], options].concat()).map(|command| command.args)
    }

    fn lab(folder: &Path, options: &[&str]) -> String {
        let folder = folder.to_str().expect("a folder in UTF-8");
        let mut out = Vec::new();
        make(&parsed(&[&["--dir", folder], options].concat()).expect("options"), &mut out).expect("made");
        String::from_utf8(out).expect("text").replace(&format!("{folder}/"), "")
    }

    #[test]
    fn the_first_run_makes_and_the_second_keeps() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = ["--phone", "00:0e:08:ab:cd:ef", "--phone", "2c3124c9f8e1,CP-8861,FCH2133E8B9"];
        let first = lab(folder.path(), &options);
        let lines: Vec<&str> = first.lines().map(|line| line.split(", expires").next().unwrap_or_default()).collect();
        let expected = [
            "made     ca.pem: the lab authority",
            "made     server.pem: for localhost, 127.0.0.1, ::1",
            "made     phone-000e08abcdef.pem: OU=CP-8841-3PCC, L=FCH0ROU6UI7, ST=000e08abcdef",
            "made     phone-2c3124c9f8e1.pem: OU=CP-8861, L=FCH2133E8B9, ST=2c3124c9f8e1",
        ];
        assert_eq!(lines, expected);
        assert_eq!(lab(folder.path(), &options), first.replace("made", "kept"));
    }

    #[test]
    fn a_kept_certificate_that_says_something_else_is_pointed_out() {
        let folder = tempfile::tempdir().expect("a folder");
        lab(folder.path(), &["--phone", "000e08abcdef"]);
        let options = ["--name", "prov.lab", "--phone", "000e08abcdef,SPA504G"];
        let kept = lab(folder.path(), &options);
        assert!(kept.contains("it does not name prov.lab: run again with --renew"), "{kept}");
        assert!(kept.contains("it does not say OU=SPA504G, L=FCH0ROU6UI7"), "{kept}");
        let renewed = lab(folder.path(), &[&options[..], &["--renew"]].concat());
        assert!(renewed.contains("renewed  server.pem: for localhost, 127.0.0.1, ::1, prov.lab, expires"), "{renewed}");
        assert!(renewed.contains("renewed  phone-000e08abcdef.pem: OU=SPA504G"), "{renewed}");
    }

    #[test]
    fn a_renewed_certificate_keeps_what_is_not_said_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        lab(folder.path(), &["--phone", "2c3124c9f8e1,CP-8861,FCH2133E8B9"]);
        for (phone, subject) in [
            ("2c3124c9f8e1", "OU=CP-8861, L=FCH2133E8B9"),
            ("2c3124c9f8e1,CP-7841", "OU=CP-7841, L=FCH2133E8B9"),
            ("2C31.24C9.F8E1,CP-7841,FCH2133E8B8", "OU=CP-7841, L=FCH2133E8B8"),
        ] {
            let renewed = lab(folder.path(), &["--phone", phone, "--renew"]);
            let line = format!("renewed  phone-2c3124c9f8e1.pem: {subject}, ST=2c3124c9f8e1");
            assert!(renewed.contains(&line) && !renewed.contains("does not say"), "{renewed}");
        }
        let kept = lab(folder.path(), &["--phone", "2c3124c9f8e1"]);
        assert!(kept.contains("kept     phone-") && !kept.contains("does not say"), "{kept}");
    }

    #[test]
    fn a_wrong_part_of_a_phone_is_named() {
        let error = parsed(&["--phone", "000e08abcdef,a/b"]).expect_err("no model").to_string();
        assert!(error.contains("--phone <MAC[,MODEL[,SERIAL]]>': the model is wrong: `a/b`"), "{error}");
        let error = parsed(&["--name", "https://prov"]).expect_err("no host").to_string();
        assert!(error.contains("`https://prov` is not a host name"), "{error}");
    }
}
