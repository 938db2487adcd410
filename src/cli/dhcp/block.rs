//! The same options as each DHCP server writes them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::vendor::{Acs, CLASS, ENTERPRISE, hex};

/// What phones are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Options 66, 159 and 160.
    pub(super) url: String,
    /// Option 150.
    pub(super) tftp: Tftp,
    /// Options 43 and 125, and 17 of IPv6.
    pub(super) acs: Acs,
    /// Whether they are in force. Else they are shown as comments, with this server's URL.
    pub(super) is_acs_named: bool,
}

/// Where TFTP is, for option 150, which has an address and no port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tftp {
    /// On its own port.
    At(Ipv4Addr),
    /// On its own port, of a host whose address is not known here.
    Nameless,
    /// On another port.
    Elsewhere,
    /// There is none.
    Nowhere,
    /// There is none, and its address was said.
    Missing,
}

impl Tftp {
    fn address(self) -> Option<Ipv4Addr> {
        match self {
            Self::At(address) => Some(address),
            Self::Nameless | Self::Elsewhere | Self::Nowhere | Self::Missing => None,
        }
    }

    /// Why option 150 is not there.
    fn note(self) -> Option<&'static str> {
        match self {
            Self::At(_) | Self::Nowhere => None,
            Self::Nameless => Some("150 is left out: it has an address, and --server is a name. --address says it."),
            Self::Elsewhere => Some("150 is left out: it has no port, and the tftp listener is not on port 69."),
            Self::Missing => Some("150 is left out: the configuration has no tftp listener, which --address is for."),
        }
    }
}

/// Options whose value is a URL (Cisco MPP guide, "Provisioning": `DHCP_Option_To_Use`).
const URLS: [u8; 3] = [66, 160, 159];

/// What is a comment here, and why.
const NO_ACS: &str = "43, 125 and 17 (IPv6) lead phones to a TR-069 server, where option 60 is dslforum.org. How phones read a \
                      profile's URL in them is not documented, and 66, 160 and 159 come first: they are comments, until --acs \
                      names a TR-069 server.";
const BARE_HOST: &str =
    "SPA devices take a bare host in option 66 for a TFTP server; whether all of them take a URL is not documented.";

impl Block {
    /// `Dhcp4` for kea-dhcp4.conf.
    pub(super) fn kea(&self) -> String {
        let mut defs = vec![own(160, "dhcp4")];
        let mut options = vec![data("tftp-server-name", &self.url), data("phone-provisioning-160", &self.url)];
        // Kea has a meaning of its own for it (RFC 7618), but takes any octets.
        let raw = hex(self.url.as_bytes(), "");
        options.push(json!({ "code": 159, "space": "dhcp4", "csv-format": false, "data": raw }));
        if let Some(address) = self.tftp.address() {
            defs.push(json!({ "name": "tftp-servers", "code": 150, "type": "ipv4-address", "array": true }));
            options.push(data("tftp-servers", &address.to_string()));
        }
        let of_43 = "vendor-encapsulated-options-space";
        let encapsulated =
            json!({ "name": "vendor-encapsulated-options", "code": 43, "type": "empty", "encapsulate": of_43 });
        let class = json!({
            "name": CLASS,
            "test": format!("substring(option[60].hex,0,{}) == '{CLASS}'", CLASS.len()),
            "option-def": [encapsulated],
            "option-data": [
                { "name": "vendor-encapsulated-options" },
                { "name": "acs-url", "space": of_43, "data": self.acs.0 },
                data("vivso-suboptions", &ENTERPRISE.to_string()),
                { "name": "acs-url", "space": vendor_space(), "data": self.acs.0 },
            ],
        });
        let vendor = Additional {
            defs: vec![sub_option(of_43), sub_option(&vendor_space())],
            options: Vec::new(),
            classes: vec![class],
        };
        self.kea_file("Dhcp4", defs, options, vendor)
    }

    /// `Dhcp6` for kea-dhcp6.conf.
    pub(super) fn kea6(&self) -> String {
        let defs = vec![own(159, "dhcp6"), own(160, "dhcp6")];
        let options = ["phone-provisioning-160", "phone-provisioning-159"].map(|name| data(name, &self.url)).to_vec();
        let url = json!({ "name": "acs-url", "space": vendor_space(), "data": self.acs.0 });
        let vendor = Additional {
            defs: vec![sub_option(&vendor_space())],
            options: vec![data("vendor-opts", &ENTERPRISE.to_string()), url],
            classes: Vec::new(),
        };
        self.kea_file("Dhcp6", defs, options, vendor)
    }

    /// A file for Kea, with what of `vendor` is in force in it, and the rest above as comments.
    fn kea_file(&self, family: &str, mut defs: Vec<Value>, mut options: Vec<Value>, vendor: Additional) -> String {
        let mut notes = self.notes("//");
        let mut classes = Vec::new();
        if self.is_acs_named {
            defs.extend(vendor.defs);
            options.extend(vendor.options);
            classes = vendor.classes;
        } else {
            let more = object(vendor.defs, vendor.options, vendor.classes);
            notes.push_str(&commented("//", &format!("{:#}\n", json!({ family: more }))));
        }
        notes + &format!("{:#}\n", json!({ family: object(defs, options, classes) }))
    }

    /// Lines of dhcpd.conf.
    pub(super) fn isc(&self) -> String {
        let mut text = self.notes("#");
        text.push_str(
            "option phone-provisioning-159 code 159 = text;\noption phone-provisioning-160 code 160 = text;\n",
        );
        if self.tftp.address().is_some() {
            text.push_str("option tftp-servers code 150 = array of ip-address;\n");
        }
        for name in ["tftp-server-name", "phone-provisioning-160", "phone-provisioning-159"] {
            let _ = writeln!(text, "option {name} \"{}\";", self.url);
        }
        if let Some(address) = self.tftp.address() {
            let _ = writeln!(text, "option tftp-servers {address};");
        }
        let (url, length, raw) = (&self.acs.0, CLASS.len(), hex(&self.acs.option_125(), ":"));
        let mut vendor = String::from(
            "option space tr069 code width 1 length width 1;\noption tr069.acs-url code 1 = text;\n\
             option vendor-identifying code 125 = string;\n",
        );
        let _ = writeln!(vendor, "class \"{CLASS}\" {{");
        let _ = writeln!(vendor, "  match if substring(option vendor-class-identifier, 0, {length}) = \"{CLASS}\";");
        let _ = writeln!(vendor, "  vendor-option-space tr069;\n  option tr069.acs-url \"{url}\";");
        let _ = writeln!(vendor, "  option vendor-identifying {raw};\n}}");
        text + &self.in_force(vendor)
    }

    /// Lines of dhcpd6.conf.
    pub(super) fn isc6(&self) -> String {
        let mut text = self.notes("#");
        for code in [160, 159] {
            let _ = writeln!(text, "option dhcp6.phone-provisioning-{code} code {code} = text;");
            let _ = writeln!(text, "option dhcp6.phone-provisioning-{code} \"{}\";", self.url);
        }
        let mut vendor =
            String::from("option space tr069 code width 2 length width 2;\noption tr069.acs-url code 1 = text;\n");
        let _ = writeln!(vendor, "option vsio.tr069 code {ENTERPRISE} = encapsulate tr069;");
        let _ = writeln!(vendor, "option tr069.acs-url \"{}\";", self.acs.0);
        text + &self.in_force(vendor)
    }

    /// Lines of dnsmasq.conf.
    pub(super) fn dnsmasq(&self) -> String {
        let mut text = self.notes("#");
        for code in URLS {
            let _ = writeln!(text, "dhcp-option-force={code},\"{}\"", self.url);
        }
        if let Some(address) = self.tftp.address() {
            let _ = writeln!(text, "dhcp-option-force=150,{address}");
        }
        let mut vendor = format!("dhcp-option=vendor:{CLASS},1,\"{}\"\n", self.acs.0);
        let _ = writeln!(vendor, "dhcp-option=vi-encap:{ENTERPRISE},1,\"{}\"", self.acs.0);
        text + &self.in_force(vendor) + &self.dnsmasq6()
    }

    fn dnsmasq6(&self) -> String {
        let mut text = String::new();
        for code in [160, 159] {
            let _ = writeln!(text, "dhcp-option-force=option6:{code},\"{}\"", self.url);
        }
        text + &self.in_force(format!("dhcp-option=option6:17,{}\n", hex(&self.acs.option_17(), ":")))
    }

    /// Commands of `RouterOS` (its manual, "DHCP": a string's value is `s'…'`).
    pub(super) fn mikrotik(&self) -> String {
        let mut text = self.notes("#");
        // A dollar begins a variable there.
        let url = format!("s'{}'", self.url.replace('$', "\\$"));
        let mut options: Vec<(u8, String)> = URLS.map(|code| (code, url.clone())).into();
        options.extend(self.tftp.address().map(|address| (150, format!("'{address}'"))));
        let vendor = [
            (43, format!("0x{}", hex(&self.acs.option_43(), ""))),
            (125, format!("0x{}", hex(&self.acs.option_125(), ""))),
        ];
        let add = |family: &str, name: &str, (code, value): &(u8, String)| {
            format!("/{family} dhcp-server option add name={name}-{code} code={code} value=\"{value}\"\n")
        };
        text.extend(options.iter().map(|option| add("ip", "phoneprov", option)));
        text.push_str(&self.in_force(vendor.iter().map(|option| add("ip", "phoneprov", option)).collect()));
        options.extend(vendor.into_iter().filter(|_| self.is_acs_named));
        let names: Vec<String> = options.iter().map(|(code, _)| format!("phoneprov-{code}")).collect();
        let _ = writeln!(text, "/ip dhcp-server option sets add name=phoneprov options={}", names.join(","));
        text.push_str("# then: /ip dhcp-server network set [find] dhcp-option-set=phoneprov\n");
        if self.is_acs_named {
            text.push_str(
                "# 43 and 125 go to everybody by this set: give it to phones alone, by a matcher of option 60\n",
            );
        }
        text.extend([160, 159].map(|code| add("ipv6", "phoneprov6", &(code, url.clone()))));
        let of_17 = (17, format!("0x{}", hex(&self.acs.option_17(), "")));
        text + &self.in_force(add("ipv6", "phoneprov6", &of_17))
    }

    /// Lines for a TR-069 server: comments where none is named.
    fn in_force(&self, lines: String) -> String {
        if self.is_acs_named { lines } else { commented("#", &lines) }
    }

    fn notes(&self, mark: &str) -> String {
        let notes = [(!self.is_acs_named).then_some(NO_ACS), self.tftp.note(), Some(BARE_HOST)];
        notes.into_iter().flatten().fold(String::new(), |notes, note| notes + mark + " " + note + "\n")
    }
}

/// What Kea is told in addition for a TR-069 server.
struct Additional {
    defs: Vec<Value>,
    options: Vec<Value>,
    classes: Vec<Value>,
}

/// What one of Kea's servers is told.
fn object(defs: Vec<Value>, options: Vec<Value>, classes: Vec<Value>) -> Value {
    let members = [("option-def", defs), ("option-data", options), ("client-classes", classes)];
    members.into_iter().filter(|(_, values)| !values.is_empty()).map(|(name, values)| (name, json!(values))).collect()
}

fn commented(mark: &str, lines: &str) -> String {
    lines.lines().fold(String::new(), |text, line| text + mark + " " + line + "\n")
}

/// An option that Kea has no name for.
fn own(code: u8, space: &str) -> Value {
    json!({ "name": format!("phone-provisioning-{code}"), "code": code, "type": "string", "space": space })
}

fn sub_option(space: &str) -> Value {
    json!({ "name": "acs-url", "code": 1, "type": "string", "space": space })
}

/// Kea's space for what is of this vendor.
fn vendor_space() -> String {
    format!("vendor-{ENTERPRISE}")
}

fn data(name: &str, value: &str) -> Value {
    json!({ "name": name, "data": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        let tftp = Tftp::At(Ipv4Addr::new(192, 0, 2, 5));
        let url = String::from("https://prov.example.com:8443/$PSN.xml");
        Block { acs: Acs(url.clone()), url, tftp, is_acs_named: false }
    }

    fn json_of(text: &str) -> Value {
        let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
        serde_json::from_str(&json).expect("JSON")
    }

    #[test]
    fn kea_is_given_json_for_each_of_its_servers() {
        let four = &json_of(&block().kea())["Dhcp4"];
        assert_eq!(four["option-data"][0], json!({ "name": "tftp-server-name", "data": block().url }));
        assert_eq!(
            (&four["option-def"][1]["code"], &four["option-data"][3]["name"]),
            (&json!(150), &json!("tftp-servers"))
        );
        assert_eq!(json_of(&block().kea6())["Dhcp6"]["option-data"].as_array().map(Vec::len), Some(2));
        let without = Block { tftp: Tftp::Nowhere, ..block() }.kea();
        assert!(!without.contains("150"), "{without}");
        let nameless = Block { tftp: Tftp::Nameless, ..block() }.isc();
        assert!(nameless.contains("--address says it") && !nameless.contains("code 150"), "{nameless}");
        let missing = Block { tftp: Tftp::Missing, ..block() };
        for text in [missing.isc(), missing.dnsmasq(), missing.mikrotik(), missing.kea()] {
            assert!(text.contains("150 is left out: the configuration has no tftp listener"), "{text}");
            assert_eq!(text.matches("150").count(), 1, "{text}");
        }
        assert!(without.contains(&hex(block().url.as_bytes(), "")), "159: {without}");
    }

    #[test]
    fn each_dialect_has_every_option() {
        let isc = block().isc();
        assert!(isc.contains("option tftp-server-name \"https://prov.example.com:8443/$PSN.xml\";"), "{isc}");
        assert!(isc.contains("option tftp-servers 192.0.2.5;"), "{isc}");
        let mikrotik = block().mikrotik();
        assert!(mikrotik.contains("code=66 value=\"s'https://prov.example.com:8443/\\$PSN.xml'\""), "{mikrotik}");
        assert!(mikrotik.contains("options=phoneprov-66,phoneprov-160,phoneprov-159,phoneprov-150\n"), "{mikrotik}");
        assert!(block().dnsmasq().contains("dhcp-option-force=150,192.0.2.5\n"));
    }

    #[test]
    fn a_tr_069_server_is_named_in_every_dialect_and_in_force_only_where_there_is_one() {
        let with = Block { acs: Acs("http://a/".into()), is_acs_named: true, ..block() };
        let texts =
            |block: &Block| [block.kea(), block.kea6(), block.isc(), block.isc6(), block.dnsmasq(), block.mikrotik()];
        let is_comment = |line: &&str| line.starts_with("//") || line.starts_with('#');
        let of_vendor = ["3561", "vendor:", "00000de9", "00:00:0d:e9", "tr069", "acs-url"];
        let names_one = |line: &str| of_vendor.iter().any(|word| line.contains(word));
        for text in texts(&block()) {
            assert!(text.contains("--acs names") || text.contains("names a TR-069 server"), "{text}");
            assert!(text.lines().filter(is_comment).any(names_one), "shown: {text}");
            assert!(!text.lines().filter(|line| !is_comment(line)).any(names_one), "not in force: {text}");
        }
        for text in texts(&with) {
            assert!(text.contains("http://a/") || text.contains("687474703a2f2f612f"), "{text}");
            assert!(!text.lines().filter(is_comment).any(names_one), "in force: {text}");
        }
        assert!(with.mikrotik().contains("code=43 value=\"0x0109687474703a2f2f612f\""), "{}", with.mikrotik());
        assert!(with.mikrotik().contains("phoneprov-43,phoneprov-125\n"), "{}", with.mikrotik());
    }
}
