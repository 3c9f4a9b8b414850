//! The options of outgoing connections: authorities and proxies.

use std::path::{Path, PathBuf};

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use transport::{Exceptions, Proxies, ProxyAddress};

use super::ConfigError;
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
    #[arg(long, env, hide_env_values = true, value_parser = any_proxy)]
    all_proxy: Option<AnyProxy>,
    /// Hosts, domains and networks that are reached without these proxies, separated by commas. Each
    /// may have a port; * is everything
    #[arg(long, env, hide_env_values = true)]
    no_proxy: Option<String>,
    /// Proxy for health checks of stacks, which use no other one. It decides which addresses it
    /// connects to [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = proxy)]
    pub(super) stack_probe_proxy: Option<ProxyAddress>,
}

/// A proxy for everything. Other programs may use one that the portal cannot.
#[derive(Clone, Debug)]
pub(super) enum AnyProxy {
    Http(ProxyAddress),
    Socks,
}

impl OutboundOptions {
    /// Determines the proxies, and what the operator should know about them. `reached` are the
    /// addresses that the portal reaches itself, with their variables.
    ///
    /// # Errors
    ///
    /// Returns an error if one of these would need a proxy of a kind that the portal cannot use.
    pub(super) fn resolve(
        self,
        reached: &[(&str, &str)],
    ) -> Result<(OutboundSettings, Option<String>), ConfigError> {
        let except = Exceptions::parse(&self.no_proxy.unwrap_or_default());
        let (all, is_socks) = match self.all_proxy {
            Some(AnyProxy::Http(proxy)) => (Some(proxy), false),
            Some(AnyProxy::Socks) => (None, true),
            None => (None, false),
        };
        let https = self.https_proxy.or_else(|| all.clone());
        let proxies = Proxies { https, http: self.http_proxy.or(all), except };
        let lacking = reached.iter().find(|(_, address)| proxies.lack_one_for(address));
        if let Some((variable, _)) = lacking.filter(|_| is_socks) {
            let problem = format!(
                "is the address of a SOCKS proxy, which the portal cannot use, but {variable} would \
                 be reached through it: set HTTPS_PROXY or HTTP_PROXY to an HTTP proxy, or add the \
                 host in {variable} to NO_PROXY"
            );
            return Err(ConfigError::setting("ALL_PROXY", problem));
        }
        let warning = is_socks.then(|| {
            String::from(
                "ALL_PROXY is the address of a SOCKS proxy, which the portal cannot use: it is \
                 ignored, since nothing that the portal reaches needs it",
            )
        });
        Ok((OutboundSettings { ca_file: self.ca_file, proxies }, warning))
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

/// Parses the address of a proxy for everything.
fn any_proxy(text: &str) -> Result<AnyProxy, String> {
    let scheme = text.trim().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("socks" | "socks4" | "socks4a" | "socks5" | "socks5h") => Ok(AnyProxy::Socks),
        Some(_) | None => proxy(text).map(AnyProxy::Http),
    }
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
