package latency_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/latency"
)

var (
	pool  = latency.Layer{Op: "max_pool_3x3", Channels: 8, Side: 4, Stride: 1}
	wide  = latency.Layer{Op: "max_pool_3x3", Channels: 16, Side: 4, Stride: 1}
	dense = latency.Layer{Op: "sep_conv_3x3", Channels: 8, Side: 4, Stride: 2}
)

// table is a table of two rows.
func table() *latency.Table {
	t := &latency.Table{Conditions: latency.Conditions{Machine: "m", Processor: "avx2", Libtorch: "2.11.0", Device: "cpu", Threads: 1, Batch: 1, Dtype: "float32"}}
	t.Add(latency.Row{Layer: dense, Seconds: 0.25, Passes: 5})
	t.Add(latency.Row{Layer: pool, Seconds: 0.5, Passes: 5})
	return t
}

func TestTable(t *testing.T) {
	// A table reads back as it was written, with its rows in order and a layer that was added twice once.
	file := filepath.Join(t.TempDir(), "t.json")
	want := table()
	want.Add(latency.Row{Layer: pool, Seconds: 0.125, Passes: 9})
	if err := want.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Rows) != 2 || got.Rows[0].Layer != pool || got.Rows[0].Seconds != 0.125 {
		t.Errorf("rows %v", got.Rows)
	}
	if rows, err := got.Of([]latency.Layer{dense}, file); err != nil || len(rows) != 1 || rows[0].Seconds != 0.25 {
		t.Errorf("rows of one layer: %v, %v", rows, err)
	}
}

func TestTableLacks(t *testing.T) {
	// The error names the row, how many more, and the command when a table lacks rows.
	for _, test := range []struct {
		layers []latency.Layer
		want   string
	}{
		{[]latency.Layer{pool, wide}, "my t.json has no row for max_pool_3x3, 16 channels, side 4, stride 1: `darts latency CONFIG --table 'my t.json'` measures what it lacks"},
		{[]latency.Layer{wide, {Op: "none"}}, "my t.json has no row for max_pool_3x3, 16 channels, side 4, stride 1 (and 1 more): `darts latency CONFIG --table 'my t.json'` measures what it lacks"},
	} {
		if _, err := table().Of(test.layers, "my t.json"); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	// Read returns an error that names the file and what is wrong when that is no table.
	dir := t.TempDir()
	if _, err := latency.Read(filepath.Join(dir, "none.json")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("no file: %v", err)
	}
	file := filepath.Join(dir, "t.json")
	if err := table().Write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{`"seconds": 0.5`, `"seconds": -0.5`, "rows[0]: max_pool_3x3, 8 channels, side 4, stride 1: -0.5 seconds"},
		{`"max_pool_3x3"`, `"tie_conv"`, "rows[1]: sep_conv_3x3, 8 channels, side 4, stride 2 comes twice, or after a later one"},
		{`"passes": 5`, `"pass": 5`, "key rows[0].pass is unknown"},
		{`"batch": 1,`, ``, "key batch is missing"},
		{`"rows": [`, `"rows": {`, "invalid character"},
	} {
		changed := strings.Replace(string(text), test.old, test.new, 1)
		if changed == string(text) {
			t.Fatalf("no %s in %s", test.old, text)
		}
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := latency.Read(file); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want %s", test.new, err, test.want)
		}
	}
}

func TestChanged(t *testing.T) {
	// Changed names the first row that is other, gone or new, and nothing when rows are equal but for the number of passes.
	rows, other, passes := table().Rows, table(), table()
	other.Add(latency.Row{Layer: dense, Seconds: 0.375, Passes: 5})
	passes.Add(latency.Row{Layer: dense, Seconds: 0.25, Passes: 50})
	for _, test := range []struct {
		rows, now []latency.Row
		want      string
	}{
		{rows, passes.Rows, ""},
		{rows, other.Rows, "sep_conv_3x3, 8 channels, side 4, stride 2 takes 0.375 s, was 0.25 s"},
		{rows, rows[1:], "max_pool_3x3, 8 channels, side 4, stride 1 is gone"},
		{rows[1:], rows, "max_pool_3x3, 8 channels, side 4, stride 1 is new"},
	} {
		if got := latency.Changed(test.rows, test.now); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	a, b := table().Conditions, table().Conditions
	if got := a.Changes(b); got != "" {
		t.Errorf("equal conditions: %q", got)
	}
	if b.Threads, b.Machine = 2, "n"; a.Changes(b) != "machine m, now n; threads 1, now 2" {
		t.Errorf("got %q", a.Changes(b))
	}
}
