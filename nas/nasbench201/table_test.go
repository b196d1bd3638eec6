package nasbench201

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/rng"
)

func TestCell(t *testing.T) {
	// ParseCell reads back what String writes, and number is the index, for every cell.
	seen := map[string]bool{}
	for n := range Cells {
		c := numbered(n)
		if c.number() != n {
			t.Fatalf("cell %d has number %d", n, c.number())
		}
		text := c.String()
		if back, err := ParseCell(text); err != nil || back != c {
			t.Fatalf("%s reads back as %v, error %v", text, back, err)
		}
		seen[text] = true
	}
	if len(seen) != Cells {
		t.Errorf("%d different texts of %d cells", len(seen), Cells)
	}
	if got, want := (Cell{3, 0, 1, 4, 2, 1}).String(), "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParseCellErrors(t *testing.T) {
	// The error names what is wrong when the text is no cell.
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", `cell "": 1 nodes, want 3 with + between them`},
		{"two nodes", "|none~0|+|none~0|none~1|", `cell "|none~0|+|none~0|none~1|": 2 nodes, want 3 with + between them`},
		{"no bar", "none~0+|none~0|none~1|+|none~0|none~1|none~2|", `cell "none~0+|none~0|none~1|+|none~0|none~1|none~2|": node 1 is "none~0", want 1 operations between |`},
		{"input missing", "|none~0|+|none~0|+|none~0|none~1|none~2|", `cell "|none~0|+|none~0|+|none~0|none~1|none~2|": node 2 is "|none~0|", want 2 operations between |`},
		{"operation", "|sep_conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", `cell "|sep_conv~0|+|none~0|none~1|+|none~0|none~1|none~2|": node 1: unknown operation "sep_conv" (there are: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3)`},
		{"source", "|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", `cell "|none~0|+|none~1|none~0|+|none~0|none~1|none~2|": node 2: operation 1 is "none~1", want one from node 0: none~0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseCell(test.text); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestSpace(t *testing.T) {
	// Sample draws every operation on every edge equally often, and Mutate every other operation on every edge.
	const draws = 60_000
	r := rng.Stream(0, "test")
	var sampled, mutated [edges][len(ops)]int
	for range draws {
		c := Space{}.Sample(r)
		for edge, op := range c {
			sampled[edge][op]++
		}
		child, changed := Space{}.Mutate(c, r), 0
		for edge := range c {
			if child[edge] != c[edge] {
				changed++
				mutated[edge][(child[edge]+uint8(len(ops))-c[edge])%uint8(len(ops))]++
			}
		}
		if changed != 1 {
			t.Fatalf("%v mutates to %v", c, child)
		}
	}
	within := func(what string, got int, p float64) {
		// Five standard deviations of a binomial count.
		if mean := draws * p; (float64(got)-mean)*(float64(got)-mean) > 25*mean*(1-p) {
			t.Errorf("%s: %d of %d, want about %.0f", what, got, draws, mean)
		}
	}
	for edge := range edges {
		for op := range ops {
			within(fmt.Sprintf("edge %d, %s", edge, ops[op]), sampled[edge][op], 1/float64(len(ops)))
			if op > 0 {
				within(fmt.Sprintf("edge %d, mutation by %d", edge, op), mutated[edge][op], 1/float64(edges*(len(ops)-1)))
			}
		}
	}
	chosen := []int{4, 3, 2, 1, 0, 4}
	if got := (Space{}).Architecture(chosen); got != (Cell{4, 3, 2, 1, 0, 4}) || len((Space{}).Options()) != len(chosen) {
		t.Errorf("architecture %v of %v", got, chosen)
	}
}

// lines is a good table as lines with their ends, the header first.
func lines() []string {
	all := []string{strings.Join(columns, ",") + "\n"}
	for n := range Cells {
		// The file is in no order; any will do.
		c := numbered((n*7 + 3) % Cells)
		row := []string{strconv.Itoa(n), c.String()}
		for column := firstAccuracy; column < len(columns); column++ {
			row = append(row, fmt.Sprint(float64(c.number()%90)+float64(column)/10))
		}
		all = append(all, strings.Join(row, ",")+"\n")
	}
	return all
}

func TestRead(t *testing.T) {
	// Every accuracy is found by its cell, dataset and epochs in a good table.
	table, err := Read("x.csv", strings.NewReader(strings.Join(lines(), "")))
	if err != nil {
		t.Fatal(err)
	}
	c := Cell{1, 2, 3, 4, 0, 1}
	base := float64(c.number() % 90)
	want := Result{
		Valid12: [datasets]float64{base + 0.2, base + 0.4, base + 0.6},
		Test12:  [datasets]float64{base + 0.3, base + 0.5, base + 0.7},
		Test200: [datasets]float64{base + 0.8, base + 0.9, base + 1},
	}
	if diff := cmp.Diff(want, table.Result(c)); diff != "" {
		t.Error(diff)
	}
	if got := table.Best(CIFAR100); got != 89.9 {
		t.Errorf("best of CIFAR-100 is %v, want 89.9", got)
	}
}

func TestReadErrors(t *testing.T) {
	// The error names file, line and fault in one line when a table is broken.
	good := lines()
	first := strings.Split(good[1], ",")[1]
	replace := func(line int, with string) func([]string) []string {
		return func(all []string) []string {
			all[line-1] = with
			return all
		}
	}
	edit := func(line int, old, new string) func([]string) []string {
		return replace(line, strings.Replace(good[line-1], old, new, 1))
	}
	for _, test := range []struct {
		name   string
		change func(all []string) []string
		want   string
	}{
		{"empty", func([]string) []string { return nil }, `nasbench201: x.csv:1: empty, want a line with the names of the columns`},
		{"no header", func(all []string) []string { return all[1:] }, `nasbench201: x.csv:1: column 1 is "0", want "index"`},
		{"column renamed", edit(1, "cifar100_valid_12", "cifar100_val"), `nasbench201: x.csv:1: column 5 is "cifar100_val", want "cifar100_valid_12"`},
		{"column missing", edit(1, ",imagenet16_test_200", ""), `nasbench201: x.csv:1: column 11 is missing, want "imagenet16_test_200"`},
		{"column too many", edit(1, "\n", ",flops\n"), `nasbench201: x.csv:1: column 12 is "flops", want 11 columns`},
		{"field missing", replace(9, "7,"+first+",1,2,3\n"), `nasbench201: x.csv:9: 5 columns, want 11`},
		{"field too many", edit(9, "\n", ",1\n"), `nasbench201: x.csv:9: 12 columns, want 11`},
		{"row missing", func(all []string) []string { return append(all[:99], all[100:]...) }, `nasbench201: x.csv:100: index: given 99, want 98: a line is missing before this one`},
		{"rows missing at the end", func(all []string) []string { return all[:1001] }, `nasbench201: x.csv:1001: the file ends after 1000 cells, want 15625`},
		{"row twice", func(all []string) []string { return append(all[:50:50], all[49:]...) }, `nasbench201: x.csv:51: cell ` + strings.Split(good[49], ",")[1] + ` is on line 50 already`},
		{"cell twice", func(all []string) []string {
			all[50] = strings.Replace(all[50], strings.Split(all[50], ",")[1], first, 1)
			return all
		}, `nasbench201: x.csv:51: cell ` + first + ` is on line 2 already`},
		{"row too many", func(all []string) []string { return append(all, all[1]) }, `nasbench201: x.csv:15627: cell ` + first + ` is on line 2 already`},
		{"index back", edit(30, "28,", "3,"), `nasbench201: x.csv:30: index: given 3, want 28`},
		{"index in words", edit(30, "28,", "x,"), `nasbench201: x.csv:30: index: given "x", want 28`},
		{"operation", replace(2, "0,|pool~0|+|none~0|none~1|+|none~0|none~1|none~2|,1,2,3,4,5,6,7,8,9\n"),
			`nasbench201: x.csv:2: cell "|pool~0|+|none~0|none~1|+|none~0|none~1|none~2|": node 1: unknown operation "pool" (there are: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3)`},
		{"accuracy in words", replace(2, "0,"+first+",high,2,3,4,5,6,7,8,9\n"), `nasbench201: x.csv:2: cifar10_valid_12: given "high", want an accuracy of 0 to 100 percent`},
		{"accuracy above 100", replace(2, "0,"+first+",1,2,3,4,5,100.5,7,8,9\n"), `nasbench201: x.csv:2: imagenet16_test_12: given "100.5", want an accuracy of 0 to 100 percent`},
		{"negative", replace(2, "0,"+first+",-1,2,3,4,5,6,7,8,9\n"), `nasbench201: x.csv:2: cifar10_valid_12: given "-1", want an accuracy of 0 to 100 percent`},
		{"no number", replace(2, "0,"+first+",1,NaN,3,4,5,6,7,8,9\n"), `nasbench201: x.csv:2: cifar10_test_12: given "NaN", want an accuracy of 0 to 100 percent`},
		{"nothing", replace(2, "0,"+first+",1,2,3,4,5,6,7,8,\n"), `nasbench201: x.csv:2: imagenet16_test_200: given "", want an accuracy of 0 to 100 percent`},
		{"quote", replace(4, "2,|no\"ne~0|\n"), `nasbench201: x.csv:4: column 6: bare " in non-quoted-field`},
		{"cut off", func(all []string) []string {
			all[Cells] = strings.TrimSuffix(all[Cells], "\n")
			return all
		}, `nasbench201: x.csv:15626: the line has no end: the file is cut off`},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Join(test.change(append([]string(nil), good...)), "")
			table, err := Read("x.csv", strings.NewReader(text))
			if err == nil || table != nil {
				t.Fatalf("table %v, error %v", table != nil, err)
			}
			if err.Error() != test.want {
				t.Errorf("error %s\nwant  %s", err, test.want)
			}
		})
	}
	if _, err := Read("x.csv", bytes.NewReader(make([]byte, maxFileBytes+1))); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
		t.Errorf("error %v of a file that is too large", err)
	}
}

func TestOpen(t *testing.T) {
	// The error says how to get the table when there is none.
	root := t.TempDir()
	want := "nasbench201: there is no " + filepath.Join(root, "nasbench201", "nasbench201.csv") + ": `darts data get nasbench201` says how to get it"
	if _, err := Open(root); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// realTable is the published table; without it the test is skipped.
func realTable(t *testing.T) *Table {
	t.Helper()
	root := os.Getenv("GODARTS_DATA")
	if root == "" {
		t.Skip("the published table is not tested: set GODARTS_DATA to the folder that holds nasbench201")
	}
	table, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestRealTable(t *testing.T) {
	// The published table has the published best accuracies, and those of the cell of only skip connections.
	table := realTable(t)
	skips := table.Result(Cell{1, 1, 1, 1, 1, 1})
	// arXiv 2001.00326: the optimum, and what DARTS finds.
	for d, want := range [][2]string{{"94.37", "54.30"}, {"73.51", "15.61"}, {"47.31", "16.32"}} {
		best, skip := fmt.Sprintf("%.2f", table.Best(Dataset(d))), fmt.Sprintf("%.2f", skips.Test200[d])
		if best != want[0] || skip != want[1] {
			t.Errorf("%v: best %s, all skips %s, want %s and %s", Dataset(d), best, skip, want[0], want[1])
		}
	}
}

func FuzzRead(f *testing.F) {
	// A refusal is one line that names the file when the text is arbitrary.
	f.Add([]byte(""))
	f.Add([]byte(strings.Join(lines()[:3], "")))
	f.Add([]byte(strings.Join(columns, ",") + "\n0,\"|none"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := Read("x.csv", bytes.NewReader(text)); err != nil && (!strings.HasPrefix(err.Error(), "nasbench201: x.csv:") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %q", err)
		}
	})
}
