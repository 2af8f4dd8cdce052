//! Until when certificates hold.
//!
//! Not here: whose they are, and who looks at them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

/// The last moment at which a certificate holds, in seconds since the Unix epoch; none where it cannot be read.
#[must_use]
pub fn of_certificate(der: &[u8]) -> Option<i64> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// That of the first of them to expire, of a text in PEM form.
#[must_use]
pub fn of_chain(pem: &str) -> Option<i64> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes());
    chain.filter_map(Result::ok).filter_map(|certificate| of_certificate(&certificate)).min()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate that holds until the beginning of that year.
    fn until(year: i32) -> String {
        let mut params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn a_chain_holds_until_the_first_of_it_expires() {
        assert_eq!(of_chain(&until(2030)), Some(1_893_456_000));
        assert_eq!(of_chain(&format!("{}{}", until(2040), until(2030))), Some(1_893_456_000));
        assert_eq!(of_chain("no certificate"), None);
        assert_eq!(of_certificate(b"nor this"), None);
    }
}
