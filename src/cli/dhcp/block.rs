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
    /// Option 150: where TFTP is, on its own port.
    pub(super) tftp: Option<Ipv4Addr>,
    /// Options 43 and 125, and 17 of IPv6.
    pub(super) acs: Option<Acs>,
}

/// Options whose value is a URL (Cisco MPP guide, "Provisioning": `DHCP_Option_To_Use`).
const URLS: [u8; 3] = [66, 160, 159];

/// What is not here, and why.
const NO_ACS: &str = "43, 125 and 17 (IPv6) lead phones to a TR-069 server, where option 60 is dslforum.org; this server is none: \
                      --acs names one.";
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
        if let Some(address) = self.tftp {
            defs.push(json!({ "name": "tftp-servers", "code": 150, "type": "ipv4-address", "array": true }));
            options.push(data("tftp-servers", &address.to_string()));
        }
        let mut inside = json!({ "option-def": [], "option-data": options });
        if let Some(acs) = &self.acs {
            let of_43 = "vendor-encapsulated-options-space";
            defs.push(sub_option(of_43));
            defs.push(sub_option(&vendor_space()));
            let encapsulated =
                json!({ "name": "vendor-encapsulated-options", "code": 43, "type": "empty", "encapsulate": of_43 });
            inside["client-classes"] = json!([{
                "name": CLASS,
                "test": format!("substring(option[60].hex,0,{}) == '{CLASS}'", CLASS.len()),
                "option-def": [encapsulated],
                "option-data": [
                    { "name": "vendor-encapsulated-options" },
                    { "name": "acs-url", "space": of_43, "data": acs.0 },
                    data("vivso-suboptions", &ENTERPRISE.to_string()),
                    { "name": "acs-url", "space": vendor_space(), "data": acs.0 },
                ],
            }]);
        }
        inside["option-def"] = json!(defs);
        self.notes("//") + &format!("{:#}\n", json!({ "Dhcp4": inside }))
    }

    /// `Dhcp6` for kea-dhcp6.conf.
    pub(super) fn kea6(&self) -> String {
        let mut defs = vec![own(159, "dhcp6"), own(160, "dhcp6")];
        let mut options =
            ["phone-provisioning-160", "phone-provisioning-159"].map(|name| data(name, &self.url)).to_vec();
        if let Some(acs) = &self.acs {
            defs.push(sub_option(&vendor_space()));
            options.push(data("vendor-opts", &ENTERPRISE.to_string()));
            options.push(json!({ "name": "acs-url", "space": vendor_space(), "data": acs.0 }));
        }
        self.notes("//") + &format!("{:#}\n", json!({ "Dhcp6": { "option-def": defs, "option-data": options } }))
    }

    /// Lines of dhcpd.conf.
    pub(super) fn isc(&self) -> String {
        let mut text = self.notes("#");
        text.push_str(
            "option phone-provisioning-159 code 159 = text;\noption phone-provisioning-160 code 160 = text;\n",
        );
        if self.tftp.is_some() {
            text.push_str("option tftp-servers code 150 = array of ip-address;\n");
        }
        for name in ["tftp-server-name", "phone-provisioning-160", "phone-provisioning-159"] {
            let _ = writeln!(text, "option {name} \"{}\";", self.url);
        }
        if let Some(address) = self.tftp {
            let _ = writeln!(text, "option tftp-servers {address};");
        }
        if let Some(acs) = &self.acs {
            let (url, length, raw) = (&acs.0, CLASS.len(), hex(&acs.option_125(), ":"));
            text.push_str("option space tr069 code width 1 length width 1;\noption tr069.acs-url code 1 = text;\n");
            text.push_str("option vendor-identifying code 125 = string;\n");
            let _ = writeln!(text, "class \"{CLASS}\" {{");
            let _ = writeln!(text, "  match if substring(option vendor-class-identifier, 0, {length}) = \"{CLASS}\";");
            let _ = writeln!(text, "  vendor-option-space tr069;\n  option tr069.acs-url \"{url}\";");
            let _ = writeln!(text, "  option vendor-identifying {raw};\n}}");
        }
        text
    }

    /// Lines of dhcpd6.conf.
    pub(super) fn isc6(&self) -> String {
        let mut text = self.notes("#");
        for code in [160, 159] {
            let _ = writeln!(text, "option dhcp6.phone-provisioning-{code} code {code} = text;");
            let _ = writeln!(text, "option dhcp6.phone-provisioning-{code} \"{}\";", self.url);
        }
        if let Some(acs) = &self.acs {
            text.push_str("option space tr069 code width 2 length width 2;\noption tr069.acs-url code 1 = text;\n");
            let _ = writeln!(text, "option vsio.tr069 code {ENTERPRISE} = encapsulate tr069;");
            let _ = writeln!(text, "option tr069.acs-url \"{}\";", acs.0);
        }
        text
    }

    /// Lines of dnsmasq.conf.
    pub(super) fn dnsmasq(&self) -> String {
        let mut text = self.notes("#");
        for code in URLS {
            let _ = writeln!(text, "dhcp-option-force={code},\"{}\"", self.url);
        }
        if let Some(address) = self.tftp {
            let _ = writeln!(text, "dhcp-option-force=150,{address}");
        }
        if let Some(acs) = &self.acs {
            let _ = writeln!(text, "dhcp-option=vendor:{CLASS},1,\"{}\"", acs.0);
            let _ = writeln!(text, "dhcp-option=vi-encap:{ENTERPRISE},1,\"{}\"", acs.0);
        }
        text + &self.dnsmasq6()
    }

    fn dnsmasq6(&self) -> String {
        let mut text = String::new();
        for code in [160, 159] {
            let _ = writeln!(text, "dhcp-option-force=option6:{code},\"{}\"", self.url);
        }
        if let Some(acs) = &self.acs {
            let _ = writeln!(text, "dhcp-option=option6:17,{}", hex(&acs.option_17(), ":"));
        }
        text
    }

    /// Commands of `RouterOS` (its manual, "DHCP": a string's value is `s'…'`).
    pub(super) fn mikrotik(&self) -> String {
        let mut text = self.notes("#");
        let mut names = Vec::new();
        let mut add = |text: &mut String, code: u8, value: &str| {
            let _ = writeln!(text, "/ip dhcp-server option add name=phoneprov-{code} code={code} value=\"{value}\"");
            names.push(format!("phoneprov-{code}"));
        };
        // A dollar begins a variable there.
        let url = format!("s'{}'", self.url.replace('$', "\\$"));
        for code in URLS {
            add(&mut text, code, &url);
        }
        if let Some(address) = self.tftp {
            add(&mut text, 150, &format!("'{address}'"));
        }
        if let Some(acs) = &self.acs {
            add(&mut text, 43, &format!("0x{}", hex(&acs.option_43(), "")));
            add(&mut text, 125, &format!("0x{}", hex(&acs.option_125(), "")));
        }
        let _ = writeln!(text, "/ip dhcp-server option sets add name=phoneprov options={}", names.join(","));
        text.push_str("# then: /ip dhcp-server network set [find] dhcp-option-set=phoneprov\n");
        let six = |code: u8, value: &str| {
            format!("/ipv6 dhcp-server option add name=phoneprov6-{code} code={code} value=\"{value}\"\n")
        };
        for code in [160, 159] {
            text.push_str(&six(code, &url));
        }
        if let Some(acs) = &self.acs {
            text.push_str(&six(17, &format!("0x{}", hex(&acs.option_17(), ""))));
        }
        text
    }

    fn notes(&self, mark: &str) -> String {
        let notes = [self.acs.is_none().then_some(NO_ACS), Some(BARE_HOST)];
        notes.into_iter().flatten().fold(String::new(), |notes, note| notes + mark + " " + note + "\n")
    }
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
        let tftp = Some(Ipv4Addr::new(192, 0, 2, 5));
        Block { url: "https://prov.example.com:8443/$PSN.xml".into(), tftp, acs: None }
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
        let without = Block { tftp: None, ..block() }.kea();
        assert!(!without.contains("150"), "{without}");
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
    fn a_tr_069_server_is_named_in_every_dialect_and_only_where_there_is_one() {
        let with = Block { acs: Some(Acs("http://a/".into())), ..block() };
        let texts =
            |block: &Block| [block.kea(), block.kea6(), block.isc(), block.isc6(), block.dnsmasq(), block.mikrotik()];
        assert!(texts(&block()).iter().all(|text| text.contains("--acs names one") && !text.contains("3561")));
        for text in texts(&with) {
            assert!(text.contains("http://a/") || text.contains("687474703a2f2f612f"), "{text}");
        }
        assert!(with.mikrotik().contains("code=43 value=\"0x0109687474703a2f2f612f\""), "{}", with.mikrotik());
    }
}
