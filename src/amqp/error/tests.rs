//! Laws of what errors are known by and what they say.
//!
//! Not here: a broker.

use lapin::protocol::AMQPError;
use lapin::types::parsing::parse_field_table;

use super::*;

#[test]
fn one_code_for_several_things_is_told_apart() {
    let held = refused("ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use");
    assert!(held.contains("another consumer") && !held.contains("password"), "{held}");
    let right = refused("ACCESS_REFUSED - read access to queue 'q' in vhost '/' refused for user 'u'");
    assert!(right.contains("lacks a right") && !right.contains("password"), "{right}");
    assert!(refused("ACCESS_REFUSED - Login was refused").contains("password"));
    let other = precondition("PRECONDITION_FAILED - inequivalent arg 'x-overflow' for queue 'q'");
    assert!(other.contains("other arguments"), "{other}");
    let late = precondition("PRECONDITION_FAILED - delivery acknowledgement on channel 2 timed out");
    assert!(late.contains("consumer timeout"), "{late}");
    assert_eq!(
        precondition("PRECONDITION_FAILED - unknown delivery tag 7"),
        "PRECONDITION_FAILED - unknown delivery tag 7"
    );
}

fn of(kind: AMQPErrorKind, text: &str) -> Error {
    ErrorKind::ProtocolError(AMQPError::new(kind, text.into())).into()
}

fn unread() -> Error {
    ErrorKind::ParsingError(parse_field_table(&[0, 0, 0, 9][..]).unwrap_err()).into()
}

#[test]
fn what_the_broker_says_of_one_channel_is_known_by_its_code_and_nothing_else_is_taken_for_it() {
    let known = |error: Error| [is_missing, is_other, is_locked, is_refused, is_of_the_channel].map(|is| is(&error));
    let codes = [
        (AMQPSoftError::NOTFOUND, [true, false, false, false, true]),
        (AMQPSoftError::PRECONDITIONFAILED, [false, true, false, false, true]),
        (AMQPSoftError::RESOURCELOCKED, [false, false, true, false, true]),
        (AMQPSoftError::ACCESSREFUSED, [false, false, false, true, true]),
        (AMQPSoftError::NOCONSUMERS, [false, false, false, false, true]),
    ];
    for (code, wanted) in codes {
        assert_eq!(known(of(code.clone().into(), "")), wanted, "{code}");
    }
    for error in [of(AMQPHardError::NOTALLOWED.into(), ""), ErrorKind::MissingHeartbeatError.into(), unread()] {
        assert_eq!(known(error.clone()), [false; 5], "{error}");
    }
}

#[test]
fn every_error_says_what_was_being_done_and_what_to_do_about_it() {
    let told = [
        (of(AMQPSoftError::ACCESSREFUSED.into(), "access to queue 'q' refused"), "set_permissions"),
        (of(AMQPSoftError::RESOURCELOCKED.into(), "locked"), "make a durable quorum queue"),
        (of(AMQPSoftError::PRECONDITIONFAILED.into(), "inequivalent arg 'x-overflow'"), "make it again"),
        (of(AMQPSoftError::NOTFOUND.into(), "no queue 'q'"), "no queue 'q'"),
        (of(AMQPHardError::NOTALLOWED.into(), "vhost"), "check broker.url"),
        (of(AMQPHardError::CONNECTIONFORCED.into(), "by a person"), "the broker closed the connection"),
        (std::io::Error::other("no valid native certificates").into(), "install ca-certificates"),
        (ErrorKind::MissingHeartbeatError.into(), "nothing for two heartbeats"),
        (unread(), "take the first message out of the queue"),
        (ErrorKind::ChannelsLimitReached.into(), "channels"),
    ];
    for (error, words) in told {
        let told = BrokerError::during("consuming", &error);
        assert!(told.to_string().starts_with("consuming: ") && told.to_string().contains(words), "{told}");
        assert_eq!(told.is_unparsable(), matches!(error.kind(), ErrorKind::ParsingError(_)), "{told}");
    }
}

#[test]
fn of_several_addresses_each_is_told_and_one_that_sent_what_cannot_be_read_is_enough_to_be_careful() {
    let [one, unread] = [BrokerError::new("gone"), BrokerError::during("consuming", &unread())];
    assert_eq!(BrokerError::all(vec![unread.clone()]), unread);
    let both = BrokerError::all(vec![one.clone(), unread.clone()]);
    assert_eq!(both.to_string(), format!("none of the 2 addresses will do: {one}; {unread}"));
    assert!(both.is_unparsable() && !BrokerError::all(vec![one.clone(), one]).is_unparsable());
}

#[test]
fn a_frame_that_is_too_large_is_known_by_its_size_and_no_other_error_is_taken_for_one() {
    let large = of(AMQPHardError::FRAMEERROR.into(), "frame too large: 205169 bytes");
    let error = BrokerError::during("consuming", &large);
    assert!(error.is_unparsable() && error.large_frame() == Some(205_169), "{error}");
    assert!(error.to_string().contains("205169 bytes is larger"), "{error}");
    for other in [
        of(AMQPHardError::FRAMEERROR.into(), "type 2, all octets = <<>>: frame_too_large"),
        of(AMQPSoftError::NOTFOUND.into(), "frame too large: 205169 bytes"),
    ] {
        let error = BrokerError::during("consuming", &other);
        assert!(!error.is_unparsable() && error.large_frame().is_none(), "{error}");
    }
}

#[test]
fn a_system_that_trusts_nobody_is_told_what_to_install() {
    let words = input_output(&std::io::Error::other("Could not load any valid native certificates"));
    assert!(words.contains("install ca-certificates") && words.contains("SSL_CERT_FILE"), "{words}");
}

#[test]
fn a_certificate_that_is_refused_is_told_with_its_key() {
    let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let words = input_output(&std::io::Error::new(std::io::ErrorKind::InvalidData, refused));
    assert!(words.contains("broker.ca_file"), "{words}");
}
