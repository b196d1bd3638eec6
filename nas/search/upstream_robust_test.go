package search

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestUpstreamStops(t *testing.T) {
	// A search stops after the same epoch as RobustDARTS, and returns the cells of the same epoch, on 300 sequences of eigenvalues.
	for _, path := range torchtest.Upstream(t, "robust_stops*.json") {
		var rows []struct {
			Freq, Window, Start, Delta int
			Factor                     float64
			Ev                         []float64
			Stop                       []any // the epoch, that of the cells, the cells; empty if it does not stop
		}
		if err := json.Unmarshal(torchtest.Content(t, path), &rows); err != nil {
			t.Fatal(err)
		}
		stopped := 0
		for i, row := range rows {
			o := EarlyStop{Every: row.Freq, Window: row.Window, Start: row.Start, Delta: row.Delta, Factor: row.Factor}
			got := "none"
			for n := range row.Ev {
				if good, stop := stops(row.Ev[:n+1], o); stop {
					got = fmt.Sprint([]int{n * row.Freq, good * row.Freq})
					break
				}
			}
			want := "none"
			if len(row.Stop) > 0 {
				want = fmt.Sprint(row.Stop[:2])
				stopped++
			}
			if got != want {
				t.Errorf("sequence %d (%+v): stops at %s, want %s", i, o, got, want)
			}
		}
		if stopped == 0 || stopped == len(rows) {
			t.Errorf("%d of %d sequences stop", stopped, len(rows))
		}
	}
}

// lastValid implements lastValid by what was recorded.
func (f *recordedFeed) LastValid(int) (nn.Batch, error) { return f.measured[0], nil }

func TestUpstreamEigenvalue(t *testing.T) {
	// The eigenvalue that an early stop measures is the largest of the Hessian that RobustDARTS computes entry by entry.
	if testing.Short() {
		t.Skip("-short: the largest eigenvalue of a Hessian")
	}
	eachUpstream(t, "robust_eigenvalue_seed*.safetensors", func(r upstream) {
		t := r.t
		c, err := config.Load("../../configs/cifar10-darts-first.yaml", "network.dtype=float64", "network.channels="+r.meta("C"),
			"network.layers="+r.meta("layers"), "alpha.weight_decay="+r.meta("decay"), "strategy.early_stop.every=1", "network.form=plain", "epochs=1")
		if err != nil {
			t.Fatal(err)
		}
		net, err := darts.NewPlain(darts.Options{
			Channels: c.Network.Channels, Layers: c.Network.Layers, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3, Options: float64s,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := net.LoadStateDict(r.state("init.")); err != nil {
			t.Fatal(err)
		}
		y, err := r.Load("target", torch.Options{Dtype: torch.Int64})
		if err != nil {
			t.Fatal(err)
		}
		f := &recordedFeed{upstream: r, measured: []nn.Batch{{X: r.tensor("input").ChannelsLast(), Y: y}}}
		run := &nas.Run{Config: c, Feed: f}
		got := newEarlyStop(c, config.KeysAs[DARTSKeys](c), net).measure(run, 0)
		if want := r.numbers("eigenvalue")[0]; got == nil || !(math.Abs(*got-want) <= torchtest.Float64*want) {
			t.Errorf("eigenvalue %v, want %.17g: %v", got, want, run.Err())
		}
	})
}
