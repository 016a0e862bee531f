//! A request as it is shown.

use serde::Serialize;

use crate::domain::{AccessPolicyId, PolicyName, SecretKind, State, Timestamp, Window};
use crate::doors::a2a::core::query::Table;
use crate::doors::a2a::core::{request_types, times};
use crate::vault::RequestView;

/// A request as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    id: String,
    state: &'static str,
    access_request_type: &'static str,
    account_id: u64,
    account_name: String,
    account_domain_name: Option<String>,
    asset_id: u64,
    asset_name: String,
    asset_network_address: String,
    requester_id: u64,
    requester_display_name: String,
    requester_username: String,
    created_on: String,
    expires_on: String,
    requested_for: String,
    requested_duration_days: u64,
    requested_duration_hours: u64,
    requested_duration_minutes: u64,
    duration_in_minutes: u64,
    is_emergency: bool,
    ticket_number: String,
    reason_code: Option<String>,
    reason_comment: String,
    policy_id: Option<u64>,
    policy_name: Option<String>,
    needs_acknowledgement: bool,
    was_checked_out: bool,
}

/// What may be asked of a list of requests; systems of versions 2 and 3 are assets.
pub(super) static TABLE: Table = Table {
    names: &[
        "Id",
        "State",
        "AccessRequestType",
        "AccountId",
        "AccountName",
        "AccountDomainName",
        "AssetId",
        "AssetName",
        "AssetNetworkAddress",
        "RequesterId",
        "RequesterDisplayName",
        "RequesterUsername",
        "CreatedOn",
        "ExpiresOn",
        "RequestedFor",
        "RequestedDurationDays",
        "RequestedDurationHours",
        "RequestedDurationMinutes",
        "DurationInMinutes",
        "IsEmergency",
        "TicketNumber",
        "ReasonCode",
        "ReasonComment",
        "PolicyId",
        "PolicyName",
        "NeedsAcknowledgement",
        "WasCheckedOut",
    ],
    renamed: &[
        ("AssetId", "SystemId"),
        ("AssetName", "SystemName"),
        ("AssetNetworkAddress", "SystemNetworkAddress"),
    ],
    aliases: &[],
};

impl Shown {
    /// A request at `now`, under a policy if it is under one.
    pub(super) fn of(
        view: &RequestView,
        policy: Option<&(AccessPolicyId, PolicyName)>,
        now: Timestamp,
    ) -> Self {
        let request = &view.request;
        let until = end(request.state, request.raised);
        let Window { from, until: over } = request.window.unwrap_or(Window {
            from: request.raised,
            until,
        });
        let minutes = over.since(from).as_secs() / 60;
        Self {
            id: view.place().to_string(),
            state: word(request.state, view.kind, request.window, now),
            access_request_type: request_types::word(view.kind),
            account_id: request.account.0,
            account_name: view.account.clone(),
            account_domain_name: None,
            asset_id: request.resource.0,
            asset_name: view.resource.clone(),
            asset_network_address: view.address.clone(),
            requester_id: request.requester.0,
            requester_display_name: view.full_name.clone(),
            requester_username: view.requester.clone(),
            created_on: times::to_text(request.raised),
            expires_on: times::to_text(until),
            requested_for: times::to_text(from),
            requested_duration_days: minutes / (24 * 60),
            requested_duration_hours: minutes / 60 % 24,
            requested_duration_minutes: minutes % 60,
            duration_in_minutes: minutes,
            is_emergency: false,
            ticket_number: request.ticket.clone(),
            reason_code: None,
            reason_comment: request.reason.clone(),
            policy_id: policy.map(|(id, _)| id.0),
            policy_name: policy.map(|(_, name)| name.to_string()),
            needs_acknowledgement: false,
            was_checked_out: matches!(request.state, State::CheckedOut { .. }),
        }
    }

    /// It has just ended so.
    pub(super) fn end(&mut self, state: &'static str) {
        self.state = state;
    }
}

/// Until when a state lasts by itself.
fn end(state: State, raised: Timestamp) -> Timestamp {
    match state {
        State::Requested { lapses } | State::Approved { lapses } => lapses,
        State::CheckedOut { until, .. } => until,
        State::Rejected | State::CheckedIn | State::Expired => raised,
    }
}

/// The original's word for a state.
fn word(state: State, kind: SecretKind, window: Option<Window>, now: Timestamp) -> &'static str {
    match (state, kind) {
        (State::Requested { .. }, _) => "PendingApproval",
        (State::Approved { .. }, _) if window.is_some_and(|window| now < window.from) => {
            "PendingTimeRequested"
        }
        (State::Approved { .. }, _) => "RequestAvailable",
        (State::Rejected, _) => "Denied",
        (State::CheckedOut { .. }, SecretKind::Password) => "PasswordCheckedOut",
        (State::CheckedOut { .. }, SecretKind::SshKey) => "SshKeyCheckedOut",
        (State::CheckedOut { .. }, SecretKind::ApiKey) => "ApiKeysCheckedOut",
        (State::CheckedOut { .. }, SecretKind::File) => "FileCheckedOut",
        (State::CheckedIn, _) => "RequestCheckedIn",
        (State::Expired, _) => "Expired",
    }
}
