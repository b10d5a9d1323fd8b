//! The detector that the configuration or the command line selects.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use intent_model::{LinearModel, SentenceEncoder};
use intent_router::{
    Catalogue, CombinedDetector, Detection, Detector, Diagnostic, Evidence, KeywordDetector,
    LinearDetector,
};

use crate::config::{Config, DetectorKind};
use crate::exit::{Code, Failure};

/// A model to use instead of the configured detector.
#[derive(Args, Debug, Default)]
pub(crate) struct ModelArgs {
    /// Use only this model, written by `router train`.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The folder of the sentence model that MODEL was trained with.
    #[arg(long, value_name = "FOLDER", requires = "model")]
    sentence_model: Option<PathBuf>,
    /// Name the best intent even where MODEL would abstain.
    #[arg(long, requires = "model")]
    never_abstain: bool,
}

/// The detector that a command uses.
pub(crate) struct Asked {
    /// Decides as a service would.
    pub(crate) detector: Arc<dyn Detector>,
    /// Names the best intent, however unsure; `None` for a configured detector,
    /// of which only the decisions are known.
    pub(crate) best: Option<Arc<dyn Detector>>,
    /// The names of the intents that it can find.
    pub(crate) intents: Vec<String>,
}

impl ModelArgs {
    /// The detector that the arguments or the configuration select.
    pub(crate) fn detector(&self, config: &Config) -> Result<Asked, Failure> {
        let Some(model) = &self.model else {
            let intents = config.intents().intents().iter();
            let names = intents.map(|intent| intent.name.clone()).collect();
            let configured = configured(config, config.intents())
                .map_err(|error| Failure::new(Code::Config, error))?;
            return Ok(Asked {
                detector: configured.detector,
                best: None,
                intents: names,
            });
        };
        let (linear, _) = linear(model, self.sentence_model.as_deref())
            .map_err(|reason| Failure::new(Code::Data, reason))?;
        let names = linear.model().intents().to_vec();
        let linear = Arc::new(linear);
        let best: Arc<dyn Detector> = Arc::new(Best(Arc::clone(&linear)));
        let detector = if self.never_abstain {
            Arc::clone(&best)
        } else {
            linear
        };
        Ok(Asked {
            detector,
            best: Some(best),
            intents: names,
        })
    }
}

/// A model that always names its best intent.
struct Best(Arc<LinearDetector>);

impl Detector for Best {
    fn detect(&self, message: &str) -> Detection {
        self.0.best(message)
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        self.0.explain(message)
    }
}

/// The detector that the configuration selects.
pub(crate) struct Configured {
    pub(crate) detector: Arc<dyn Detector>,
    /// The hash of the model file, where the detector uses one.
    pub(crate) model: Option<ModelHash>,
}

/// A hash of a model file, to notice that it changed. Not cryptographic: who can
/// write the file needs no collision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModelHash(u64);

impl ModelHash {
    fn of(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        Self(hasher.finish())
    }
}

/// The detector that the configuration selects for a catalogue.
///
/// # Errors
/// Which setting is wrong, and why.
pub(crate) fn configured(config: &Config, catalogue: &Catalogue) -> Result<Configured, Diagnostic> {
    let settings = &config.detector;
    let is_built_in = config.catalogue.file.is_none();
    let wrong = |reason: String| Diagnostic::error(format!("detector.model: {reason}"));
    let (model, hash) = match &settings.model {
        _ if settings.kind == DetectorKind::Keyword => (None, None),
        Some(file) => {
            let (linear, hash) = linear(file, settings.sentence_model.as_deref()).map_err(wrong)?;
            let missing = missing_intents(linear.model(), catalogue);
            if !missing.is_empty() {
                return Err(wrong(format!(
                    "{} was trained for intents that the catalogue does not have: {}; train it again with `router train`",
                    file.display(),
                    missing.join(", ")
                )));
            }
            (Some(linear), Some(hash))
        }
        None if is_built_in => (Some(LinearDetector::built_in()), None),
        None => (None, None),
    };
    let detector: Arc<dyn Detector> = match (model, settings.kind) {
        (Some(linear), DetectorKind::Linear) => Arc::new(linear),
        (Some(linear), _) => Arc::new(CombinedDetector::new(catalogue, linear)),
        (None, DetectorKind::Linear) => {
            return Err(Diagnostic::error(
                "detector.kind: `linear` needs a model; set detector.model to a file that `router train` wrote",
            ));
        }
        (None, _) => Arc::new(KeywordDetector::new(catalogue)),
    };
    Ok(Configured {
        detector,
        model: hash,
    })
}

/// The model's intents that the catalogue does not have.
fn missing_intents<'a>(model: &'a LinearModel, catalogue: &Catalogue) -> Vec<&'a str> {
    let names = model.intents().iter().map(String::as_str);
    names.filter(|name| catalogue.get(name).is_none()).collect()
}

/// The largest model file that is read: several times what training writes.
const MAX_MODEL: u64 = 64 << 20;

/// The model in a file, ready to detect with.
fn linear(
    file: &Path,
    sentence_model: Option<&Path>,
) -> Result<(LinearDetector, ModelHash), String> {
    let name = file.display();
    let bytes = read(file).map_err(|reason| format!("{name} {reason}"))?;
    let model = LinearModel::from_bytes(&bytes).map_err(|error| format!("{name}: {error}"))?;
    let encoder = match (model.encoder_id(), sentence_model) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(format!(
                "{name} was trained without a sentence model; leave the sentence model out"
            ));
        }
        (Some(id), None) => {
            return Err(format!(
                "{name} was trained with the sentence model \"{id}\"; give its folder as the sentence model"
            ));
        }
        (Some(_), Some(folder)) => Some(encoder(folder).map_err(|failure| failure.to_string())?),
    };
    let detector =
        LinearDetector::new(model, encoder).map_err(|error| format!("{name}: {error}"))?;
    Ok((detector, ModelHash::of(&bytes)))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    // Bounded while reading, so that a device or a pipe cannot exhaust memory.
    std::fs::File::open(file)
        .and_then(|opened| opened.take(MAX_MODEL + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_MODEL {
        return Err(format!("is larger than {} MiB", MAX_MODEL >> 20));
    }
    Ok(bytes)
}

/// Opens the sentence model in a folder.
#[cfg(feature = "semantic")]
pub(crate) fn encoder(folder: &Path) -> Result<Arc<dyn SentenceEncoder>, Failure> {
    match sentence_encoder::BertEncoder::open(folder) {
        Ok(encoder) => Ok(Arc::new(encoder)),
        Err(error) => Err(Failure::new(Code::Config, error)),
    }
}

/// An error: this build cannot use a sentence model.
#[cfg(not(feature = "semantic"))]
pub(crate) fn encoder(folder: &Path) -> Result<Arc<dyn SentenceEncoder>, Failure> {
    Err(Failure::new(
        Code::Config,
        format_args!(
            "the sentence model in {} requires a program built with the feature `semantic`: cargo build --release -p router-bin --features semantic",
            folder.display()
        ),
    ))
}
