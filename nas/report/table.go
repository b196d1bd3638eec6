package report

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"godarts/nas/names"
)

// Table has rows of texts and numbers. It is written for a terminal, a spreadsheet, a page or a paper.
type Table struct {
	Columns []Column
	Rows    [][]Cell // each has a cell for each column
}

// Column says what stands in a column, and how its numbers are written.
type Column struct {
	Title string
	Unit  string // of the numbers for readers, such as "%" or "h"; empty for none

	Scale    float64 // numbers for readers are divided by it; 0 is 1
	Decimals int     // of numbers for readers; negative: as many as there are
	Raw      string  // the title in CSV, where numbers are not divided; empty: Title
	RawOnly  bool    // only CSV has the column
}

// Cell is a text or a number. The zero Cell is empty.
type Cell struct {
	Text   string
	Raw    string   // in CSV in place of Text, if it is not empty
	Number *Spread  // a number, or the mean of several with their deviation
	Best   *float64 // the least of several numbers, where less is better
}

// NumberCell returns a cell of one number.
func NumberCell(x float64) Cell { return Cell{Number: &Spread{Mean: x, N: 1}} }

// SpreadCell returns a cell of the mean and deviation of numbers, an empty one if there are none.
func SpreadCell(numbers []float64) Cell {
	if len(numbers) == 0 {
		return Cell{}
	}
	spread := SpreadOf(numbers)
	return Cell{Number: &spread}
}

// LeastCell is SpreadCell with the least number as the best.
func LeastCell(numbers []float64) Cell {
	cell := SpreadCell(numbers)
	if len(numbers) > 1 {
		cell.Best = new(slices.Min(numbers))
	}
	return cell
}

// Shown is a column as readers see it.
type Shown struct {
	Title   string
	Unit    string
	Numeric bool     // all cells are numbers or empty
	Cells   []string // not escaped
}

// Shown returns the columns as readers see them, of texts that are not escaped. A column with a Best has one more
// column after it. Columns without any cell are left out, and those of CSV only.
func (t Table) Shown() (all []Shown) {
	for i, c := range t.Columns {
		if c.RawOnly {
			continue
		}
		cells, best := Shown{c.Title, c.Unit, true, nil}, Shown{"best " + c.Title, c.Unit, true, nil}
		filled, several := false, false
		for _, row := range t.Rows {
			cell := row[i]
			cells.Cells = append(cells.Cells, c.show(cell))
			cells.Numeric = cells.Numeric && cell.Text == ""
			filled = filled || cell.Text != "" || cell.Number != nil
			several = several || cell.Best != nil
			switch {
			case cell.Best != nil:
				best.Cells = append(best.Cells, c.decimal(*cell.Best))
			case cell.Number != nil:
				best.Cells = append(best.Cells, c.decimal(cell.Number.Mean))
			default:
				best.Cells = append(best.Cells, "")
			}
		}
		if filled {
			all = append(all, cells)
		}
		if several {
			all = append(all, best)
		}
	}
	return all
}

// show returns the text of a cell for readers.
func (c Column) show(cell Cell) string {
	switch {
	case cell.Number == nil:
		return cell.Text
	case cell.Number.Std == nil:
		return c.decimal(cell.Number.Mean)
	}
	return c.decimal(cell.Number.Mean) + plusMinus + c.decimal(*cell.Number.Std)
}

const plusMinus = " ± "

func (c Column) decimal(x float64) string {
	if c.Scale != 0 {
		x /= c.Scale
	}
	if c.Decimals < 0 {
		return number(x)
	}
	if math.Abs(x) >= 1e15 { // more digits than a float64 has
		return strconv.FormatFloat(x, 'g', c.Decimals+1, 64)
	}
	return strconv.FormatFloat(x, 'f', c.Decimals, 64)
}

// heading returns the title of a column with its unit.
func (s Shown) heading() string {
	if s.Unit == "" {
		return s.Title
	}
	return s.Title + ", " + s.Unit
}

// Markdown returns the table in Markdown.
func (t Table) Markdown() string {
	columns := t.Shown()
	if len(columns) == 0 {
		return ""
	}
	var header, rules, rest strings.Builder
	for _, c := range columns {
		header.WriteString("| " + markdown(c.heading()) + " ")
		rules.WriteString(map[bool]string{true: "| ---: ", false: "| --- "}[c.Numeric])
	}
	for row := range t.Rows {
		for _, c := range columns {
			rest.WriteString("| " + markdown(c.Cells[row]) + " ")
		}
		rest.WriteString("|\n")
	}
	return header.String() + "|\n" + rules.String() + "|\n" + rest.String()
}

// markdown escapes what would end a cell, begin an element of HTML or make a link.
func markdown(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "](", `\](`).Replace(names.Escape(text))
}
