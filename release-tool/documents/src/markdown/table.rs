//! Tables in plain text.

use super::tree::Side;
use super::wrap::{columns, lines};

/// Between two columns.
const GAP: usize = 2;

/// The lines of a table: its columns side by side where they fit into `width`, else one row after the other, each cell
/// behind its column's name.
pub(super) fn table(sides: &[Side], head: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let widths: Vec<usize> = (0..sides.len())
        .map(|column| {
            let cells = rows
                .iter()
                .chain([head].map(<[String]>::to_vec).iter())
                .map(|row| columns(&row[column]))
                .max();
            cells.unwrap_or(0)
        })
        .collect();
    let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    if total > width {
        return records(head, rows, width);
    }
    let mut out = Vec::with_capacity(rows.len() + 2);
    if head.iter().any(|cell| !cell.is_empty()) {
        out.push(side_by_side(sides, &widths, head));
        let dashes: Vec<String> = widths.iter().map(|wide| "-".repeat(*wide)).collect();
        out.push(side_by_side(sides, &widths, &dashes));
    }
    out.extend(rows.iter().map(|row| side_by_side(sides, &widths, row)));
    out
}

fn side_by_side(sides: &[Side], widths: &[usize], row: &[String]) -> String {
    let mut line = String::new();
    for ((cell, side), wide) in row.iter().zip(sides).zip(widths) {
        let spare = wide.saturating_sub(columns(cell));
        let before = match side {
            Side::Left => 0,
            Side::Middle => spare / 2,
            Side::Right => spare,
        };
        line.push_str(&" ".repeat(before));
        line.push_str(cell);
        line.push_str(&" ".repeat(spare - before + GAP));
    }
    line.truncate(line.trim_end().len());
    line
}

fn records(head: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let label = head.iter().map(|name| columns(name)).max().unwrap_or(0);
    // For a colon and a blank.
    let margin = label + 2;
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push(String::new());
        }
        for (name, cell) in head.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{name}:")
            };
            let spare = margin.saturating_sub(columns(&name));
            for (number, line) in lines(cell, width.saturating_sub(margin)).iter().enumerate() {
                let (name, spare) = if number == 0 {
                    (name.as_str(), spare)
                } else {
                    ("", margin)
                };
                out.push(format!("{name}{}{line}", " ".repeat(spare)));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    #[test]
    fn columns_are_aligned_where_they_fit() {
        let sides = [Side::Left, Side::Right, Side::Middle];
        let rows = [strings(&["x", "1", "y"]), strings(&["日本", "23", ""])];
        assert_eq!(
            table(&sides, &strings(&["name", "n", "mid"]), &rows, 78),
            ["name   n  mid", "----  --  ---", "x      1   y", "日本  23"]
        );
    }

    #[test]
    fn a_wide_table_is_written_row_by_row() {
        let head = strings(&["File", "What it is"]);
        let rows = [
            strings(&["a", "words and words and words and words"]),
            strings(&["b", ""]),
        ];
        assert_eq!(
            table(&[Side::Left, Side::Left], &head, &rows, 40),
            [
                "File:       a",
                "What it is: words and words and words",
                "            and words",
                "",
                "File:       b"
            ]
        );
    }
}
