//! The envelope: a DSSE v1 envelope with any number of signatures, in one possible text.
//!
//! DSSE calls the key id a hint that nobody may rely on, and JSON has many texts for one value, so an envelope as such can
//! be changed without harm to its signatures. Here it cannot: the file must be byte for byte what [`Envelope::to_bytes`]
//! makes, with the signatures in the order of their keys, and [`signers`] wants each signature to be by the key that it
//! names. See <https://github.com/secure-systems-lab/dsse>.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::bundle::fingerprint::KeyId;
use crate::bundle::key::KeyError;
use crate::bundle::key::Signature;
use crate::bundle::key::SigningKey;
use crate::bundle::refusal::Refusal;
use crate::bundle::refusal::printable;
use crate::bundle::statement::Statement;
use crate::bundle::trust::Role;
use crate::bundle::trust::Trust;

/// The type of what is signed.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The largest number of signatures, which bounds the work before anything is trusted.
pub const MAX_SIGNATURES: usize = 32;

/// A payload and the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: BTreeMap<KeyId, Signature>,
}

/// A signature that cannot be added.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum EnvelopeError {
    /// The key has signed before.
    #[error("the key `{key}` has signed already")]
    #[diagnostic(help("sign with another key; two signatures by one key count as one"))]
    SignedAlready {
        /// The key.
        key: KeyId,
    },
    /// There are as many signatures as there may be.
    #[error("the envelope has {MAX_SIGNATURES} signatures, which is the most it may have")]
    #[diagnostic(help("build the bundle again, and sign it with the keys that are needed"))]
    TooManySignatures,
    /// The key does not sign.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// The statement has no text.
    #[error("the statement cannot be written: {problem}")]
    #[diagnostic(help("report this: a statement that was built must have a text"))]
    Encode {
        /// What the encoder says.
        problem: String,
    },
}

impl Envelope {
    /// An envelope around a statement, without a signature.
    ///
    /// # Errors
    ///
    /// When the statement cannot be written as JSON.
    pub fn new(statement: &Statement) -> Result<Self, EnvelopeError> {
        let payload = serde_json::to_vec(statement).map_err(|error| EnvelopeError::Encode { problem: error.to_string() })?;
        Ok(Self { payload_type: PAYLOAD_TYPE.to_owned(), payload, signatures: BTreeMap::new() })
    }

    /// An envelope around anything else, without a signature.
    pub(crate) fn around(payload_type: &str, payload: &[u8]) -> Self {
        Self { payload_type: payload_type.to_owned(), payload: payload.to_vec(), signatures: BTreeMap::new() }
    }

    /// Reads an envelope. Nothing about it is trusted yet, and its payload is only bytes.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when it is not a DSSE envelope, or not in the one text of its value.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
        if wire.signatures.len() > MAX_SIGNATURES {
            return Err(malformed(&format!("it has more than {MAX_SIGNATURES} signatures")));
        }
        let payload = STANDARD.decode(wire.payload).map_err(|error| malformed(&format!("its payload is not base64: {error}")))?;
        let mut signatures = BTreeMap::new();
        for WireSignature { keyid, sig } in wire.signatures {
            let signature = STANDARD.decode(sig).ok().and_then(|bytes| bytes.try_into().ok());
            let signature = signature.ok_or_else(|| malformed("a signature is not 64 bytes in base64"))?;
            if signatures.insert(keyid.clone(), signature).is_some() {
                return Err(malformed(&format!("two signatures name the key `{keyid}`")));
            }
        }
        let envelope = Self { payload_type: wire.payload_type, payload, signatures };
        if envelope.to_bytes() == bytes { Ok(envelope) } else { Err(Refusal::EnvelopeNotCanonical) }
    }

    /// The one text of the envelope: compact JSON, signatures in byte order of the key ids, one line feed at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signatures: Vec<_> =
            self.signatures.iter().map(|(key, signature)| json!({"keyid": key.as_str(), "sig": STANDARD.encode(signature)})).collect();
        let envelope = json!({"payload": STANDARD.encode(&self.payload), "payloadType": self.payload_type, "signatures": signatures});
        format!("{envelope}\n").into_bytes()
    }

    /// Adds a signature.
    ///
    /// # Errors
    ///
    /// When the key has signed before, there are [`MAX_SIGNATURES`] signatures, or the key does not sign.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), EnvelopeError> {
        let id = key.id();
        if self.signatures.contains_key(&id) {
            return Err(EnvelopeError::SignedAlready { key: id });
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(EnvelopeError::TooManySignatures);
        }
        let signature = key.sign(&self.pre_authentication_encoding())?;
        self.signatures.insert(id, signature);
        Ok(())
    }

    /// What the payload claims to be; authenticated by the signatures together with the payload.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The signed bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The keys that are named by signatures; nothing says yet that the signatures are theirs.
    pub fn claimed_signers(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.keys()
    }

    /// What is signed: `DSSEv1`, and the type and the payload, each behind its length in bytes.
    pub fn pre_authentication_encoding(&self) -> Vec<u8> {
        let mut encoding = format!("DSSEv1 {} {} {} ", self.payload_type.len(), self.payload_type, self.payload.len()).into_bytes();
        encoding.extend_from_slice(&self.payload);
        encoding
    }
}

/// The trusted keys of a role that signed the envelope, if they are enough. Distinct keys are counted, never signatures.
///
/// A signature that names a key of the trust root must be by that key, also when others would be enough: somebody damaged
/// it. A signature that names a key outside the trust root does not count, and is no reason for a refusal: while keys
/// rotate, a bundle carries signatures by keys that not every verifier knows yet. But it must not be by a key of the trust
/// root under another name; so with signers that are all trusted, no byte of an envelope can change unseen.
///
/// # Errors
///
/// A [`Refusal`] when a signature is not by the key that it names, or too few trusted keys signed.
pub fn signers(envelope: &Envelope, trust: &Trust, role: Role) -> Result<BTreeSet<KeyId>, Refusal> {
    let message = envelope.pre_authentication_encoding();
    let mut signers = BTreeSet::new();
    for (id, signature) in &envelope.signatures {
        match trust.key(id) {
            Some(key) if !key.verifies(&message, signature) => return Err(Refusal::BadSignature { key: id.clone() }),
            Some(_) if trust.may(id, role) => {
                signers.insert(id.clone());
            }
            Some(_) => {}
            None => refuse_borrowed_name(id, signature, &message, trust)?,
        }
    }
    let needed = trust.threshold(role);
    if signers.len() < needed { Err(Refusal::ThresholdNotMet { found: signers.len(), needed }) } else { Ok(signers) }
}

fn refuse_borrowed_name(claimed: &KeyId, signature: &Signature, message: &[u8], trust: &Trust) -> Result<(), Refusal> {
    match trust.keys().find(|(_, key)| key.verifies(message, signature)) {
        Some((actual, _)) => Err(Refusal::WrongKeyId { claimed: claimed.clone(), actual: actual.clone() }),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: KeyId,
    sig: String,
}

fn malformed(problem: &str) -> Refusal {
    Refusal::EnvelopeMalformed { problem: printable(problem) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(payload_type: &str, payload: &[u8], keys: &[&SigningKey]) -> Envelope {
        let mut envelope = Envelope::around(payload_type, payload);
        for key in keys {
            envelope.sign(key).unwrap();
        }
        envelope
    }

    fn key() -> SigningKey {
        SigningKey::generate("").unwrap()
    }

    fn trust(keys: &[&SigningKey], threshold: usize) -> Trust {
        Trust::init(keys.iter().map(|key| key.public().clone()), threshold).unwrap()
    }

    /// The example of the DSSE specification.
    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let example = envelope("http://example.com/HelloWorld", b"hello world", &[]);
        assert_eq!(example.pre_authentication_encoding(), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn an_envelope_has_one_text() {
        let good = envelope(PAYLOAD_TYPE, b"payload\n", &[&key(), &key()]);
        let text = String::from_utf8(good.to_bytes()).unwrap();
        assert_eq!(Envelope::parse(text.as_bytes()), Ok(good.clone()));
        let check = |changed: &str, reason: &str| {
            assert_ne!(changed, text);
            let found = Envelope::parse(changed.as_bytes());
            assert_eq!(found.as_ref().map_err(Refusal::reason).err(), Some(reason), "{changed}");
        };
        check(text.trim_end(), "envelope-not-canonical");
        check(&text.replacen(',', ", ", 1), "envelope-not-canonical");
        check(&text.replacen("+json", "\\u002bjson", 1), "envelope-not-canonical");
        let ids: Vec<&str> = good.claimed_signers().map(KeyId::as_str).collect();
        let [first, second] = ids[..] else { panic!("{ids:?}") };
        check(&text.replacen(first, "?", 1).replacen(second, first, 1).replacen('?', second, 1), "envelope-not-canonical");
        check(&text.replacen(second, first, 1), "envelope-malformed");
        check(&text.replacen('{', "{\"extra\":1,", 1), "envelope-malformed");
        check(&text.replacen("\"signatures\"", "\"payload\":\"\",\"signatures\"", 1), "envelope-malformed");
        check(&text.replacen("\"sig\":\"", "\"sig\":\"AA", 1), "envelope-malformed");
        check(&text.replacen("\"payload\":\"", "\"payload\":\"A", 1), "envelope-malformed");
        check(&text.replacen("SHA256:", "", 1), "envelope-malformed");
        check("", "envelope-malformed");
        check(&"[".repeat(100_000), "envelope-malformed");
    }

    #[test]
    fn a_key_signs_once() {
        let key = key();
        let mut envelope = envelope(PAYLOAD_TYPE, b"x", &[&key]);
        assert!(matches!(envelope.sign(&key), Err(EnvelopeError::SignedAlready { .. })));
        for _ in 1..MAX_SIGNATURES {
            envelope.sign(&self::key()).unwrap();
        }
        assert!(matches!(envelope.sign(&self::key()), Err(EnvelopeError::TooManySignatures)));
        assert!(Envelope::parse(&envelope.to_bytes()).is_ok());
        let id = self::key().id();
        envelope.signatures.insert(id, [0; 64]);
        assert_eq!(Envelope::parse(&envelope.to_bytes()).unwrap_err().reason(), "envelope-malformed");
    }

    #[test]
    fn distinct_trusted_keys_are_counted() {
        let [ann, bob, eve] = [key(), key(), key()];
        let check = |keys: &[&SigningKey], threshold: usize, expected: Result<usize, &str>| {
            let found = signers(&envelope(PAYLOAD_TYPE, b"x", keys), &trust(&[&ann, &bob], threshold), Role::Bundle);
            assert_eq!(found.map(|signers| signers.len()).map_err(|refusal| refusal.reason()), expected);
        };
        check(&[&ann], 1, Ok(1));
        check(&[&ann, &bob], 2, Ok(2));
        check(&[&ann, &bob, &eve], 2, Ok(2));
        check(&[], 1, Err("threshold-not-met"));
        check(&[&ann], 2, Err("threshold-not-met"));
        check(&[&eve], 1, Err("threshold-not-met"));
        check(&[&ann, &eve], 2, Err("threshold-not-met"));
    }

    #[test]
    fn a_key_of_another_role_does_not_count_but_must_not_lie() {
        let [ann, root] = [key(), key()];
        let mut trust = trust(&[&ann], 1);
        trust.add(root.public(), Role::Root).unwrap();
        let mut envelope = envelope(PAYLOAD_TYPE, b"x", &[&root]);
        assert_eq!(signers(&envelope, &trust, Role::Bundle).unwrap_err().reason(), "threshold-not-met");
        envelope.sign(&ann).unwrap();
        assert_eq!(signers(&envelope, &trust, Role::Bundle).unwrap().len(), 1);
        envelope.signatures.insert(root.id(), [1; 64]);
        assert_eq!(signers(&envelope, &trust, Role::Bundle).unwrap_err().reason(), "bad-signature");
    }

    #[test]
    fn a_signature_is_by_the_key_that_it_names() {
        let [ann, bob, eve] = [key(), key(), key()];
        let good = envelope(PAYLOAD_TYPE, b"x", &[&ann, &bob]);
        let trust = trust(&[&ann, &bob], 1);
        let mut swapped = good.clone();
        swapped.signatures.insert(ann.id(), good.signatures[&bob.id()]);
        assert_eq!(signers(&swapped, &trust, Role::Bundle).unwrap_err().reason(), "bad-signature");
        let mut renamed = good.clone();
        let signature = renamed.signatures.remove(&bob.id()).unwrap();
        renamed.signatures.insert(eve.id(), signature);
        assert_eq!(signers(&renamed, &trust, Role::Bundle).unwrap_err().reason(), "wrong-key-id");
        let mut retyped = good;
        retyped.payload_type = "text/plain".to_owned();
        assert_eq!(signers(&retyped, &trust, Role::Bundle).unwrap_err().reason(), "bad-signature");
    }
}
