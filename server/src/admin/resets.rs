//! `/v1/resources/{resource}/target`, `…/reset` and `/v1/resets`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::moment::to_text;
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Page};
use crate::domain::{Connector, ConnectorKind, Directory, Pin, Wire};
use crate::vault::{
    Claim, Held, NewPassword, NewTarget, Reach, TargetTest, TargetView, Tried, Wanted,
};

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::ResetTarget>, Refusal> {
    let view = desk
        .vault
        .reset_target(resource.as_str().into(), &asked.caller)
        .await?;
    Ok(Json(in_words(view)))
}

pub(crate) async fn set(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewResetTarget>,
) -> Result<StatusCode, Refusal> {
    let new = parsed(new)?;
    desk.vault
        .set_reset_target(resource.as_str().into(), &new, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .remove_reset_target(resource.as_str().into(), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn test(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Plain>,
    Sent(order): Sent<wire::TargetOrder>,
) -> Result<Json<wire::TargetTest>, Refusal> {
    let trust = order.trust.as_deref().map(pin).transpose()?;
    let account = order.account.unwrap_or_default();
    let TargetTest {
        shown,
        trusted,
        account,
        login,
        trouble,
    } = desk
        .vault
        .test_reset_target(resource.as_str().into(), &account, trust, &asked.caller)
        .await?;
    Ok(Json(wire::TargetTest {
        shown: shown.map(|pin| pin.to_string()),
        trusted,
        account,
        login,
        trouble,
    }))
}

pub(crate) async fn reset(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
    Sent(order): Sent<wire::ResetOrder>,
) -> Result<StatusCode, Refusal> {
    let new = match order.password {
        None => NewPassword::Generate,
        Some(password) => NewPassword::parse(password.expose())?,
    };
    let (reason, ticket) = (
        order.reason.unwrap_or_default(),
        order.ticket.unwrap_or_default(),
    );
    let wanted = Wanted::named(&resource, &account).because(&reason, &ticket);
    desk.vault
        .change(&wanted, new, Reach::Remote, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn settle(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
    Sent(order): Sent<wire::SettleOrder>,
) -> Result<Json<wire::SettledReset>, Refusal> {
    let wanted = Wanted::named(&resource, &account);
    let settled = match word(&order)? {
        Some(word) => desk.vault.settle_reset(&wanted, word, &asked.caller).await,
        None => desk.vault.look_again(&wanted, &asked.caller).await,
    }?;
    let (login, why) = match settled.heard {
        Tried::Agrees => (Some(true), None),
        Tried::Contradicts(why) => (Some(false), Some(why.to_owned())),
        Tried::Nothing(why) => (None, Some(why)),
    };
    Ok(Json(wire::SettledReset {
        held: settled.held.as_str().to_owned(),
        login,
        why,
        kept: settled.kept.into_iter().map(|version| version.0).collect(),
    }))
}

fn word(order: &wire::SettleOrder) -> Result<Option<Claim>, Refusal> {
    let anyway = order.anyway;
    let Some(text) = &order.held else {
        return match anyway {
            true => Err(Refusal::invalid("`anyway` needs a word in `held`")),
            false => Ok(None),
        };
    };
    [Held::New, Held::Old, Held::Stored]
        .into_iter()
        .find(|held| held.as_str() == text)
        .map(|held| Some(Claim { held, anyway }))
        .ok_or_else(|| Refusal::invalid("`held` is new, old or stored"))
}

pub(crate) async fn resume(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.resume_resets(&asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn pending(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::PendingReset>>, Refusal> {
    let views = desk.vault.pending_resets(&asked.caller).await?;
    let shown = views.into_iter().map(|view| wire::PendingReset {
        resource: view.resource,
        account: view.account,
        since: to_text(view.since),
        tries: view.tries,
        next: to_text(view.next),
        why: view.why,
    });
    Ok(Json(Page::whole(shown.collect())))
}

fn parsed(new: wire::NewResetTarget) -> Result<NewTarget, Refusal> {
    let kind: ConnectorKind = new
        .connector
        .parse()
        .map_err(|()| Refusal::invalid("`connector` is ssh, postgres, mysql, ldap or command"))?;
    let wire = match new.wire.as_deref() {
        None => Wire::Sealed,
        Some(word) => word
            .parse()
            .map_err(|()| Refusal::invalid("`wire` is sealed, starttls or plain"))?,
    };
    let connector = match kind {
        ConnectorKind::Ssh => Connector::Ssh,
        ConnectorKind::Postgres => Connector::Postgres {
            database: new.database.unwrap_or_else(|| "postgres".to_owned()),
        },
        ConnectorKind::Mysql => Connector::Mysql {
            from: new.from.unwrap_or_else(|| "%".to_owned()),
        },
        ConnectorKind::Ldap => Connector::Ldap {
            dn: new.dn.unwrap_or_default(),
            directory: match new.active_directory {
                true => Directory::Active,
                false => Directory::Rfc3062,
            },
        },
        ConnectorKind::Command => Connector::Command { argv: new.command },
    };
    let held = |held: wire::HeldAccount| (held.resource, held.account);
    Ok(NewTarget {
        connector,
        host: new.host.unwrap_or_default(),
        port: new.port,
        wire,
        admin: new.admin.map(held),
        reconcile: new.reconcile.map(held),
        pin: new.pin.as_deref().map(pin).transpose()?,
    })
}

fn pin(text: &str) -> Result<Pin, Refusal> {
    text.parse()
        .map_err(|()| Refusal::invalid("a fingerprint is written SHA256:…"))
}

fn in_words(view: TargetView) -> wire::ResetTarget {
    let held = |(resource, account)| wire::HeldAccount { resource, account };
    let target = view.target;
    wire::ResetTarget {
        connector: target.connector.kind().to_string(),
        details: match target.connector {
            Connector::Ssh => Vec::new(),
            Connector::Postgres { database } => vec![database],
            Connector::Mysql { from } => vec![from],
            Connector::Ldap { dn, directory } => vec![dn, directory.to_string()],
            Connector::Command { argv } => argv,
        },
        host: target.host.as_str().to_owned(),
        port: target.port,
        wire: target.wire.to_string(),
        admin: view.admin.map(held),
        reconcile: view.reconcile.map(held),
        pin: target.pin.map(|pin| pin.to_string()),
    }
}
