//! Every rule that the guides and the user's documents print, and what it leads to.

use super::{fetched, phone, spa};
use crate::profile::rule::Dialect::{self, Profile, Report, Upgrade, Upload};

/// The parameter, the rule, and what the phone of these tests fetches by it.
const EXAMPLES: &[(Dialect, &str, &str)] = &[
    // Seed 002, « Profils uniques, expansion de macro et HTTP ».
    (Profile, "\ntftp://192.168.1.200/CP-7832-3PCC$MA.cfg\n", "tftp://192.168.1.200:69/CP-7832-3PCC000e08012345.cfg"),
    (Profile, " tftp://192.168.1.200/CP-7841-3PCC$MA.cfg ", "tftp://192.168.1.200:69/CP-7841-3PCC000e08012345.cfg"),
    // Seed 002, « Resynchronisation TFTP », « Resynchroniser avec HTTP GET ».
    (Profile, "tftp://192.168.1.200/basic.txt", "tftp://192.168.1.200:69/basic.txt"),
    (Profile, " http://192.168.1.200/basic.txt ", "http://192.168.1.200:80/basic.txt"),
    // Seed 002, profiles in folders, and by GPP_B.
    (
        Profile,
        "tftp://prov.telco.com:6900/cisco/config/$PN.cfg",
        "tftp://prov.telco.com:6900/cisco/config/CP-8841-3PCC.cfg",
    ),
    (Profile, "tftp://prov.telco.com/cisco/$B/$MA.cfg", "tftp://prov.telco.com:69/cisco/Dj6Lmp23Q/000e08012345.cfg"),
    // Seed 002, tables of parameters.
    (Profile, "/$PSN.xml", "tftp://192.0.2.66:69/8841-3PCC.xml"),
    (Profile, "", "skipped"),
    (Profile, "gds://", "gds://"),
    (
        Upgrade,
        "tftp://192.168.1.5/image/sip88xx.11-2-3MSR1-1.loads",
        "tftp://192.168.1.5:69/image/sip88xx.11-2-3MSR1-1.loads",
    ),
    (
        Upgrade,
        "tftp://192.168.1.5/image/sip78xx.14-1-1MN-366.loads",
        "tftp://192.168.1.5:69/image/sip78xx.14-1-1MN-366.loads",
    ),
    (Profile, "http://10.74.51.81/prov/migration/E2312.lic", "http://10.74.51.81:80/prov/migration/E2312.lic"),
    (Profile, "http://sudirenewal.cisco.com/", "http://sudirenewal.cisco.com:80/"),
    // Seed 002, HTTPS, the reflector, gzip, encryption, partitioned profiles.
    (Profile, "https://my.server.com/basic.txt", "https://my.server.com:443/basic.txt"),
    (Profile, "https://prov.server.com/cgi-bin/reflect.pl?", "https://prov.server.com:443/cgi-bin/reflect.pl?"),
    (Profile, "tftp://192.168.1.200/basic.txt.gz", "tftp://192.168.1.200:69/basic.txt.gz"),
    (Profile, "[--key MyOwnSecret] tftp://192.168.1.200/basic.cfg", "tftp://192.168.1.200:69/basic.cfg"),
    (Profile, "tftp://192.168.1.200/basic2.txt ", "tftp://192.168.1.200:69/basic2.txt"),
    // Cisco MPP guide, "URL Syntax".
    (Profile, "/$MA.cfg", "tftp://192.0.2.66:69/000e08012345.cfg"),
    (Profile, "/cisco/cfg.xml", "tftp://192.0.2.66:69/cisco/cfg.xml"),
    (Profile, "192.168.1.130/profiles/init.cfg", "tftp://192.168.1.130:69/profiles/init.cfg"),
    (Profile, "tftp://prov.call.com/cpe/cisco$MA.cfg", "tftp://prov.call.com:69/cpe/cisco000e08012345.cfg"),
    (Profile, "http://neptune.speak.net:8080/prov/$D/$E.cfg", "http://neptune.speak.net:8080/prov/d/e.cfg"),
    (Profile, "https://secure.me.com/profile?Linksys", "https://secure.me.com:443/profile?Linksys"),
    // The same, "Conditional Expressions" (BN replaced); 6800 Provisioning Guide; Cisco community 3985912.
    (
        Upgrade,
        "($SWVER ne sip7832.11-0-0MPP-256)? http://ps.tell.com/sw/sip7832.11-0-0MPP-1.loads",
        "http://ps.tell.com:80/sw/sip7832.11-0-0MPP-1.loads",
    ),
    (Upgrade, "($SWVER ne sip7832.11-3-2MPP0001-609)? http://ps.tell.com/sw/sip7832.11-3-2MPP0001-1.loads", "skipped"),
    (
        Upgrade,
        "($SWVER ne sip88xx.11-0-0MPP)? http://ps.tell.com/sw/sip88xx.11-0-0MPP-1.loads",
        "http://ps.tell.com:80/sw/sip88xx.11-0-0MPP-1.loads",
    ),
    (
        Upgrade,
        "($SWVER ge sip78xx.11-0-0MPP-7)? HTTP://SERVER_ADDRESS/sip78xx.11-2-1MES-3.loads| HTTP://SERVER_ADDRESS/sip78xx.11-0-0MPP-7.loads ",
        "http://SERVER_ADDRESS:80/sip78xx.11-2-1MES-3.loads",
    ),
    // The same, "Profile Rules", examples 1 to 5.
    (Profile, "http://remote.server.com/cisco/$MA.cfg", "http://remote.server.com:80/cisco/000e08012345.cfg"),
    (
        Profile,
        "($PRVTMR ge 600)? http://p.tel.com/has-reg.cfg\n| [--post a] http://p.tel.com/lost-reg?",
        "http://p.tel.com:80/has-reg.cfg",
    ),
    (
        Profile,
        "($PRVTMR ge 601)? http://p.tel.com/has-reg.cfg\n| [--post a] http://p.tel.com/lost-reg?",
        "http://p.tel.com:80/lost-reg?",
    ),
    (
        Profile,
        "(\"$CCERT\" eq \"Installed\")? https://p.tel.com/config?\n| https://p.tel.com/config?cisco$MAU",
        "https://p.tel.com:443/config?",
    ),
    (
        Profile,
        "(\"$CCERT\" ne \"Installed\")? https://p.tel.com/config?\n| https://p.tel.com/config?cisco$MAU",
        "https://p.tel.com:443/config?cisco000E08012345",
    ),
    (
        Profile,
        "(\"$A\" ne \"Provisioned\")? (Line_Enable_1_ = \"No\";)! https://p.tel.com/init-prov\n| https://p.tel.com/configs",
        "https://p.tel.com:443/init-prov",
    ),
    (
        Profile,
        "[--alias b] https://p.tel.com/account/$PN$MA.xml",
        "https://p.tel.com:443/account/CP-8841-3PCC000e08012345.xml",
    ),
    // The same, "Optional Resync Arguments".
    (
        Profile,
        "[--key \"SecretPhrase1234\"] http://prov.telco.com/path/profile.cfg",
        "http://prov.telco.com:80/path/profile.cfg",
    ),
    (Profile, "[--key a37d2fb9055c1d04883a0745eb0917a4] /x", "tftp://192.0.2.66:69/x"),
    (
        Profile,
        "[--uid $SA --pwd $SB] https://provisioning_server_url/path_to_your_config/your_config.xml",
        "https://provisioning_server_url:443/path_to_your_config/your_config.xml",
    ),
    // SPA Provisioning Guide: resync example 2, "Combining Options", --post, --alias, reports.
    (
        Profile,
        "($REGTMR1 eq 0)? http://p.tel.com/has-reg.cfg\n| [--post a] http://p.tel.com/lost-reg?",
        "http://p.tel.com:80/has-reg.cfg",
    ),
    (Profile, "[--post j --alias k] /x", "tftp://192.0.2.66:69/x"),
    (Profile, "[--key \"SymmetricSecret\" --alias a] /x", "tftp://192.0.2.66:69/x"),
    (Profile, "[--key \"$SB\" --post g] /x", "tftp://192.0.2.66:69/x"),
    (Profile, "[--alias a --key abracadabra321 --post c] /x", "tftp://192.0.2.66:69/x"),
    (Profile, "[--post f ] http://ps.one.com/cpe/resyncs?", "http://ps.one.com:80/cpe/resyncs?"),
    (
        Profile,
        "[--alias m ] http://acct.voipservice.net/credentials/spa$MA.xml",
        "http://acct.voipservice.net:80/credentials/spa000e08012345.xml",
    ),
    (Profile, "[--key $SA]\nhttp://ps.callme.com/profiles/abcdefg.cfg", "http://ps.callme.com:80/profiles/abcdefg.cfg"),
    (
        Report,
        "[ --key secretphrase ] http://prov.serv.net/spa/$MA/rep.xml.enc",
        "http://prov.serv.net:80/spa/000e08012345/rep.xml.enc",
    ),
    (
        Report,
        "[ --key $K ] tftp://ps.callhome.net/$MA/rep.xml.enc",
        "tftp://ps.callhome.net:69/000e08012345/rep.xml.enc",
    ),
    // SPA Provisioning Guide of 2010, "Report Rule" and "Upgrade Rule".
    (
        Report,
        "[ --delta ] http://reportTargetServer/reportPath/$PN_$MA_$SN.xml",
        "http://reportTargetServer:80/reportPath/CP-8841-3PCC_000e08012345_88012BA01234.xml",
    ),
    (Upgrade, "http://p.tel.com/firmware/spa021025.bin", "http://p.tel.com:80/firmware/spa021025.bin"),
    (
        Upgrade,
        "(\"$F\" ne \"beta-customer\")? http://p.tel.com/firmware/spa021025.bin\n| http://p.tel.com/firmware/spa-test-0527s.bin",
        "http://p.tel.com:80/firmware/spa021025.bin",
    ),
    (
        Report,
        "[--delta] http://a.example/d.xml [--status]http://a.example/s.xml",
        "http://a.example:80/d.xml http://a.example:80/s.xml",
    ),
    (Upload, "[--uid u --pwd p] https://prt.example.com/$MA", "https://prt.example.com:443/000e08012345"),
    // A sample of the 8800 guide, seen in use with BroadWorks.
    (
        Profile,
        "(\"$EMS\" eq \"mobile\" and \"$MUID\" ne \"\" and \"$MPWD\" ne \"\")?[--uid $MUID$PDOM --pwd $MPWD] http://xsp/dms/$MUID.xml|http://xsp/dms/$MA.xml",
        "http://xsp:80/dms/user.xml",
    ),
    // Public templates: a blank before `?`, letters after the number.
    (
        Profile,
        "[--uid myUser --pwd myPass]http://mydomain.com/app/provision/?mac=$MA",
        "http://mydomain.com:80/app/provision/?mac=000e08012345",
    ),
];

/// An upgrade rule of the SPA guide or a public template, the firmware of a phone, and what it fetches.
const OF_SPA: &[(&str, &str, &str)] = &[
    ("( $SWVER ne 2.0.6 )? http://ps.tell.com/sw/spa021024.bin", "2.0.5", "http://ps.tell.com:80/sw/spa021024.bin"),
    ("( $SWVER ne 2.0.6 )? http://ps.tell.com/sw/spa021024.bin", "2.0.6", "skipped"),
    ("( ! 1.0.33 )? http://ps.tell.com/x.bin", "1.0.33", "skipped"),
    ("( ! 1.0.33 )? http://ps.tell.com/x.bin", "1.0.31(b)", "http://ps.tell.com:80/x.bin"),
    ("(lt 2.0.6)? http://ps.tell.com/x.bin", "1.0.31(b)", "http://ps.tell.com:80/x.bin"),
    ("($UPGCOND)? http://ps.tell.com/x.bin", "2.0.6", "http://ps.tell.com:80/x.bin"),
    (
        "($SWVER lt 7.5.2b) ? http://s/spa50x-30x-7-5-2b.bin | http://s/spa50x-30x-7-5-5.bin",
        "7.5.2b",
        "http://s:80/spa50x-30x-7-5-5.bin",
    ),
];

#[test]
fn every_example_of_the_documents_leads_where_they_say() {
    for (dialect, text, expected) in EXAMPLES {
        assert_eq!(fetched(text, *dialect, &phone()), *expected, "{text}");
    }
}

#[test]
fn legacy_forms_of_spa_phones_are_read() {
    for (text, firmware, expected) in OF_SPA {
        assert_eq!(fetched(text, Dialect::Upgrade, &spa(firmware)), *expected, "{text} on {firmware}");
    }
}
