//! Passwords: fetched, changed, generated.

use zeroize::Zeroizing;

use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Done, Fields as Out};
use crate::doors::rest::input::Unfit;
use crate::doors::rest::route::Place;
use crate::vault::Reach;

impl Rest {
    pub(super) async fn password(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let (reason, ticket) = (fields.or_empty("REASON")?, fields.or_empty("TICKETID")?);
        let wanted = place.wanted(reason, ticket);
        let password = self.vault.retrieve(&wanted, ask.caller).await?;
        let details = Out::new().with("PASSWORD", &password);
        Ok(Done::new("Password fetched successfully").with(details))
    }

    pub(super) async fn change_password(
        &self,
        place: Place,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let reach = match fields.optional("RESETTYPE")? {
            None => Reach::Local,
            Some(word) if word.eq_ignore_ascii_case("LOCAL") => Reach::Local,
            Some(word) if word.eq_ignore_ascii_case("REMOTE") => Reach::Remote,
            Some(_) => {
                return Err(Unfit("RESETTYPE is neither LOCAL nor REMOTE".to_owned()).into());
            }
        };
        let (reason, ticket) = (fields.or_empty("REASON")?, fields.or_empty("TICKETID")?);
        let wanted = place.wanted(reason, ticket);
        let new = fields.password("NEWPASSWORD")?;
        let generated = self.vault.change(&wanted, new, reach, ask.caller).await?;
        let done = Done::new("Password changed successfully");
        Ok(match generated {
            None => done,
            Some(password) => done.with(Out::new().with("PASSWORD", &password)),
        })
    }

    /// A file or a key as it was kept, without an envelope.
    pub(super) async fn download_file(&self, place: Place, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let (reason, ticket) = (fields.or_empty("REASON")?, fields.or_empty("TICKETID")?);
        let wanted = place.wanted(reason, ticket);
        let material = self.vault.material(&wanted, ask.caller).await?;
        let name = material.name().unwrap_or(material.kind().as_str());
        let bytes = Zeroizing::new(material.expose().to_vec());
        Ok(Done::file(name, bytes))
    }

    pub(super) async fn generate_password(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let policy = ask.input.parameter("POLICY")?;
        let password = self.vault.generate(policy, ask.caller).await?;
        let details = Out::new().with("PASSWORD", &password);
        Ok(Done::new("Password generated successfully").with(details))
    }
}
