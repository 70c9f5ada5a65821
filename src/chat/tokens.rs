//! Signed session tokens: JWTs with HS256 only. Must not know how a token is transported.

use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::model::{Millis, SessionId, UserId};

use super::{ChatError, TokenFault};

/// Purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Authenticates requests, for a short time.
    Access,
    /// Is exchanged for another access token.
    Refresh,
}

/// Claims of a token. Session and account are taken from `sid` and `uid` only; the names and `sub` are for clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Session id.
    pub sid: i64,
    /// User id.
    pub uid: i64,
    pub typ: TokenKind,
    /// Time of issue, seconds since 1970.
    pub iat: i64,
    /// Time of expiry, seconds since 1970.
    pub exp: i64,
    /// Id of the token.
    pub jti: Uuid,
    /// User name when the token was issued.
    pub username: String,
    /// Dialect that issued the token.
    pub dialect: String,
    /// Subject, in the form that clients of the dialect read.
    pub sub: String,
    /// Same as `sub`, for `team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

impl Claims {
    pub fn session(&self) -> SessionId {
        SessionId(self.sid)
    }

    pub fn user(&self) -> UserId {
        UserId(self.uid)
    }
}

/// Returns the times of issue and expiry of a token issued now, for [`Claims::iat`] and [`Claims::exp`].
pub fn span(ttl: Duration) -> (i64, i64) {
    let now = Millis::now();
    (now.0 / 1000, now.after(ttl).0 / 1000)
}

/// Signs and verifies tokens with the secret of one database file.
#[derive(Clone)]
pub struct Tokens {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    seal: Hmac<Sha256>,
}

impl Tokens {
    /// Creates a signer. All signers with the same secret accept each other's tokens.
    pub fn new(secret: &[u8]) -> Self {
        static INSTALLED: Once = Once::new();
        // Fails only if a provider is installed already, which is fine.
        INSTALLED.call_once(|| _ = PROVIDER.install_default());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        let seal = Hmac::new_from_slice(secret).expect("HMAC takes a key of any length");
        Self {
            sign: EncodingKey::from_secret(secret),
            verify: DecodingKey::from_secret(secret),
            validation,
            seal,
        }
    }

    /// Returns an HMAC of `parts` in base64url. The first part names the purpose.
    pub fn seal(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.seal.clone().chain_update(b"seal");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, ChatError> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.sign)
            .map_err(ChatError::internal)
    }

    /// Returns the claims of a token if this server signed it, it is of this `kind` and it has not expired.
    pub fn verify(&self, token: &str, kind: TokenKind) -> Result<Claims, TokenFault> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.verify, &self.validation).map_err(
            |error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenFault::Expired,
                _ => TokenFault::Invalid,
            },
        )?;
        if data.claims.typ != kind {
            return Err(TokenFault::WrongKind);
        }
        Ok(data.claims)
    }
}

/// HS256 only: the providers of the crate also bring RSA and elliptic curves, which are not needed.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        hs256(*algorithm, key.as_bytes()).map(|key| Box::new(key) as Box<dyn JwtSigner>)
    },
    verifier_factory: |algorithm, key| {
        hs256(*algorithm, key.try_get_as_bytes()?).map(|key| Box::new(key) as Box<dyn JwtVerifier>)
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

fn hs256(algorithm: Algorithm, key: &[u8]) -> JwtResult<Hs256> {
    match algorithm {
        Algorithm::HS256 => Hmac::new_from_slice(key)
            .map(Hs256)
            .map_err(|_| ErrorKind::InvalidKeyFormat.into()),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self
            .0
            .clone()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0
            .clone()
            .chain_update(message)
            .verify_slice(signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(typ: TokenKind, seconds: i64) -> Claims {
        let iat = Millis::now().0 / 1000;
        Claims {
            sid: 1,
            uid: 2,
            typ,
            iat,
            exp: iat + seconds,
            jti: Uuid::nil(),
            username: "ann".into(),
            dialect: "native".into(),
            sub: "2".into(),
            user_id: None,
        }
    }

    #[test]
    fn a_signed_token_verifies() {
        let tokens = Tokens::new(b"secret");
        let token = tokens.sign(&claims(TokenKind::Access, 60)).unwrap();
        assert_eq!(
            tokens.verify(&token, TokenKind::Access).unwrap().user(),
            UserId(2)
        );
    }

    #[test]
    fn foreign_expired_and_invalid_tokens_are_distinguished() {
        let tokens = Tokens::new(b"secret");
        let foreign = Tokens::new(b"other")
            .sign(&claims(TokenKind::Access, 60))
            .unwrap();
        let expired = tokens.sign(&claims(TokenKind::Access, -1)).unwrap();
        let refresh = tokens.sign(&claims(TokenKind::Refresh, 60)).unwrap();
        assert_eq!(
            tokens.verify(&foreign, TokenKind::Access).unwrap_err(),
            TokenFault::Invalid
        );
        assert_eq!(
            tokens.verify(&expired, TokenKind::Access).unwrap_err(),
            TokenFault::Expired
        );
        assert_eq!(
            tokens.verify(&refresh, TokenKind::Access).unwrap_err(),
            TokenFault::WrongKind
        );
        assert_eq!(
            tokens.verify("rubbish", TokenKind::Access).unwrap_err(),
            TokenFault::Invalid
        );
    }

    #[test]
    fn the_token_does_not_choose_its_algorithm() {
        let tokens = Tokens::new(b"secret");
        let token = tokens.sign(&claims(TokenKind::Access, 60)).unwrap();
        let body = token.split('.').nth(1).unwrap();
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"RS256"}"#,
        ] {
            let forged = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(
                tokens.verify(&forged, TokenKind::Access).unwrap_err(),
                TokenFault::Invalid,
                "{header}"
            );
        }
    }
}
