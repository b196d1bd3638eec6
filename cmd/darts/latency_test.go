package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"
)

func TestLatencyCommand(t *testing.T) {
	// Times of a network are printed in a line, or as JSON in which they ascend.
	training := writeFile(t, "training.yaml", tinyTraining)
	out := execute(t, "latency", training, "--passes", "3", "--threads", "1")
	if !regexp.MustCompile(`^2 channels, 3 cells, images 1x8x8\n  1 image: median [0-9.]+ ms, 10 % [0-9.]+ ms, 90 % [0-9.]+ ms; passes: 3, threads: 1\n$`).MatchString(out) {
		t.Errorf("got %q", out)
	}
	var line struct {
		Batch         int
		MedianSeconds float64 `json:"median_seconds"`
		LowSeconds    float64 `json:"low_seconds"`
		HighSeconds   float64 `json:"high_seconds"`
	}
	if err := json.Unmarshal([]byte(execute(t, "latency", training, "--passes", "7", "--batch", "4", "--json")), &line); err != nil {
		t.Fatal(err)
	}
	if line.Batch != 4 || line.LowSeconds <= 0 || line.LowSeconds > line.MedianSeconds || line.MedianSeconds > line.HighSeconds {
		t.Errorf("%+v", line)
	}
}

func TestLatencyTableCommand(t *testing.T) {
	// The operations of a search are measured into a file that the search takes, and flags that go with no table are refused.
	quick, file := "../../nas/testdata/tiny.yaml", filepath.Join(t.TempDir(), "table.json")
	small := []string{"--set", "space.operations=[max_pool_3x3, sep_conv_3x3]"}
	out := execute(t, append([]string{"latency", quick, "--table", file, "--passes", "2", "--threads", "1"}, small...)...)
	if !regexp.MustCompile(`^(?:(max_pool|sep_conv)_3x3, [0-9]+ channels, side [0-9]+, stride [12]: [0-9.e-]+ ms, passes: 2\n){4,}.*table.json: [0-9]+ operations measured\n$`).MatchString(out) {
		t.Errorf("got %q", out)
	}
	items := append(small, "--set", "alpha.cost.weight=1", "--set", "alpha.cost.of=latency", "--set", "alpha.cost.table="+file)
	execute(t, append([]string{"search", quick, "--out", filepath.Join(t.TempDir(), "run")}, items...)...)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--table", file, "--json"}, "darts: latency: --table goes with neither --json nor --recurrent\n"},
		{[]string{"--set", "seed=1"}, "darts: latency: --set has no effect without --table\n"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"latency", quick}, test.args...), &stdout, &stderr); status != exitUsage || stderr.String() != test.want {
			t.Errorf("%v: status %d, %q", test.args, status, stderr.String())
		}
	}
}
