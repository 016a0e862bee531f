//! The form of a token's row.

use zeroize::Zeroizing;

use crate::domain::{Expiry, OrgId, Timestamp, Token, TokenId, TokenState, UserId};
use crate::store::rows::Record;

/// A token as it is kept: what is known of it, and its keyed hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// What is known of it.
    pub token: Token,
    /// `HMAC-SHA-256(token key, token)`.
    pub tag: [u8; 32],
}

impl Record for TokenRow {
    /// `form(1)=1 || id(8) || org(8) || user(8) || issued(8) || state(1) || ends(1) || end(8) ||
    /// tag(32)`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let token = &self.token;
        let state = match token.state {
            TokenState::Live => 1,
            TokenState::Revoked => 2,
            TokenState::Expired => 3,
        };
        let end = token.expires.end();
        let parts: [&[u8]; 9] = [
            &[1],
            &token.id.0.to_be_bytes(),
            &token.org.0.to_be_bytes(),
            &token.user.0.to_be_bytes(),
            &token.issued.0.to_be_bytes(),
            &[state],
            &[u8::from(end.is_some())],
            &end.unwrap_or_default().0.to_be_bytes(),
            &self.tag,
        ];
        Zeroizing::new(parts.concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (id, bytes) = bytes.split_first_chunk::<8>()?;
        let (org, bytes) = bytes.split_first_chunk::<8>()?;
        let (user, bytes) = bytes.split_first_chunk::<8>()?;
        let (issued, bytes) = bytes.split_first_chunk::<8>()?;
        let (&[state, ends], bytes) = bytes.split_first_chunk::<2>()?;
        let (end, tag) = bytes.split_first_chunk::<8>()?;
        let token = Token {
            id: TokenId(u64::from_be_bytes(*id)),
            org: OrgId(u64::from_be_bytes(*org)),
            user: UserId(u64::from_be_bytes(*user)),
            issued: Timestamp(i64::from_be_bytes(*issued)),
            expires: match ends {
                0 => Expiry::Never,
                1 => Expiry::At(Timestamp(i64::from_be_bytes(*end))),
                _ => return None,
            },
            state: match state {
                1 => TokenState::Live,
                2 => TokenState::Revoked,
                3 => TokenState::Expired,
                _ => return None,
            },
        };
        Some(Self {
            token,
            tag: tag.try_into().ok()?,
        })
    }
}
