//! The line of seven steps, request to response: profiles of 3 KB and 45 KB, literal and made for one device, cold and
//! from the store; then each costly step by itself, on the same profiles.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput};
use flate2::{Compression, GzBuilder};
use phoneprov::app::App;
use phoneprov::cipher::Scheme;
use phoneprov::config::{Config, Protocol};
use phoneprov::metrics::Metrics;
use phoneprov::profile::macros::{Macro, Macros};
use phoneprov::profile::path::RequestPath;
use phoneprov::provision::{self, Body, Conditions, Examined, Line, Presented, Request, Verb};
use sha2::{Digest, Sha256};

const CONFIG: &str = r#"
profiles = "."

[[listen]]
address = "127.0.0.1:0"
protocol = "http"

[[rule]]
path = "/secure/**"
proof = "none"
gzip = true
encrypt = "aes-256-cbc"
key = "SecretPhrase1234-{{ MA }}"

[[rule]]
path = "/**"
proof = "none"
"#;

/// A profile's name, and how many parameters it has: 3 KB and 45 KB.
const SIZES: [(&str, usize); 2] = [("3k", 48), ("45k", 700)];

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    for (size, parameters) in SIZES {
        let template = template(parameters);
        for (file, text) in [
            (format!("literal/{size}.cfg"), expanded(&template)),
            (format!("rendered/{size}-$MA.cfg"), template.clone()),
            (format!("secure/{size}-$MA.cfg"), template),
        ] {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, text).expect("a file");
        }
    }
    // A profile is kept once its stamp is older than the file system's clock is coarse.
    std::thread::sleep(Duration::from_millis(50));
    let mut criterion = Criterion::default().configure_from_args();
    answers(&mut criterion, folder.path());
    steps(&mut criterion, folder.path());
    criterion.final_summary();
}

fn answers(criterion: &mut Criterion, folder: &Path) {
    for (cache, size) in [("cold", "0"), ("cached", "64 MiB")] {
        let line = line(folder, size);
        let mut group = criterion.benchmark_group(cache);
        for path in ["literal/3k.cfg", "literal/45k.cfg"] {
            group.bench_function(path, |bencher| bencher.iter(|| answer(&line, path)));
        }
        for kind in ["rendered", "secure"] {
            for (size, _) in SIZES {
                let path = format!("{kind}/{size}-000e08abcdef.cfg");
                group.bench_function(format!("{kind}/{size}"), |bencher| bencher.iter(|| answer(&line, &path)));
            }
        }
        group.finish();
    }
}

fn steps(criterion: &mut Criterion, folder: &Path) {
    let line = line(folder, "0");
    let mut macros = Macros::default();
    assert!(macros.bind(Macro::Ma, "000e08abcdef"));
    for (size, _) in SIZES {
        let file = format!("rendered/{size}-$MA.cfg");
        let render = || line.templates.render(&file, &macros, &line.variables, None).expect("a profile").text;
        let text = render();
        let mut group = criterion.benchmark_group(format!("step/{size}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("render", |bencher| bencher.iter(render));
        for level in 1..=6 {
            let name = format!("gzip {level} ({} bytes)", gzip(&text, level).len());
            group.bench_function(name, |bencher| bencher.iter(|| gzip(&text, level)));
        }
        let packed = gzip(&text, 4);
        for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
            group.bench_function(scheme.as_str(), |bencher| bencher.iter(|| scheme.encrypt(b"key", &packed)));
        }
        group.bench_function("entity tag", |bencher| bencher.iter(|| Sha256::digest(&packed)));
        group.finish();
    }
}

/// Walks the line, from the bytes of the path to the bytes of the body.
fn answer(line: &Line, path: &str) -> u64 {
    let request = Request {
        transport: Protocol::Http,
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
        verb: Verb::Get,
        path: RequestPath::from_http(black_box(path)),
        key: None,
        presented: &Presented::Nothing,
        models: None,
        password: Examined::default(),
        accepts_gzip: false,
        conditions: Conditions::default(),
        read: Vec::new(),
    };
    let (response, trail) = provision::answer(line, &request);
    black_box(trail);
    match response.expect("an answer").body {
        Body::Bytes(bytes) => black_box(bytes).len() as u64,
        Body::File { length, .. } => length,
    }
}

fn line(folder: &Path, cache: &str) -> Arc<Line> {
    let mut text = format!("{CONFIG}\n[cache]\nsize = \"{cache}\"\n\n[variables]\n");
    for (name, value) in variables() {
        writeln!(text, "{name} = \"{value}\"").expect("memory");
    }
    let config = Config::parse(&text, &folder.join("config.toml"), SystemTime::now()).expect("a configuration");
    App::new(config, &Metrics::default(), None).expect("the parts").line
}

fn gzip(text: &str, level: u32) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::with_capacity(text.len() / 3), Compression::new(level));
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Parameters of a phone's line and of its regional settings, as the flat profile names them, with values as they are
/// set. In `{}` stands what differs from phone to phone.
const PARAMETERS: [(&str, &str); 28] = [
    ("Line_Enable", "Yes"),
    ("Share_Ext", "private"),
    ("Display_Name", "{display_name}"),
    ("User_ID", "{MA}"),
    ("Password", "{password}"),
    ("Auth_ID", "{auth_id}"),
    ("Proxy", "{sip_proxy}"),
    ("Outbound_Proxy", "{outbound_proxy}"),
    ("Use_DNS_SRV", "Yes"),
    ("Register_Expires", "3600"),
    ("SIP_Transport", "TLS"),
    ("SIP_Port", "5060"),
    ("Dial_Plan", "(*xx|[3469]11|0|00|[2-9]xxxxxx|1xxx[2-9]xxxxxxS0|xxxxxxxxxxxx.)"),
    ("Preferred_Codec", "G722"),
    ("Use_Pref_Codec_Only", "No"),
    ("DTMF_Tx_Method", "Auto"),
    ("Voice_Mail_Server", "{voice_mail}"),
    ("Mailbox_ID", "{mailbox}"),
    ("Message_Waiting", "No"),
    ("Default_Ring", "1"),
    ("Extended_Function", "fnc=blf+sd+cp;sub={extension}@$PROXY;nme={display_name}"),
    ("Dial_Tone", "350@-19,440@-19;10(*/0/1+2)"),
    ("Reorder_Tone", "480@-19,620@-19;10(.25/.25/1+2)"),
    ("Ring_Back_Tone", "440@-19,480@-19;*(2/4/1+2)"),
    ("Cadence", "60(.3/.2,1/.2,.3/4)"),
    ("Profile_Rule", "https://{provisioning_server}/$PN/$MA.cfg"),
    ("Primary_NTP_Server", "{ntp_server}"),
    ("Time_Zone", "GMT-08:00"),
];

/// A flat profile of this many parameters.
fn template(parameters: usize) -> String {
    let mut text = String::from("<flat-profile>\n");
    for place in 0..parameters {
        let (name, value) = PARAMETERS[place % PARAMETERS.len()];
        let line = place / PARAMETERS.len() + 1;
        let value = value.replace('{', "{{ ").replace('}', " }}");
        writeln!(text, "  <{name}_{line}_ ua=\"na\">{value}</{name}_{line}_>").expect("memory");
    }
    text.push_str("</flat-profile>\n");
    text
}

fn variables() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("display_name", "Reception, Building 4"),
        ("password", "n2Vb7-Qx81-Lp0z"),
        ("auth_id", "pbx-20817-reception"),
        ("sip_proxy", "sip.example.com"),
        ("outbound_proxy", "edge-3.sip.example.com"),
        ("voice_mail", "voicemail@sip.example.com"),
        ("mailbox", "20817"),
        ("extension", "20818"),
        ("provisioning_server", "provisioning.example.com"),
        ("ntp_server", "pool.ntp.org"),
    ])
}

/// The same profile as a file that somebody else rendered.
fn expanded(template: &str) -> String {
    let values = variables().into_iter().chain([("MA", "000e08abcdef")]);
    values.fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{{ {name} }}}}"), value))
}
