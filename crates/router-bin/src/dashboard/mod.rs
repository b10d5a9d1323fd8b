//! The dashboard: static files that use the HTTP interface as any client does.
//!
//! The page shows the events of `/v1/stats/stream`, each of which is the document
//! of `/v1/stats`. It polls the latter while the stream is down, and reopens the
//! stream after 15 seconds without an event. Where callers are identified, it first asks
//! for a token, which it gives in for a cookie at `/v1/session`.

/// A file of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asset {
    /// The path of its URL.
    pub(crate) path: &'static str,
    /// Its `Content-Type`.
    pub(crate) content_type: &'static str,
    pub(crate) body: &'static str,
}

/// All files; the first is the page.
pub(crate) const ASSETS: [Asset; 5] = [
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        body: include_str!("index.html"),
    },
    Asset {
        path: "/dashboard.css",
        content_type: "text/css; charset=utf-8",
        body: include_str!("dashboard.css"),
    },
    Asset {
        path: "/dashboard.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("dashboard.js"),
    },
    Asset {
        path: "/log-in.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("log-in.js"),
    },
    Asset {
        path: "/dashboard.svg",
        content_type: "image/svg+xml",
        body: include_str!("dashboard.svg"),
    },
];

/// The `Content-Security-Policy` of the files: only these files run, and only this
/// service is contacted.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::{ASSETS, CONTENT_SECURITY_POLICY};

    fn body(path: &str) -> &'static str {
        ASSETS
            .iter()
            .find(|asset| asset.path == path)
            .map(|asset| asset.body)
            .expect("the file is served")
    }

    fn scripts() -> String {
        body("/dashboard.js").to_owned() + body("/log-in.js")
    }

    /// The text between each `before` and the next `"`.
    fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn the_page_is_small_and_needs_nothing_from_elsewhere() {
        let total: usize = ASSETS.iter().map(|asset| asset.body.len()).sum();
        assert!(total < 40 * 1024, "{total} bytes");
        for asset in ASSETS {
            // The SVG namespace is a name, not an address to fetch.
            let body = asset.body.replace("http://www.w3.org/2000/svg", "");
            for outside in ["http:", "https:", "//cdn", "@import", "url("] {
                assert!(!body.contains(outside), "{} has {outside}", asset.path);
            }
        }
        let page = body("/");
        for file in quoted(page, "src=\"").chain(quoted(page, "rel=\"stylesheet\" href=\"")) {
            body(file);
        }
        assert!(quoted(page, "rel=\"icon\" href=\"").all(|icon| !body(icon).is_empty()));
    }

    #[test]
    fn nothing_on_the_page_needs_a_looser_policy() {
        let page = body("/");
        for inline in ["<style", " style=", "<script>", " on", "javascript:"] {
            let found = page.match_indices(inline).find(|(at, _)| {
                // ` on` is an attribute only where a name goes on up to `=`.
                inline != " on"
                    || page[at + 1..]
                        .find(|c: char| !c.is_ascii_alphabetic())
                        .is_some_and(|end| page[at + 1 + end..].starts_with('='))
            });
            assert_eq!(found, None);
        }
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none'"));
        assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
    }

    #[test]
    fn what_the_server_says_is_never_markup() {
        let script = scripts();
        for parser in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "Function(",
            "setAttribute(\"style\"",
        ] {
            assert!(!script.contains(parser), "{parser}");
        }
    }

    #[test]
    fn the_script_finds_every_element_it_names() {
        let (page, script) = (body("/"), scripts());
        let ids: Vec<&str> = quoted(page, " id=\"").collect();
        let named = quoted(&script, "$(\"")
            .chain(quoted(&script, "put(\""))
            .chain(quoted(&script, "stack(\""));
        for id in named {
            assert!(ids.contains(&id), "{id}");
        }
        let labels = quoted(page, "aria-labelledby=\"");
        assert!(labels.into_iter().all(|id| ids.contains(&id)));
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "an id occurs twice");
    }
}
