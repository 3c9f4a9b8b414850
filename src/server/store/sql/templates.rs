//! Implements the port of the definitions of templates.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqlStore;
use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::Columns as _;
use super::statement::Statement;
use crate::server::store::{Result, StoreError, TemplateDefinition, Templates};
use domain::stack_spec::TemplateRef;

#[async_trait]
impl<D: Dialect> Templates for SqlStore<D> {
    async fn used_templates(&self) -> Result<Vec<TemplateRef>> {
        let list = Statement::new("SELECT digest, id, version FROM templates ORDER BY digest");
        let read = |row: &D::Row| {
            let (id, version) = (row.text("id")?, row.text("version")?);
            Ok(TemplateRef { id, version, digest: row.text("digest")? })
        };
        self.rows(list).await?.iter().map(read).collect()
    }

    async fn template(&self, digest: &str) -> Result<Option<String>> {
        let find = Statement::new("SELECT definition FROM templates WHERE digest = $1");
        self.rows(find.bind(digest)).await?.first().map(|row| row.text("definition")).transpose()
    }
}

/// Inserts a definition, unless it is stored.
///
/// # Errors
///
/// [`StoreError::TemplateChanged`] if its version has another one.
pub(super) async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    template: &TemplateDefinition,
    now: Timestamp,
) -> Result<()> {
    let TemplateRef { id, version, digest } = &template.reference;
    let stored = Statement::new("SELECT digest FROM templates WHERE id = $1 AND version = $2");
    let stored = stored.bind(id).bind(version);
    let mut found = stored.clone().fetch_optional(tx).await?;
    if found.is_none() {
        // Another transaction may insert it at the same time.
        let insert = Statement::new(
            "INSERT INTO templates (digest, id, version, definition, first_used_ms)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        );
        let insert = insert.bind(digest).bind(id).bind(version).bind(&template.json).bind(now);
        if insert.execute(tx).await? == 1 {
            return Ok(());
        }
        found = stored.fetch_optional(tx).await?;
    }
    match found {
        Some(row) if row.text("digest")? == *digest => Ok(()),
        Some(_) | None => Err(StoreError::TemplateChanged),
    }
}
