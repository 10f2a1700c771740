//! Paths as they are compared and written: percent-decoded once, percent-encoded once.

/// The text of a path with its `%xx` read. What is no UTF-8 becomes the replacement character, which no id holds by chance.
pub fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = path.get(at + 1..at + 3).filter(|digits| byte == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text as a path in a `Location` header.
pub fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@!$&'()*+,;=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The value of a parameter of a query; the last one where it is given several times, as the documented framework has it.
pub fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.rfind(|(key, _)| of_query(key) == name).map(|(_, value)| of_query(value))
}

/// The text of a name or a value in a query.
pub fn of_query(text: &str) -> String {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_parameter_counts() {
        let check = |query: Option<&str>, expected: Option<&str>| assert_eq!(parameter(query, "a").as_deref(), expected, "{query:?}");
        check(None, None);
        check(Some(""), None);
        check(Some("b=1&a"), Some(""));
        check(Some("a=1&b=2&%61=x+y%2B"), Some("x y+"));
        check(Some("aa=1&A=2"), None);
    }

    #[track_caller]
    fn check(path: &str, decoded: &str, encoded: &str) {
        assert_eq!(decode(path), decoded, "{path}");
        assert_eq!(encode(decoded), encoded, "{path}");
    }

    #[test]
    fn a_path_is_decoded_once_and_encoded_once() {
        check("/api/policies/pol-a", "/api/policies/pol-a", "/api/policies/pol-a");
        check("/a%2Fb", "/a/b", "/a/b");
        check("/a%252Fb", "/a%2Fb", "/a%252Fb");
        check("/%C3%A9%20", "/é ", "/%C3%A9%20");
        check("/100%", "/100%", "/100%25");
        check("/%+1", "/%+1", "/%25+1");
        check("/%FF", "/\u{FFFD}", "/%EF%BF%BD");
    }
}
