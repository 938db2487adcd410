//! Settings that have another name on other phones.

use super::{Family, Parameter};

/// The same setting under the names of the families (Cisco's sample profiles; MPP and ATA administration guides).
const RENAMED: [[&str; 2]; 8] = [
    ["Admin_Passwd", "Admin_Password"],
    ["Custom_CA_URL", "Custom_CA_Rule"],
    ["Log_Resync_Request_Msg", "Log_Request_Msg"],
    ["Log_Resync_Success_Msg", "Log_Success_Msg"],
    ["Log_Resync_Failure_Msg", "Log_Failure_Msg"],
    ["TLS_Min_Version", "TLS_Client_Min_Version"],
    ["SIP_ToS_DiffServ_Value_<n>_", "SIP_TOS_DiffServ_Value_<n>_"],
    ["RTP_ToS_DiffServ_Value_<n>_", "RTP_TOS_DiffServ_Value_<n>_"],
];

impl Parameter {
    /// What phones of a family that do not have this parameter call the same setting; `None` where no document says so.
    #[must_use]
    pub fn name_on(&self, family: Family) -> Option<&'static str> {
        if self.families().contains(family) {
            return None;
        }
        let pair = RENAMED.iter().find(|pair| pair.contains(&self.name()))?;
        let name = pair.iter().copied().find(|name| *name != self.name())?;
        let other = super::all().iter().find(|parameter| parameter.name() == name)?;
        other.families().contains(family).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::parameters::find;

    #[test]
    fn a_setting_is_found_under_the_name_of_each_family() {
        let name = |name: &str, family| find(name).and_then(|parameter| parameter.name_on(family));
        assert_eq!(name("Admin_Passwd", Family::Mpp), Some("Admin_Password"));
        assert_eq!(name("Custom_CA_Rule", Family::Ata), Some("Custom_CA_URL"));
        assert_eq!(name("Admin_Password", Family::Mpp), None, "its own");
        assert_eq!(name("GPP_A", Family::Spa), None, "everybody's");
    }
}
