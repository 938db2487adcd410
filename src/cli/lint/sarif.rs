//! SARIF 2.1.0 (OASIS standard of 2020-03-27), which code review and CI read.

use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::passed::Passed;
use super::report::{File, Report};
use crate::profile::lint::{Code, Finding};

/// What a path holds that a URI reference does not (RFC 3986, section 3.3).
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'^')
    .add(b'\\');

pub(super) fn sarif(report: &Report) -> Value {
    let results: Vec<Value> = report.findings().map(|(file, finding)| result(file, finding)).collect();
    let passed: Vec<Value> = report.doubtful().map(|(path, passed)| notification(path, passed)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "phoneprov",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": Code::ALL.map(rule),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": passed }],
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.as_str().replace('-', " ") },
        "fullDescription": { "text": format!("{} ({})", code.reason(), code.source()) },
        "help": { "text": code.mend() },
        "defaultConfiguration": { "level": code.severity().as_str() },
    })
}

/// A file that was not looked at (section 3.58 of the standard).
fn notification(path: &Path, passed: &Passed) -> Value {
    json!({
        "level": "note",
        "message": { "text": format!("passed over: {passed}") },
        "locations": [{ "physicalLocation": location(path) }],
    })
}

fn location(path: &Path) -> Value {
    let path = path.display().to_string();
    let uri = utf8_percent_encode(&path, NOT_IN_PATHS).to_string();
    let uri = if path.starts_with('/') { format!("file://{uri}") } else { uri };
    json!({ "artifactLocation": { "uri": uri } })
}

fn result(file: &File, finding: &Finding) -> Value {
    let mut location = location(&file.path);
    let mut message = finding.message.clone();
    if file.is_rendered {
        // The place is one of the rendered profile, which is no file.
        message = format!("{message} ({} of the rendered profile)", finding.place);
    } else {
        location["region"] = json!({ "startLine": finding.place.line, "startColumn": finding.place.column });
    }
    let index = Code::ALL.iter().position(|code| *code == finding.code);
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": index,
        "level": finding.severity.as_str(),
        "message": { "text": message },
        "locations": [{ "physicalLocation": location }],
    })
}
