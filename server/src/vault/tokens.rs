//! REST tokens: issued, shown once, kept as a keyed hash, taken back.

use zeroize::Zeroizing;

use crate::domain::{
    ApiToken, Expiry, Operation, OrgId, RefusalReason, Timestamp, Token, TokenId, TokenState, User,
    UserId,
};
use crate::store::rows::{Changes, Ids, Kept, TokenRow};
use crate::vault::away::{Stranger, TurnedAway};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::{Caller, Origin, UserRef, Vault, VaultError};

/// A token that has just been issued: the only time that it is seen.
#[derive(Debug)]
pub struct IssuedToken {
    /// What is known of it.
    pub token: Token,
    /// The token.
    pub text: ApiToken,
}

impl Vault {
    /// Issues one more token of a user; it counts as long as `token-days` says where `expires` is
    /// not given.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`]; [`VaultError::Invalid`] when it would
    /// have run out already, the user has as many as it may, or is a person with a second factor.
    pub async fn issue_token(
        &self,
        user: impl Into<UserRef<'_>>,
        expires: Option<Expiry>,
        caller: &Caller,
    ) -> Result<IssuedToken, VaultError> {
        self.hand_out(user.into(), expires, Others::Stay, caller)
            .await
    }

    /// Issues a token of a user and takes all its others back, in one step.
    ///
    /// # Errors
    /// As for [`Self::issue_token`].
    pub async fn regenerate_token(
        &self,
        user: impl Into<UserRef<'_>>,
        expires: Option<Expiry>,
        caller: &Caller,
    ) -> Result<IssuedToken, VaultError> {
        self.hand_out(user.into(), expires, Others::Go, caller)
            .await
    }

    /// The tokens of a user, the newest last; those that are over too, as long as they are kept.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn tokens(&self, login: &str, caller: &Caller) -> Result<Vec<Token>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("tokens of {login}"));
        let user = self.administered(login.into(), &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let now = self.clock.now();
        let kept = self.tokens_of(&user).await?;
        let shown = |kept: Kept<TokenRow>| Token {
            state: kept.record.token.state_at(now),
            ..kept.record.token
        };
        Ok(kept.into_iter().map(shown).collect())
    }

    /// Takes a token back: it opens nothing from the very next request on.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when the user has no such token that is
    /// still live.
    pub async fn revoke_token(
        &self,
        login: &str,
        id: TokenId,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::RevokeToken).detail(format!("token {id} of {login}"));
        self.primary_only(&deed, caller).await?;
        let user = self.administered(login.into(), &deed, caller).await?.record;
        let key = self.rows.places().token(user.org, user.id, id);
        let kept = self.rows.get::<TokenRow>(key).await?;
        let Some(kept) = kept.filter(|kept| kept.record.token.state == TokenState::Live) else {
            let answer = VaultError::NotFound("token of this user");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let done = self.commit_end(&kept, TokenState::Revoked).await;
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// Whether this is a token that counts, wherever it comes from. Nothing is written down.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn is_live(&self, shown: &ApiToken) -> Result<bool, VaultError> {
        let now = self.clock.now();
        let Some((kept, user)) = self.owner_of(shown).await? else {
            return Ok(false);
        };
        let live = kept.record.token.state_at(now) == TokenState::Live;
        Ok(live && self.factor_against_token(&user).await?.is_none())
    }

    /// The one user whom a token and an address prove and until when, or why there is none.
    pub(super) async fn by_token(
        &self,
        shown: &ApiToken,
        origin: &Origin,
    ) -> Result<Result<(User, Timestamp), TurnedAway>, VaultError> {
        let Some((kept, user)) = self.owner_of(shown).await? else {
            return Ok(Err(
                Stranger::new("(unknown token)").away(RefusalReason::UnknownUser)
            ));
        };
        let stranger = Stranger::of(&user).detail(format!("token {}", kept.record.token.id));
        match kept.record.token.state_at(self.clock.now()) {
            TokenState::Live => {}
            TokenState::Revoked => return Ok(Err(stranger.away(RefusalReason::Revoked))),
            TokenState::Expired => {
                self.remember_expired(&kept).await?;
                return Ok(Err(stranger.away(RefusalReason::Expired)));
            }
        }
        if let Some(why) = self.factor_against_token(&user).await? {
            return Ok(Err(stranger.away(why)));
        }
        if let Err(why) = self.may_enter(&user, origin).await {
            return Ok(Err(stranger.away(why)));
        }
        let end = kept.record.token.expires.end();
        Ok(Ok((user, end.unwrap_or(Timestamp(i64::MAX)))))
    }

    /// The user whom a token proved and until when, by the token's keyed hash, if it still would.
    /// Nothing is written down.
    pub(super) async fn by_token_again(
        &self,
        tag: &[u8; 32],
        origin: &Origin,
    ) -> Result<Option<(User, Timestamp)>, VaultError> {
        let Some((kept, user)) = self.owner_by(tag).await? else {
            return Ok(None);
        };
        let token = &kept.record.token;
        let counts = token.state_at(self.clock.now()) == TokenState::Live
            && self.factor_against_token(&user).await?.is_none()
            && self.may_enter(&user, origin).await.is_ok();
        let until = token.expires.end().unwrap_or(Timestamp(i64::MAX));
        Ok(counts.then_some((user, until)))
    }

    /// Takes every token of a user away with it.
    pub(super) async fn clear_tokens(
        &self,
        changes: &mut Changes<'_>,
        user: &User,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        for kept in self.tokens_of(user).await? {
            changes.clear(places.token_by_tag(&kept.record.tag));
            changes.clear(kept.key);
        }
        Ok(())
    }

    async fn hand_out(
        &self,
        user: UserRef<'_>,
        expires: Option<Expiry>,
        others: Others,
        caller: &Caller,
    ) -> Result<IssuedToken, VaultError> {
        let settings = self.settings.load_full();
        let now = self.clock.now();
        let by_default = || Expiry::in_days(u64::from(settings.token_days), now);
        let expires = expires
            .map_or_else(by_default, Ok)
            .map_err(|error| VaultError::Invalid(error.to_string()))?;
        let deed = |login: &str| {
            let words = format!("{login}, expires {}{}", told(expires), others.told());
            Deed::new(Operation::IssueToken).detail(words)
        };
        let by_word = deed(&user.words());
        self.primary_only(&by_word, caller).await?;
        let user = self.administered(user, &by_word, caller).await?;
        let deed = deed(&user.record.login());
        let before = self.tokens_of(&user.record).await?;
        let fit = match self.factor_against_token(&user.record).await? {
            Some(_) => Err(NO_CODE.to_owned()),
            None => may_issue(expires, others, &before, (now, settings.tokens_per_user)),
        };
        if let Err(words) = fit {
            let answer = VaultError::Invalid(words);
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        let text = self.draw_token()?;
        let token = Token {
            id: TokenId(self.next_id(IdKind::Token).await?),
            org: user.record.org,
            user: user.record.id,
            issued: now,
            expires,
            state: TokenState::Live,
        };
        self.allow(&deed, caller).await?;
        let row = TokenRow {
            tag: self.rows.keys().token_tag(&text),
            token,
        };
        let done = self.commit_token(&user, &row, (others, before)).await;
        self.settle(&deed, done, caller).await?;
        if others == Others::Go {
            self.generation.grow();
        }
        Ok(IssuedToken {
            token: row.token,
            text,
        })
    }

    /// 128 bits from the operating system.
    pub(super) fn draw_token(&self) -> Result<ApiToken, VaultError> {
        let mut bytes = Zeroizing::new([0; 16]);
        for byte in bytes.iter_mut() {
            *byte = u8::try_from(self.chance.below(256)?).unwrap_or(u8::MAX);
        }
        Ok(ApiToken::from_bytes(&bytes))
    }

    async fn tokens_of(&self, user: &User) -> Result<Vec<Kept<TokenRow>>, VaultError> {
        let prefix = self.rows.places().tokens(user.org, user.id);
        Ok(self.rows.all(&prefix).await?)
    }

    /// The row of a token and its user.
    async fn owner_of(
        &self,
        shown: &ApiToken,
    ) -> Result<Option<(Kept<TokenRow>, User)>, VaultError> {
        let found = self.owner_by(&self.rows.keys().token_tag(shown)).await?;
        Ok(found.filter(|(kept, _)| self.rows.keys().is_token(shown, &kept.record.tag)))
    }

    async fn owner_by(&self, tag: &[u8; 32]) -> Result<Option<(Kept<TokenRow>, User)>, VaultError> {
        let places = self.rows.places();
        let Some(index) = self.rows.get::<Ids>(places.token_by_tag(tag)).await? else {
            return Ok(None);
        };
        let &[org, user, id] = index.record.0.as_slice() else {
            return Ok(None);
        };
        let (org, user) = (OrgId(org), UserId(user));
        let kept = self
            .rows
            .get::<TokenRow>(places.token(org, user, TokenId(id)))
            .await?;
        let Some(kept) = kept.filter(|kept| kept.record.tag == *tag) else {
            return Ok(None);
        };
        let user = self.rows.get::<User>(places.user(org, user)).await?;
        Ok(user.map(|user| (kept, user.record)))
    }

    async fn commit_token(
        &self,
        user: &Kept<User>,
        row: &TokenRow,
        (others, before): (Others, Vec<Kept<TokenRow>>),
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let token = &row.token;
        let mut changes = self.rows.changes();
        // A user that is removed at the same time leaves no token behind.
        changes.depend_on(user);
        changes.add(places.token(token.org, token.user, token.id), row)?;
        changes.add(
            places.token_by_tag(&row.tag),
            &Ids(vec![token.org.0, token.user.0, token.id.0]),
        )?;
        let (live, over): (Vec<_>, Vec<_>) = before
            .into_iter()
            .partition(|kept| kept.record.token.state_at(token.issued) == TokenState::Live);
        if others == Others::Go {
            for kept in &live {
                changes.replace(kept, &ended(kept, TokenState::Revoked))?;
            }
        }
        for kept in over.iter().rev().skip(KEPT_WHEN_OVER) {
            changes.clear(places.token_by_tag(&kept.record.tag));
            changes.remove(kept);
        }
        Ok(changes.commit().await?)
    }

    async fn commit_end(&self, kept: &Kept<TokenRow>, state: TokenState) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        changes.replace(kept, &ended(kept, state))?;
        Ok(changes.commit().await?)
    }

    /// Keeps a token that was shown after its end from coming back when the clock is set back.
    async fn remember_expired(&self, kept: &Kept<TokenRow>) -> Result<(), VaultError> {
        if self.secondary || kept.record.token.state != TokenState::Live {
            return Ok(());
        }
        match self.commit_end(kept, TokenState::Expired).await {
            // Somebody else ended it at the same time.
            Err(VaultError::Conflict) => Ok(()),
            done => done,
        }
    }
}

/// What becomes of a user's other tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    Stay,
    Go,
}

impl Others {
    fn told(self) -> &'static str {
        match self {
            Self::Stay => "",
            Self::Go => "; its other tokens are revoked",
        }
    }
}

fn may_issue(
    expires: Expiry,
    others: Others,
    before: &[Kept<TokenRow>],
    (now, most): (Timestamp, u16),
) -> Result<(), String> {
    if expires.passed(now) {
        return Err("a token that has run out already is not issued".to_owned());
    }
    let live = |kept: &&Kept<TokenRow>| kept.record.token.state_at(now) == TokenState::Live;
    if others == Others::Stay && before.iter().filter(live).count() >= usize::from(most) {
        return Err(format!(
            "this user has {most} tokens already: revoke one, or raise the setting tokens-per-user"
        ));
    }
    Ok(())
}

fn ended(kept: &Kept<TokenRow>, state: TokenState) -> TokenRow {
    TokenRow {
        token: Token {
            state,
            ..kept.record.token.clone()
        },
        tag: kept.record.tag,
    }
}

fn told(expires: Expiry) -> String {
    let never = || "never".to_owned();
    let told = |end: Timestamp| {
        jiff::Timestamp::from_millisecond(end.0)
            .map_or_else(|_| end.0.to_string(), |at| at.to_string())
    };
    expires.end().map_or_else(never, told)
}

/// Tokens of a user that are over and still known, so that the audit trail can tell a revoked one
/// from one that never was.
const KEPT_WHEN_OVER: usize = 20;
const NO_CODE: &str = "this person comes in with a second factor, and a token would let it in without: \
                       give a program a user of its own";
