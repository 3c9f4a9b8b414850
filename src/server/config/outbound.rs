//! The options of outgoing connections: authorities and proxies.

use std::path::{Path, PathBuf};

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use transport::{Proxies, ProxyAddress};

use crate::server::settings::{OutboundSettings, StoreSettings};

/// The options of outgoing connections, as given.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Outgoing connections")]
pub(super) struct OutboundOptions {
    /// PEM file with certificate authorities to trust besides the system's: for the identity
    /// provider, Dokploy, stacks, and PostgreSQL with sslmode=verify-full
    #[arg(long, env, hide_env_values = true)]
    ca_file: Option<PathBuf>,
    /// Proxy for https addresses of the identity provider and Dokploy, like
    /// `http://proxy.example.com:3128` [default: that of `ALL_PROXY`]
    #[arg(long, env, hide_env_values = true, value_parser = proxy)]
    https_proxy: Option<ProxyAddress>,
    /// Proxy for their http addresses [default: that of `ALL_PROXY`]
    #[arg(long, env, hide_env_values = true, value_parser = proxy)]
    http_proxy: Option<ProxyAddress>,
    /// Proxy for both [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = proxy)]
    all_proxy: Option<ProxyAddress>,
    /// Hosts, domains and networks that are reached without these proxies, separated by commas
    #[arg(long, env, hide_env_values = true)]
    no_proxy: Option<String>,
    /// Proxy for health checks of stacks, which use no other one. It decides which addresses it
    /// connects to [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = proxy)]
    pub(super) stack_probe_proxy: Option<ProxyAddress>,
}

impl OutboundOptions {
    pub(super) fn resolve(self) -> OutboundSettings {
        let https = self.https_proxy.or_else(|| self.all_proxy.clone());
        let http = self.http_proxy.or(self.all_proxy);
        let proxies = Proxies { https, http, except: self.no_proxy.unwrap_or_default() };
        OutboundSettings { ca_file: self.ca_file, proxies }
    }

    /// Returns the store whose server may have a certificate of these authorities as well, unless
    /// its address names others.
    pub(super) fn trusted_by(&self, store: StoreSettings) -> StoreSettings {
        match (store, &self.ca_file) {
            (StoreSettings::Postgres { url }, Some(file)) => {
                StoreSettings::Postgres { url: with_authorities(url, file) }
            }
            (store @ (StoreSettings::Postgres { .. } | StoreSettings::Sqlite { .. }), _) => store,
        }
    }
}

fn with_authorities(url: SecretString, file: &Path) -> SecretString {
    let text = url.expose_secret();
    if text.contains("sslrootcert=") {
        return url;
    }
    let separator = if text.contains('?') { '&' } else { '?' };
    let file = file.to_string_lossy();
    let file = utf8_percent_encode(&file, NON_ALPHANUMERIC);
    SecretString::from(format!("{text}{separator}sslrootcert={file}"))
}

/// Parses the address of a proxy. The error does not repeat it, since it may contain a password.
fn proxy(text: &str) -> Result<ProxyAddress, String> {
    ProxyAddress::parse(text).ok_or_else(|| {
        String::from(
            "is not the address of an HTTP proxy: give one like http://proxy.example.com:3128, or \
             http://user:password@proxy.example.com:3128",
        )
    })
}
