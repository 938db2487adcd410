//! `fmt`, `diff` and `import-export` on files as people and phones have them, with xmllint to agree.

use std::process::Output;

use crate::outsider::run;

/// What Cisco's web page downloads from a phone: `<device>`, headings as comments, access and change marks.
const MPP: &str = include_str!("formats/mpp-8841.xml");
/// The same from a factory-fresh phone.
const MPP_FACTORY: &str = include_str!("formats/mpp-8841-factory.xml");
/// An analog adapter's, with the router's settings inside.
const ATA: &str = include_str!("formats/ata192.xml");
/// A published SPA sample's manner: hyphens in comments, no indentation, attributes that only exports have.
const SPA: &str = include_str!("formats/spa504g.cfg");

fn phoneprov(arguments: &[&str], input: &str) -> Output {
    phoneprov_bytes(arguments, input.as_bytes())
}

fn phoneprov_bytes(arguments: &[&str], input: &[u8]) -> Output {
    run(env!("CARGO_BIN_EXE_phoneprov"), arguments, input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command prints; it has to end with this status.
fn printed(arguments: &[&str], input: &str, status: i32) -> String {
    let output = phoneprov(arguments, input);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command says against an input that it cannot take; nothing may be printed.
fn refused(arguments: &[&str], input: &[u8]) -> String {
    let output = phoneprov_bytes(arguments, input);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    text(&output.stderr)
}

/// What an `XPath` expression finds in a file, by xmllint; the file has to be well-formed.
fn xpath(expression: &str, file: &str) -> String {
    let output = run("xmllint", &["--nonet", "--xpath", expression, "-"], file.as_bytes());
    assert!(output.status.success(), "{expression}: {}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("room for a file");
    path.display().to_string()
}

#[test]
fn xmllint_finds_the_canonical_form_well_formed_and_with_the_same_values() {
    for (name, profile) in [("mpp", MPP), ("factory", MPP_FACTORY), ("ata", ATA), ("spa", SPA)] {
        let once = printed(&["fmt"], profile, 0);
        assert!(xpath("count(//flat-profile/*)", &once).parse::<usize>().expect("a number") > 5, "{name}");
        assert_eq!(printed(&["fmt", "-"], &once, 0), once, "{name}");
        printed(&["fmt", "--check"], &once, 0);
        let sorted = printed(&["fmt", "--sort"], profile, 0);
        assert_eq!(printed(&["fmt", "--sort"], &sorted, 0), sorted, "{name}");
        let folder = tempfile::tempdir().expect("room for a folder");
        let original = file(&folder, "original", profile);
        for other in [&once, &sorted] {
            assert_eq!(printed(&["diff", &original, "-"], other, 0), "", "{name}");
        }
    }
    let spa = printed(&["fmt"], SPA, 0);
    assert_eq!(xpath("string(//Display_Name_1_)", &spa), "Réception");
    assert!(spa.contains("<Display_Name_1_ ua=\"na\">R&#233;ception</Display_Name_1_>"), "{spa}");
}

#[test]
fn a_value_reads_the_same_to_xmllint_as_to_us() {
    let profile = "<flat-profile><A>  a &amp;&lt;&#233;&#x20AC; <!-- c -->é<![CDATA[<&]]>\t</A></flat-profile>";
    let formatted = printed(&["fmt"], profile, 0);
    assert_eq!(xpath("normalize-space(//A)", profile), xpath("normalize-space(//A)", &formatted));
    assert_eq!(xpath("string(//A)", &formatted), "a &<é€ é<&");
}

#[test]
fn fmt_check_names_file_and_line_and_write_mends_it() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let good = file(&folder, "good.cfg", "<flat-profile>\n  <A>1</A>\n</flat-profile>\n");
    let bad = file(&folder, "bad.cfg", "<flat-profile>\n<A>1</A>\n</flat-profile>\n");
    let before = std::fs::metadata(&good).expect("a file").modified().expect("a time");
    assert_eq!(printed(&["fmt", "--check", &good, &bad], "", 1), format!("{bad}:2: not in the canonical form\n"));
    printed(&["fmt", "--write", &good, &bad], "", 0);
    assert_eq!(printed(&["fmt", "--check", &good, &bad], "", 0), "");
    assert_eq!(std::fs::metadata(&good).expect("a file").modified().expect("a time"), before);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
    assert!(refused(&["fmt", &good, &bad], b"").contains("--check"));
}

#[test]
fn diff_tells_parameters_and_hides_secrets() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let first = file(
        &folder,
        "first",
        "<flat-profile><Proxy_1_>a</Proxy_1_><Password_1_>topsecret1</Password_1_>\
         <Profile_Rule>[--key topsecret2]tftp://h/a</Profile_Rule></flat-profile>",
    );
    let second = file(
        &folder,
        "second",
        "<flat-profile><router-configuration><Time_Setup><Time_Zone>1</Time_Zone></Time_Setup></router-configuration>\
         <Profile_Rule>[--key topsecret3]tftp://h/é</Profile_Rule><Password_1_>topsecret4</Password_1_>\
         <Profile_Rule_B>( GPP_SA = \"topsecret5\"; )! http://u:topsecret6@h/x?password=topsecret7</Profile_Rule_B>\
         <GPP_A>&#155;31m</GPP_A></flat-profile>",
    );
    let said = printed(&["diff", &first, &second], "", 1);
    let wanted = format!(
        "--- {first}\n+++ {second}\n- <Proxy_1_>a</Proxy_1_>\n- <Password_1_>••••</Password_1_>\n\
         + <Password_1_>••••</Password_1_>\n- <Profile_Rule>[--key ••••]tftp://h/a</Profile_Rule>\n\
         + <Profile_Rule>[--key ••••]tftp://h/&#233;</Profile_Rule>\n\
         + router-configuration/Time_Setup/<Time_Zone>1</Time_Zone>\n\
         + <Profile_Rule_B>( GPP_SA = \"••••\"; )! http://u:••••@h/x?password=••••</Profile_Rule_B>\n\
         + <GPP_A>&#155;31m</GPP_A>\n"
    );
    assert_eq!(said, wanted);
    assert!(printed(&["diff", "--reveal", &first, &second], "", 1).contains("topsecret4"));
    assert_eq!(printed(&["diff", &first, &first], "", 0), "");
    assert!(refused(&["diff", &first, "/nonexistent"], b"").contains("cannot read `/nonexistent`"));
    assert!(refused(&["diff", "-", "-"], b"").contains("one of them"));
}

#[test]
fn a_phones_export_becomes_what_somebody_set() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let factory = file(&folder, "factory.xml", MPP_FACTORY);
    let output = phoneprov(&["import-export", "-", "--defaults", &factory], MPP);
    assert!(output.status.success(), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout), @r##"
        <flat-profile>
          <Primary_NTP_Server ua="na">ntp.example.com</Primary_NTP_Server>
          <Resync_Periodic ua="na">86400</Resync_Periodic>
          <Profile_Rule ua="na">https://prov.example.com/$PN/$MA.cfg?a=1&amp;b=2</Profile_Rule>
          <Display_Name_1_ ua="na">R&#233;ception</Display_Name_1_>
          <User_ID_1_ ua="na">1001</User_ID_1_>
          <CW_Setting ua="rw">No</CW_Setting>
          <Time_Format ua="ro">12hr</Time_Format>
        </flat-profile>
        "##);
    insta::assert_snapshot!(text(&output.stderr), @r##"
        kept 7 of 18 parameters
          kept 1: changed on the phone (um="y")
          kept 6: not as on the factory-fresh phone
          left out 8: as on the factory-fresh phone
          left out 1: reported by the phone, nobody can set it
          left out 2: hidden by the phone
        set these yourself, the phone does not tell them: Admin_Password, Password_1_
        "##);
    let profile = text(&output.stdout);
    assert_eq!(printed(&["fmt"], &profile, 0), profile);
}

#[test]
fn without_defaults_the_guides_decide_and_it_is_said() {
    let output = phoneprov(&["import-export", "-", "--explain"], ATA);
    assert!(output.status.success(), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout), @r##"
        <flat-profile>
          <Resync_On_Reset>No</Resync_On_Reset>
          <Profile_Rule>https://prov.example.com/ata/$MA.xml</Profile_Rule>
          <Proxy_1_>sip.example.com</Proxy_1_>
          <User_ID_1_>2001</User_ID_1_>
          <Dial_Plan_1_>(*xx|[3469]11|0|00|[2-9]xxxxxx|1xxx[2-9]xxxxxxS0|xxxxxxxxxxxx.)</Dial_Plan_1_>
          <router-configuration>
            <WAN_Interface>
              <WAN_Connection_Type>dh</WAN_Connection_Type>
            </WAN_Interface>
            <DHCP_Server_Pool>
              <Rule>
                <DHCP_Server>1</DHCP_Server>
                <Local_IP>192.168.15.1</Local_IP>
              </Rule>
              <Rule>
                <DHCP_Server>0</DHCP_Server>
                <Local_IP>192.168.16.1</Local_IP>
              </Rule>
            </DHCP_Server_Pool>
            <Time_Setup>
              <Time_Zone>+01 2 2</Time_Zone>
            </Time_Setup>
            <Web_Login_Admin_Name>admin</Web_Login_Admin_Name>
          </router-configuration>
        </flat-profile>
        "##);
    insta::assert_snapshot!(text(&output.stderr), @r##"
        Provision_Enable: left out: the default that the guides state
        Resync_On_Reset: kept: not the default that the guides state
        Resync_Random_Delay: left out: the default that the guides state
        Profile_Rule: kept: has a value, and no guide states the default (--defaults tells)
        Line_Enable_1_: left out: the default that the guides state
        Proxy_1_: kept: not the default that the guides state
        User_ID_1_: kept: not the default that the guides state
        Dial_Plan_1_: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/WAN_Interface/WAN_Connection_Type: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/WAN_Interface/WAN_PPPoE_User_Name: left out: the default that the guides state
        router-configuration/DHCP_Server_Pool/Rule/DHCP_Server: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/DHCP_Server_Pool/Rule/Local_IP: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/DHCP_Server_Pool/Rule/DHCP_Client_Table: left out: reported by the phone, nobody can set it
        router-configuration/DHCP_Server_Pool/Rule[2]/DHCP_Server: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/DHCP_Server_Pool/Rule[2]/Local_IP: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/Time_Setup/Time_Zone: kept: has a value, and no guide states the default (--defaults tells)
        router-configuration/Web_Login_Admin_Name: kept: has a value, and no guide states the default (--defaults tells)
        kept 12 of 17 parameters
          kept 3: not the default that the guides state
          kept 9: has a value, and no guide states the default (--defaults tells)
          left out 4: the default that the guides state
          left out 1: reported by the phone, nobody can set it
        "##);
    assert_eq!(xpath("string(//router-configuration/Time_Setup/Time_Zone)", &text(&output.stdout)), "+01 2 2");
}

#[test]
fn what_is_no_profile_is_refused_with_its_place() {
    let utf16: Vec<u8> = "<flat-profile/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bomb = b"<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;&b;'>]><flat-profile><A>&c;</A></flat-profile>";
    let cases: [(&[u8], &str); 11] = [
        (b"", "line 1, column 1: no element"),
        (bomb, "line 1, column 1: `<!DOCTYPE` is refused"),
        (b"<flat-profile>\n<A>&nbsp;</A></flat-profile>", "line 2, column 4: `&` begins no reference"),
        (b"<flat-profile>\n\n  <A>caf\xe9</A></flat-profile>", "line 3, column 9: byte 0xe9 is not UTF-8"),
        (&utf16, "UTF-16"),
        (b"\xff\xfe<\0", "UTF-16"),
        (b"<flat-profile>\0</flat-profile>", "line 1, column 15: character U+0000"),
        (b"<flat-profile><A>1</A>", "`<flat-profile>` is not closed"),
        (b"<html><body/></html>", "the root is `<html>`"),
        (b"\x1f\x8b\x08\0", "is gzip"),
        (b"Salted__12345678", "phoneprov decrypt"),
    ];
    for (input, wanted) in cases {
        for command in [&["fmt"][..], &["diff", "-", "/dev/null"], &["import-export", "-"]] {
            let said = refused(command, input);
            assert!(said.contains(wanted), "{command:?} {:?}: {said}", text(input));
        }
    }
}

#[test]
fn a_hundred_megabytes_and_deep_nesting_are_refused_at_once() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let large = file(&folder, "large", "");
    std::fs::File::options().write(true).open(&large).and_then(|file| file.set_len(100 << 20)).expect("a sparse file");
    let began = std::time::Instant::now();
    assert!(refused(&["fmt", &large], b"").contains("more than 4194304 bytes"));
    assert!(refused(&["fmt", "-"], "<a>".repeat(1 << 20).as_bytes()).contains("more than 16 deep"));
    assert!(
        refused(&["fmt", "-"], format!("<flat-profile>{}", "<A/>".repeat(1 << 19)).as_bytes()).contains("more than")
    );
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn xmllint_and_we_agree_on_what_is_well_formed() {
    let files = [
        "<flat-profile><A/></flat-profile>",
        "<flat-profile><A>]]></A></flat-profile>",
        "<flat-profile><A>]]&gt;</A></flat-profile>",
        "<flat-profile><A b='<'/></flat-profile>",
        "<flat-profile><A b='>'/></flat-profile>",
        "<flat-profile><A b='1'c='2'/></flat-profile>",
        "<flat-profile><A b = '1' /></flat-profile>",
        "<flat-profile><A b/></flat-profile>",
        "<flat-profile><A b=1/></flat-profile>",
        "<flat-profile><A b='1' b='1'/></flat-profile>",
        "<flat-profile>< A/></flat-profile>",
        "<flat-profile><A></ A></flat-profile>",
        "<flat-profile><A></A ></flat-profile>",
        "<flat-profile><A></A x='1'></flat-profile>",
        "<flat-profile><-A/></flat-profile>",
        "<flat-profile><A.b-c_1/></flat-profile>",
        "<flat-profile><802.1X/></flat-profile>",
        "<flat-profile><A>&#0;</A></flat-profile>",
        "<flat-profile><A>&#xD;</A></flat-profile>",
        "<flat-profile><A>&#x1F600;</A></flat-profile>",
        "<flat-profile><A>& </A></flat-profile>",
        "<flat-profile><A>&;</A></flat-profile>",
        "<flat-profile><A>&lt</A></flat-profile>",
        "<flat-profile><A>a>b\"'</A></flat-profile>",
        "<flat-profile><?a b?></flat-profile>",
        "<flat-profile><? a?></flat-profile>",
        "<flat-profile><![CDATA[<A>]]></flat-profile>",
        "<flat-profile><![cdata[<A>]]></flat-profile>",
        "<flat-profile><!-- > --></flat-profile>",
        "<flat-profile><!-- -></flat-profile>",
        "<flat-profile><!ELEMENT A></flat-profile>",
        "<flat-profile>",
        "</flat-profile>",
        "<flat-profile/><",
    ];
    let mut differing = Vec::new();
    let folder = tempfile::tempdir().expect("room for a folder");
    let empty = file(&folder, "empty", "<flat-profile/>");
    for profile in files {
        let theirs = run("xmllint", &["--nonet", "--noout", "-"], profile.as_bytes()).status.success();
        let ours = phoneprov(&["diff", "-", &empty], profile).status.code() != Some(2);
        if theirs != ours {
            differing.push(format!("{profile}: xmllint {theirs}, phoneprov {ours}"));
        }
    }
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
}

#[test]
fn what_has_no_end_is_read_up_to_a_bound() {
    for arguments in [
        &["encrypt", "--key", "k", "/dev/zero"][..],
        &["decrypt", "--key", "k", "/dev/zero"],
        &["encrypt", "--key-file", "/dev/zero"],
        &["phone", "--mac", "000e08abcdef", "--ca", "/dev/zero"],
        &["diff", "/dev/zero", "-"],
        &["fmt", "/dev/zero"],
        &["import-export", "/dev/zero"],
    ] {
        let said = refused(arguments, b"");
        let bound = said.contains("`/dev/zero` is larger than ") && said.contains("is the most that is read");
        assert!(bound || said.contains("/dev/zero: line 1, column 1: more than 4194304 bytes"), "{said}");
    }
}
