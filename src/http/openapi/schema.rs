//! Short forms for the parts of schemas.

use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, RefBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// The name of the schema of errors.
pub(super) const ERROR: &str = "Error";

/// Begins the schema of a text.
pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Begins the schema of a whole number from 0.
pub(super) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))
}

/// Begins the schema of a number.
pub(super) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}

/// Begins the schema of true and false.
pub(super) fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Begins the schema of one value of true and false.
pub(super) fn always(value: bool) -> ObjectBuilder {
    flag().enum_values(Some([value]))
}

/// Begins the schema of one of these texts.
pub(super) fn one_of_texts<const N: usize>(values: [&str; N]) -> ObjectBuilder {
    text().enum_values(Some(values))
}

/// Begins the schema of a time.
pub(super) fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// Begins the schema of an address.
pub(super) fn address() -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(String::from("uri"))))
}

/// Begins the schema of a path of the portal.
pub(super) fn path() -> ObjectBuilder {
    text().pattern(Some("^/"))
}

/// Returns the type of a text, or null.
pub(super) fn or_null() -> SchemaType {
    SchemaType::from_iter([Type::String, Type::Null])
}

/// Returns a reference to a schema of the document.
pub(super) fn reference(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

/// Begins the schema of a list of what `items` describes.
pub(super) fn list(items: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    let items: RefOr<Schema> = items.into();
    ArrayBuilder::new().items(items)
}

/// Returns a schema that is one of others of the document.
pub(super) fn either<const N: usize>(about: &str, names: [&str; N]) -> RefOr<Schema> {
    let all = OneOfBuilder::new().description(Some(about));
    names.into_iter().fold(all, |all, name| all.item(reference(name))).into()
}

/// An object's schema, under construction.
pub(super) struct Fields(ObjectBuilder);

/// Begins the schema of an object.
pub(super) fn object(about: &str) -> Fields {
    Fields(ObjectBuilder::new().schema_type(Type::Object).description(Some(about)))
}

impl Fields {
    /// Adds a field that every object has.
    pub(super) fn has(self, name: &str, schema: ObjectBuilder, about: &str) -> Self {
        self.optional(name, schema, about).required(name)
    }

    /// Adds a field that an object may have.
    pub(super) fn optional(self, name: &str, schema: ObjectBuilder, about: &str) -> Self {
        Self(self.0.property(name, schema.description(Some(about))))
    }

    /// Adds a field that every object has, whose schema is another one of the document.
    pub(super) fn has_one(self, name: &str, schema: &str, about: &str) -> Self {
        self.optional_one(name, schema, about).required(name)
    }

    /// Adds a field that an object may have, whose schema is another one of the document.
    pub(super) fn optional_one(self, name: &str, schema: &str, about: &str) -> Self {
        let schema =
            RefBuilder::new().ref_location_from_schema_name(schema).description(Some(about));
        Self(self.0.property(name, schema))
    }

    /// Adds a field with a list.
    pub(super) fn list(self, name: &str, items: impl Into<RefOr<Schema>>, about: &str) -> Self {
        Self(self.0.property(name, list(items).description(Some(about))))
    }

    /// Adds a field with an object whose fields have any names.
    pub(super) fn map(self, name: &str, values: impl Into<RefOr<Schema>>, about: &str) -> Self {
        let values: RefOr<Schema> = values.into();
        let map =
            ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(values));
        Self(self.0.property(name, map.description(Some(about))))
    }

    /// Says that every object has the field.
    pub(super) fn required(self, name: &str) -> Self {
        Self(self.0.required(name))
    }

    /// Sets an example.
    pub(super) fn example(self, example: serde_json::Value) -> Self {
        Self(self.0.examples([example]))
    }
}

impl From<Fields> for RefOr<Schema> {
    fn from(Fields(object): Fields) -> Self {
        object.into()
    }
}
