//! How much one run looks at.

use crate::named;

named! {
    /// How much one run looks at.
    pub enum Pass {
        /// Every list, and by id whoever is in doubt.
        Full = "full",
        /// No list: the logs of the identity providers, and by id whom they say to have left,
        /// suspects, and living findings. It shows nobody's absence.
        Light = "light",
    }
}
