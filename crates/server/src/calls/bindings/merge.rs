//! The bindings of all Apps as one tree (apps-framework.md section 10.2).

use std::collections::HashMap;

use tessera_types::Binding;

/// Bindings of several Apps. Those of one App and one location become one: of two, the later is kept, with the
/// children of both.
pub(crate) fn merge(lists: impl IntoIterator<Item = Vec<Binding>>) -> Vec<Binding> {
    let mut tree = Vec::new();
    for list in lists {
        merge_into(&mut tree, list);
    }
    tree
}

/// By location, and directly below by App; deeper down the order is the App's own. Equals keep their order (B-51).
pub(crate) fn sort(tree: &mut [Binding]) {
    tree.sort_by(|a, b| a.location.cmp(&b.location));
    for top in tree {
        top.bindings.sort_by(|a, b| a.app_id.cmp(&b.app_id));
    }
}

fn merge_into(tree: &mut Vec<Binding>, more: Vec<Binding>) {
    let key = |binding: &Binding| (binding.app_id.clone(), binding.location.clone());
    let mut places: HashMap<_, _> = tree.iter().enumerate().map(|(place, one)| (key(one), place)).collect();
    for binding in more {
        match places.get(&key(&binding)).and_then(|place| tree.get_mut(*place)) {
            Some(there) => {
                let mut children = std::mem::take(&mut there.bindings);
                *there = binding;
                merge_into(&mut children, std::mem::take(&mut there.bindings));
                there.bindings = children;
            }
            None => {
                places.insert(key(&binding), tree.len());
                tree.push(binding);
            }
        }
    }
}
