//! The request to an HTTP back end that answers an intent.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::template::Template;

/// The method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum HttpMethod {
    /// `GET`, without a body.
    #[default]
    Get,
    /// `POST`, with a JSON body.
    Post,
}

/// What a response with status 404 means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum NotFound {
    /// The back end failed.
    #[default]
    Error,
    /// There are no records: the answer's data is `{}`.
    Empty,
}

/// The request to an HTTP back end that answers an intent, and how its response is
/// read.
///
/// Templates name slots of the intent, `user_id`, `user_role`, `message`, `doubtful`
/// and `today`, with the values that [`Ask`](crate::Ask) has. A slot that the message
/// lacks has no value, and `doubtful` has one, `yes`, only where the message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HttpSpec {
    /// The method.
    pub method: HttpMethod,
    /// The segments of the path, below that of the back end's URL. The path ends before
    /// the first segment without a value. Their literals need no percent-encoding.
    pub path: Vec<Template>,
    /// The parameters of the query. One without a value is left out.
    pub query: BTreeMap<String, Template>,
    /// The members of the body, as text. One without a value is left out. `None` for a
    /// request without a body.
    pub body: Option<BTreeMap<String, Template>>,
    /// Whether a `POST` may be sent again. A `GET` always may.
    pub idempotent: bool,
    /// The JSON pointer to the answer's data in the response; `""` is all of it.
    pub data: String,
    /// The JSON pointer to a list of record tags in the response.
    pub tags: Option<String>,
    /// The kinds of the records that it reads, of the user who asks if the intent's
    /// answers are a person's. None: not known, so that every invalidation by a tag
    /// reaches the answer.
    pub reads: Vec<String>,
    /// What status 404 means.
    pub not_found: NotFound,
}

impl HttpSpec {
    /// The names in all templates, with repetitions.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let body = self.body.iter().flat_map(BTreeMap::values);
        let templates = self.path.iter().chain(self.query.values()).chain(body);
        templates.flat_map(Template::names)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
