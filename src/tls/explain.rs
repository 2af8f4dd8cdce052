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

/// What a person should read, if the error is about certificates: the server's, or ours that the server refuses. Such a
/// handshake did not end, so nothing that was sent on the connection has been taken.
#[must_use]
pub fn complaint(error: &Error, Handshake { section, address }: Handshake) -> Option<String> {
    let said = match error {
        Error::InvalidCertificate(refused) => certificate(refused, section, address),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::InconsistentKeys(_) => {
            format!("{section}.client_key_file is not the key of the certificate in {section}.client_cert_file")
        }
        Error::AlertReceived(alert) => alerted(*alert, section)?,
        _ => return None,
    };
    Some(said)
}

fn certificate(error: &CertificateError, section: &str, address: &str) -> String {
    use CertificateError as Of;
    match error {
        Of::UnknownIssuer | Of::BadSignature => format!(
            "the server's certificate is signed by an authority that is not known here: name its file in {section}.ca_file"
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
        _ => format!("the server's certificate is refused ({error:?}): correct it there"),
    }
}

/// What a server says about our certificate, or the lack of one.
fn alerted(alert: AlertDescription, section: &str) -> Option<String> {
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
            let words = words(error).unwrap();
            assert!(words.contains(wanted), "{words}");
        }
    }

    #[test]
    fn what_may_come_in_the_middle_of_an_answer_is_no_complaint() {
        for alert in [AlertDescription::InternalError, AlertDescription::BadRecordMac, AlertDescription::CloseNotify] {
            assert_eq!(words(Error::AlertReceived(alert)), None);
        }
        assert_eq!(words(Error::DecryptError), None);
    }
}
