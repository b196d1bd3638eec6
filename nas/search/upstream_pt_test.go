package search

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/torch/torchtest"
)

// recordedDecision is one of DARTS-PT's authors' program: the operation of an edge, or the
// two edges that a node keeps, which it counts from that with three.
type recordedDecision struct {
	on, kind string
	at       int
	kept     []int // one operation, or two edges
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *recordedDecision) UnmarshalJSON(text []byte) error {
	var row [4]json.RawMessage
	if err := json.Unmarshal(text, &row); err != nil {
		return err
	}
	for i, to := range []any{&d.on, &d.kind, &d.at, &d.kept} {
		if err := json.Unmarshal(row[i], to); err != nil {
			var one int
			if err := json.Unmarshal(row[i], &one); err != nil {
				return err
			}
			d.kept = []int{one}
		}
	}
	return nil
}

func TestUpstreamPerturbation(t *testing.T) {
	// A selection by perturbation measures, decides and trains on as its authors' program, when it has its images, first weights and order of edges.
	if testing.Short() {
		t.Skip("-short: steps in the size of the recordings")
	}
	eachUpstream(t, "e2e_pt_seed*.safetensors", func(r upstream) {
		t := r.t
		c := r.config("cifar10-darts-pt.yaml", "network.layers="+r.meta("layers"), "epochs="+r.meta("epochs"),
			"strategy.perturbation.interval="+r.meta("steps"), "network.form=plain")
		run, feed := r.run(c, r.whole("steps"))
		s, err := nas.NewStrategy(run)
		if err != nil {
			t.Fatal(err)
		}
		d := s.(*dartsStrategy)
		if err := d.net.LoadStateDict(r.state("init.")); err != nil {
			t.Fatal(err)
		}
		var decisions []recordedDecision // of a normal cell, then of a reduction cell, and so on
		r.decode("rows", &decisions)
		p := d.selection
		p.pick = func(decision int, kind genotype.Kind, _ []int) int {
			if it := decisions[2*decision+int(kind)]; it.on == "op" {
				return it.at
			}
			return decisions[2*decision+int(kind)].at + 1
		}
		var passes []pass
		feed.begin = func(int) { d.spy(t, c, &passes) }
		alphas := r.watch(d.alpha, d.net.Alphas())
		var norms, losses, seen, right []float64
		run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
			step := s.Epoch*s.Of + s.Index
			p.compare(t, decisions, s.Epoch)
			alphas.step(step, func(kind, edge int) bool { return slices.Contains(p.net.Undecided(genotype.Kind(kind)), edge) })
			losses = append(losses, passes[len(passes)-1].loss)
			norms = append(norms, passes[len(passes)-1].w)
			seen, right = append(seen, flat(feed.losses)...), append(right, feed.right...)
			passes = nil
			return nil
		}, OnEpoch: func(*nas.Run, *nas.Epoch) error {
			feed.losses, feed.right = nil, nil // the last is of the cells as they stand
			return nil
		}})
		found := feed.search(run, d, 2)
		feed.numbersAre("losses", losses)
		feed.numbersAre("grad_norm", norms)
		lossesThere, rightThere := r.numbers("valid_loss"), r.numbers("accuracy")
		for i, at := range measurements(decisions)[:len(seen)] {
			if want := lossesThere[at]; math.Abs(seen[i]-want) > torchtest.Float64*want {
				t.Fatalf("measurement %d: loss %.17g, want %.17g", i, seen[i], want)
			}
			if want := rightThere[at]; math.Abs(100*right[i]-want) > 1e-9 {
				t.Fatalf("measurement %d: accuracy %g %%, want %g %%", i, 100*right[i], want)
			}
		}
		if !feed.ended {
			return
		}
		own := d.net.StateDict()
		for _, name := range r.Names() {
			// There measurements move the running statistics, here they do not. And the operations
			// that the first decision rules out have had no gradient there: they do not decay.
			short, ok := strings.CutPrefix(name, "final.")
			if ok && !strings.Contains(name, ".running_") && !ruledOut(short, decisions[:2]) {
				r.compare(name, own[short])
			}
		}
		if want := r.meta("genotype"); found != want {
			t.Errorf("genotype\n got %s\nwant %s", found, want)
		}
	})
}

// measurements are the places, among those of the authors' program, of the measurements
// that are made here. There a node's edges are measured again after one has been crossed
// off, but with all in place.
func measurements(decisions []recordedDecision) (places []int) {
	next := 0
	for _, it := range decisions {
		n, again := 7, 0
		if it.on == "edge" {
			n = it.at + 3
			for left := n - 1; left > 2; left-- {
				again += left
			}
		}
		for i := range n {
			places = append(places, next+i)
		}
		next += n + again
	}
	return places
}

// ruledOut tells whether a parameter is of an operation that one of the decisions has not
// chosen for its edge. The cells 1 and 2 of three reduce.
func ruledOut(name string, decisions []recordedDecision) bool {
	var cell, edge, op int
	if n, _ := fmt.Sscanf(name, "cells.%d._ops.%d._ops.%d.", &cell, &edge, &op); n < 3 {
		return false
	}
	for _, it := range decisions {
		if (it.kind == "reduce") == (cell > 0) && it.at == edge && it.kept[0] != op {
			return true
		}
	}
	return false
}

// compare compares the decisions of an epoch with the recorded ones.
func (p *perturbation) compare(t testing.TB, decisions []recordedDecision, epoch int) {
	t.Helper()
	rows := p.net.Rows().Int64s()
	for kind := range 2 {
		it := decisions[2*epoch+kind]
		own := rows[kind*len(rows)/2:][:len(rows)/2]
		if it.on == "op" {
			if got := own[it.at]; int(got) != it.kept[0] {
				t.Errorf("decision %d, kind %d: edge %d has operation %d, want %d", epoch, kind, it.at, got, it.kept[0])
			}
			continue
		}
		var kept []int
		for e := darts.Edges(it.at + 1); e < darts.Edges(it.at+2); e++ {
			if own[e] >= 0 {
				kept = append(kept, e)
			}
		}
		if fmt.Sprint(kept) != fmt.Sprint(it.kept) {
			t.Errorf("decision %d, kind %d: node %d keeps edges %v, want %v", epoch, kind, it.at+1, kept, it.kept)
		}
	}
}

func TestUpstreamPicks(t *testing.T) {
	// Every edge and every node is open when it is its turn in the order that DARTS-PT's authors draw, and all is decided at its end.
	for _, path := range torchtest.Upstream(t, "pt_picks_seed*.json") {
		torchtest.Scope(t)
		var picks [][2]int
		if err := json.Unmarshal(torchtest.Content(t, path), &picks); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load("../../configs/cifar10-darts-pt.toy.yaml")
		if err != nil {
			t.Fatal(err)
		}
		net, err := darts.NewPlain(darts.Options{Channels: 2, Layers: 3, Nodes: 4, Classes: 2, InputChannels: 1, StemMultiplier: 1,
			Normal: images.Space(c).Normal, Reduce: images.Space(c).Reduce})
		if err != nil {
			t.Fatal(err)
		}
		p := newPerturbation(c, net)
		p.pick = func(decision int, kind genotype.Kind, undecided []int) int {
			pick := picks[decision][kind]
			if decision >= darts.Edges(4) {
				pick++ // nodes count from that with three edges
			}
			if !slices.Contains(undecided, pick) {
				t.Fatalf("decision %d, kind %d: %d is none of %v", decision, kind, pick, undecided)
			}
			return pick
		}
		if len(picks) != decisions(c) {
			t.Errorf("%d picks, there are %d decisions", len(picks), decisions(c))
		}
		for decision := range picks {
			for kind := range genotype.ConvolutionalKinds {
				if err := p.decideOne(kind, decision, func() (float64, error) { return 0.5, nil }); err != nil {
					t.Fatal(err)
				}
			}
		}
		for kind := range genotype.ConvolutionalKinds {
			if left := len(p.net.Undecided(kind)) + len(p.net.Open(kind)); left != 0 {
				t.Errorf("kind %d: %d edges and nodes are left", kind, left)
			}
		}
	}
}
