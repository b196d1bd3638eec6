package report

import (
	"strings"

	"github.com/rivo/uniseg"

	"godarts/nas/names"
)

// Widths in columns of a terminal.
const (
	widestCell = 30 // of a text; its middle is left out
	columnGap  = 2
)

// Text returns the table for a terminal of that many columns. What is wider than the terminal follows below, with
// the first column again. Long texts lose their middle.
func (t Table) Text(width int) string {
	var columns [][]string // of each: the heading, then the cells
	var left []bool
	var widths []int
	for _, c := range t.Shown() {
		lines := append([]string{c.heading()}, c.Cells...)
		most := 0
		for i, line := range lines {
			lines[i] = Fit(names.Escape(line), min(widestCell, width))
			most = max(most, uniseg.StringWidth(lines[i]))
		}
		columns, left, widths = append(columns, lines), append(left, !c.Numeric), append(widths, most)
	}
	if len(columns) == 0 {
		return ""
	}
	var text strings.Builder
	for first := 1; ; {
		block, used := []int{0}, widths[0]
		for first < len(columns) && (len(block) == 1 || used+columnGap+widths[first] <= width) {
			block, used = append(block, first), used+columnGap+widths[first]
			first++
		}
		if text.Len() > 0 {
			text.WriteString("\n")
		}
		for row := range len(t.Rows) + 1 {
			var line strings.Builder
			for i, c := range block {
				if i > 0 {
					line.WriteString(strings.Repeat(" ", columnGap))
				}
				line.WriteString(pad(columns[c][row], widths[c], left[c]))
			}
			text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		}
		if first == len(columns) {
			return text.String()
		}
	}
}

// pad fills text up with spaces, after it if left is set, else before it.
func pad(text string, width int, left bool) string {
	spaces := strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
	if left {
		return text + spaces
	}
	return spaces + text
}

// Padded fills texts up with spaces to the width of the widest on a terminal.
func Padded(texts []string) []string {
	width := 0
	for _, text := range texts {
		width = max(width, uniseg.StringWidth(text))
	}
	padded := make([]string, len(texts))
	for i, text := range texts {
		padded[i] = pad(text, width, true)
	}
	return padded
}

// Fit leaves out the middle of a text that takes more than width columns of a terminal. Of a path this keeps the
// start and what tells it from others.
func Fit(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	const dots = "..."
	if width <= len(dots) {
		return dots[:max(width, 0)]
	}
	room := width - len(dots)
	head, rest := cut(text, room/3)
	for uniseg.StringWidth(rest) > room-uniseg.StringWidth(head) {
		_, rest, _, _ = uniseg.FirstGraphemeClusterInString(rest, -1)
	}
	return head + dots + rest
}

// cut splits text after at most width columns.
func cut(text string, width int) (head, rest string) {
	rest = text
	for rest != "" {
		_, after, w, _ := uniseg.FirstGraphemeClusterInString(rest, -1)
		if width -= w; width < 0 {
			break
		}
		rest = after
	}
	return text[:len(text)-len(rest)], rest
}
