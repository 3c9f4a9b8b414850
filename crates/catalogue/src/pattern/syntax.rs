//! The syntax of patterns.

use std::iter::Peekable;
use std::str::Chars;

use super::class::Set;

/// The largest number in a quantifier.
const MOST: u32 = 1_000;
/// The largest number of characters after all quantifiers with a bound are written out.
const LARGEST: u32 = 2_000;
/// The deepest nesting of groups.
const DEEPEST: usize = 20;
/// The characters that have a meaning outside of classes.
const SYNTAX: &str = "^$\\.*+?()[]{}|";
/// The characters that must be escaped in a class.
const CLASS_SYNTAX: &str = "()[]{}/-\\|^";
/// The characters that mean something in a class of `v` if they are doubled.
const DOUBLED: &str = "&!#$%*+,.:;<=>?@`~";

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// One character of a set.
    One(Set),
    /// All parts, one after the other.
    All(Vec<Node>),
    /// One of the parts.
    Any(Vec<Node>),
    /// The part, at least and at most this often; without end if there is no greatest number.
    Repeat(Box<Node>, u32, Option<u32>),
}

impl Node {
    /// Returns the number of characters after quantifiers with a bound are written out.
    fn size(&self) -> u32 {
        match self {
            Self::One(_) => 1,
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().fold(0, |sum, part| part.size().saturating_add(sum))
            }
            Self::Repeat(part, min, max) => part.size().saturating_mul(max.unwrap_or(*min).max(1)),
        }
    }
}

/// Parses a pattern.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    if text.is_empty() {
        return Ok(Node::All(Vec::new()));
    }
    let mut parser = Parser { rest: text.chars().peekable(), depth: 0 };
    let node = parser.alternatives()?;
    if parser.rest.next().is_some() {
        return Err(String::from("`)` closes no group: write `\\)` for the character"));
    }
    if node.size() > LARGEST {
        return Err(String::from(
            "the pattern is too large: use smaller numbers in its quantifiers",
        ));
    }
    Ok(node)
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Node, String> {
        let mut parts = vec![self.sequence()?];
        while self.rest.next_if_eq(&'|').is_some() {
            parts.push(self.sequence()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Any(parts) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut parts = Vec::new();
        while let Some(next) = self.rest.next_if(|c| *c != '|' && *c != ')') {
            let part = self.part(next)?;
            parts.push(self.quantified(part)?);
        }
        match parts.len() {
            0 => Err(String::from("an alternative is empty: make the others optional by `?`")),
            1 => Ok(parts.remove(0)),
            _ => Ok(Node::All(parts)),
        }
    }

    fn part(&mut self, first: char) -> Result<Node, String> {
        match first {
            '^' | '$' => Err(format!(
                "leave `{first}` out: a pattern matches the whole value. Write `\\{first}` for the \
                 character"
            )),
            '.' => Err(String::from(
                "`.` does not mean the same everywhere: write a class such as `[ -~]`, or `\\.` for \
                 the character",
            )),
            '*' | '+' | '?' => Err(format!(
                "there is nothing to repeat before `{first}`: write `\\{first}` for the character"
            )),
            '{' | '}' | ']' => Err(format!("write `\\{first}` for the character `{first}`")),
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escaped(),
            _ => Ok(Node::One(Set::of(first))),
        }
    }

    fn group(&mut self) -> Result<Node, String> {
        if self.rest.next_if_eq(&'?').is_some() && self.rest.next_if_eq(&':').is_none() {
            return Err(self.refused_group());
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("groups are nested more than {DEEPEST} deep: use fewer"));
        }
        let node = self.alternatives()?;
        self.depth -= 1;
        match self.rest.next() {
            Some(')') => Ok(node),
            Some(_) | None => Err(String::from("a group has no end: write `)` behind it")),
        }
    }

    fn refused_group(&mut self) -> String {
        let text: String = self.rest.by_ref().take(2).collect();
        let looks = text.starts_with(['=', '!']) || text == "<=" || text == "<!";
        let says = if looks {
            "lookahead and lookbehind are not in every language: write the pattern without them"
        } else if text.starts_with(['<', 'P']) {
            "write the group without a name: `(…)`"
        } else {
            "flags such as `(?i)` are not in every language: write both cases, such as `[Aa]`"
        };
        says.to_owned()
    }

    /// Reads an escape outside of a class.
    fn escaped(&mut self) -> Result<Node, String> {
        match self.rest.next() {
            None => Err(String::from("write `\\\\` for the character `\\`")),
            Some('n') => Ok(Node::One(Set::of('\n'))),
            Some('t') => Ok(Node::One(Set::of('\t'))),
            Some(c) if SYNTAX.contains(c) || c == '/' => Ok(Node::One(Set::of(c))),
            Some(c) => Err(refused_escape(c)),
        }
    }

    fn class(&mut self) -> Result<Node, String> {
        let is_negated = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let from = match self.rest.next() {
                Some(']') => break,
                Some('-') => return Err(String::from("write `\\-` for a hyphen in a class")),
                next => self.in_class(next)?,
            };
            if self.rest.next_if_eq(&'-').is_none() {
                ranges.push((from, from));
                continue;
            }
            let to = match self.rest.next() {
                Some(']' | '-') => return Err(String::from("write `\\-` for a hyphen in a class")),
                next => self.in_class(next)?,
            };
            if from > to {
                return Err(format!("the range {from}-{to} is empty: write {to}-{from}"));
            }
            ranges.push((from, to));
        }
        if ranges.is_empty() {
            return Err(String::from("a class is empty: write the characters between `[` and `]`"));
        }
        let set = Set::of_ranges(&ranges);
        Ok(Node::One(if is_negated { set.others() } else { set }))
    }

    /// Reads a character in a class.
    fn in_class(&mut self, next: Option<char>) -> Result<char, String> {
        match next {
            None => Err(String::from("a class has no end: write `]` behind it")),
            Some('\\') => match self.rest.next() {
                None => Err(String::from("a class has no end: write `]` behind it")),
                Some('n') => Ok('\n'),
                Some('t') => Ok('\t'),
                Some(c) if SYNTAX.contains(c) || CLASS_SYNTAX.contains(c) => Ok(c),
                Some(c) => Err(refused_escape(c)),
            },
            Some(c) if CLASS_SYNTAX.contains(c) => {
                Err(format!("write `\\{c}` for the character `{c}` in a class"))
            }
            Some(c) if DOUBLED.contains(c) && self.rest.peek() == Some(&c) => Err(format!(
                "`{c}{c}` has a meaning of its own in a class: write the character once"
            )),
            Some(c) => Ok(c),
        }
    }

    /// Reads the quantifier behind `part`, if there is one.
    fn quantified(&mut self, part: Node) -> Result<Node, String> {
        let (min, max) = match self.rest.next_if(|c| "?*+{".contains(*c)) {
            None => return Ok(part),
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some(_) => self.bounds()?,
        };
        match self.rest.peek() {
            Some('?') => Err(String::from("a lazy quantifier changes nothing here: leave `?` out")),
            Some('+') => {
                Err(String::from("possessive quantifiers are not in every language: leave `+` out"))
            }
            Some('*' | '{') => Err(String::from(
                "a quantifier is behind another one: put the part before it into a group",
            )),
            Some(_) | None => Ok(Node::Repeat(Box::new(part), min, max)),
        }
    }

    /// Reads the rest of `{n}`, `{n,}` or `{n,m}`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), String> {
        let min = self.digits();
        let has_comma = self.rest.next_if_eq(&',').is_some();
        let max = if has_comma { self.digits() } else { min.clone() };
        if self.rest.next_if_eq(&'}').is_none() {
            return Err(String::from("write `\\{` for the character `{`, or a quantifier: {1,3}"));
        }
        if min.is_empty() {
            return Err(format!("a quantifier needs its least number: write {{0,{max}}}"));
        }
        let number = |digits: &str| {
            let number = digits.parse::<u32>().ok().filter(|number| *number <= MOST);
            number.ok_or_else(|| format!("a quantifier can have numbers up to {MOST}"))
        };
        let least = number(&min)?;
        let most = if max.is_empty() { None } else { Some(number(&max)?) };
        if most.is_some_and(|most| most < least) {
            return Err(format!("{{{min},{max}}} has its numbers in the wrong order"));
        }
        if most == Some(0) {
            return Err(String::from("a quantifier of 0 matches nothing: leave the part out"));
        }
        Ok((least, most))
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits
    }
}

fn refused_escape(c: char) -> String {
    let instead = match c {
        'd' => "`\\d` does not mean the same everywhere: write 0-9 in a class, as in `[0-9]`",
        'D' => "`\\D` does not mean the same everywhere: write `[^0-9]`",
        'w' => "`\\w` does not mean the same everywhere: write `[A-Za-z0-9_]`",
        'W' => "`\\W` does not mean the same everywhere: write `[^A-Za-z0-9_]`",
        's' => "`\\s` does not mean the same everywhere: write a space, as in `[ ]`",
        'S' => "`\\S` does not mean the same everywhere: write `[^ ]`",
        'b' | 'B' => "boundaries of words are not the same everywhere: write what is around them",
        'p' | 'P' => "`\\p` does not mean the same everywhere: write a class such as `[A-Za-zÀ-ÿ]`",
        '0'..='9' => "a reference to a group is not in every language: write the pattern again",
        _ => return format!("`\\{c}` is not in every language: write the character itself"),
    };
    instead.to_owned()
}
