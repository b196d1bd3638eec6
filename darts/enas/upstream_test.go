package enas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// controllerRecording is the controller of ENAS' authors, run in float32.
type controllerRecording struct {
	Vars map[string]struct {
		Shape []int
		Data  []float64
	}
	Runs, Updates []recordedDraw
}

// recordedDraw are forced decisions of both cells, node by node: two inputs, then two
// operations. An update takes a step by the reward of one draw.
type recordedDraw struct {
	Decisions       []int
	Logits          [][]float64
	Entropy         float64
	NegativeLogProb float64 `json:"neg_log_prob"`

	Correct  float64 // of 160 images
	Reward   float64
	Baseline float64
	Vars     map[string][]float64 // after the step, only of the first
}

// recordedOps are the authors' operations in their order; their space has no others.
var recordedOps = []genotype.Op{genotype.SepConv3x3, genotype.SepConv5x5, genotype.AvgPool3x3, genotype.MaxPool3x3, genotype.SkipConnect}

// recordedNames are our names of the authors' variables.
var recordedNames = map[string]string{
	"lstm.weight": "controller/lstm/layer_0/w:0", "start": "controller/g_emb:0",
	"attention.key": "controller/attention/w_1:0", "attention.query": "controller/attention/w_2:0", "attention.v": "controller/attention/v:0",
	"operation.embedding": "controller/emb/w:0", "operation.weight": "controller/softmax/w:0", "operation.bias": "controller/softmax/b:0",
}

// ours gives a recorded variable with its operations in our order.
func (c *Controller) ours(name string, data []float64) torch.Tensor {
	shape := c.weights.Views(c.W())[name].Shape()
	x := torch.FromSlice(data, shape...)
	if !strings.HasPrefix(name, "operation.") {
		return x
	}
	var order []int64
	for _, op := range c.ops {
		order = append(order, int64(slices.Index(recordedOps, op)))
	}
	along := 0
	if name == "operation.weight" {
		along = 1
	}
	return x.IndexSelect(along, torch.FromSlice(order, len(order)))
}

// forced is a source of random numbers with which the controller makes recorded decisions.
type forced struct {
	uniform []float64
	next    int
}

func (f *forced) Uint64() uint64 {
	f.next++
	return uint64(f.uniform[f.next-1] * (1 << 53))
}

// force gives for each decision the middle of the interval of [0, 1) that stands for it.
func (c *Controller) force(draw recordedDraw) *rand.Rand {
	f := &forced{}
	for i, chosen := range draw.Decisions {
		logits := draw.Logits[i]
		var options []int // in the order in which ours are drawn
		if states := i%20/4 + 2; i%4 < 2 {
			for j := range states {
				if left := len(logits) < states && i%4 == 1 && j == draw.Decisions[i-1]; !left { // out, having been decided on before
					options = append(options, j)
				}
			}
		} else {
			for _, op := range c.ops {
				options = append(options, slices.Index(recordedOps, op))
			}
		}
		var sum, below, own float64
		for place, option := range options {
			at := option
			if len(logits) == len(options) && i%4 < 2 {
				at = place
			}
			p := math.Exp(logits[at])
			if option == chosen {
				below, own = sum, p
			}
			sum += p
		}
		f.uniform = append(f.uniform, (below+own/2)/sum)
	}
	return rand.New(f)
}

// drawn are the cells of recorded decisions.
func (draw recordedDraw) drawn() (g genotype.Genotype) {
	for kind, cell := range []*genotype.Cell{&g.Normal, &g.Reduce} {
		decisions := draw.Decisions[20*kind:][:20]
		for node := range 5 {
			of := decisions[4*node:]
			cell.Edges = append(cell.Edges, genotype.Edge{Op: recordedOps[of[2]], From: of[0]}, genotype.Edge{Op: recordedOps[of[3]], From: of[1]})
			cell.Concat = append(cell.Concat, node+2)
		}
	}
	return g
}

func TestUpstreamController(t *testing.T) {
	// The controller draws with the probabilities of the authors' own and takes its updates, when it has their first weights and decisions.
	for _, path := range torchtest.Upstream(t, "enas_controller*.json") {
		t.Run(torchtest.UpstreamName(path), func(t *testing.T) {
			torchtest.Scope(t)
			var r controllerRecording
			text := bytes.ReplaceAll(torchtest.Content(t, path), []byte("-Infinity"), []byte("-1e30"))
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			c, err := New(darts.Everywhere(5, recordedOps), Options{LR: 0.0035, Entropy: 1e-4, Baseline: 0.99, Dtype: torch.Float64})
			if err != nil {
				t.Fatal(err)
			}
			c.coincide = !strings.Contains(path, "_masked")
			before := torch.StateDict{}
			for name, theirs := range recordedNames {
				before[name] = c.ours(name, r.Vars[theirs].Data)
				torch.NoGrad(func() { c.weights.Views(c.W())[name].Copy_(before[name]) })
			}
			of64 := torch.Options{Dtype: torch.Float64}
			compare := func(what string, got, want, tolerance float64) {
				t.Helper()
				torchtest.Close(t, what, torch.Scalar(got, of64), torch.Scalar(want, of64), tolerance)
			}
			sample := func(what string, draw recordedDraw) {
				t.Helper()
				torch.Scoped(func() {
					g, logP, entropy := c.Sample(c.force(draw))
					if got, want := g.String(), draw.drawn().String(); got != want {
						t.Errorf("%s: drawn %s, want %s", what, got, want)
					}
					compare(what+": −log p", -logP.Item(), draw.NegativeLogProb, torchtest.StoredFloat32)
					compare(what+": entropy", entropy, draw.Entropy, torchtest.StoredFloat32)
				})
			}
			for i, draw := range r.Runs {
				sample(fmt.Sprint("run ", i), draw)
			}
			for i, draw := range r.Updates {
				what := fmt.Sprint("update ", i)
				sample(what, draw)
				err := c.Update([]*rand.Rand{c.force(draw)}, func(int, genotype.Genotype) (float64, error) { return draw.Correct / 160, nil })
				if err != nil {
					t.Fatal(err)
				}
				compare(what+": baseline", c.baseline.Item(), draw.Baseline, torchtest.StoredFloat32)
				for theirs, data := range draw.Vars {
					for name := range before {
						if recordedNames[name] == theirs {
							now := c.weights.Views(c.W())[name]
							torchtest.Close(t, what+": step of "+name, now.Sub(before[name]), c.ours(name, data).Sub(before[name]), torchtest.Float32)
						}
					}
				}
			}
			if len(r.Runs) == 0 || len(r.Updates) == 0 || len(r.Updates[0].Vars) != len(recordedNames) {
				t.Error("the recording lacks runs, updates or the weights after the first")
			}
		})
	}
}
