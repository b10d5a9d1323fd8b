//! The detector that the configuration or a command names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use intent_router::{
    Catalogue, Detection, Detector, Evidence, KeywordDetector, LinearDetector, LinearModel,
    SentenceEncoder,
};

use crate::config::{Config, DetectorKind};
use crate::exit::{Code, Failure};

/// A model to use in the place of the configured detector.
#[derive(Args, Debug, Default)]
pub(crate) struct ModelArgs {
    /// Use this model alone, which `router train` wrote.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The folder of the sentence model that MODEL was trained with.
    #[arg(long, value_name = "FOLDER", requires = "model")]
    sentence_model: Option<PathBuf>,
    /// Name the best intent even where MODEL would abstain.
    #[arg(long, requires = "model")]
    never_abstain: bool,
}

impl ModelArgs {
    /// The detector, and the names of the intents that it can find.
    pub(crate) fn detector(
        &self,
        config: &Config,
    ) -> Result<(Arc<dyn Detector>, Vec<String>), Failure> {
        let Some(model) = &self.model else {
            let intents = config.intents().intents().iter();
            let names = intents.map(|intent| intent.name.clone()).collect();
            return Ok((configured(config, config.intents())?, names));
        };
        let linear = linear(model, self.sentence_model.as_deref())
            .map_err(|reason| Failure::new(Code::Data, reason))?;
        let names = linear.model().intents().to_vec();
        let detector: Arc<dyn Detector> = if self.never_abstain {
            Arc::new(Best(linear))
        } else {
            Arc::new(linear)
        };
        Ok((detector, names))
    }
}

/// A model that always names its best intent.
struct Best(LinearDetector);

impl Detector for Best {
    fn detect(&self, message: &str) -> Detection {
        self.0.best(message)
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        self.0.explain(message)
    }
}

/// The detector of these intents that the configuration asks for.
///
/// # Errors
/// Which setting is wrong and why, with the code of a bad configuration.
pub(crate) fn configured(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Arc<dyn Detector>, Failure> {
    let settings = &config.detector;
    let wrong = |reason: String| Failure::new(Code::Config, reason);
    let model = match (&settings.model, settings.kind) {
        (_, DetectorKind::Keyword) => None,
        (Some(file), _) => {
            let sentence_model = settings.sentence_model.as_deref();
            let linear = linear(file, sentence_model)
                .map_err(|reason| wrong(format!("detector.model: {reason}")))?;
            let strangers = strangers(linear.model(), catalogue);
            if !strangers.is_empty() {
                return Err(wrong(format!(
                    "detector.model: {} was trained for other intents; the catalogue has no {}",
                    file.display(),
                    strangers.join(", ")
                )));
            }
            Some(linear)
        }
        (None, _) => None,
    };
    match (model, settings.kind) {
        (Some(linear), _) => Ok(Arc::new(linear)),
        (None, DetectorKind::Linear) => Err(wrong(
            "detector.kind: `linear` needs a model; name one with detector.model, or train one with `router train`"
                .to_owned(),
        )),
        (None, _) => Ok(Arc::new(KeywordDetector::new(catalogue))),
    }
}

/// The model's intents that the catalogue does not have.
fn strangers<'a>(model: &'a LinearModel, catalogue: &Catalogue) -> Vec<&'a str> {
    let names = model.intents().iter().map(String::as_str);
    names.filter(|name| catalogue.get(name).is_none()).collect()
}

/// The largest model file that is read: several times what the trainer writes.
const MAX_MODEL: u64 = 64 << 20;

/// The model in a file, ready to detect with.
fn linear(file: &Path, sentence_model: Option<&Path>) -> Result<LinearDetector, String> {
    let name = file.display();
    let bytes = read(file).map_err(|reason| format!("{name} {reason}"))?;
    let model = LinearModel::from_bytes(&bytes).map_err(|error| format!("{name}: {error}"))?;
    let encoder = match (model.encoder_id(), sentence_model) {
        (None, _) => None,
        (Some(id), None) => {
            return Err(format!(
                "{name} was trained with the sentence model \"{id}\"; name its folder as `sentence_model`"
            ));
        }
        (Some(_), Some(folder)) => Some(encoder(folder).map_err(|failure| failure.to_string())?),
    };
    LinearDetector::new(model, encoder).map_err(|error| format!("{name}: {error}"))
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

/// The sentence model in a folder.
pub(crate) fn encoder(folder: &Path) -> Result<Arc<dyn SentenceEncoder>, Failure> {
    Err(Failure::new(
        Code::Config,
        format_args!(
            "the sentence model in {} takes a program built with the feature `semantic`: cargo build --release -p router-bin --features semantic",
            folder.display()
        ),
    ))
}
