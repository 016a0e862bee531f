//! Passwords on request: asked for, decided about, checked out and in.

use crate::domain::{Status, UserId, Window};
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Detail, Done, Fields as Out};
use crate::doors::rest::input::{Fields, Unfit};
use crate::doors::rest::route::Place;
use crate::doors::rest::times::{exact, in_words, minute};
use crate::vault::{RequestView, UserRef, Wanted};

impl Rest {
    pub(super) async fn password_requests(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let (start, limit) = self.part(&ask.input.fields()?)?;
        let most = start.saturating_add(limit).min(self.settings.rows);
        let views = self.vault.requests(None, most, ask.caller).await?;
        let requesters = by_requester(views.get(start..).unwrap_or_default());
        let total = requesters.len() as u64;
        Ok(Done::new("Password Request fetched successfully").rows(requesters, total))
    }

    pub(super) async fn request_password(
        &self,
        place: Place,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let window = window(&fields)?;
        let wanted = asked(place, ask)?;
        let raised = self
            .vault
            .request_within(&wanted, (None, window), ask.caller);
        let status = raised.await?;
        Ok(Done::new("Request to view password have been raised successfully").with(told(status)))
    }

    pub(super) async fn check_out(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let wanted = asked(place, ask)?;
        let out = self.vault.check_out(&wanted, None, ask.caller).await?;
        Ok(Done::new("Password have been checked out successfully").with(told(out.status)))
    }

    pub(super) async fn check_in(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let wanted = asked(place, ask)?;
        let status = self.vault.check_in(&wanted, ask.caller).await?;
        Ok(Done::new(CHECKED_IN).with(told(status)))
    }

    pub(super) async fn approve(
        &self,
        place: Place,
        user: UserId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let wanted = asked(place, ask)?;
        let user = UserRef::Id(user);
        self.vault.approve(&wanted, user, ask.caller).await?;
        Ok(Done::new("Password Approved successfully"))
    }

    pub(super) async fn reject(
        &self,
        place: Place,
        user: UserId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let wanted = asked(place, ask)?;
        let user = UserRef::Id(user);
        self.vault.reject(&wanted, user, ask.caller).await?;
        Ok(Done::new("Password Rejected successfully"))
    }

    pub(super) async fn check_in_for(
        &self,
        place: Place,
        user: UserId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let wanted = asked(place, ask)?;
        let user = UserRef::Id(user);
        self.vault.check_in_for(&wanted, user, ask.caller).await?;
        Ok(Done::new(CHECKED_IN))
    }
}

/// The time for which a password is requested, where that is later.
fn window(fields: &Fields<'_>) -> Result<Option<Window>, Unfit> {
    let later = match fields.optional("ACCESS")? {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("now") => false,
        Some(word) if word.eq_ignore_ascii_case("later") => true,
        Some(_) => return Err(Unfit("ACCESS is neither now nor later".to_owned())),
    };
    if !later {
        return Ok(None);
    }
    let at = |name| {
        let wrong = || Unfit(format!("{name} is no dd/mm/yyyy HH:mm"));
        minute(fields.text(name)?).ok_or_else(wrong)
    };
    Ok(Some(Window {
        from: at("STARTTIME")?,
        until: at("ENDTIME")?,
    }))
}

/// What is asked for, with the reason and ticket that are given.
fn asked<'a>(place: Place, ask: &Ask<'a>) -> Result<Wanted<'a>, Unfit> {
    let fields = ask.input.fields()?;
    let (reason, ticket) = (fields.or_empty("REASON")?, fields.or_empty("TICKETID")?);
    Ok(place.wanted(reason, ticket))
}

fn told(status: Status) -> Out {
    Out::new().with("STATUS", status.as_str())
}

/// One object a requester, in the order in which they are first met.
fn by_requester(views: &[RequestView]) -> Vec<Detail> {
    let mut requesters: Vec<(&RequestView, Vec<Detail>)> = Vec::new();
    for view in views {
        let known = requesters
            .iter_mut()
            .find(|(first, _)| first.request.requester == view.request.requester);
        match known {
            Some((_, list)) => list.push(entry(view)),
            None => requesters.push((view, vec![entry(view)])),
        }
    }
    let told = requesters.into_iter().map(|(first, list)| {
        Out::new()
            .with("REQUESTER USERID", first.request.requester.0)
            .with("REQUESTED BY", first.requester.clone())
            .with("REQUESTED BY FULLNAME", first.full_name.clone())
            .with("PASSWORDREQUESTLIST", list)
            .into()
    });
    told.collect()
}

fn entry(view: &RequestView) -> Detail {
    let request = &view.request;
    let entry = Out::new()
        .with("ACCOUNT ID", request.account.0)
        .with("ACCOUNT NAME", view.account.clone())
        .with("RESOURCE ID", request.resource.0)
        .with("RESOURCE NAME", view.resource.clone())
        .with("PASSWD ID", request.account.0)
        .with("STATUS", view.status.as_str())
        .with("REQUESTED TIME", in_words(request.raised))
        .with("REQUESTED TIMESTAMP", exact(request.raised))
        .with("REASON", request.reason.clone())
        .with("TICKETID", request.ticket.clone());
    match request.window {
        None => entry,
        Some(Window { from, until }) => entry
            .with("START_TIME", in_words(from))
            .with("END_TIME", in_words(until))
            .with("START_TIMESTAMP", exact(from))
            .with("END_TIMESTAMP", exact(until)),
    }
    .into()
}

const CHECKED_IN: &str = "Password have been checked in successfully";
