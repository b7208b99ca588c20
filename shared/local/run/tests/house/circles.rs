//! Files that import one another in a circle can only be read together, so circles stay small.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{files, folder, hold, root, workspace};

/// A file and its two halves, say.
const LARGEST: usize = 3;

#[test]
fn no_circle_of_imports_is_larger_than_three_files() {
    let mut broken = Vec::new();
    for package in workspace().workspace_packages() {
        let sources = root().join(folder(package)).join("src");
        for circle in Crate::read(&sources).circles() {
            if circle.len() > LARGEST {
                let modules = circle.into_iter().collect::<Vec<_>>().join(", ");
                broken.push(format!("{}/src: {modules}", folder(package)));
            }
        }
    }
    hold(
        "These modules import one another in a circle. Move what several of them need into a file of its own.",
        &broken,
    );
}

#[test]
fn a_circle_is_seen_through_names_that_are_passed_on() {
    let one = Crate::of([
        ("", "mod a; mod b; pub use a::A; use std::fmt;"),
        ("a", "use crate::b::{self, c::D as E};\n// crate::nowhere"),
        ("b", "mod c; use crate::{A, nothing};"),
        ("b::c", "fn f() { super::super::A::new(); \"crate::b\"; }"),
        (
            "d",
            "use crate::a::A;\n#[cfg(test)]\nmod tests { use super::*; }",
        ),
    ]);
    let circle = ["a", "b", "b::c"].map(str::to_owned);
    assert_eq!(one.circles(), [BTreeSet::from(circle)]);
}

/// The path of a module or an item, below its crate.
type Route = Vec<String>;

/// The files of a crate, as far as they import.
struct Crate {
    modules: BTreeMap<Route, Module>,
}

#[derive(Default)]
struct Module {
    /// The imports of its `use` declarations, by local name.
    names: BTreeMap<String, Route>,
    /// Names that it uses itself, rather than re-exports.
    uses: Vec<Route>,
}

impl Crate {
    fn read(sources: &Path) -> Self {
        let texts: Vec<(String, String)> = files(sources, ".rs")
            .iter()
            .filter(|path| **path != sources.join("main.rs") || !sources.join("lib.rs").exists())
            .map(|path| {
                let relative = path.strip_prefix(sources).unwrap().with_extension("");
                let mut route: Vec<&str> =
                    relative.iter().map(|one| one.to_str().unwrap()).collect();
                if matches!(route.last(), Some(&("lib" | "main" | "mod"))) {
                    route.pop();
                }
                (route.join("::"), fs::read_to_string(path).unwrap())
            })
            .collect();
        Self::of(
            texts
                .iter()
                .map(|(route, text)| (route.as_str(), text.as_str())),
        )
    }

    /// From each module's path and text.
    fn of<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let texts: Vec<(Route, String)> = texts
            .into_iter()
            .map(|(route, text)| {
                let route = route.split("::").filter(|name| !name.is_empty());
                (route.map(str::to_owned).collect(), code(text))
            })
            .collect();
        let routes: BTreeSet<&Route> = texts.iter().map(|(route, _)| route).collect();
        let modules = texts
            .iter()
            .map(|(route, text)| (route.clone(), Module::read(route, text, &routes)));
        Self {
            modules: modules.collect(),
        }
    }

    /// The module that defines an item, found through the modules' re-exports.
    fn home(&self, item: &[String]) -> Option<&Route> {
        let mut item = item.to_vec();
        // Re-exports may form a circle without an end.
        for _ in 0..16 {
            let depth = (0..=item.len())
                .rev()
                .find(|end| self.modules.contains_key(&item[..*end]))?;
            let (route, module) = self.modules.get_key_value(&item[..depth])?;
            match item.get(depth).and_then(|name| module.names.get(name)) {
                Some(passed_on) => item = [passed_on, &item[depth + 1..]].concat(),
                None => return Some(route),
            }
        }
        None
    }

    /// The largest sets of modules in which each imports every other, by one step or more.
    fn circles(&self) -> Vec<BTreeSet<String>> {
        let imports: BTreeMap<&Route, BTreeSet<&Route>> = self
            .modules
            .iter()
            .map(|(route, module)| {
                let homes = module.uses.iter().filter_map(|item| self.home(item));
                (route, homes.filter(|home| *home != route).collect())
            })
            .collect();
        let reached = |from: &Route| {
            let mut reached: BTreeSet<&Route> = BTreeSet::new();
            let mut next: Vec<&Route> = imports[from].iter().copied().collect();
            while let Some(route) = next.pop() {
                if reached.insert(route) {
                    next.extend(&imports[route]);
                }
            }
            reached
        };
        let reached: BTreeMap<&Route, BTreeSet<&Route>> = imports
            .keys()
            .map(|route| (*route, reached(route)))
            .collect();
        let circles: BTreeSet<BTreeSet<String>> = reached
            .iter()
            .filter(|(route, from_it)| from_it.contains(*route))
            .map(|(route, from_it)| {
                let back = from_it
                    .iter()
                    .filter(|other| reached[**other].contains(route));
                back.map(|one| one.join("::")).collect()
            })
            .collect();
        circles.into_iter().collect()
    }
}

impl Module {
    fn read(route: &Route, text: &str, routes: &BTreeSet<&Route>) -> Self {
        let mut module = Self::default();
        let mut rest = text;
        while let Some((before, found)) = next_path(rest) {
            let (declares, passes_on) = declaration(before);
            let (leaves, behind) = tree(found);
            rest = behind;
            for (path, name) in leaves {
                let Some(item) = absolute(route, &path, declares, routes) else {
                    continue;
                };
                if declares {
                    module.names.insert(name, item.clone());
                }
                if !passes_on {
                    module.uses.push(item);
                }
            }
        }
        module
    }
}

/// Without comments, strings and the tests at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().map(|line| {
        let line = line.split("//").next().unwrap();
        let outside = line.split('"').step_by(2);
        outside.collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text before the next path that may lead into the crate, and from there on.
fn next_path(text: &str) -> Option<(&str, &str)> {
    let starts = ["crate::", "super::", "self::", "use "];
    let place = text
        .char_indices()
        .filter(|(place, _)| {
            !text[..*place].ends_with(|one: char| one.is_alphanumeric() || "_:".contains(one))
        })
        .find(|(place, _)| starts.iter().any(|start| text[*place..].starts_with(start)))?
        .0;
    match text[place..].strip_prefix("use ") {
        Some(path) => Some((&text[..place + 4], path)),
        None => Some((&text[..place], &text[place..])),
    }
}

/// Whether the text ends with `use`, and whether that re-exports names.
fn declaration(before: &str) -> (bool, bool) {
    let Some(before) = before.strip_suffix("use ") else {
        return (false, false);
    };
    let visible = before.trim_end();
    let visibility = visible.rsplit(['\n', ';']).next().unwrap().trim();
    (true, visibility.starts_with("pub"))
}

/// The paths of a `use` tree, each with its local name, and the text after the tree.
fn tree(text: &str) -> (Vec<(Route, String)>, &str) {
    let mut path = Route::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = rest
            .find(|one: char| !one.is_alphanumeric() && one != '_')
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        rest = behind;
        if !name.is_empty() {
            path.push(name.to_owned());
        }
        if let Some(inner) = rest
            .trim_start()
            .strip_prefix('{')
            .filter(|_| name.is_empty())
        {
            let mut leaves = Vec::new();
            rest = inner;
            while let Some(inner) = rest
                .trim_start()
                .strip_prefix(',')
                .or(Some(rest.trim_start()))
                .filter(|inner| {
                    !inner.trim_start().is_empty() && !inner.trim_start().starts_with('}')
                })
            {
                let (inner_leaves, behind) = tree(inner);
                leaves.extend(inner_leaves.into_iter().map(|(leaf, name)| {
                    let whole = [path.clone(), leaf].concat();
                    if whole.last().is_some_and(|last| last == "self") && whole.len() > 1 {
                        let module = whole[..whole.len() - 1].to_vec();
                        let name = if name == "self" {
                            module.last().unwrap().clone()
                        } else {
                            name
                        };
                        (module, name)
                    } else {
                        (whole, name)
                    }
                }));
                rest = behind;
            }
            let behind = rest.trim_start();
            return (leaves, behind.strip_prefix('}').unwrap_or(behind));
        }
        match rest.strip_prefix("::") {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if let Some(behind) = rest.strip_prefix(" as ") {
        let end = behind
            .find(|one: char| !one.is_alphanumeric() && one != '_')
            .unwrap_or(behind.len());
        behind[..end].clone_into(&mut name);
        rest = &behind[end..];
    }
    (vec![(path, name)], rest.strip_prefix('*').unwrap_or(rest))
}

/// A path below the crate; `None` if it leads into another one.
fn absolute(
    module: &Route,
    path: &[String],
    declares: bool,
    routes: &BTreeSet<&Route>,
) -> Option<Route> {
    let mut base = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => base.clear(),
        "self" | "super" => {}
        child if declares => {
            base.push(child.to_owned());
            return routes.contains(&base).then(|| [module, path].concat());
        }
        _ => return None,
    }
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(base.pop()),
            "self" | "crate" => {}
            _ => break,
        }
        rest = others;
    }
    Some([&base, rest].concat())
}
