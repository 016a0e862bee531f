//! Pages against a look at every row, whatever happens in between.

use std::collections::BTreeSet;
use std::time::Duration;

use claviger::domain::{
    Account, Grantee, GroupId, Level, OrgId, Resource, ResourceId, Share, UserId,
};
use claviger::store::rows::Ids;
use claviger::store::{Key, Table};
use claviger::vault::{
    AccountEdit, AccountRef, Caller, Filter, GranteeName, ListLimits, NewAccount, NewGroup,
    ResourceEdit, ResourceRef, Search, SearchKind,
};

use crate::fixture::{House, given, house, new_resource};
use crate::pages::{everywhere, found, import, in_accounts, names, page, seen};

#[tokio::test]
async fn whoever_goes_away_while_it_makes_something_leaves_the_list_true() {
    let house = house().await;
    let operator = house.operator().await;
    import(&house, 3, "").await;
    assert_eq!(found(&house, everywhere("left"), &operator).await.len(), 0);

    for number in 0..20 {
        let name = format!("left-{number}");
        let new = new_resource(&name);
        let made = house.vault.create(&new, given("s3cret"), &operator);
        // Broken off somewhere.
        let _ = tokio::time::timeout(Duration::from_micros(200 * number), made).await;
    }
    // Commits are written in their order: those before this one are, or never will be.
    house.create("right", "root", "s3cret", &operator).await;

    let world = World::read(&house).await;
    assert_eq!(
        seen(&house, &operator).await,
        world.names(OrgId::DEFAULT, None)
    );
    assert_eq!(
        found(&house, everywhere("left"), &operator).await,
        world.found(OrgId::DEFAULT, None, &everywhere("left"))
    );
}

#[tokio::test]
async fn what_changes_while_texts_are_read_for_a_first_search_is_found() {
    let house = house().await;
    let operator = house.operator().await;
    import(&house, 300, "").await;
    let change = async |number: usize| {
        let edit = ResourceEdit {
            name: Some(format!("changed-{number}")),
            ..ResourceEdit::default()
        };
        let name = format!("server-{number:04}");
        let done = house.vault.edit_resource(name.as_str(), &edit, &operator);
        done.await.unwrap();
        // A page that needs no texts goes on meanwhile, and takes over what has changed.
        page(&house, &Filter::page(number, 1), &operator).await;
    };

    let changing = async {
        for number in 0..20 {
            change(number * 13).await;
        }
    };
    tokio::join!(found(&house, everywhere("server"), &operator), changing);

    assert_eq!(
        found(&house, everywhere("changed"), &operator).await.len(),
        20
    );
    assert_eq!(
        found(&house, everywhere("server"), &operator).await.len(),
        280
    );
}

/// Every row there is, as the store has it.
struct World {
    resources: Vec<Resource>,
    accounts: Vec<Account>,
    shares: Vec<Share>,
    members: Vec<(GroupId, UserId)>,
}

impl World {
    async fn read(house: &House) -> Self {
        let rows = &house.rows;
        let table = |table| Key::table(table);
        let resources = rows.all::<Resource>(&table(Table::Resource)).await.unwrap();
        let accounts = rows.all::<Account>(&table(Table::Account)).await.unwrap();
        let shares = rows.all::<Share>(&table(Table::Share)).await.unwrap();
        let members = rows.all::<Ids>(&table(Table::Member)).await.unwrap();
        let member = |key: &Key| {
            let (group, user) = (key.number_at(0).unwrap(), key.number_at(1).unwrap());
            (GroupId(group), UserId(user))
        };
        let mut resources: Vec<_> = resources.into_iter().map(|kept| kept.record).collect();
        resources.sort_by_key(|resource| resource.id);
        Self {
            resources,
            accounts: accounts.into_iter().map(|kept| kept.record).collect(),
            shares: shares.into_iter().map(|kept| kept.record).collect(),
            members: members.iter().map(|kept| member(&kept.key)).collect(),
        }
    }

    /// The accounts of a resource that `user` sees, or that there are; `None` where it sees not
    /// even the resource.
    fn accounts(&self, of: &Resource, user: Option<UserId>) -> Option<Vec<&Account>> {
        let all = self.accounts.iter().filter(|it| it.resource == of.id);
        let Some(user) = user.filter(|user| of.owner != Some(*user)) else {
            return Some(all.collect());
        };
        let theirs = |share: &&Share| match share.with {
            Grantee::User(id) => id == user,
            Grantee::Group(id) => self.members.contains(&(id, user)),
            // Nobody here makes one.
            Grantee::ResourceGroup(_) => false,
        };
        let shares = self.shares.iter().filter(theirs);
        let shares = shares.filter(|share| share.target.resource == of.id);
        let targets: BTreeSet<_> = shares
            .map(|share| share.target.account.map(|it| it.0))
            .collect();
        if targets.is_empty() {
            return None;
        }
        let shared = |it: &&Account| targets.contains(&None) || targets.contains(&Some(it.id.0));
        Some(all.filter(shared).collect())
    }

    fn names(&self, org: OrgId, user: Option<UserId>) -> Vec<String> {
        let seen = self.resources.iter().filter(|it| it.org == org);
        let seen = seen.filter(|it| self.accounts(it, user).is_some());
        seen.map(|it| it.name.to_string()).collect()
    }

    fn found(&self, org: OrgId, user: Option<UserId>, search: &Search) -> Vec<String> {
        let holds = |text: &str| text.to_lowercase().contains(&search.value.to_lowercase());
        let of_org = self.resources.iter().filter(|it| it.org == org);
        let found = of_org.filter(|it| {
            self.accounts(it, user)
                .is_some_and(|accounts| match search.kind {
                    SearchKind::Resource => holds(it.name.as_str()) || holds(it.kind.as_str()),
                    SearchKind::Account => accounts.iter().any(|it| holds(it.name.as_str())),
                })
        });
        found.map(|it| it.name.to_string()).collect()
    }
}

/// Numbers that look random, and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.below(words.len() as u64);
        words.get(at as usize).unwrap()
    }
}

/// Something happens; much of it to things that are not there.
async fn happen(house: &House, dice: &mut Dice, number: u64, operator: &Caller) {
    let vault = &house.vault;
    let id = ResourceId(1 + dice.below(40));
    let login = format!("user{}@10.0.0.1", dice.below(2));
    let level = Level::View;
    let (whole, account) = (ResourceRef::Id(id), AccountRef::Named("root"));
    let name = format!("{}{number}", dice.one_of(&["ab", "Ba", "aB"]));
    let _refused_or_done = match dice.below(12) {
        0..3 => {
            let mut new = new_resource(&name);
            let theirs = dice.below(3) == 0;
            new.owner = theirs.then_some(login.as_str());
            vault
                .create(&new, given("s3cret"), operator)
                .await
                .map(drop)
        }
        3 => vault.remove_resource(id, operator).await,
        4 => {
            let edit = ResourceEdit {
                name: Some(name),
                owner: (dice.below(2) == 0).then_some(login),
                ..ResourceEdit::default()
            };
            vault.edit_resource(id, &edit, operator).await
        }
        5 => vault.share(whole, &login, level, operator).await,
        6 => vault.share((whole, account), &login, level, operator).await,
        7 => vault.unshare(whole, &login, operator).await,
        8 => {
            let new = NewAccount {
                resource: whole,
                account: &name,
                ..NewAccount::default()
            };
            vault
                .add_account(&new, given("s3cret"), operator)
                .await
                .map(drop)
        }
        9 => {
            let edit = AccountEdit {
                name: Some(name),
                ..AccountEdit::default()
            };
            vault
                .edit_account(id, "root", &edit, operator)
                .await
                .map(drop)
        }
        10 => vault.remove_account(id, "root", operator).await,
        _ => {
            let dba = GranteeName::Group("dba");
            match dice.below(4) {
                0 => vault.share(whole, dba, level, operator).await,
                1 => vault.unshare(whole, dba, operator).await,
                2 => vault.add_member("dba", &login, operator).await,
                _ => vault.remove_member("dba", &login, operator).await,
            }
        }
    };
}

#[tokio::test]
async fn whatever_happens_pages_are_what_a_look_at_every_row_says() {
    // Lists in memory; rows only; and users' searches in memory, too.
    let limits = [(256 << 20, 100_000), (0, 100_000), (256 << 20, 2)];
    for (seed, (memory, rows)) in limits.into_iter().enumerate() {
        let house = house().await;
        let operator = house.operator().await;
        let mut callers = vec![(None, operator.clone())];
        for number in 0..2 {
            let name = format!("user{number}");
            let caller = house.plain_user(&name, 10 + number).await;
            let login = format!("{name}@10.0.0.1");
            let user = house.vault.user(&login, &operator).await.unwrap();
            callers.push((Some(user.id), caller));
        }
        let group = NewGroup {
            name: "dba".to_owned(),
            ..NewGroup::default()
        };
        house.vault.add_group(&group, &operator).await.unwrap();
        house.vault.limit_lists(ListLimits {
            memory,
            rows,
            ..ListLimits::default()
        });
        let mut dice = Dice(seed as u64);

        for number in 0..120 {
            happen(&house, &mut dice, number, &operator).await;
            if dice.below(3) == 0 {
                compare(&house, &callers, &mut dice).await;
            }
        }
    }
}

/// That each of `callers` gets what is there, and pages that fit together.
async fn compare(house: &House, callers: &[(Option<UserId>, Caller)], dice: &mut Dice) {
    let world = World::read(house).await;
    for (user, caller) in callers {
        let all = world.names(OrgId::DEFAULT, *user);
        assert_eq!(seen(house, caller).await, all);
        let start = dice.below(10) as usize;
        let part = page(house, &Filter::page(start, 3), caller).await;
        let expected: Vec<_> = all.iter().skip(start).take(3).collect();
        assert_eq!(
            (names(&part), part.total),
            (expected.iter().map(|it| it.as_str()).collect(), all.len())
        );
        let value = dice.one_of(&["a", "ab", "B", "root", "1", "linux"]);
        for search in [everywhere(value), in_accounts(value)] {
            let expected = world.found(OrgId::DEFAULT, *user, &search);
            assert_eq!(
                found(house, search, caller).await,
                expected,
                "{value} {user:?}"
            );
        }
    }
}
