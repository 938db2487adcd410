//! What the three families of phones do differently, as far as their documents say.

use std::fmt;
use std::time::Duration;

use crate::device::Model;

/// A family of flat-profile devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Multiplatform desk phones: 68xx, 78xx, 88xx, 98xx.
    Mpp,
    /// Analogue adapters: ATA 191 and 192.
    Ata,
    /// Sipura, Linksys and Cisco small business devices, PAP2T among them.
    Spa,
}

/// A version of TLS, as `TLS_Client_Min_Version` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// RFC 2246.
    Tls10,
    /// RFC 4346.
    Tls11,
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// What a phone's TLS speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsLimits {
    /// The oldest version it takes.
    pub min: TlsVersion,
    /// The newest that it knows.
    pub max: TlsVersion,
    /// OpenSSL's name of its suites up to TLS 1.2.
    pub suites: String,
}

/// How a phone holds a server's name against its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameCheck {
    /// The URL's host has to stand in the certificate (MPP administration guide, "Security"; ATA `HTTPS_Name_Validate`).
    Host,
    /// The server's address has to be one of the common name's in DNS (seed 004, "HTTPS provisioning").
    Address,
    /// Neither: `HTTPS_Name_Validate` is No.
    Off,
}

impl Family {
    /// The family of a product; what is neither an ATA 19x nor a small business device is taken for an MPP phone.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self::told_by(model).unwrap_or(Self::Mpp)
    }

    /// The family that a product name tells; `None` for a name of no family's form.
    #[must_use]
    pub fn told_by(model: &Model) -> Option<Self> {
        let name = model.as_str().to_ascii_uppercase();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let is_numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
        if begins(&["ATA"]) {
            Some(Self::Ata)
        } else if begins(&["SPA", "PAP", "WRP", "RTP", "WAG"]) {
            Some(Self::Spa)
        } else if name.ends_with("-3PCC")
            || ["CP-", "DP-"].iter().filter_map(|prefix| name.strip_prefix(prefix)).any(is_numbered)
        {
            Some(Self::Mpp)
        } else {
            None
        }
    }

    /// The firmware that a simulated phone has unless it is told: the examples of each family's guide (MPP "Provisioning
    /// Formats", ATA 191/192 Provisioning Guide) and an observed SPA 5xx.
    #[must_use]
    pub fn firmware(self, model: &Model) -> String {
        match self {
            Self::Mpp => format!("sip{}.11-3-2MPP0001-609", series_xx(model)),
            Self::Ata => "ATA19x.11-1-0MPP-16".to_owned(),
            Self::Spa if is_linksys(model) => "6.1.5(a)".to_owned(),
            Self::Spa => "7.4.4".to_owned(),
        }
    }

    /// What a phone of this family has in a parameter before anybody set it; `None` is blank. Only the parameters that
    /// decide what a resync does are here (guides: "Provisioning Parameters"; ATA "Voice Parameters").
    #[must_use]
    pub fn default_of(self, name: &str, model: &Model) -> Option<&'static str> {
        let both = match name {
            "Provision_Enable"
            | "Resync_On_Reset"
            | "Resync_Fails_On_FNF"
            | "Resync_After_Upgrade_Attempt"
            | "Upgrade_Enable" => "Yes",
            "Resync_Random_Delay" => "2",
            "Resync_At_Random_Delay" => "600",
            "Resync_Periodic" | "Upgrade_Error_Retry_Delay" => "3600",
            "HTTP_Report_Method" => "POST",
            "Log_Upgrade_Request_Msg" => "$PN $MAC -- Requesting upgrade $SCHEME://$SERVIP:$PORT$PATH",
            "Log_Upgrade_Success_Msg" => "$PN $MAC -- Successful upgrade $SCHEME://$SERVIP:$PORT$PATH -- $ERR",
            "Log_Upgrade_Failure_Msg" => "$PN $MAC -- Upgrade failed: $ERR",
            _ => return self.own_default_of(name, model),
        };
        Some(both)
    }

    fn own_default_of(self, name: &str, model: &Model) -> Option<&'static str> {
        let value = match (self, name) {
            (Self::Mpp, "Profile_Rule") => "/$PSN.xml",
            (Self::Ata, "Profile_Rule") => "/ata$PSN.cfg",
            (Self::Spa, "Profile_Rule") if is_pap2t(model) => "/init.cfg",
            (Self::Spa, "Profile_Rule") => "/spa$PSN.cfg",
            (Self::Mpp, "Resync_Error_Retry_Delay") => "60,120,240,480,960,1920,3840,7680,15360,30720,61440,86400",
            (Self::Ata | Self::Spa, "Resync_Error_Retry_Delay") | (Self::Mpp, "Periodic_Upload_To_Server") => "3600",
            (Self::Mpp, "TLS_Client_Min_Version") => "TLS 1.2",
            (Self::Ata, "TLS_Min_Version") => "TLS 1.1",
            (Self::Ata, "Transport_Protocol") => "https",
            (Self::Ata, "HTTPS_Name_Validate") => "Yes",
            (Self::Mpp, "HTTP_User_Agent_Name") => "$VERSION ($MA)",
            (Self::Mpp, "PRT_Upload_Method") => "POST",
            (Self::Mpp, "Report_To_Server") => "On Request",
            (Self::Mpp, "Upload_Delay_On_Local_Change") => "60",
            (_, name) if name == self.log_request() => "$PN $MAC -- Requesting resync $SCHEME://$SERVIP:$PORT$PATH",
            (_, name) if name == self.log_success() => "$PN $MAC -- Successful resync $SCHEME://$SERVIP:$PORT$PATH",
            (_, name) if name == self.log_failure() => "$PN $MAC -- Resync failed: $ERR",
            _ => return None,
        };
        Some(value)
    }

    /// The parameter with the message before a fetch; MPP phones and the others call it differently.
    #[must_use]
    pub fn log_request(self) -> &'static str {
        match self {
            Self::Mpp => "Log_Request_Msg",
            Self::Ata | Self::Spa => "Log_Resync_Request_Msg",
        }
    }

    /// The parameter with the message after a profile that was applied.
    #[must_use]
    pub fn log_success(self) -> &'static str {
        match self {
            Self::Mpp => "Log_Success_Msg",
            Self::Ata | Self::Spa => "Log_Resync_Success_Msg",
        }
    }

    /// The parameter with the message after a failure.
    #[must_use]
    pub fn log_failure(self) -> &'static str {
        match self {
            Self::Mpp => "Log_Failure_Msg",
            Self::Ata | Self::Spa => "Log_Resync_Failure_Msg",
        }
    }

    /// The parameter with the address of an authority of the operator's own; SPA phones have theirs built in.
    #[must_use]
    pub fn custom_ca(self) -> Option<&'static str> {
        match self {
            Self::Mpp => Some("Custom_CA_Rule"),
            Self::Ata => Some("Custom_CA_URL"),
            Self::Spa => None,
        }
    }

    /// The parameter with the oldest version of TLS, where there is one.
    #[must_use]
    pub fn tls_min(self) -> Option<&'static str> {
        match self {
            Self::Mpp => Some("TLS_Client_Min_Version"),
            Self::Ata => Some("TLS_Min_Version"),
            Self::Spa => None,
        }
    }

    /// What its TLS speaks before parameters change it.
    ///
    /// MPP and ATA phones have OpenSSL's default suites; TLS 1.3 is in few of their releases, so 1.2 is the newest here
    /// until the minimum asks for more. SPA phones speak TLS 1.0 with AES-CBC by RSA and DHE (SPA Provisioning Guide;
    /// their RC4 and export suites are in no OpenSSL of today).
    #[must_use]
    pub fn tls(self) -> TlsLimits {
        match self {
            Self::Mpp => TlsLimits { min: TlsVersion::Tls12, max: TlsVersion::Tls12, suites: "DEFAULT".to_owned() },
            Self::Ata => TlsLimits { min: TlsVersion::Tls11, max: TlsVersion::Tls12, suites: "DEFAULT".to_owned() },
            Self::Spa => TlsLimits {
                min: TlsVersion::Tls10,
                max: TlsVersion::Tls10,
                suites: "DHE-RSA-AES256-SHA:AES256-SHA:DHE-RSA-AES128-SHA:AES128-SHA".to_owned(),
            },
        }
    }

    /// How long a phone goes without trying again when `Resync_Error_Retry_Delay` is 0: for ever (MPP guide), or not at
    /// all (ATA guide). The second is a second here, so that nothing spins.
    #[must_use]
    pub fn zero_retry(self) -> Option<Duration> {
        match self {
            Self::Mpp | Self::Spa => None,
            Self::Ata => Some(Duration::from_secs(1)),
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

impl TlsVersion {
    /// The version that a parameter names; `None` for any other text.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Some(match text.trim().trim_start_matches("TLS").trim_start_matches('v').trim() {
            "1.0" => Self::Tls10,
            "1.1" => Self::Tls11,
            "1.2" => Self::Tls12,
            "1.3" => Self::Tls13,
            _ => return None,
        })
    }
}

/// Whether a device of the SPA family is of the Linksys age, whose names have a hyphen.
pub(super) fn is_linksys(model: &Model) -> bool {
    model.as_str().to_ascii_uppercase().starts_with("SPA-") || is_pap2t(model)
}

fn is_pap2t(model: &Model) -> bool {
    model.as_str().to_ascii_uppercase().starts_with("PAP2")
}

/// `88xx` for the 8841: how firmware of a series is called.
fn series_xx(model: &Model) -> String {
    let digits: String = model.series().chars().filter(char::is_ascii_digit).take(2).collect();
    if digits.len() == 2 { format!("{digits}xx") } else { "88xx".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> Model {
        text.parse().expect("a product name")
    }

    #[test]
    fn the_family_follows_from_the_product() {
        for (name, family) in [
            ("CP-8841-3PCC", Family::Mpp),
            ("CP-7832-3PCC", Family::Mpp),
            ("ATA192", Family::Ata),
            ("SPA504G", Family::Spa),
            ("SPA-962", Family::Spa),
            ("PAP2T", Family::Spa),
        ] {
            assert_eq!(Family::told_by(&model(name)), Some(family), "{name}");
        }
        assert_eq!((Family::told_by(&model("toaster")), Family::of(&model("toaster"))), (None, Family::Mpp));
        assert_eq!(Family::told_by(&model("DP-9841")), Some(Family::Mpp));
    }

    #[test]
    fn first_contact_is_each_familys_own() {
        let rule = |name: &str| Family::of(&model(name)).default_of("Profile_Rule", &model(name));
        assert_eq!(rule("CP-8841-3PCC"), Some("/$PSN.xml"));
        assert_eq!(rule("ATA192"), Some("/ata$PSN.cfg"));
        assert_eq!(rule("SPA504G"), Some("/spa$PSN.cfg"));
        assert_eq!(rule("PAP2T"), Some("/init.cfg"));
    }

    #[test]
    fn each_family_calls_its_messages_differently() {
        let cisco = model("CP-8841-3PCC");
        assert!(Family::Mpp.default_of("Log_Request_Msg", &cisco).is_some());
        assert_eq!(Family::Mpp.default_of("Log_Resync_Request_Msg", &cisco), None);
        assert!(Family::Ata.default_of("Log_Resync_Request_Msg", &cisco).is_some());
        assert_eq!(Family::Spa.default_of("Log_Request_Msg", &cisco), None);
    }

    #[test]
    fn versions_of_tls_are_read_as_parameters_write_them() {
        assert_eq!(TlsVersion::named("TLS 1.2"), Some(TlsVersion::Tls12));
        assert_eq!(TlsVersion::named("1.0"), Some(TlsVersion::Tls10));
        assert_eq!(TlsVersion::named("SSL 3.0"), None);
    }

    #[test]
    fn firmware_is_called_after_the_series() {
        assert_eq!(Family::Mpp.firmware(&model("CP-7832-3PCC")), "sip78xx.11-3-2MPP0001-609");
        assert_eq!(Family::Spa.firmware(&model("SPA-962")), "6.1.5(a)");
    }
}
