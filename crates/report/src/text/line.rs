//! Lines of a terminal: harmless, measured, padded, wrapped, coloured.

/// How a page looks and what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours. Colour never says what no word says.
    pub colour: bool,
    /// Columns of the terminal; below 60 counts as 60.
    pub width: usize,
    /// List at most so many findings; `None` lists all. What is left out is counted.
    pub limit: Option<usize>,
    /// With names and logins. They are personal data, and terminals are logged.
    pub names: bool,
}

impl Default for Style {
    /// A plain page of 80 columns with 20 findings, by key.
    fn default() -> Self {
        Self { colour: false, width: 80, limit: Some(20), names: false }
    }
}

/// Colours by meaning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Paint {
    Heading,
    Grave,
    Warning,
    Good,
    Quiet,
}

impl Style {
    pub(super) fn columns(self) -> usize {
        self.width.max(60)
    }

    /// Wraps `text` in a colour; it must be padded before.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Heading => "1",
            Paint::Grave => "1;31",
            Paint::Warning => "33",
            Paint::Good => "32",
            Paint::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Foreign text for a terminal: controls, escapes and marks that turn the direction of
/// writing are shown as `\u{202e}`, so that a name cannot repaint the screen.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for it in text.chars() {
        if is_hidden(it) {
            clean.push_str(&format!("\\u{{{:x}}}", u32::from(it)));
        } else {
            clean.push(it);
        }
    }
    clean
}

/// Controls, line and paragraph separators, and marks of direction (Unicode TR9, 2).
fn is_hidden(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Columns that `text` takes: 2 for wide East Asian letters and most emoji, 0 for marks that
/// sit on the letter before. Source: Unicode TR11, the blocks that names are written in.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

const fn char_width(it: char) -> usize {
    match it {
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' => 0,
        '\u{64b}'..='\u{65f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' => 2,
        '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' => 2,
        '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' => 2,
        '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// `text`, filled with blanks to `columns`.
pub(super) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text`, wrapped at blanks; every line begins with `indent` blanks but the first, which
/// begins with `first`. A word that is too long is cut into pieces.
pub(super) fn wrap(first: &str, text: &str, indent: usize, columns: usize) -> String {
    let room = columns.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        for piece in pieces(word, room) {
            let Some(line) = lines.last_mut() else { break };
            if line.is_empty() {
                line.push_str(&piece);
            } else if width(line) + 1 + width(&piece) <= room {
                line.push(' ');
                line.push_str(&piece);
            } else {
                lines.push(piece);
            }
        }
    }
    let mut page = String::new();
    for (at, line) in lines.iter().enumerate() {
        let lead = if at == 0 { pad(first, indent) } else { " ".repeat(indent) };
        page.push_str(format!("{lead}{line}").trim_end());
        page.push('\n');
    }
    page
}

/// A word in pieces of at most `room` columns.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for it in word.chars() {
        if used + char_width(it) > room {
            pieces.push(String::new());
            used = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(it);
        }
        used += char_width(it);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_count_columns() {
        for (text, columns) in [("abc", 3), ("é", 1), ("e\u{301}", 1), ("山田", 4), ("", 0)] {
            assert_eq!(width(text), columns, "`{text}`");
        }
    }

    #[test]
    fn a_name_cannot_repaint_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\r\n"), r"a\u{1b}[2Jb\u{202e}c\u{d}\u{a}");
    }

    #[test]
    fn long_text_wraps_and_long_words_are_cut() {
        let text = wrap("next ", "one two three four five six seven", 5, 25);
        assert_eq!(text, "next one two three four\n     five six seven\n");
        for line in wrap("", &"x".repeat(95), 0, 60).lines() {
            assert!(width(line) <= 60);
        }
    }
}
