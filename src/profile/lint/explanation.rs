//! What is said about each kind of finding: why it matters, who says so, and what to do.

use super::Code;

/// What is said of one code.
struct Explanation {
    reason: &'static str,
    source: &'static str,
    mend: &'static str,
}

pub(super) const fn reason(code: Code) -> &'static str {
    explanation(code).reason
}

pub(super) const fn source(code: Code) -> &'static str {
    explanation(code).source
}

pub(super) const fn mend(code: Code) -> &'static str {
    explanation(code).mend
}

const FORMATS: &str = "Cisco MPP administration guide, Provisioning Formats";

const fn explanation(code: Code) -> Explanation {
    match structural(code) {
        Some(explanation) => explanation,
        None => match of_name(code) {
            Some(explanation) => explanation,
            None => match of_value(code) {
                Some(explanation) => explanation,
                None => of_rule(code),
            },
        },
    }
}

const fn structural(code: Code) -> Option<Explanation> {
    let (reason, source, mend) = match code {
        Code::NotWellFormed => (
            "a phone takes such a file for corrupt: it changes nothing and tries again later",
            "Cisco MPP administration guide, Provisioning; W3C XML 1.0",
            "mend the XML at this place",
        ),
        Code::NotRendered => (
            "the phone gets no answer but \"not found\"",
            "docs/templates.md",
            "mend the template, give its variable a value, or name a phone that has one by --mac",
        ),
        Code::WrongRoot => {
            ("a phone reads parameters from <flat-profile> only", FORMATS, "put the parameters into <flat-profile>")
        }
        Code::ElementInElement => (
            "a parameter holds text; what phones make of an element in it is not documented, and the next element's \
             value may be lost",
            FORMATS,
            "close the outer element before the inner one, or write `<` as &lt;",
        ),
        Code::ByteOrderMark => (
            "the guides ask for ASCII or plain UTF-8; what a phone makes of the three bytes before the first element is \
             not documented",
            FORMATS,
            "save the file without it; --fix does",
        ),
        Code::TextBetweenElements => (
            "text that is in no parameter is not part of the format, and whether a phone reads past it is not documented",
            FORMATS,
            "write comments as <!-- … -->",
        ),
        Code::UncleanXml => (
            "XML forbids it; phones read past some of it, parsers of other programs do not",
            "W3C XML 1.0",
            "clean it up",
        ),
        Code::TooLarge => (
            "phones have rebooted over very large profiles; the limit is not documented, and lint.largest sets the one \
             that counts here",
            "Cisco MPP release notes, CSCvi87525, CSCvf96271",
            "leave out what is at its default, or split it over Profile_Rule to Profile_Rule_D",
        ),
        _ => return None,
    };
    Some(Explanation { reason, source, mend })
}

const fn of_name(code: Code) -> Option<Explanation> {
    let (reason, source, mend) = match code {
        Code::UnknownParameter => (
            "a phone ignores an element that it does not know, without a word",
            FORMATS,
            "correct the name; if it is right, add it to lint.known in config.toml",
        ),
        Code::WrongCase => (
            "names are case-sensitive, though Cisco's tutorials print some in lower case: a phone may ignore it",
            FORMATS,
            "write it as the dictionary does; --fix does",
        ),
        Code::DuplicateParameter => (
            "the last one wins, so the earlier one does nothing",
            FORMATS,
            "remove the earlier one; --fix does where no attribute is lost",
        ),
        Code::OtherFamily => (
            "the same setting has other names in other families, and a phone ignores a name that it does not know",
            "sample profiles of Cisco's guides, family by family",
            "use this family's name, or keep it for the other phones that read the same file",
        ),
        Code::NewerFirmware => (
            "a phone ignores an element that its firmware does not know yet",
            "Cisco MPP release notes",
            "upgrade first, or leave it out",
        ),
        Code::NumberBeyond => (
            "a phone ignores the parameters of lines and keys that it does not have",
            "numbers seen in Cisco's sample profiles and guides",
            "look up how many the phone has; the dictionary does not say it of each product",
        ),
        Code::ReadOnly => (
            "it is a phone's report about itself and cannot be set",
            "downloads of config.xml",
            "leave it out; `phoneprov import-export` does",
        ),
        Code::WrongAccess => (
            "ua says what the phone's user may do: na, ro or rw; what another word does is not documented",
            "Cisco MPP administration guide, Access Control",
            "write na, ro or rw",
        ),
        _ => return None,
    };
    Some(Explanation { reason, source, mend })
}

const fn of_value(code: Code) -> Option<Explanation> {
    let (reason, source, mend) = match code {
        Code::WrongType => (
            "a phone keeps what it has, or falls back to its default, without a word",
            "8831-3PCC Provisioning Guide, Data Types",
            "write a value of the type",
        ),
        Code::UnlistedValue => (
            "a phone ignores a word that it does not know, or falls back to its default",
            "sample profiles and tables of Cisco's guides",
            "write one of the words; later firmware may know more of them",
        ),
        Code::OutOfRange => (
            "a phone ignores the number, or cuts it to its limits",
            "tables of Cisco's guides",
            "write a number within the limits",
        ),
        Code::WrongLength => (
            "a phone cuts the value off, or ignores it",
            "8831-3PCC Provisioning Guide, Data Types; tables of Cisco's guides",
            "shorten it",
        ),
        Code::NonAscii => (
            "one chapter of the guide allows ASCII only, another UTF-8: a numeric reference is right by both",
            FORMATS,
            "write it as a reference, such as &#233;; --fix does",
        ),
        Code::AmbiguousEmpty => (
            "one chapter says that an empty element clears the value, another that it restores the default, and here the \
             default is not empty",
            "Cisco MPP administration guide, Provisioning Formats; 8831-3PCC Provisioning Guide, Data Types",
            "leave the element out, or write the value that is meant",
        ),
        _ => return None,
    };
    Some(Explanation { reason, source, mend })
}

const fn of_rule(code: Code) -> Explanation {
    let (reason, source, mend) = match code {
        Code::BadRule => (
            "a phone skips a rule that it cannot read, or asks for what nobody meant",
            FORMATS,
            "mend the rule; `phoneprov rule` shows what a phone makes of it",
        ),
        Code::DoubtfulRule => (
            "the rule can be read, but hardly means what stands there",
            FORMATS,
            "see what `phoneprov rule` says of it",
        ),
        Code::SecretInClear => (
            "the file goes out unencrypted, to anybody who asks or past anybody on the way; a MAC address in its name is no \
             secret",
            "Rapid7 R7-2017-07 (Fuze); 3CX, ScopServ and VoIPon on provisioning over TFTP",
            "give the path a rule with proof = \"certificate\" or with encrypt, or put the secret into a device's own file",
        ),
        Code::DigestUnderFips => (
            "FIPS mode has no HTTP Digest: the phone answers Basic only, which is readable without TLS",
            "Cisco MPP administration guide, Security; XML Reference Guide, FIPS_Mode",
            "use https with Basic, or a client certificate",
        ),
        Code::KeyUnderFips => (
            "the key of --key is derived by MD5, which FIPS mode does not have",
            "Cisco MPP administration guide, Security and Provisioning Formats",
            "use RFC 8188 with IKM_HTTP_Encrypt_Content, or https alone",
        ),
        Code::ShortResync => (
            "each phone asks for all its profiles that often; Cisco recommends once a day (86400)",
            "Cisco MPP administration guide, Provisioning Parameters",
            "write 3600 or more, or 0 for never",
        ),
        _ => ("most of them have one cause", "docs/lint.md", "mend the first ones and look again"),
    };
    Explanation { reason, source, mend }
}
