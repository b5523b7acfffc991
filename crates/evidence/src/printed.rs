//! The page as somebody else's program printed it, and what a bag says of that. Prints nothing itself.

use crate::Bag;

/// The page to begin with.
pub const PAGE: &str = "data/report.html";

const PRINTED: &str = "data/report.pdf";
const START_HERE: &str = "START-HERE.txt";

/// Puts the page as `program` printed it into a bag that is not sealed yet, or says in it why it could
/// not be printed.
pub fn put_printed(bag: &mut Bag, program: &str, printed: Result<Vec<u8>, String>) {
    let said = match printed {
        Ok(pdf) => {
            bag.put(PRINTED, pdf);
            format!(
                "{PRINTED} is {PAGE} as the program `{program}` of whoever made this bag printed it, \
                 taken as it is. Where the two differ, {PAGE} counts. Made again, the bag has other \
                 bytes in it, and the same in every other file of data/."
            )
        }
        Err(why) => format!("{PRINTED} is not in this bag: {why}. {PAGE} is the page."),
    };
    let text = bag.text(START_HERE).unwrap_or_default();
    bag.put(START_HERE, format!("{text}\nTHE PAGE AS PDF\n\n{said}\n"));
}
