//! `evidence key`: the key that signs bags. The secret part is written to its file, once.

use evidence::SigningKey;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::cli::EvidenceKeyCommand;
use crate::print;

/// Makes the key, and says what to do with it.
pub(super) fn key(command: &EvidenceKeyCommand) -> anyhow::Result<String> {
    let EvidenceKeyCommand::New { identity, output } = command;
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| anyhow::anyhow!("the system has no random bytes to give"))?;
    let text = SigningKey::text_of(identity, &seed)?;
    print::secret_file(output, &text)?;
    let key = SigningKey::parse(&text)?;
    let path = std::path::absolute(output).unwrap_or_else(|_| output.clone());
    Ok(format!(
        "Made the key {}. Name it in the settings:\n  [evidence]\n  signing_key = \"file:{}\"\n\
         Its line for the `allowed_signers` of those who check; give it to them by another way than \
         the bag:\n  {}",
        key.fingerprint(),
        path.display(),
        key.allowed()
    ))
}
