package report

import (
	"cmp"
	"encoding/csv"
	"math"
	"strconv"
	"strings"

	"godarts/nas/names"
)

// CSV returns the table for programs, as RFC 4180 says. Numbers are whole and have no unit, and a column with
// deviations has more columns after it: the sample standard deviation, the number of values and the best. A
// spreadsheet takes no text for a formula.
func (t Table) CSV() string {
	rows := make([][]string, len(t.Rows)+1)
	for i, c := range t.Columns {
		several, best := false, false
		for _, row := range t.Rows {
			several = several || row[i].Number != nil && row[i].Number.Std != nil
			best = best || row[i].Best != nil
		}
		title := cmp.Or(c.Raw, c.Title)
		add := func(suffix string, value func(c Cell) string) {
			rows[0] = append(rows[0], names.Spreadsheet(title+suffix))
			for r, row := range t.Rows {
				rows[r+1] = append(rows[r+1], value(row[i]))
			}
		}
		add("", func(c Cell) string {
			if c.Number == nil {
				return names.Spreadsheet(cmp.Or(c.Raw, c.Text))
			}
			return plain(c.Number.Mean)
		})
		if several {
			add(" std", func(c Cell) string {
				if c.Number == nil || c.Number.Std == nil {
					return ""
				}
				return plain(*c.Number.Std)
			})
			add(" n", func(c Cell) string {
				if c.Number == nil || c.Number.N == 0 {
					return ""
				}
				return strconv.Itoa(c.Number.N)
			})
		}
		if best {
			add(" best", func(c Cell) string {
				switch {
				case c.Best != nil:
					return plain(*c.Best)
				case c.Number != nil:
					return plain(c.Number.Mean)
				}
				return ""
			})
		}
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.WriteAll(rows) // a strings.Builder returns no error
	return text.String()
}

// plain writes a number with all its digits, whole numbers without an exponent.
func plain(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return number(x)
}
