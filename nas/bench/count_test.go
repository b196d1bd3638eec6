package bench_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/bench"
	"godarts/nas/report"
	"godarts/torch"
)

func counted(t *testing.T, o bench.CountOptions) []report.CountRow {
	t.Helper()
	o.Instead, o.Seed, o.Log = tiny, 3, &bytes.Buffer{}
	var last report.Counts
	if err := bench.Count(t.Context(), o, func(c report.Counts) error { last = c; return nil }); err != nil {
		t.Fatal(err)
	}
	return last.Rows
}

// calls are the calls of each operator, and the bytes of all.
func calls(r report.CountRow) (calls map[string]int, bytes int) {
	calls = map[string]int{}
	for _, c := range r.Operators {
		calls[c.Name] = c.Calls
	}
	return calls, r.Sum.Bytes
}

func TestCount(t *testing.T) {
	// Every row with a network has operators, and leaves no tensor, in the CPU's and in the GPU's form.
	for _, test := range []struct {
		form  string
		asGPU bool
		rows  []string
	}{
		{"fast", true, bench.Countable()},
		{"wide", true, []string{"first-order"}},
		{"fast", false, []string{"forward-backward", "train", "rnn-train"}},
		{"plain", false, []string{"forward-backward", "rnn-train"}},
	} {
		before := torch.Live()
		for _, row := range counted(t, bench.CountOptions{Rows: test.rows, Form: test.form, AsGPU: test.asGPU, Threads: 1}) {
			if row.Sum.Calls < 100 || row.Sum.Bytes < 10_000 || !(row.Sum.Seconds > 0) {
				t.Errorf("form %s, GPU %v, row %s: counted %+v", test.form, test.asGPU, row.Name, row.Sum)
			}
			for _, c := range row.Operators {
				if test.asGPU && !strings.HasPrefix(c.Name, "aten::") {
					t.Errorf("form %s, row %s: a GPU has no %s", test.form, row.Name, c.Name)
				}
			}
		}
		if torch.Live() != before {
			t.Errorf("form %s, GPU %v: tensors live on", test.form, test.asGPU)
		}
	}
}

func TestCountErrors(t *testing.T) {
	// A row without a network, and sizes that make none, are errors that name it.
	for _, test := range []struct {
		row, want string
		instead   bench.Sizes
	}{
		{"input", "bench: row input has no network to count operators of (there are: forward-backward, ", bench.Sizes{}},
		{"x", `bench: unknown row "x" (there are: `, bench.Sizes{}},
		{"first-order", "darts: supernet: 1 layers, want at least 3", bench.Sizes{Layers: 1}},
	} {
		err := bench.Count(t.Context(), bench.CountOptions{Rows: []string{test.row}, Form: bench.Forms()[0], Instead: test.instead, Log: &bytes.Buffer{}},
			func(report.Counts) error { return nil })
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestCountThreads(t *testing.T) {
	// Calls and bytes of the GPU's form are the same with one thread and with three.
	rows := []string{"forward-backward", "train"}
	one, three := counted(t, bench.CountOptions{Rows: rows, Form: bench.Forms()[0], AsGPU: true, Threads: 1}),
		counted(t, bench.CountOptions{Rows: rows, Form: bench.Forms()[0], AsGPU: true, Threads: 3})
	for i, row := range rows {
		a, bytes := calls(one[i])
		b, bytesToo := calls(three[i])
		if diff := cmp.Diff(a, b); diff != "" || bytes != bytesToo {
			t.Errorf("%s: calls differ, or %d bytes from %d:\n%s", row, bytes, bytesToo, diff)
		}
	}
}
