//! The direction of the arrows between crates, read from their manifests.

use toml::{Table, Value};

/// What a crate's manifest breaks, one line each.
pub(super) fn breaches(manifest: &str) -> Result<Vec<String>, String> {
    let manifest: Table = manifest.parse().map_err(|error| format!("not a manifest: {error}"))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let name = name.ok_or("a manifest without a name")?;
    let direct = dependencies(&manifest, &["dependencies", "build-dependencies"]);
    let mut breaches = Vec::new();
    let mut refuse =
        |dependency: &str, why: &str| breaches.push(format!("{name} depends on {dependency}: {why}"));
    for (dependency, optional) in &direct {
        let dependency = dependency.as_str();
        match (name, dependency) {
            (_, "tessera-testkit") => refuse(dependency, "only dev-dependencies name the testkit"),
            ("tessera-types", "serde" | "serde_json" | "zeroize") => {}
            ("tessera-types", _) => refuse(dependency, "types are serde, its JSON and zeroize only"),
            ("tessera-driver" | "tessera-simulator" | "hello-oauth2" | "hello-managed", "tessera-server") => {
                refuse(dependency, "what strangers hold does not know the service");
            }
            ("tessera-simulator", other) if other.starts_with("tessera-") => {
                refuse(dependency, "the simulator is a provider and knows nothing of us");
            }
            ("tessera-server", "tessera-driver" | "tessera-simulator" | "hello-oauth2" | "hello-managed")
                if !optional =>
            {
                refuse(dependency, "the service uses it for its demo only: make it optional");
            }
            _ => {}
        }
    }
    for (dependency, _) in dependencies(&manifest, &["dev-dependencies"]) {
        if ["tessera-driver", "tessera-simulator"].contains(&name) && dependency == "tessera-server" {
            refuse(&dependency, "its tests too must hold without the service");
        }
    }
    Ok(breaches)
}

/// Names under these tables, those for one target only included, and whether they are optional.
fn dependencies(manifest: &Table, kinds: &[&str]) -> Vec<(String, bool)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    std::iter::once(manifest)
        .chain(targets.filter_map(Value::as_table))
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind).and_then(Value::as_table)))
        .flatten()
        .map(|(name, value)| (name.clone(), value.get("optional").and_then(Value::as_bool) == Some(true)))
        .collect()
}
