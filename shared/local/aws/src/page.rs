//! Lists in pages. A page's marker names its last entry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A part of a list.
pub(crate) struct Page<Entry> {
    pub(crate) entries: Vec<Entry>,
    /// The token of the next page, if there is one.
    pub(crate) marker: Option<String>,
}

/// Cuts a page out of the whole list, in the list's order: the entries behind the one that `marker`
/// names, `most` of them. `None` for a marker of no page of this list.
pub(crate) fn cut<Entry>(
    all: Vec<Entry>,
    name: impl Fn(&Entry) -> &str,
    marker: Option<&str>,
    most: usize,
) -> Option<Page<Entry>> {
    let first = match marker {
        None => 0,
        Some(marker) => {
            let last = URL_SAFE_NO_PAD.decode(marker).ok()?;
            let place = |entry| name(entry).as_bytes() == last;
            all.iter().position(place)? + 1
        }
    };
    let is_last = first + most >= all.len();
    let entries: Vec<Entry> = all.into_iter().skip(first).take(most).collect();
    let last = entries.last().filter(|_| !is_last);
    let marker = last.map(|last| URL_SAFE_NO_PAD.encode(name(last)));
    Some(Page { entries, marker })
}
