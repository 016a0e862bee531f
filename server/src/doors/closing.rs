//! The word that a door is to close, from whoever opened it.

use tokio::sync::watch;

/// Says that the doors are to close; dropping it says so too.
#[derive(Debug)]
pub struct Closer(watch::Sender<bool>);

/// Hears that a door is to close.
#[derive(Clone, Debug)]
pub struct Closing(watch::Receiver<bool>);

impl Closer {
    /// One that has said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// What a door listens to.
    #[must_use]
    pub fn closing(&self) -> Closing {
        Closing(self.0.subscribe())
    }

    /// Says it: no new connections, and those that are open end with the answer under way.
    pub fn close(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Closer {
    fn default() -> Self {
        Self::new()
    }
}

impl Closing {
    /// Comes back once it was said; at once if it was said before.
    pub async fn said(&mut self) {
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}
