package info

import (
	"slices"
	"testing"
	"time"

	"godarts/nas/fixture"
)

func TestLatency(t *testing.T) {
	// As many passes as asked for are timed, of the network that a config, a text or a run makes, and quantiles are among their times.
	for _, test := range []struct{ where, network string }{
		{fixture.File("tiny-train.yaml"), "2 channels, 3 cells, images 1x8x8"},
		{fixture.File("tiny-text-train.yaml"), "5 units, 8 nodes, "},
	} {
		var all []Latency
		o := LatencyOptions{Batch: 3, Passes: 4, Budget: time.Minute}
		if err := MeasureLatency(t.Context(), test.where, o, func(l Latency) error { all = append(all, l); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || len(all[0].Seconds) != 4 || all[0].Batch != 3 || len(all[0].Network) < len(test.network) || all[0].Network[:len(test.network)] != test.network {
			t.Fatalf("%s: %+v", test.where, all)
		}
		if !slices.IsSorted(all[0].Seconds) || all[0].Seconds[0] <= 0 {
			t.Errorf("times %v", all[0].Seconds)
		}
	}
	l := Latency{Seconds: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	for q, want := range map[float64]time.Duration{0: 1, 0.1: 1, 0.5: 5, 0.9: 9, 1: 10} {
		if got := l.Quantile(q); got != want*time.Second {
			t.Errorf("quantile %v: %v", q, got)
		}
	}
	if err := MeasureLatency(t.Context(), fixture.File("tiny.yaml"), LatencyOptions{Batch: 1, Passes: 1}, nil); err == nil ||
		err.Error() != "nas: latency: "+fixture.File("tiny.yaml")+" is the config of a search, want that of a training, or a cell" {
		t.Errorf("a search: %v", err)
	}
}
