//! What a failed handshake means for a person: what is wrong with whose certificate, and which key or file to check.
//!
//! Not here: what follows from it.

use std::iter::successors;
use std::{error, io};

use rustls::{AlertDescription, CertificateError, Error};

/// Whose handshake it was: the keys that a person is sent to.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    /// The section of the configuration.
    pub section: &'static str,
    /// The key that holds the server's address.
    pub address: &'static str,
}

/// The TLS error among the causes of another. An I/O error hides what it wraps from `source()`, so each is opened.
#[must_use]
pub fn find<'e>(error: &'e (dyn error::Error + 'static)) -> Option<&'e Error> {
    successors(Some(error), |&cause| match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    })
    .find_map(|cause| cause.downcast_ref())
}

/// Whether the trouble is about certificates: the server's, or ours that the server refuses. Such a handshake did not
/// end, so nothing that was sent on the connection has been taken.
#[must_use]
pub fn is_about_certificates(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented | Error::InconsistentKeys(_) => true,
        Error::AlertReceived(alert) => about_ours(*alert, "").is_some(),
        _ => false,
    }
}

/// What a person should hear of a handshake that failed, with the key to look at. Some of these errors may come after it
/// as well, from bytes that went wrong on the way.
#[must_use]
pub fn complaint(error: &Error, Handshake { section, address }: Handshake) -> Option<String> {
    let said = match error {
        Error::InvalidCertificate(refused) => certificate(refused, section, address),
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => {
            format!("what answers there does not speak TLS: correct the port or the scheme in {address}")
        }
        Error::PeerIncompatible(_) => NOTHING_IN_COMMON.to_owned(),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::InconsistentKeys(_) => {
            format!("{section}.client_key_file is not the key of the certificate in {section}.client_cert_file")
        }
        Error::AlertReceived(alert) => alerted(*alert, section, address)?,
        _ => return None,
    };
    Some(said)
}

const NOTHING_IN_COMMON: &str =
    "the server shares no version or kind of encryption with us: let it offer TLS 1.3, or TLS 1.2 with ECDHE";

fn certificate(error: &CertificateError, section: &str, address: &str) -> String {
    use CertificateError as Of;
    match error {
        Of::UnknownIssuer | Of::BadSignature => format!(
            "the server's certificate is signed by itself, or by an authority that is not known here: name its file in \
             {section}.ca_file"
        ),
        Of::Expired | Of::ExpiredContext { .. } => {
            "the server's certificate has expired: renew it there, or correct the clock here".to_owned()
        }
        Of::NotValidYet | Of::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: correct the clock here, or there".to_owned()
        }
        Of::NotValidForName | Of::NotValidForNameContext { .. } => {
            format!("the server's certificate is for another host name than the one in {address}: correct either")
        }
        Of::Revoked => "the server's certificate is revoked: renew it there".to_owned(),
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => {
            "the server's certificate is not made for servers: let it be one for server authentication".to_owned()
        }
        Of::BadEncoding | Of::UnhandledCriticalExtension => {
            "the server's certificate is malformed, or demands what is not known here: renew it there".to_owned()
        }
        Of::Other(_) => other(&format!("{error:?}"), section),
        error if format!("{error:?}").starts_with("UnsupportedSignatureAlgorithm") => {
            "the server's certificate is signed in a way that is too weak or too new: renew it there with RSA or ECDSA, \
             and SHA-256"
                .to_owned()
        }
        _ => format!("the server's certificate is refused ({error:?}): correct it there"),
    }
}

/// What the library that checks chains says by name only.
fn other(name: &str, section: &str) -> String {
    if name.contains("CaUsedAsEndEntity") {
        return format!(
            "the server shows the certificate of an authority as its own, as self-signed ones often are: make one that is no \
             authority (CA:FALSE) with the host name in it, and name its file, or that of who signed it, in {section}.ca_file"
        );
    }
    if name.contains("EndEntityUsedAsCa") || name.contains("PathLenConstraintViolated") {
        return "the server's certificate is signed by one that may not sign: let a real authority sign it".to_owned();
    }
    if name.contains("UnsupportedCertVersion") {
        return "the server's certificate is of an old version: make one of X.509 version 3, with the host name in it"
            .to_owned();
    }
    if name.contains("NameConstraintViolation") {
        return "the authority of the server's certificate may not sign for that host name: use another one".to_owned();
    }
    format!("the server's certificate is refused ({name}): correct it there")
}

fn alerted(alert: AlertDescription, section: &str, address: &str) -> Option<String> {
    use AlertDescription as Said;
    match alert {
        Said::ProtocolVersion | Said::InsufficientSecurity => Some(NOTHING_IN_COMMON.to_owned()),
        Said::UnrecognisedName => Some(format!("the server does not serve the host name in {address}: correct it")),
        alert => about_ours(alert, section),
    }
}

/// What a server says about our certificate, or the lack of one.
fn about_ours(alert: AlertDescription, section: &str) -> Option<String> {
    use AlertDescription as Said;
    let files = format!("{section}.client_cert_file and {section}.client_key_file");
    let said = match alert {
        Said::CertificateRequired => format!("the server demands a client certificate: set {files}"),
        // What servers say with TLS 1.2, for this among other things.
        Said::HandshakeFailure => format!(
            "the server ended the handshake: it may demand a client certificate ({files}), or share no kind of encryption"
        ),
        Said::CertificateExpired => format!("the server says that our certificate has expired: renew {files}"),
        Said::UnknownCA => format!("the server does not know the authority of our certificate: check {files}"),
        Said::BadCertificate
        | Said::UnsupportedCertificate
        | Said::CertificateRevoked
        | Said::CertificateUnknown
        | Said::AccessDenied => format!("the server refuses our certificate ({alert:?}): check {files}"),
        _ => return None,
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(error: Error) -> Option<String> {
        complaint(&error, Handshake { section: "api", address: "api.base_url" })
    }

    #[test]
    fn each_complaint_names_the_key_to_look_at() {
        let cases = [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "api.ca_file"),
            (Error::InvalidCertificate(CertificateError::Expired), "has expired"),
            (Error::InvalidCertificate(CertificateError::NotValidForName), "api.base_url"),
            (Error::InvalidCertificate(CertificateError::NotValidYet), "clock"),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "api.client_cert_file"),
            (Error::AlertReceived(AlertDescription::UnknownCA), "api.client_cert_file"),
            (Error::AlertReceived(AlertDescription::CertificateExpired), "renew api.client_cert_file"),
            (Error::AlertReceived(AlertDescription::BadCertificate), "refuses our certificate"),
        ];
        for (error, wanted) in cases {
            assert!(is_about_certificates(&error), "{error:?}");
            let words = words(error).unwrap();
            assert!(words.contains(wanted), "{words}");
        }
    }

    /// As the library that checks chains tells it: its own type is private to it.
    #[derive(Debug)]
    struct CaUsedAsEndEntity;

    impl std::fmt::Display for CaUsedAsEndEntity {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("CaUsedAsEndEntity")
        }
    }

    impl std::error::Error for CaUsedAsEndEntity {}

    #[test]
    fn a_self_signed_authority_is_told_with_an_error_text_with_the_key_that_mends_it() {
        let other = rustls::OtherError(std::sync::Arc::new(CaUsedAsEndEntity));
        let words = words(Error::InvalidCertificate(CertificateError::Other(other))).unwrap();
        assert!(words.contains("CA:FALSE") && words.contains("api.ca_file"), "{words}");
        assert!(!words.contains("CaUsedAsEndEntity"), "{words}");
    }

    #[test]
    fn a_handshake_that_fails_otherwise_is_told_with_an_error_text_and_proves_nothing() {
        let cases = [
            (Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), "does not speak TLS"),
            (Error::InvalidMessage(rustls::InvalidMessage::MessageTooLarge), "api.base_url"),
            (Error::PeerIncompatible(rustls::PeerIncompatible::NoCipherSuitesInCommon), "TLS 1.3"),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), "TLS 1.3"),
            (Error::AlertReceived(AlertDescription::UnrecognisedName), "api.base_url"),
        ];
        for (error, wanted) in cases {
            assert!(!is_about_certificates(&error), "{error:?}");
            let words = words(error).unwrap();
            assert!(words.contains(wanted), "{words}");
        }
    }

    #[test]
    fn no_refusal_of_a_certificate_is_told_by_the_name_of_its_error() {
        let refusals = [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::NotValidYet,
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
        ];
        for refusal in refusals {
            let (name, words) = (format!("{refusal:?}"), words(Error::InvalidCertificate(refusal)).unwrap());
            assert!(words.starts_with("the server's certificate ") && !words.contains(&name), "{name}: {words}");
        }
    }

    #[test]
    fn what_may_come_in_the_middle_of_an_answer_is_no_complaint() {
        for alert in [AlertDescription::InternalError, AlertDescription::BadRecordMac, AlertDescription::CloseNotify] {
            assert_eq!(words(Error::AlertReceived(alert)), None);
            assert!(!is_about_certificates(&Error::AlertReceived(alert)));
        }
        assert_eq!(words(Error::DecryptError), None);
    }
}
