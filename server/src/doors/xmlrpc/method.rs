//! The methods: one table for dispatch and introspection.

/// A method, as it is called and as it describes itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// The name, compared byte for byte.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) operation: Operation,
    /// How it answers.
    pub(super) form: Form,
}

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Retrieve,
    Change,
    Create,
    ListMethods,
    MethodSignature,
    MethodHelp,
    Multicall,
}

/// How a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A struct of `resultCode`, `message` and sometimes `password`; a refusal is one too.
    Struct,
    /// The value itself; a refusal is a fault.
    Value,
}

/// A parameter's type and name.
type Parameter = (&'static str, &'static str);

/// The overloads of one operation, shortest first.
type Overloads = &'static [&'static [Parameter]];

impl Method {
    /// All of them, as they are listed.
    pub(super) const ALL: &'static [Self] = &[
        method("pmp.resource.create", Operation::Create, Form::Struct),
        method("pmp.resources.create", Operation::Create, Form::Struct),
        method("pmp.password.retrieve", Operation::Retrieve, Form::Struct),
        method("pmp.password.change", Operation::Change, Form::Struct),
        method("pam360.resource.create", Operation::Create, Form::Struct),
        method("pam360.resources.create", Operation::Create, Form::Struct),
        method(
            "pam360.password.retrieve",
            Operation::Retrieve,
            Form::Struct,
        ),
        method("pam360.password.change", Operation::Change, Form::Struct),
        method("createResource", Operation::Create, Form::Value),
        method("retrievePassword", Operation::Retrieve, Form::Value),
        method("changePassword", Operation::Change, Form::Value),
        method("system.listMethods", Operation::ListMethods, Form::Value),
        method(
            "system.methodSignature",
            Operation::MethodSignature,
            Form::Value,
        ),
        method("system.methodHelp", Operation::MethodHelp, Form::Value),
        method("system.multicall", Operation::Multicall, Form::Value),
    ];

    /// The method of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|method| method.name == name)
    }

    /// The ways to call it: each the answer's type and then the parameters' types.
    pub(super) fn signatures(&self) -> impl Iterator<Item = Vec<&'static str>> {
        let answer = self.answer();
        self.operation.overloads().iter().map(move |parameters| {
            let types = parameters.iter().map(|(kind, _)| *kind);
            std::iter::once(answer).chain(types).collect()
        })
    }

    /// What it does and how it is called, in words.
    pub(super) fn help(&self) -> String {
        let mut help = self.operation.summary().to_owned();
        if let (Form::Struct, Some(_)) = (self.form, self.operation.password_answered()) {
            help.push_str(STRUCT_HELP);
        }
        if let (_, Some(when)) = (self.form, self.operation.password_answered()) {
            help.push_str(when);
        }
        for parameters in self.operation.overloads() {
            help.push_str(&format!(
                "\n{} {}({})",
                self.answer(),
                self.name,
                listed(parameters)
            ));
        }
        help
    }

    /// The type of its answer.
    fn answer(&self) -> &'static str {
        match (self.operation, self.form) {
            (Operation::Retrieve | Operation::Change | Operation::Create, Form::Struct) => "struct",
            (Operation::Retrieve | Operation::MethodHelp, _) => "string",
            (Operation::Change | Operation::Create, Form::Value) => "boolean",
            (Operation::ListMethods | Operation::MethodSignature | Operation::Multicall, _) => {
                "array"
            }
        }
    }
}

const fn method(name: &'static str, operation: Operation, form: Form) -> Method {
    Method {
        name,
        operation,
        form,
    }
}

impl Operation {
    /// All of them.
    pub(super) const ALL: [Self; 7] = [
        Self::Retrieve,
        Self::Change,
        Self::Create,
        Self::ListMethods,
        Self::MethodSignature,
        Self::MethodHelp,
        Self::Multicall,
    ];

    /// The word for it in metrics and logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Retrieve => "retrieve",
            Self::Change => "change",
            Self::Create => "create-resource",
            Self::ListMethods | Self::MethodSignature | Self::MethodHelp => "introspect",
            Self::Multicall => "multicall",
        }
    }

    /// The parameters of each of its overloads.
    pub(super) fn overloads(self) -> Overloads {
        match self {
            Self::Retrieve => &[
                &[RESOURCE, ACCOUNT],
                &[RESOURCE, ACCOUNT, REASON],
                &[RESOURCE, ACCOUNT, REASON, TICKET],
            ],
            Self::Change => &[
                &[RESOURCE, ACCOUNT, REASON, REMOTE],
                &[RESOURCE, ACCOUNT, PASSWORD, REASON, REMOTE],
                &[RESOURCE, ACCOUNT, REASON, REMOTE, TICKET],
                &[RESOURCE, ACCOUNT, PASSWORD, REASON, REMOTE, TICKET],
            ],
            Self::Create => &[
                &[RESOURCE, KIND, ACCOUNT, NOTES],
                &[RESOURCE, KIND, ACCOUNT, PASSWORD, NOTES],
            ],
            Self::ListMethods => &[&[]],
            Self::MethodSignature | Self::MethodHelp => &[&[("string", "methodName")]],
            Self::Multicall => &[&[("array", "calls")]],
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Retrieve => "Retrieves the password of an account.",
            Self::Change => {
                "Changes the password of an account; updateRemote (a boolean, or a string true or \
                 false) says whether on the resource itself first. Without newPassword, or with an \
                 empty one, the password is generated by the account's policy."
            }
            Self::Create => {
                "Creates a resource with one account. Without newPassword, or with an empty one, \
                 the password is generated by the account's policy."
            }
            Self::ListMethods => "Lists the names of all methods.",
            Self::MethodSignature => {
                "Lists the ways to call a method: each the type of the answer, then those of the \
                 parameters."
            }
            Self::MethodHelp => "Says what a method does and how it is called.",
            Self::Multicall => {
                "Makes several calls in one: takes an array of structs of methodName and params, \
                 answers an array with, for each call, an array of its one value, or a struct of \
                 faultCode and faultString. Each call is authorised and audited alone."
            }
        }
    }

    /// When a password is answered.
    fn password_answered(self) -> Option<&'static str> {
        match self {
            Self::Retrieve => Some(" The answer holds the password."),
            Self::Change | Self::Create => {
                Some(" A generated password is answered in place of a mere success.")
            }
            Self::ListMethods | Self::MethodSignature | Self::MethodHelp | Self::Multicall => None,
        }
    }
}

const STRUCT_HELP: &str = " Answers a struct of resultCode (0 is success), message, and password \
                           where there is one to answer.";

const RESOURCE: Parameter = ("string", "resourceName");
const ACCOUNT: Parameter = ("string", "accountName");
const KIND: Parameter = ("string", "resourceType");
const PASSWORD: Parameter = ("string", "newPassword");
const REASON: Parameter = ("string", "reason");
const TICKET: Parameter = ("string", "ticketId");
const NOTES: Parameter = ("string", "notes");
const REMOTE: Parameter = ("boolean", "updateRemote");

/// The parameters as a signature lists them.
pub(super) fn listed(parameters: &[Parameter]) -> String {
    let words: Vec<_> = parameters
        .iter()
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_method_and_no_other_spelling_does() {
        for method in Method::ALL {
            assert_eq!(Method::named(method.name), Some(method));
            for wrong in [method.name.to_uppercase(), format!("{} ", method.name)] {
                assert_eq!(Method::named(&wrong), None, "{wrong:?}");
            }
        }
    }

    #[test]
    fn every_documented_name_is_there_under_both_prefixes() {
        let ours: Vec<_> = Method::ALL
            .iter()
            .filter_map(|m| m.name.strip_prefix("pmp."))
            .collect();
        let theirs: Vec<_> = Method::ALL
            .iter()
            .filter_map(|m| m.name.strip_prefix("pam360."))
            .collect();

        assert_eq!(
            ours,
            [
                "resource.create",
                "resources.create",
                "password.retrieve",
                "password.change"
            ]
        );
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_signature_has_the_answer_first() {
        let signatures = |name| {
            Method::named(name)
                .unwrap()
                .signatures()
                .collect::<Vec<_>>()
        };

        assert_eq!(
            signatures("pmp.password.retrieve"),
            [
                vec!["struct", "string", "string"],
                vec!["struct", "string", "string", "string"],
                vec!["struct", "string", "string", "string", "string"],
            ]
        );
        assert_eq!(
            signatures("retrievePassword")[0],
            ["string", "string", "string"]
        );
        assert_eq!(signatures("changePassword")[0].first(), Some(&"boolean"));
        assert_eq!(signatures("system.listMethods"), [vec!["array"]]);
    }

    #[test]
    fn help_names_the_parameters() {
        let help = Method::named("pmp.password.change").unwrap().help();

        assert!(help.ends_with(
            "\nstruct pmp.password.change(string resourceName, string accountName, string \
             newPassword, string reason, boolean updateRemote, string ticketId)"
        ));
    }
}
