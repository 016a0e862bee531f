//! What the server reads and writes is what the document describes, member for member: a whole
//! value of each kind must fit its schema, and must have every member that the schema knows.

use claviger::admin::wire::{
    Account, AccountEdit, AuditRecord, BackupReport, BadLine, BoundCertificate, Created,
    CreatedUser, DoorStatus, ExpiringCertificate, Field, ImportReport, ImportedCertificate, Issued,
    IssuedToken, Material, NewAccount, NewCertificate, NewIssue, NewOrganisation, NewPassword,
    NewPolicy, NewResource, NewSetting, NewShare, NewToken, NewUser, Organisation, Page,
    PasswordChange, Policy, PolicyEdit, Problem, Resource, ResourceEdit, ResumeOrder, ResumedTrail,
    Rotation, SecretText, Setting, Share, Status, Token, TransferRow, TrustKind,
    TrustedCertificate, User, UserCertificate, Verification, VerifyProgress,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, to_value};

use crate::document::{differences, schema};

pub(crate) fn text() -> String {
    "x".to_owned()
}

pub(crate) fn time() -> String {
    "2027-01-31T12:00:00Z".to_owned()
}

pub(crate) fn secret() -> SecretText {
    SecretText::new(text().into())
}

pub(crate) fn material() -> Material {
    Material {
        kind: text(),
        name: Some(text()),
        content: secret(),
    }
}

fn fields() -> Vec<Field> {
    vec![Field {
        label: text(),
        value: text(),
    }]
}

/// Checks a value that has every member it can have.
#[track_caller]
pub(crate) fn fits(name: &str, value: &impl Serialize) {
    let value = to_value(value).unwrap();
    let wrong = differences(&value, schema(name));
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
    let members = value.as_object().unwrap();
    for known in schema(name)["properties"].as_object().unwrap().keys() {
        assert!(
            members.contains_key(known),
            "{name}: nobody ever writes {known}"
        );
    }
}

/// Checks that what the document demands is enough, and that what it does not know is refused.
#[track_caller]
pub(crate) fn reads<T: Serialize + DeserializeOwned>(name: &str, value: &T) {
    fits(name, value);
    let whole = to_value(value).unwrap();
    let required: Vec<&str> = schema(name)["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut least = whole.clone();
    least
        .as_object_mut()
        .unwrap()
        .retain(|member, _| required.contains(&member.as_str()));
    let mut more = whole;
    more["unknown"] = Value::Null;

    assert!(
        serde_json::from_value::<T>(least.clone()).is_ok(),
        "{name}: {least} is not enough"
    );
    assert!(
        serde_json::from_value::<T>(more).is_err(),
        "{name}: an unknown member is taken"
    );
    for member in required {
        let mut without = least.clone();
        without.as_object_mut().unwrap().remove(member);
        let read = serde_json::from_value::<T>(without);
        assert!(
            read.is_err(),
            "{name}: {member} is demanded by the document only"
        );
    }
}

fn resource_edit() -> ResourceEdit {
    ResourceEdit {
        name: Some(text()),
        kind: Some(text()),
        owner: Some(text()),
        address: Some(text()),
        url: Some(text()),
        description: Some(text()),
        notes: Some(text()),
        department: Some(text()),
        location: Some(text()),
        fields: Some(fields()),
        policy: Some(None),
        reason_demanded: Some(None),
        ticket_demanded: Some(Some(true)),
    }
}

fn account_edit() -> AccountEdit {
    AccountEdit {
        name: Some(text()),
        notes: Some(text()),
        fields: Some(fields()),
        policy: Some(Some(text())),
        reason_demanded: Some(None),
        ticket_demanded: Some(None),
    }
}

fn policy_edit() -> PolicyEdit {
    PolicyEdit {
        min_length: Some(1),
        max_length: Some(1),
        upper: Some(true),
        lower: Some(true),
        digit: Some(true),
        special: Some(1),
        starts_with_letter: Some(true),
        may_hold_account_name: Some(true),
        no_reuse: Some(1),
        max_age_days: Some(None),
    }
}

#[test]
fn what_is_read_of_users_and_resources_is_documented() {
    let user = NewUser {
        login: text(),
        person: true,
        second_factor: true,
        password: Some(secret()),
        first_name: Some(text()),
        last_name: Some(text()),
        email: Some(text()),
        role: text(),
        scope: Some(text()),
        any_host: true,
        full_name: Some(text()),
        department: Some(text()),
        location: Some(text()),
        expires: Some(time()),
        certificates: vec![text()],
    };
    let resource = NewResource {
        name: text(),
        kind: text(),
        owner: Some(text()),
        address: Some(text()),
        url: Some(text()),
        description: Some(text()),
        notes: Some(text()),
        department: Some(text()),
        location: Some(text()),
        fields: fields(),
        policy: Some(text()),
        reason_demanded: Some(true),
        ticket_demanded: Some(true),
        account: text(),
        password: Some(secret()),
    };
    let account = NewAccount {
        name: text(),
        password: Some(secret()),
        secret: Some(material()),
        notes: Some(text()),
        fields: fields(),
        policy: Some(text()),
        reason_demanded: Some(true),
        ticket_demanded: Some(true),
    };

    reads("NewUser", &user);
    reads("NewPassword", &NewPassword { password: secret() });
    reads(
        "NewToken",
        &NewToken {
            expires: Some(text()),
        },
    );
    reads("NewResource", &resource);
    let order = ResumeOrder { reason: text() };
    reads("ResumeOrder", &order);
    reads("ResourceEdit", &resource_edit());
    reads("NewAccount", &account);
    reads("AccountEdit", &account_edit());
    reads("Field", &fields()[0]);
}

#[test]
fn what_is_read_of_everything_else_is_documented() {
    let row = TransferRow {
        resource: text(),
        kind: Some(text()),
        address: Some(text()),
        description: Some(text()),
        owner: Some(text()),
        account: text(),
        password: Some(secret()),
        notes: Some(text()),
    };
    let share = NewShare {
        resource: text(),
        account: Some(text()),
        user: Some(text()),
        group: Some(text()),
        level: text(),
    };
    let certificate = NewCertificate {
        pem: text(),
        ca: Some(true),
    };
    let policy = NewPolicy {
        name: text(),
        rules: policy_edit(),
    };
    let issue = NewIssue {
        name: text(),
        days: 1,
    };

    reads("TransferRow", &row);
    reads("NewShare", &share);
    reads("NewCertificate", &certificate);
    reads("NewPolicy", &policy);
    reads("PolicyEdit", &policy_edit());
    reads("NewIssue", &issue);
    reads("NewSetting", &NewSetting { value: text() });
    reads("NewOrganisation", &NewOrganisation { name: text() });
}

fn user() -> User {
    User {
        id: text(),
        login: text(),
        api: true,
        any_host: true,
        full_name: text(),
        first_name: text(),
        last_name: text(),
        email: text(),
        role: text(),
        scope: text(),
        department: text(),
        location: text(),
        locked: true,
        expires: Some(time()),
        created: time(),
        certificates: vec![UserCertificate {
            fingerprint: text(),
            issuer: true,
        }],
    }
}

fn trusted() -> TrustedCertificate {
    TrustedCertificate {
        fingerprint: text(),
        kind: TrustKind::Pin,
        subject: text(),
        issuer: text(),
        not_before: time(),
        not_after: time(),
    }
}

#[test]
fn users_and_certificates_are_shown_as_documented() {
    fits("User", &user());
    fits(
        "UserPage",
        &Page {
            items: vec![user()],
            next: Some(text()),
        },
    );
    fits(
        "CreatedUser",
        &CreatedUser {
            user: user(),
            warnings: vec![text()],
        },
    );
    let certificate = UserCertificate {
        fingerprint: text(),
        issuer: false,
    };
    fits("UserCertificate", &certificate);
    fits(
        "BoundCertificate",
        &BoundCertificate {
            certificate,
            warnings: vec![text()],
        },
    );
    fits("TrustedCertificate", &trusted());
    let imported = ImportedCertificate {
        certificate: trusted(),
        explanation: text(),
        warnings: vec![text()],
    };
    fits("ImportedCertificate", &imported);
    let issued = Issued {
        certificate: text(),
        key: secret(),
        fingerprint: text(),
        ca: text(),
        not_after: time(),
    };
    fits("Issued", &issued);
}

#[test]
fn tokens_are_shown_as_documented() {
    let token = Token {
        id: text(),
        issued: time(),
        expires: Some(time()),
        state: text(),
    };
    fits("Token", &token);
    fits(
        "TokenPage",
        &Page {
            items: vec![token.clone()],
            next: Some(text()),
        },
    );
    let issued = IssuedToken {
        secret: secret(),
        token,
    };
    fits("IssuedToken", &issued);
}

#[test]
fn resources_accounts_and_shares_are_shown_as_documented() {
    let resource = Resource {
        id: text(),
        name: text(),
        kind: text(),
        owner: None,
        address: text(),
        url: text(),
        description: text(),
        notes: text(),
        department: text(),
        location: text(),
        fields: fields(),
        policy: None,
        reason_demanded: None,
        ticket_demanded: Some(true),
        created: time(),
    };
    let account = Account {
        id: text(),
        name: text(),
        kind: text(),
        notes: text(),
        fields: fields(),
        policy: Some(text()),
        reason_demanded: None,
        ticket_demanded: None,
        status: text(),
        version: 1,
        created: time(),
        changed: time(),
        accessed: None,
        unclear_since: None,
    };
    let change = PasswordChange {
        version: 1,
        at: time(),
        by: None,
        generated: true,
    };

    fits("Resource", &resource);
    fits("Account", &account);
    fits(
        "Created",
        &Created {
            name: text(),
            generated: true,
        },
    );
    fits("PasswordChange", &change);
    fits(
        "Share",
        &Share {
            resource: text(),
            account: None,
            user: Some(text()),
            group: None,
            level: text(),
        },
    );
}

#[test]
fn policies_settings_and_organisations_are_shown_as_documented() {
    let policy = Policy {
        id: text(),
        name: text(),
        min_length: 1,
        max_length: 1,
        upper: true,
        lower: true,
        digit: true,
        special: 1,
        starts_with_letter: true,
        may_hold_account_name: true,
        no_reuse: 1,
        max_age_days: None,
    };
    let setting = Setting {
        name: text(),
        value: text(),
        default: text(),
        description: text(),
    };

    fits("Policy", &policy);
    fits("Setting", &setting);
    fits(
        "Organisation",
        &Organisation {
            id: text(),
            name: text(),
        },
    );
}

#[test]
fn long_work_and_problems_are_shown_as_documented() {
    let record = AuditRecord {
        seq: 1,
        time: time(),
        request: text(),
        caller: text(),
        org: text(),
        door: text(),
        peer: None,
        operation: text(),
        resource: text(),
        account: text(),
        reason: text(),
        ticket: text(),
        outcome: text(),
        detail: text(),
    };
    let verified = Verification {
        first: 1,
        records: 1,
        head: text(),
        torn: Some(text()),
    };
    let report = ImportReport {
        accounts: 1,
        generated: 1,
        bad: vec![BadLine {
            line: 1,
            reason: text(),
        }],
    };
    let problem = Problem {
        kind: text(),
        title: text(),
        status: 404,
        detail: text(),
        request: text(),
    };

    fits("AuditRecord", &record);
    fits(
        "VerifyProgress",
        &VerifyProgress {
            records: 1,
            finished: None,
            error: None,
        },
    );
    fits(
        "VerifyProgress",
        &VerifyProgress {
            records: 1,
            finished: Some(verified),
            error: Some(text()),
        },
    );
    fits(
        "Rotation",
        &Rotation {
            error: Some(text()),
            ..Rotation::default()
        },
    );
    fits("ImportReport", &report);
    let backup = BackupReport {
        rows: 1,
        files: 1,
        bytes: 1,
        head: text(),
        left_out: vec![text()],
    };
    fits("BackupReport", &backup);
    fits("Problem", &problem);
}

#[test]
fn the_house_is_shown_as_documented() {
    let certificate = ExpiringCertificate {
        use_for: text(),
        subject: text(),
        fingerprint: text(),
        not_after: time(),
        days_left: -1,
    };
    let status = Status {
        version: text(),
        started: time(),
        mode: text(),
        engine: text(),
        doors: vec![DoorStatus {
            name: text(),
            listen: text(),
            host_key: Some(text()),
        }],
        state: text(),
        problems: vec![text()],
        audit_head: text(),
        data_key: 1,
        data_keys: 1,
        certificates: vec![certificate.clone()],
    };

    fits("ExpiringCertificate", &certificate);
    fits("Status", &status);
}

#[test]
fn going_on_past_a_loss_is_shown_as_documented() {
    let resumed = ResumedTrail {
        needed: true,
        lost_first: Some(2),
        lost_last: Some(3),
        next: 4,
    };

    fits("ResumedTrail", &resumed);
}
