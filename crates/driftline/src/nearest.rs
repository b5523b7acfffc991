//! Did you mean: the word of a list that a slip of the finger is nearest to.

/// The word of `words` nearest to `typed`; `None` when none is near.
///
/// Near is at most a third of the letters wrong, where swapping two neighbours counts as one.
pub(crate) fn nearest<'a>(
    typed: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = |text: &str| text.to_lowercase().replace('-', "_");
    let typed = folded(typed);
    let limit = typed.chars().count().div_ceil(3);
    words
        .into_iter()
        .map(|word| (distance(&typed, &folded(word)), word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The list of words, each in backquotes.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<String>>().join(", ")
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour
/// (optimal string alignment), over three rows of the usual table.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let change = at(&last, column) + usize::from(letter != *other);
            let put_in_or_taken_out = at(&last, column + 1).min(at(&current, column)) + 1;
            let mut best = change.min(put_in_or_taken_out);
            let neighbour = column.checked_sub(1).and_then(|index| right.get(index));
            if previous == Some(*other) && neighbour == Some(&letter) {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger() {
        let words = ["max_age", "sla", "sla_clock", "zone", "grace"];
        #[rustfmt::skip]
        let table = [
            ( "max_agee", Some("max_age")   ),
            ( "maxage",   Some("max_age")   ),
            ( "max-age",  Some("max_age")   ),
            ( "mxa_age",  Some("max_age")   ),
            ( "slaclock", Some("sla_clock") ),
            ( "zoen",     Some("zone")      ),
            ( "Grace",    Some("grace")     ),
            ( "colour",   None              ),
            ( "",         None              ),
        ];
        for (typed, word) in table {
            assert_eq!(nearest(typed, words), word, "`{typed}`");
        }
    }
}
