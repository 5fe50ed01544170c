//! The tree as HTML.

use super::tree::{Block, Inline, Side, Table};
use std::fmt::Write as _;

/// Writes blocks.
pub(super) fn write_blocks(blocks: &[Block], out: &mut String) {
    for block in blocks {
        write_block(block, out);
        out.push('\n');
    }
}

fn write_block(block: &Block, out: &mut String) {
    match block {
        Block::Heading { level, id, content } => {
            let _ = write!(out, "<h{level} id=\"{}\">", escaped(id));
            write_content(content, out);
            let _ = write!(out, "</h{level}>");
        }
        Block::Paragraph(content) => {
            out.push_str("<p>");
            write_content(content, out);
            out.push_str("</p>");
        }
        Block::Plain(content) => write_content(content, out),
        Block::Code(text) => {
            // A reader who uses the keyboard has to be able to move what is wider than the window.
            let _ = write!(out, "<pre tabindex=\"0\"><code>{}</code></pre>", escaped(text));
        }
        Block::Quote(blocks) => {
            out.push_str("<blockquote>\n");
            write_blocks(blocks, out);
            out.push_str("</blockquote>");
        }
        Block::List { start, items } => write_list(*start, items, out),
        Block::Table(table) => write_table(table, out),
        Block::Rule => out.push_str("<hr>"),
    }
}

fn write_list(start: Option<u64>, items: &[Vec<Block>], out: &mut String) {
    let name = if start.is_some() { "ol" } else { "ul" };
    let _ = match start {
        None | Some(1) => writeln!(out, "<{name}>"),
        Some(number) => writeln!(out, "<{name} start=\"{number}\">"),
    };
    for item in items {
        out.push_str("<li>");
        for (index, block) in item.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            write_block(block, out);
        }
        out.push_str("</li>\n");
    }
    let _ = write!(out, "</{name}>");
}

fn write_table(table: &Table, out: &mut String) {
    out.push_str("<table>\n<thead>\n<tr>");
    for (cell, side) in table.head.iter().zip(&table.columns) {
        // A heading without words would be read out as an empty one.
        let tag = if cell.is_empty() { "td" } else { "th" };
        let scope = if cell.is_empty() { "" } else { " scope=\"col\"" };
        let _ = write!(out, "<{tag}{scope}{}>", class(*side));
        write_content(cell, out);
        let _ = write!(out, "</{tag}>");
    }
    out.push_str("</tr>\n</thead>\n");
    if !table.rows.is_empty() {
        out.push_str("<tbody>\n");
        for row in &table.rows {
            out.push_str("<tr>");
            for (cell, side) in row.iter().zip(&table.columns) {
                let _ = write!(out, "<td{}>", class(*side));
                write_content(cell, out);
                out.push_str("</td>");
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table>");
}

fn class(side: Side) -> &'static str {
    match side {
        Side::Left => "",
        Side::Middle => " class=\"middle\"",
        Side::Right => " class=\"right\"",
    }
}

/// Writes the pieces of a line.
pub(super) fn write_content(content: &[Inline], out: &mut String) {
    for piece in content {
        match piece {
            Inline::Text(text) => out.push_str(&escaped(text)),
            Inline::Code(text) => {
                let _ = write!(out, "<code>{}</code>", escaped(text));
            }
            Inline::Emphasis(inner) => wrapped("em", inner, out),
            Inline::Strong(inner) => wrapped("strong", inner, out),
            Inline::Struck(inner) => wrapped("s", inner, out),
            Inline::Link { address, content } => {
                let _ = write!(out, "<a href=\"{}\">", escaped(address));
                if content.is_empty() {
                    out.push_str(&escaped(address));
                } else {
                    write_content(content, out);
                }
                out.push_str("</a>");
            }
            Inline::Break => out.push_str("<br>\n"),
        }
    }
}

fn wrapped(name: &str, inner: &[Inline], out: &mut String) {
    let _ = write!(out, "<{name}>");
    write_content(inner, out);
    let _ = write!(out, "</{name}>");
}

/// A text such that it means itself within elements and quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Neither characters nor allowed in HTML.
            c if u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c) => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}
