package main

import (
	"encoding/json"
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
