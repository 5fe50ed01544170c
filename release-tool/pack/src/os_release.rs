//! `os-release`: the file by which a root file system says what it is.

use std::fmt;

/// What the file says; `Display` is its text (os-release(5)).
#[derive(Clone, Copy, Debug)]
pub struct OsRelease<'a> {
    /// The product's name for people.
    pub name: &'a str,
    /// The product's id.
    pub id: &'a str,
    /// The version.
    pub version: &'a str,
    /// The commit, as the build's id.
    pub commit: &'a str,
    /// The id of the image that the file is in, where it is in one; its version is the system's.
    pub image: Option<&'a str>,
}

impl fmt::Display for OsRelease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            id,
            version,
            commit,
            image,
        } = *self;
        let pretty = format!("{name} {version}");
        let all = [
            ("NAME", Some(name)),
            ("ID", Some(id)),
            ("VERSION_ID", Some(version)),
            ("BUILD_ID", Some(commit)),
            ("PRETTY_NAME", Some(pretty.as_str())),
            ("IMAGE_ID", image),
            ("IMAGE_VERSION", image.map(|_| version)),
        ];
        for (key, value) in all {
            if let Some(value) = value {
                writeln!(f, "{key}={}", quoted(value))?;
            }
        }
        Ok(())
    }
}

/// A value as a shell reads it (os-release(5), "assignments").
fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for character in value.chars() {
        if "\"$`\\".contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        let text = OsRelease {
            name: "Our \"own\" $OS",
            id: "own",
            version: "0.6.0-rc1",
            commit: "0123",
            image: Some("own-system-x86_64"),
        }
        .to_string();
        let script = format!(
            "{text}\nprintf '%s|' \"$NAME\" \"$ID\" \"$VERSION_ID\" \"$BUILD_ID\" \"$PRETTY_NAME\" \"$IMAGE_ID\" \"$IMAGE_VERSION\""
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "Our \"own\" $OS|own|0.6.0-rc1|0123|Our \"own\" $OS 0.6.0-rc1|own-system-x86_64|0.6.0-rc1|"
        );
    }

    #[test]
    fn values_are_quoted_as_a_shell_reads_them() {
        assert_eq!(quoted("0.6.0-rc1"), "0.6.0-rc1");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("A \"b\" $c `d` \\"), r#""A \"b\" \$c \`d\` \\""#);
    }
}
