//! The document and the route table list the same.

use std::collections::BTreeSet;

use crate::document::DOCUMENT;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn documented() -> BTreeSet<(String, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        let methods = methods.filter(|name| METHODS.contains(&name.as_str()));
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

#[test]
fn every_route_is_documented_and_every_documented_route_is_there() {
    let there: BTreeSet<_> = claviger::admin::routes()
        .into_iter()
        .map(|(method, path)| (method.to_string(), path.to_owned()))
        .collect();
    let documented = documented();

    let undocumented: Vec<_> = there.difference(&documented).collect();
    let missing: Vec<_> = documented.difference(&there).collect();

    assert!(
        undocumented.is_empty(),
        "not in the document: {undocumented:?}"
    );
    assert!(missing.is_empty(), "only in the document: {missing:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_path_parameters() {
    let mut names = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let named: BTreeSet<_> = item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let wanted = path.split('/').filter(|part| part.starts_with('{'));
        assert_eq!(named, wanted.map(str::to_owned).collect(), "{path}");
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} is there twice");
            assert!(operation["summary"].is_string(), "{name} has no summary");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let text = DOCUMENT.to_string();
    let mut used = BTreeSet::new();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(
            DOCUMENT.pointer(pointer).is_some(),
            "{pointer} leads nowhere"
        );
        used.insert(pointer.to_owned());
    }

    for kind in ["schemas", "responses", "parameters"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            let pointer = format!("/components/{kind}/{name}");
            assert!(used.contains(&pointer), "nothing uses {pointer}");
        }
    }
}
