use std::collections::HashSet;

use super::*;

fn named(name: &str) -> &'static Parameter {
    find(name).unwrap_or_else(|| panic!("{name} is in the table"))
}

#[test]
fn every_row_of_the_table_says_something() {
    let wrong: Vec<String> = rows(TABLE).filter_map(|row| Parameter::parse(row).err()).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all().len() > 1600, "{}", all().len());
    let names: HashSet<&str> = all().iter().map(Parameter::name).collect();
    assert_eq!(names.len(), all().len(), "a name stands twice");
}

#[test]
fn every_default_is_a_value_of_its_parameter() {
    let values = all().iter().filter_map(|parameter| match parameter.default() {
        Default::Documented(value) | Default::Sampled(value) => Some((parameter, value)),
        Default::Blank | Default::Unknown => None,
    });
    let wrong: Vec<String> = values
        .filter_map(|(parameter, value)| {
            let mismatch = parameter.check(value).err()?;
            Some(format!("{}: `{value}`: {mismatch}", parameter.name()))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_numbered_name_is_its_pattern() {
    assert_eq!(named("User_ID_1_").name(), "User_ID_<n>_");
    assert_eq!(named("User_ID_16_").name(), "User_ID_<n>_");
    assert_eq!(named("Unit_2_Key_17_").name(), "Unit_<u>_Key_<k>_");
    assert_eq!(named("Cadence_3").name(), "Cadence_<n>");
    assert_eq!(named("Speed_Dial_2_1_").name(), "Speed_Dial_2_<n>_");
    assert_eq!(named("Speed_Dial_2_Name").name(), "Speed_Dial_<n>_Name");
    assert_eq!(named("G722.2_Enable_1_").name(), "G722.2_Enable_<n>_");
    for unknown in ["User_ID_0_", "User_ID_1", "User_ID__", "User_ID_<n>", "", "_1_"] {
        assert!(find(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn the_number_of_a_line_is_told() {
    assert_eq!([number_of("User_ID_3_"), number_of("User_ID_999_")], [Some(3), Some(999)]);
    assert_eq!([number_of("Unit_2_Key_17_"), number_of("GPP_A"), number_of("Nonsense_1_")], [None; 3]);
}

#[test]
fn another_case_is_told_with_the_same_numbers() {
    assert_eq!(in_other_case("user_id_2_").as_deref(), Some("User_ID_2_"));
    assert_eq!(in_other_case("gpp_a").as_deref(), Some("GPP_A"));
    assert_eq!(in_other_case("User_ID_2_"), None, "known as it is");
    assert_eq!(in_other_case("SIP_ToS_DiffServ_Value_1_"), None, "both cases are known");
    assert_eq!(in_other_case("Nonsense"), None);
}

#[test]
fn a_misspelt_name_has_a_nearest_one() {
    for (misspelt, meant) in [
        ("Resync_Periodc", "Resync_Periodic"),
        ("Resync_At_HHmm_", "Resync_At__HHmm_"),
        ("User_Id_3", "User_ID_3_"),
        ("Profile_Rul", "Profile_Rule"),
        ("Outbound_Proxi_2_", "Outbound_Proxy_2_"),
    ] {
        assert_eq!(nearest(misspelt).as_deref(), Some(meant), "{misspelt}");
    }
    for far in ["Completely_Different_Thing", "", "é", &"x".repeat(100_000)] {
        assert_eq!(nearest(far), None, "{far:.40}");
    }
}

#[test]
fn values_are_held_against_type_range_words_and_length() {
    for (name, value) in [
        ("Provision_Enable", "Yes"),
        ("SIP_Remote-Party-ID_1_", "no"),
        ("SIP_Port_1_", "0x13c4"),
        ("Resync_Periodic", "3600+600"),
        ("Resync_Error_Retry_Delay", "60,120,240+30"),
        ("Resync_At__HHmm_", "2400"),
        ("RTP_Packet_Size", ".02"),
        ("SIP_Transport_1_", "tls"),
        ("Time_Format", "24 hr"),
        ("PRT_Max_Timer", "0"),
        ("VLAN_ID", ""),
        ("Debug_Level", "3"),
    ] {
        assert_eq!(named(name).check(value), Ok(()), "{name}={value}");
    }
    for (name, value, said) in [
        ("Provision_Enable", "Oui", "expected Yes or No"),
        ("SIP_Port_1_", "70000", "expected 0 to 65535"),
        ("SIP_Port_1_", "-1", "expected a port"),
        (
            "Resync_Periodic",
            "hourly",
            "expected seconds, with commas where there are several, such as 60,120 or 3600+600",
        ),
        ("Resync_At__HHmm_", "12:30", "expected hours and minutes, 0000 to 2400"),
        ("Resync_At__HHmm_", "0960", "expected hours and minutes, 0000 to 2400"),
        ("VLAN_ID", "4096", "expected 0 to 4095"),
        ("PRT_Max_Timer", "5", "expected 15 to 1440"),
        ("SIP_Transport_1_", "QUIC", "expected one of UDP, TCP, TLS, AUTO"),
        ("Resync_Random_Delay", "+2", "expected a whole number"),
        ("Retry_Reg_RSC", &"4?? ".repeat(11), "43 characters, 39 are the most"),
    ] {
        let mismatch = named(name).check(value).expect_err(name);
        assert_eq!(mismatch.to_string(), said, "{name}={value}");
    }
}

#[test]
fn secrets_are_known_by_the_table_and_by_their_names() {
    for name in ["Password_1_", "password_1_", "GPP_SA", "IKM_HTTP_Encrypt_Content", "Admin_Passwd", "My_New_Password"]
    {
        assert!(is_secret(name), "{name}");
    }
    for name in ["Proxy_1_", "GPP_A", "Dial_Plan_1_", "Preferred_Password_Input_Mode", "Line_Key_LED", ""] {
        assert!(!is_secret(name), "{name}");
    }
}

#[test]
fn families_and_firmware_are_told_apart() {
    assert!(named("Admin_Passwd").families().contains(Family::Spa));
    assert!(!named("Admin_Passwd").families().contains(Family::Mpp));
    assert!(named("Admin_Password").families().contains(Family::Mpp));
    assert_eq!(named("IKM_HTTP_Encrypt_Content").since(), Some("11.2(3)"));
    assert_eq!(named("GPP_A").since(), None);
}
