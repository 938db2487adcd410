//! The same options as each DHCP server writes them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

/// What phones are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Options 66, 159 and 160.
    pub(super) url: String,
    /// Option 150: where TFTP is, on its own port.
    pub(super) tftp: Option<Ipv4Addr>,
}

/// Options whose value is a URL (Cisco MPP guide, "Provisioning": `DHCP_Option_To_Use`).
const URLS: [u8; 3] = [66, 160, 159];

/// What is not here, and why.
const LEFT_OUT: [&str; 3] = [
    "43 and 125 lead phones to a TR-069 server where option 60 is dslforum.org; this server is none.",
    "17 (IPv6) is read by MPP phones; what they expect in it is not documented. 159 and 160 do the same.",
    "SPA devices take a bare host in option 66 for a TFTP server; whether all of them take a URL is not documented.",
];

impl Block {
    /// Parts of `Dhcp4` and `Dhcp6`.
    pub(super) fn kea(&self) -> String {
        let def = |code: u8, name: &str, kind: &str, space: &str| json!({ "name": name, "code": code, "type": kind, "space": space, "array": kind != "string" });
        let data = |name: &str, value: &str| json!({ "name": name, "data": value });
        let own = |space: &str| {
            vec![
                def(159, "phone-provisioning-159", "string", space),
                def(160, "phone-provisioning-160", "string", space),
            ]
        };
        let urls = |names: &[&str]| names.iter().map(|name| data(name, &self.url)).collect::<Vec<Value>>();
        let (mut defs, mut options) = (own("dhcp4"), Vec::new());
        options.extend(urls(&["tftp-server-name", "phone-provisioning-160", "phone-provisioning-159"]));
        if let Some(address) = self.tftp {
            defs.push(def(150, "tftp-servers", "ipv4-address", "dhcp4"));
            options.push(data("tftp-servers", &address.to_string()));
        }
        let six = urls(&["phone-provisioning-160", "phone-provisioning-159"]);
        let whole = json!({
            "Dhcp4": { "option-def": defs, "option-data": options },
            "Dhcp6": { "option-def": own("dhcp6"), "option-data": six },
        });
        let notes: String = LEFT_OUT.iter().fold(String::new(), |notes, note| notes + "// " + note + "\n");
        format!("{notes}{whole:#}\n")
    }

    /// Lines of dhcpd.conf; IPv6 is a dhcpd6.conf of its own.
    pub(super) fn isc(&self) -> String {
        let mut text = notes("#");
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
        text
    }

    /// Lines of dnsmasq.conf.
    pub(super) fn dnsmasq(&self) -> String {
        let mut text = notes("#");
        for code in URLS {
            let _ = writeln!(text, "dhcp-option-force={code},\"{}\"", self.url);
        }
        if let Some(address) = self.tftp {
            let _ = writeln!(text, "dhcp-option-force=150,{address}");
        }
        for code in [160, 159] {
            let _ = writeln!(text, "dhcp-option-force=option6:{code},\"{}\"", self.url);
        }
        text
    }

    /// Commands of `RouterOS` (its manual, "DHCP": a string's value is `s'…'`).
    pub(super) fn mikrotik(&self) -> String {
        let mut text = notes("#");
        let mut names = Vec::new();
        let mut add = |text: &mut String, code: u8, value: &str| {
            let _ = writeln!(text, "/ip dhcp-server option add name=phoneprov-{code} code={code} value=\"{value}\"");
            names.push(format!("phoneprov-{code}"));
        };
        for code in URLS {
            // A dollar begins a variable there.
            add(&mut text, code, &format!("s'{}'", self.url.replace('$', "\\$")));
        }
        if let Some(address) = self.tftp {
            add(&mut text, 150, &format!("'{address}'"));
        }
        let _ = writeln!(text, "/ip dhcp-server option sets add name=phoneprov options={}", names.join(","));
        text.push_str("# then: /ip dhcp-server network set [find] dhcp-option-set=phoneprov\n");
        text
    }
}

fn notes(mark: &str) -> String {
    LEFT_OUT.iter().fold(String::new(), |notes, note| notes + mark + " " + note + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block { url: "https://prov.example.com:8443/$PSN.xml".into(), tftp: Some(Ipv4Addr::new(192, 0, 2, 5)) }
    }

    #[test]
    fn kea_is_given_json() {
        let text = block().kea();
        let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let four = &value["Dhcp4"];
        assert_eq!(four["option-data"][0], json!({ "name": "tftp-server-name", "data": block().url }));
        assert_eq!(four["option-def"][2]["code"], 150);
        assert_eq!(value["Dhcp6"]["option-data"].as_array().map(Vec::len), Some(2));
        let without = Block { tftp: None, ..block() }.kea();
        assert!(!without.contains("150"), "{without}");
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
}
