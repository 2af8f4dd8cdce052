//! What every HTTP client of ours has in common. Every option that a default could turn into a second request, another host or a trust
//! that nobody wrote down is set here.
//!
//! Not here: what is asked, by which proxy, with which certificate of ours, and how long it may take.

mod retry_after;
mod tunnel;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, retry};

use crate::tls::Held;

pub(crate) use retry_after::retry_after;
pub(crate) use tunnel::tunnel;

/// The beginning of a client: HTTP/1.1, no redirect, no second request, and no proxy that a variable for other programs names. It trusts
/// the system's authorities and those that are held; where nothing `is_encrypted`, only those, so that a system without a trust store
/// will do.
///
/// # Errors
/// The authorities that are held cannot be read as PEM.
pub(crate) fn builder(held: &Held, is_encrypted: bool) -> reqwest::Result<ClientBuilder> {
    // Fails only where a provider is installed already, which then serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let authorities = held.authorities.as_ref().map(|pem| Certificate::from_pem_bundle(pem.as_bytes())).transpose()?;
    let (begun, authorities) = (Client::builder(), authorities.unwrap_or_default());
    let trusting = if is_encrypted { begun.tls_certs_merge(authorities) } else { begun.tls_certs_only(authorities) };
    Ok(trusting.no_proxy().http1_only().redirect(Policy::none()).retry(retry::never()).referer(false))
}
