package report

import (
	"fmt"
	"regexp"
	"strings"

	"godarts/nas/names"
)

// LaTeX returns the table as a tabular with the rules of the package booktabs, which a comment names.
func (t Table) LaTeX() string {
	columns := t.Shown()
	if len(columns) == 0 {
		return ""
	}
	var text strings.Builder
	var align, header strings.Builder
	for i, c := range columns {
		if i > 0 {
			header.WriteString(" & ")
		}
		header.WriteString(latex(c.Title))
		if c.Unit != "" {
			fmt.Fprintf(&header, " (%s)", latex(c.Unit))
		}
		align.WriteString(map[bool]string{true: "r", false: "l"}[c.Numeric])
	}
	fmt.Fprintf(&text, "%% \\usepackage{booktabs}\n\\begin{tabular}{%s}\n\\toprule\n%s \\\\\n\\midrule\n", align.String(), header.String())
	for r := range t.Rows {
		for i, c := range columns {
			if i > 0 {
				text.WriteString(" & ")
			}
			text.WriteString(latexCell(c, c.Cells[r]))
		}
		text.WriteString(" \\\\\n")
	}
	text.WriteString("\\bottomrule\n\\end{tabular}\n")
	return text.String()
}

// exponent matches the end of a number such as 1e-05.
var exponent = regexp.MustCompile(`e\+?(-?)0*(\d+)`)

// latexCell sets numbers as mathematics, which gives a minus its length.
func latexCell(c Shown, cell string) string {
	switch {
	case cell == "":
		return "--"
	case c.Numeric:
		return "$" + exponent.ReplaceAllString(strings.ReplaceAll(cell, plusMinus, ` \pm `), ` \cdot 10^{$1$2}`) + "$"
	}
	return latex(cell)
}

// latexSpecial are the characters that act in LaTeX. Brackets and the star act after the end of a row.
var latexSpecial = strings.NewReplacer(`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `_`, `\_`, `%`, `\%`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
	`[`, `{[}`, `]`, `{]}`, `*`, `{*}`, `"`, `\textquotedbl{}`)

// latex escapes text for LaTeX.
func latex(text string) string { return latexSpecial.Replace(names.Print(text)) }
