//! Lists the modules that `components.js` and `latchkey.js` import, for the library to embed.

use std::{collections::BTreeSet, env, error::Error, fmt::Write as _, fs, path::Path};

/// The modules that pages load by name: the elements, the session, and the worker that solves
/// challenges.
const ENTRIES: [&str; 3] = ["components.js", "latchkey.js", "proof-of-work.js"];

fn main() -> Result<(), Box<dyn Error>> {
    let package = env::var("CARGO_MANIFEST_DIR")?;
    let package = Path::new(&package);
    let mut waiting: Vec<String> = ENTRIES.map(str::to_owned).to_vec();
    let mut modules = BTreeSet::new();
    while let Some(module) = waiting.pop() {
        if !modules.insert(module.clone()) {
            continue;
        }
        let source = fs::read_to_string(package.join(&module))?;
        let folder = module.rsplit_once('/').map(|(folder, _)| folder);
        for imported in imports(&source) {
            waiting.push(match (folder, imported.strip_prefix("../")) {
                (Some(_), Some(above)) => above.to_owned(),
                (Some(folder), None) => format!("{folder}/{}", imported.trim_start_matches("./")),
                (None, _) => imported.trim_start_matches("./").to_owned(),
            });
        }
    }
    let mut list = String::from("&[\n");
    for module in modules {
        println!("cargo::rerun-if-changed={module}");
        let file = package.join(&module);
        let file = file.to_str().ok_or("the package's path is not Unicode")?;
        writeln!(list, "({module:?}, include_str!({file:?})),")?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("modules.rs"), list)?;
    Ok(())
}

/// The relative paths in quotes: of `import … from './x.js'`, `import('./x.js')` and
/// `new URL('./x.js', …)`.
fn imports(source: &str) -> impl Iterator<Item = &str> {
    source.split('\'').filter(|text| {
        (text.starts_with("./") || text.starts_with("../"))
            && Path::new(text).extension().is_some_and(|end| end == "js")
    })
}
