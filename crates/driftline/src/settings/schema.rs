//! The JSON Schema of the settings file, for editors.

use domain::Cause;

use super::file::File;

/// The schema as it is committed under `config/`, with a line end.
pub(crate) fn schema() -> String {
    let mut schema = schemars::schema_for!(File).to_value();
    name_causes(&mut schema);
    // A schema is made of texts and tables: nothing in it can fail to be written.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text + "\n"
}

/// The keys of `policy.grace` and `policy.severity` are causes: let editors complete them.
fn name_causes(schema: &mut serde_json::Value) {
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    for table in ["grace", "severity"] {
        let table = schema.pointer_mut(&format!("/$defs/Policy/properties/{table}"));
        if let Some(table) = table.and_then(serde_json::Value::as_object_mut) {
            table.insert("propertyNames".to_owned(), serde_json::json!({ "enum": causes }));
        }
    }
}
