//! From a call to what the vault does about it.

use tokio::time::Instant;
use tracing::{debug, error};
use xmlrpc_codec::{Fault, FaultCode, Value};

use crate::domain::{Password, RequestId};
use crate::doors::gate::Visitor;
use crate::doors::xmlrpc::answer::{Refusal, fault, no_such_handler, refusal, success};
use crate::doors::xmlrpc::method::{Method, Operation};
use crate::doors::xmlrpc::overload::{Asked, NewText, Place, Unfit, wipe};
use crate::doors::xmlrpc::{Xmlrpc, introspect, multicall, overload};
use crate::doors::{Ending, Meter, OperationMeter};
use crate::vault::{
    AccountEdit, Caller, NewPassword, NewResource, Reach, ResourceEdit, VaultError, Wanted,
};

/// A call's parameters: wiped when dropped, for one may be a password.
#[derive(Debug)]
pub(super) struct Params(Vec<Value>);

impl Params {
    pub(super) fn new(params: Vec<Value>) -> Self {
        Self(params)
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [Value] {
        &mut self.0
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wipe);
    }
}

/// What is counted of each operation.
#[derive(Debug)]
pub(super) struct Meters {
    operations: [OperationMeter; Operation::ALL.len()],
    unknown: OperationMeter,
}

impl Meters {
    pub(super) fn new(meter: &Meter) -> Self {
        let of = |word| meter.operation(Xmlrpc::NAME, word);
        Self {
            operations: Operation::ALL.map(|operation| of(operation.as_str())),
            unknown: of("unknown"),
        }
    }

    /// Counts a request that was none.
    pub(super) fn count_malformed(&self) {
        self.unknown
            .count(Ending::Malformed, std::time::Duration::ZERO);
    }

    fn count(&self, operation: Operation, ending: Ending, since: Instant) {
        let meter = self
            .operations
            .get(operation as usize)
            .unwrap_or(&self.unknown);
        meter.count(ending, since.elapsed());
    }
}

impl Xmlrpc {
    /// Does what is called for.
    pub(super) async fn dispatch(
        &self,
        visitor: &Visitor,
        name: &str,
        mut params: Params,
        caller: &Caller,
    ) -> Result<Value, Fault> {
        match Method::named(name) {
            Some(method) if method.operation == Operation::Multicall => {
                self.multicall(visitor, params.as_mut_slice()).await
            }
            method => self.call(method.ok_or(name), params, caller).await,
        }
    }

    /// Does one call after the other. Each has a request id of its own, since each is a decision
    /// of its own; and whoever loses its right in between has lost it for the rest.
    async fn multicall(&self, visitor: &Visitor, params: &mut [Value]) -> Result<Value, Fault> {
        let since = Instant::now();
        let calls = multicall::read(params, self.settings.multicall);
        let ending = calls.as_ref().map_or(Ending::Malformed, |_| Ending::Done);
        let mut answers = Params::new(Vec::new());
        for call in calls.inspect_err(|_| self.meters.count(Operation::Multicall, ending, since))? {
            let answer = match call {
                Ok((name, params)) => self.inner_call(visitor, &name, params).await,
                Err(fault) => Err(fault),
            };
            answers.0.push(multicall::answered(answer));
        }
        self.meters.count(Operation::Multicall, ending, since);
        Ok(Value::Array(std::mem::take(&mut answers.0)))
    }

    async fn inner_call(
        &self,
        visitor: &Visitor,
        name: &str,
        params: Params,
    ) -> Result<Value, Fault> {
        let id = self.vault.next_request();
        debug!(call = %id, "one of several");
        match self.gate.caller(visitor, id).await {
            Ok(caller) => {
                self.call(Method::named(name).ok_or(name), params, &caller)
                    .await
            }
            Err(error) => Err(self.refusal(error, id).into_fault()),
        }
    }

    /// Does one call of any method but `system.multicall`.
    async fn call(
        &self,
        method: Result<&Method, &str>,
        mut params: Params,
        caller: &Caller,
    ) -> Result<Value, Fault> {
        let since = Instant::now();
        let method = match method {
            Ok(method) => method,
            Err(name) => {
                self.meters.count_malformed();
                return Err(no_such_handler(name));
            }
        };
        let (ending, answer) = self.run(method, params.as_mut_slice(), caller).await;
        self.meters.count(method.operation, ending, since);
        debug!(method = method.name, ?ending, "answered");
        answer
    }

    async fn run(
        &self,
        method: &Method,
        params: &mut [Value],
        caller: &Caller,
    ) -> (Ending, Result<Value, Fault>) {
        let asked = match method.operation {
            Operation::Retrieve => overload::retrieval(params),
            Operation::Change => overload::change(params),
            Operation::Create => overload::creation(params),
            Operation::ListMethods => return described(introspect::list_methods(params)),
            Operation::MethodSignature => return described(introspect::method_signature(params)),
            Operation::MethodHelp => return described(introspect::method_help(params)),
            Operation::Multicall => return described(Err(unreachable_multicall())),
        };
        match asked {
            Ok(asked) => match self.ask(asked, caller).await {
                Ok(password) => (Ending::Done, Ok(success(method.form, password.as_ref()))),
                Err(error) => self.refused(method, error, caller.origin().request),
            },
            Err(Unfit(why)) => {
                let message = format!("{}: {why}", method.name);
                (
                    Ending::Malformed,
                    Err(fault(FaultCode::InvalidParameters, message)),
                )
            }
        }
    }

    fn refused(
        &self,
        method: &Method,
        error: VaultError,
        id: RequestId,
    ) -> (Ending, Result<Value, Fault>) {
        let refused = self.refusal(error, id);
        (refused.ending(), refusal(method.form, refused))
    }

    /// What the caller is told; the log is told what lies behind an outage.
    pub(super) fn refusal(&self, error: VaultError, id: RequestId) -> Refusal {
        if let VaultError::Unavailable(outage) = &error
            && let Some(unsaid) = self.outages.now()
        {
            error!(%id, outage = outage.in_full(), unsaid, "unavailable");
        }
        Refusal::from(error)
    }

    /// Has the vault do it; the answer is the password, where there is one to answer.
    async fn ask(&self, asked: Asked, caller: &Caller) -> Result<Option<Password>, VaultError> {
        match asked {
            Asked::Retrieve(place) => {
                let wanted = wanted(&place);
                self.vault.retrieve(&wanted, caller).await.map(Some)
            }
            Asked::Change {
                place,
                password: NewText(password),
                remote,
            } => {
                let new = NewPassword::parse(password)?;
                let reach = if remote { Reach::Remote } else { Reach::Local };
                self.vault.change(&wanted(&place), new, reach, caller).await
            }
            Asked::Create {
                resource,
                kind,
                account,
                password: NewText(password),
                notes,
            } => {
                let password = NewPassword::parse(password)?;
                let new = NewResource {
                    resource: &resource,
                    kind: &kind,
                    account: &account,
                    notes: &notes,
                    owner: None,
                    more: ResourceEdit::default(),
                    more_of_account: AccountEdit::default(),
                };
                let made = self.vault.create(&new, password, caller).await?;
                Ok(made.generated)
            }
        }
    }
}

fn wanted(place: &Place) -> Wanted<'_> {
    Wanted::named(&place.resource, &place.account).because(&place.reason, &place.ticket)
}

fn described(answer: Result<Value, Fault>) -> (Ending, Result<Value, Fault>) {
    let ending = if answer.is_ok() {
        Ending::Done
    } else {
        Ending::Malformed
    };
    (ending, answer)
}

fn unreachable_multicall() -> Fault {
    fault(FaultCode::InternalError, "a system.multicall out of place")
}
