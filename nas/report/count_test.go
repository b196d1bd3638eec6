package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/report"
)

func counts(operators ...report.OperatorCount) report.Counts {
	row := report.CountRow{Name: "train", Title: "training step", Work: "C 36", Seconds: 3, Operators: operators}
	return report.Counts{
		Started: time.Unix(0, 0).UTC(), Machine: report.Machine{CPU: "A CPU", Cores: 2}, Libtorch: "2.11.0", Device: "cpu", Form: "fast",
		Threads: 2, Rows: []report.CountRow{report.NewCountRow(row)},
	}
}

func TestCounts(t *testing.T) {
	// The slowest operator comes first, and the last line has the sums, in text, Markdown and JSON.
	c := counts(report.OperatorCount{Name: "aten::zero_", Calls: 3, Bytes: 0, Seconds: 0.5}, report.OperatorCount{Name: "aten::add", Calls: 4, Bytes: 3e9, Seconds: 1.5})
	want := `training step: C 36, 3.00 s
     operator  calls    bytes     time    share  GB/s
    aten::add      4  3.00 GB   1.50 s   75.0 %   2.0
  aten::zero_      3        0  0.500 s   25.0 %   0.0
          all      7  3.00 GB   2.00 s  100.0 %   1.5
`
	if diff := cmp.Diff(want, c.Rows[0].Text()); diff != "" {
		t.Error(diff)
	}
	c.AsGPU = true
	want = `Counted 1970-01-01 on cpu of A CPU, 2 cores, 2 threads, libtorch 2.11.0, form fast as for a GPU.

training step: C 36, 3.00 s:

| operator | calls | bytes | time | share | GB/s |
| --- | ---: | ---: | ---: | ---: | ---: |
| aten::add | 4 | 3.00 GB | 1.50 s | 75.0 % | 2.0 |
| aten::zero_ | 3 | 0 | 0.500 s | 25.0 % | 0.0 |
| all | 7 | 3.00 GB | 2.00 s | 100.0 % | 1.5 |
`
	if diff := cmp.Diff(want, c.Markdown()); diff != "" {
		t.Error(diff)
	}
	text, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back report.Counts
	if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(back, c) {
		t.Errorf("read back %+v (%v)", back, err)
	}
}

func TestCountsOfMany(t *testing.T) {
	// The quickest operators share a line of the Markdown table, with the sums of all, when there are many.
	var all []report.OperatorCount
	for i := range 20 {
		all = append(all, report.OperatorCount{Name: fmt.Sprint("op", i), Calls: i, Bytes: 1e9, Seconds: float64(20 - i)})
	}
	got := counts(all...).Markdown()
	if want := "| op10 | 10 | 1.00 GB | 10.0 s | 4.8 % | 0.10 |\n| 9 others | 135 | 9.00 GB | 45.0 s | 21.4 % | 0.20 |\n| all | 190 |"; !strings.Contains(got, want) {
		t.Errorf("got\n%swant in it\n%s", got, want)
	}
}
