//! What a request is about: its intent, and what it takes over from the
//! conversation; or why it cannot be answered.

use crate::catalogue::{Intent, Kind};
use crate::detect::Detection;
use crate::error::RouteError;
use crate::principal::Principal;
use crate::reference::{References, Standing};
use crate::request::Request;
use crate::slots::{Carried, Date};
use crate::text::Folded;

use super::{Fallback, Keeping, Router};

/// What a request is about.
pub(super) struct Subject<'a> {
    pub(super) intent: &'a Intent,
    pub(super) keeping: Keeping,
    pub(super) detection: Detection,
    /// What was said before; nothing where the message stands alone.
    pub(super) carried: Carried,
    /// The message.
    pub(super) folded: Folded<'a>,
}

/// Why there is nothing to ask the source for.
pub(super) struct Refusal {
    pub(super) detection: Detection,
    pub(super) why: Fallback,
}

impl Router {
    /// What a request is about on this day. The records of a member are not
    /// asked for with a message that is too long to be folded: it may name
    /// another member.
    pub(super) fn understand<'a>(
        &'a self,
        request: &'a Request,
        principal: Option<&Principal>,
        today: Date,
    ) -> Result<Result<Subject<'a>, Refusal>, RouteError> {
        let detection = self.detect(request);
        let folded = Folded::of(&request.message);
        let references = folded
            .normal
            .as_deref()
            .map(|text| References::read(&self.catalogue, text));
        let found = self.intent(&detection.intent).filter(|(intent, _)| {
            // "And before that?" is no small talk.
            let is_talk = |references: &References<'_>| references.speak_for(intent);
            is_forced(request, intent) || !intent.yields || references.as_ref().is_none_or(is_talk)
        });
        // What everybody may read is nobody's and needs no context.
        if let Some((intent, keeping)) = found.filter(|(i, _)| i.kind == Kind::KnowledgeBase) {
            return Ok(Ok(Subject {
                intent,
                keeping,
                detection,
                carried: Carried::default(),
                folded,
            }));
        }
        let Some(references) = references else {
            return Ok(Err(Refusal {
                detection: Detection::unknown(),
                why: Fallback::UnknownIntent,
            }));
        };
        if let Some(who) = principal
            && (references.name_another(&who.id_text())
                || references.are_of_another(found.is_some()))
        {
            let intent = found.map_or(Detection::UNKNOWN, |(intent, _)| &intent.name);
            return Ok(Err(Refusal {
                detection: Detection {
                    intent: intent.to_owned(),
                    ..detection
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
        let before = conversation.filter(|_| goes_on).and_then(|conversation| {
            let (intent, keeping) = self.intent(&conversation.intent)?;
            let fits = !is_forced || found.is_some_and(|(forced, _)| forced.name == intent.name);
            fits.then_some((conversation, intent, keeping))
        });
        if let Some((conversation, intent, keeping)) = before {
            let carried = Carried::read(&conversation.slots, intent, &self.catalogue, today);
            let detection = Detection {
                intent: intent.name.clone(),
                confidence: 1.0,
            };
            return Ok(Ok(Subject {
                intent,
                keeping,
                detection,
                carried: carried.map_err(RouteError::Conversation)?,
                folded,
            }));
        }
        let why = match found {
            // A record says what it is about, and so does whoever forces an intent.
            Some((intent, keeping))
                if is_forced || !goes_on || standing == Standing::SequelOfRecord =>
            {
                return Ok(Ok(Subject {
                    intent,
                    keeping,
                    detection,
                    carried: Carried::default(),
                    folded,
                }));
            }
            _ if goes_on => Fallback::NeedsContext,
            _ => Fallback::UnknownIntent,
        };
        // An intent of another catalogue is unknown here, too.
        let detection = Detection {
            intent: Detection::UNKNOWN.to_owned(),
            confidence: match why {
                Fallback::NeedsContext => 0.0,
                _ => detection.confidence,
            },
        };
        Ok(Err(Refusal { detection, why }))
    }
}

/// Whether the request itself says that it has this intent.
fn is_forced(request: &Request, intent: &Intent) -> bool {
    request.forced_intent.as_deref() == Some(&*intent.name)
}
