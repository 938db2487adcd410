//! An authority of openssl's: what it issues, when that ends, and what it takes back; and servers that trust it on a
//! listener of each kind.

use std::fmt::Write as _;
use std::fs;

use tempfile::TempDir;

use crate::legacy::Certificate;
use crate::outsider::{Answer, curl, openssl};
use crate::server::Server;
use crate::site::{Site, config, lab};

/// An authority with its folder; one key serves all that it issues.
pub(crate) struct Authority {
    folder: TempDir,
    subject: String,
}

/// The times of openssl's options.
pub(crate) fn days_from_now(days: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    then.strftime("%Y%m%d%H%M%SZ").to_string()
}

impl Authority {
    /// One with this name: `/O=Example/CN=Phone CA`.
    pub(crate) fn new(subject: &str) -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("room for a folder"), subject: subject.to_owned() };
        authority.write("index.txt", "");
        authority.write("serial", "1000\n");
        authority.write("crlnumber", "01\n");
        authority.write("openssl.cnf", &CONFIG.replace("FOLDER", &authority.folder.path().display().to_string()));
        authority.keygen("phone.key");
        authority.keygen("ca.key");
        let [config, key, ca] = ["openssl.cnf", "ca.key", "ca.pem"].map(|file| authority.file(file));
        let request = ["req", "-config", &config, "-x509", "-key", &key, "-out", &ca, "-days", "3650", "-sha256"];
        openssl(&[&request[..], &["-subj", subject, "-extensions", "middle"]].concat(), b"");
        authority
    }

    fn keygen(&self, name: &str) {
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &self.file(name)], b"");
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.file(name), content).expect("room for a file");
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Its certificate.
    pub(crate) fn ca(&self) -> String {
        self.file("ca.pem")
    }

    /// Its name, as openssl takes it.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// A phone's certificate with this subject, and more options of `openssl ca`.
    pub(crate) fn issue(&self, name: &str, subject: &str, options: &[&str]) -> Certificate {
        self.sign(name, subject, &self.file("phone.key"), options)
    }

    /// One of the guides' layout.
    pub(crate) fn phone(&self, name: &str, mac: &str, options: &[&str]) -> Certificate {
        self.issue(name, &format!("/OU=CP-8841-3PCC/L=FCH2133E8B9/ST={mac}"), options)
    }

    /// The same, from one day to another, counted from now.
    pub(crate) fn phone_between(&self, name: &str, mac: &str, from: i64, to: i64) -> Certificate {
        self.phone(name, mac, &["-startdate", &days_from_now(from), "-enddate", &days_from_now(to)])
    }

    /// Signs the certificate of an authority below.
    pub(crate) fn sign_authority(&self, below: &Self) -> Certificate {
        self.sign("below", below.subject(), &below.file("ca.key"), &["-extensions", "middle"])
    }

    fn sign(&self, name: &str, subject: &str, key: &str, options: &[&str]) -> Certificate {
        let [config, request, pem] =
            [self.file("openssl.cnf"), self.file(&format!("{name}.csr")), self.file(&format!("{name}.pem"))];
        let new = ["req", "-config", &config, "-new", "-utf8", "-key", key, "-out", &request, "-subj", subject];
        openssl(&new, b"");
        let sign =
            ["ca", "-config", &config, "-batch", "-notext", "-preserveDN", "-utf8", "-in", &request, "-out", &pem];
        openssl(&[&sign[..], options].concat(), b"");
        Certificate { pem, key: key.to_owned() }
    }

    /// Takes a certificate back.
    pub(crate) fn revoke(&self, certificate: &Certificate) {
        openssl(&["ca", "-config", &self.file("openssl.cnf"), "-revoke", &certificate.pem], b"");
    }

    /// Its list of what it took back so far, PEM; `options` of `openssl ca -gencrl`.
    pub(crate) fn list(&self, name: &str, options: &[&str]) -> String {
        let list = self.file(name);
        let make = ["ca", "-config", &self.file("openssl.cnf"), "-gencrl", "-out", &list];
        openssl(&[&make[..], options].concat(), b"");
        list
    }
}

const CONFIG: &str = "
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[ca]
default_ca = own
[own]
database = FOLDER/index.txt
serial = FOLDER/serial
crlnumber = FOLDER/crlnumber
new_certs_dir = FOLDER
certificate = FOLDER/ca.pem
private_key = FOLDER/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
x509_extensions = phone
crl_extensions = list
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
serialNumber = optional
[phone]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
[named]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:000e08abcdef.phones.example.com, URI:urn:dev:mac:000e08abcdef
[middle]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign, cRLSign
subjectKeyIdentifier = hash
[list]
authorityKeyIdentifier = keyid
";

/// A site with a listener of each kind, modern and legacy, that trust these; `listen` is for both of them.
pub(crate) fn both(authorities: &[String], listen: &str, extra: &str) -> Site {
    let site = Site::new("");
    site.configure(&both_config(authorities, listen, extra));
    site
}

/// The same as text.
pub(crate) fn both_config(authorities: &[String], listen: &str, extra: &str) -> String {
    let [certificate, key] = ["server.pem", "server.key"].map(lab);
    let mut listeners = String::new();
    for kind in ["modern", "legacy"] {
        let _ = write!(
            listeners,
            "\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ntls = \"{kind}\"\n\
             certificate = \"{certificate}\"\nkey = \"{key}\"\nclient_ca = {authorities:?}\n{listen}\n"
        );
    }
    format!("state = \"state\"\n{}", config(&["http", "tftp"], &format!("{listeners}\n{extra}")))
}

/// What each of the two listeners answers to who shows this certificate; they have to agree.
pub(crate) fn ask(server: &Server, path: &str, certificate: Option<&Certificate>) -> Answer {
    let ports = server.ports("https");
    let [modern, legacy] = [ports[0], ports[1]].map(|port| ask_at(port, path, certificate));
    assert_eq!(modern, legacy, "the two kinds of listeners disagree on {path}");
    modern
}

/// What one listener answers.
pub(crate) fn ask_at(port: u16, path: &str, certificate: Option<&Certificate>) -> Answer {
    let (url, ca) = (format!("https://127.0.0.1:{port}{path}"), lab("ca.pem"));
    let shown = certificate.map_or(Vec::new(), |it| vec!["--cert", it.pem.as_str(), "--key", it.key.as_str()]);
    curl(&[&["--path-as-is", "--cacert", &ca][..], &shown, &[&url]].concat()).timeless()
}
