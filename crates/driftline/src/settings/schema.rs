//! The JSON Schema of the settings file, for editors.

/// The schema. It is made from the types of the settings by a test, not by the program: what makes
/// it would be a tenth of the program's build.
pub(crate) const SCHEMA: &str = include_str!("../../../../config/driftline.schema.json");

/// The schema as the types have it, with a line end.
#[cfg(test)]
pub(super) fn made() -> String {
    let mut schema = schemars::schema_for!(super::file::File).to_value();
    name_causes(&mut schema);
    // A schema is made of texts and tables: nothing in it can fail to be written.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text + "\n"
}

/// The keys of `policy.grace` and `policy.severity` are causes: let editors complete them.
#[cfg(test)]
fn name_causes(schema: &mut serde_json::Value) {
    let causes: Vec<&str> = domain::Cause::ALL.iter().map(|cause| cause.name()).collect();
    for table in ["grace", "severity"] {
        let table = schema.pointer_mut(&format!("/$defs/Policy/properties/{table}"));
        if let Some(table) = table.and_then(serde_json::Value::as_object_mut) {
            table.insert("propertyNames".to_owned(), serde_json::json!({ "enum": causes }));
        }
    }
}
