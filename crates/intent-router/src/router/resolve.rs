//! Resolves a request to its [`RequestContext`], or to the reason why it has
//! none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::catalogue::{Intent, Kind};
use crate::context::{Parameters, RequestContext, StoragePolicy};
use crate::detect::Detection;
use crate::error::RouteError;
use crate::identity::DetectionKey;
use crate::policy::{self, CachePolicy};
use crate::principal::Principal;
use crate::reference::{MessageReferences, Standing};
use crate::request::Request;
use crate::slots::{Carried, Date, Reading};
use crate::text::Folded;

use super::Router;
use super::fallback::Fallback;

/// A request for which the source is not asked.
pub(super) struct Refusal {
    pub(super) detection: Detection,
    pub(super) why: Fallback,
}

impl Refusal {
    /// A message whose intent is not known.
    fn unknown(why: Fallback, confidence: f64) -> Self {
        let detection = Detection {
            confidence,
            ..Detection::unknown()
        };
        Self { detection, why }
    }
}

/// The intent that a request asks about.
struct Subject<'a> {
    intent: &'a Intent,
    storage: StoragePolicy,
    confidence: f64,
    /// The slots of the conversation; none if the message needs no context.
    carried: Carried,
}

impl Router {
    /// The intent of a request: the forced intent if the catalogue has it, else
    /// the detected one.
    pub fn detect(&self, request: &Request) -> Detection {
        let policy = CachePolicy::of_request(request.cache_use, self.cache.is_enabled());
        self.detect_by(policy, request)
    }

    fn detect_by(&self, policy: CachePolicy, request: &Request) -> Detection {
        let forced = request.forced_intent.as_deref();
        if let Some(intent) = forced.and_then(|name| self.catalogue.get(name)) {
            return Detection {
                intent: intent.name.clone(),
                confidence: 1.0,
            };
        }
        let message = request.message.as_str();
        if !self.detector.is_costly() || policy.reuse().is_none() {
            return self.detector.detect(message);
        }
        let (store, class) = (&self.cache.detections, self.cache.detection_class);
        let detector = self.detector_number;
        if let Some(detection) = store.get(&DetectionKey { detector, message }, class) {
            return detection;
        }
        let detection = self.detector.detect(message);
        let message = message.into();
        let key = DetectionKey { detector, message };
        // If there is no room to store it, the next request detects it again.
        let _ = store.insert(key, detection.clone(), class);
        detection
    }

    /// The context of a request, which
    /// [identifies](crate::CacheService::identity) its answer; `None` if the
    /// source is not asked, for example because no intent is found.
    ///
    /// # Errors
    /// [`RouteError::Conversation`], as [`Router::route`].
    pub fn resolve<'a>(
        &'a self,
        request: &'a Request,
    ) -> Result<Option<RequestContext<'a>>, RouteError> {
        Ok(self.context(request, None)?.ok())
    }

    /// Resolves a request. The day and the caching switch are read here, once.
    ///
    /// Given slots, if any, are those of the question: its message is not read for
    /// slots, and needs no conversation.
    pub(super) fn context<'a>(
        &'a self,
        request: &'a Request,
        given: Option<&BTreeMap<String, String>>,
    ) -> Result<Result<RequestContext<'a>, Refusal>, RouteError> {
        let policy = CachePolicy::of_request(request.cache_use, self.cache.is_enabled());
        let principal = Principal::identify(&request.user_context);
        let today = self.today();
        let detection = self.detect_by(policy, request);
        let folded = Folded::of(&request.message);
        let subject = self.subject(
            request,
            &folded,
            detection,
            principal.as_ref(),
            today,
            given,
        )?;
        let subject = match subject {
            Ok(subject) => subject,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Subject {
            intent,
            storage,
            confidence,
            carried,
        } = subject;
        let reading = match given {
            Some(_) => Reading::given(carried),
            None => Reading::after(carried, intent, &self.catalogue, &folded, today, confidence),
        };
        let text = policy::key_text_of(intent, folded, &reading);
        let message = request.message.as_str();
        Ok(Ok(RequestContext {
            intent,
            storage,
            policy: policy
                .for_intent(intent, principal.as_ref())
                .unless_behind(storage.is_gated && self.is_behind())
                .unless_unseen(request.cache_use, storage.is_covered),
            owner: policy::owner(intent, principal),
            message: (*text != *message).then_some(Cow::Borrowed(message)),
            text,
            parameters: Parameters::new(reading, storage.reads_today.then_some(today)),
            confidence,
        }))
    }

    /// The intent that a request asks about on this day. A message that is too
    /// long to be folded gets no records of a member, as it may name another
    /// member.
    fn subject<'a>(
        &'a self,
        request: &'a Request,
        folded: &Folded<'_>,
        detection: Detection,
        principal: Option<&Principal>,
        today: Date,
        given: Option<&BTreeMap<String, String>>,
    ) -> Result<Result<Subject<'a>, Refusal>, RouteError> {
        let confidence = detection.confidence;
        let subject = |(intent, storage), carried| Subject {
            intent,
            storage,
            confidence,
            carried,
        };
        let references = folded
            .normal
            .as_deref()
            .map(|text| MessageReferences::read(&self.catalogue, text));
        let found = self.intent(&detection.intent).filter(|(intent, _)| {
            // A sequel such as "and before that?" is not small talk.
            let is_talk = |references: &MessageReferences<'_>| references.speak_for(intent);
            is_forced(request, intent) || !intent.yields || references.as_ref().is_none_or(is_talk)
        });
        let given = match (given, found) {
            (Some(slots), Some((intent, _))) => {
                let read = Carried::read(slots, intent, &self.catalogue, today);
                Some(read.map_err(RouteError::Conversation)?)
            }
            _ => None,
        };
        // A shared answer has no owner and needs no conversation.
        if let Some(found) = found.filter(|(i, _)| i.kind == Kind::KnowledgeBase) {
            return Ok(Ok(subject(found, given.unwrap_or_default())));
        }
        let Some(references) = references else {
            return Ok(Err(Refusal::unknown(Fallback::UnknownIntent, 0.0)));
        };
        if let Some(who) = principal
            && (references.name_another(&who.id_text())
                || references.are_of_another(found.is_some()))
        {
            let intent = found.map_or(Detection::UNKNOWN, |(intent, _)| &intent.name);
            return Ok(Err(Refusal {
                detection: Detection {
                    intent: intent.to_owned(),
                    confidence,
                },
                why: Fallback::OtherPerson,
            }));
        }
        let is_forced = found.is_some_and(|(intent, _)| is_forced(request, intent));
        let standing = references.standing();
        let goes_on = match standing {
            Standing::Alone => false,
            Standing::Bare => found.is_none() || is_forced,
            Standing::Sequel | Standing::SequelOfRecord => true,
        };
        let conversation = request.user_context.conversation.as_ref();
        let before = conversation
            .filter(|_| goes_on && given.is_none())
            .and_then(|conversation| {
                let before = self.intent(&conversation.intent)?;
                let fits =
                    !is_forced || found.is_some_and(|(forced, _)| forced.name == before.0.name);
                fits.then_some((conversation, before))
            });
        if let Some((conversation, (intent, storage))) = before {
            let carried = Carried::read(&conversation.slots, intent, &self.catalogue, today);
            return Ok(Ok(Subject {
                intent,
                storage,
                confidence: 1.0,
                carried: carried.map_err(RouteError::Conversation)?,
            }));
        }
        Ok(match found {
            // A named record or a forced intent is enough without a conversation.
            Some(found)
                if given.is_some()
                    || is_forced
                    || !goes_on
                    || standing == Standing::SequelOfRecord =>
            {
                Ok(subject(found, given.unwrap_or_default()))
            }
            _ if goes_on => Err(Refusal::unknown(Fallback::NeedsContext, 0.0)),
            // An intent that the catalogue lacks counts as unknown.
            _ => Err(Refusal::unknown(Fallback::UnknownIntent, confidence)),
        })
    }

    /// The intent of that name, with how its answers are stored.
    pub(super) fn intent(&self, name: &str) -> Option<(&Intent, StoragePolicy)> {
        let mut intents = self.catalogue.intents().iter().zip(&*self.storage);
        let (intent, storage) = intents.find(|(intent, _)| intent.name == name)?;
        Some((intent, *storage))
    }
}

/// Whether the request forces this intent.
fn is_forced(request: &Request, intent: &Intent) -> bool {
    request.forced_intent.as_deref() == Some(&*intent.name)
}
