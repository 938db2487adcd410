//! How a phone behaves towards servers: what it calls itself, and what its TLS speaks and checks.

use super::Phone;
use super::family::{Family, NameCheck, TlsLimits, TlsVersion};
use super::variables::Sight;

impl Phone {
    /// How it calls itself to servers.
    #[must_use]
    pub fn user_agent(&self) -> String {
        match self.value("HTTP_User_Agent_Name") {
            "" => self.unit.user_agent(),
            template => Sight::of(self).expand(template),
        }
    }

    /// What its TLS speaks now.
    #[must_use]
    pub fn tls(&self) -> TlsLimits {
        let mut limits = self.family().tls();
        let set = self.family().tls_min().and_then(|name| TlsVersion::named(self.value(name)));
        limits.min = self.choices.tls_min.or(set).unwrap_or(limits.min);
        limits.max = self.choices.tls_max.unwrap_or(limits.max).max(limits.min);
        let suites = self.value("TLS_Cipher_List").trim();
        if !suites.is_empty() && self.family() == Family::Mpp {
            suites.clone_into(&mut limits.suites);
        }
        limits
    }

    /// How it checks a server's name: SPA devices by the address of the certificate's name, the others by the URL's host.
    #[must_use]
    pub fn name_check(&self) -> NameCheck {
        match self.family() {
            Family::Mpp => NameCheck::Host,
            Family::Ata if self.is_on("HTTPS_Name_Validate") => NameCheck::Host,
            Family::Ata => NameCheck::Off,
            Family::Spa => NameCheck::Address,
        }
    }
}
