package enas

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// mixedSpace has edges of one, two and all operations.
func mixedSpace() darts.Space {
	all := genotype.Without(genotype.Primitives, genotype.None)
	few := []genotype.Op{genotype.SepConv5x5, genotype.SkipConnect} // in another order than the controller's
	return darts.Space{
		Nodes:  2,
		Normal: [][]genotype.Op{all, few, {genotype.MaxPool3x3}, genotype.Primitives, all},
		Reduce: [][]genotype.Op{few, all, all, few, genotype.Primitives},
	}
}

func newTestController(t *testing.T, s darts.Space, o Options) *Controller {
	t.Helper()
	torch.ManualSeed(3)
	c, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stream(i int) *rand.Rand { return rand.New(rand.NewPCG(7, uint64(i))) }

// byHand is the controller in plain loops, from its state dict, for two cells of s.
type byHand struct {
	s       darts.Space
	ops     []genotype.Op
	of      map[string][]float64
	h, c    []float64
	r       *rand.Rand
	logP    float64
	entropy float64
}

const handUnits = 64

// times is row [rows]·matrix [rows, columns].
func times(row, matrix []float64) []float64 {
	columns := len(matrix) / len(row)
	out := make([]float64, columns)
	for i, x := range row {
		for j := range out {
			out[j] += x * matrix[i*columns+j]
		}
	}
	return out
}

func (b *byHand) lstm(x []float64) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	gates := times(slices.Concat(x, b.h), b.of["lstm.weight"])
	h, c := make([]float64, handUnits), make([]float64, handUnits)
	for u := range handUnits {
		in, forget, out, g := gates[u], gates[handUnits+u], gates[2*handUnits+u], gates[3*handUnits+u]
		c[u] = sigmoid(in)*math.Tanh(g) + sigmoid(forget)*b.c[u]
		h[u] = sigmoid(out) * math.Tanh(c[u])
	}
	b.h, b.c = h, c
}

// choose draws from the softmax of the logits that are there, NaN stands for none.
func (b *byHand) choose(logits []float64) int {
	var sum float64
	for _, l := range logits {
		if !math.IsNaN(l) {
			sum += math.Exp(l)
		}
	}
	u, chosen := b.r.Float64(), -1
	for k, l := range logits {
		if math.IsNaN(l) {
			continue
		}
		p := math.Exp(l) / sum
		b.entropy -= p * math.Log(p)
		if chosen < 0 && u < p {
			chosen = k
			b.logP += math.Log(p)
		}
		u -= p
	}
	return chosen
}

func (b *byHand) cell(ops [][]genotype.Op, fixed float64) (cell genotype.Cell) {
	anchors := [][]float64{make([]float64, handUnits), make([]float64, handUnits)}
	var keys [][]float64
	for range 2 {
		b.lstm(b.of["start"])
		keys = append(keys, times(b.h, b.of["attention.key"]))
	}
	edge := 0 // the node's first
	for node := range b.s.Nodes {
		x := b.of["start"]
		var inputs []int
		for range 2 {
			b.lstm(x)
			query := times(b.h, b.of["attention.query"])
			var logits []float64
			for j, key := range keys {
				var score float64
				for u := range handUnits {
					score += math.Tanh(key[u]+query[u]) * b.of["attention.v"][u]
				}
				score = 1.10 * math.Tanh(score)
				if slices.Contains(inputs, j) {
					score = math.NaN()
				}
				logits = append(logits, score)
			}
			inputs = append(inputs, b.choose(logits))
			x = anchors[inputs[len(inputs)-1]]
		}
		for _, from := range inputs {
			b.lstm(x)
			logits := times(b.h, b.of["operation.weight"])
			for k, op := range b.ops {
				logits[k] = 0.44 * math.Tanh(logits[k]+b.of["operation.bias"][k])
				if op == genotype.SepConv3x3 || op == genotype.SepConv5x5 {
					logits[k] += fixed
				} else {
					logits[k] -= fixed
				}
				if !slices.Contains(ops[edge+from], op) {
					logits[k] = math.NaN()
				}
			}
			k := b.choose(logits)
			cell.Edges = append(cell.Edges, genotype.Edge{Op: b.ops[k], From: from})
			x = b.of["operation.embedding"][k*handUnits : (k+1)*handUnits]
		}
		b.lstm(x)
		anchors, keys = append(anchors, b.h), append(keys, times(b.h, b.of["attention.key"]))
		edge += node + 2
		cell.Concat = append(cell.Concat, node+2)
	}
	return cell
}

func TestControllerByHand(t *testing.T) {
	// Cells, log-probability and entropy are those of plain loops when they are drawn from large weights of mixed signs.
	torchtest.Scope(t)
	s := mixedSpace()
	c := newTestController(t, s, Options{Dtype: torch.Float64})
	torch.NoGrad(func() { c.W().MulScalar_(6) }) // far from where tanh is the identity
	of := map[string][]float64{}
	for name, w := range c.StateDict() {
		of[name] = w.Detach().Float64s()
	}
	for seed := range 20 {
		b := &byHand{s: s, ops: genotype.Without(genotype.Primitives, genotype.None), of: of, h: make([]float64, handUnits), c: make([]float64, handUnits), r: stream(seed)}
		var want genotype.Genotype
		want.Normal = b.cell(s.Normal, 0.25)
		want.Reduce = b.cell(s.Reduce, 0)

		got, logP, entropy := c.Sample(stream(seed))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if p := logP.Item(); math.Abs(p-b.logP) > 1e-10 || math.Abs(entropy-b.entropy) > 1e-10 {
			t.Errorf("log-probability %v, entropy %v, by hand %v and %v", p, entropy, b.logP, b.entropy)
		}
		if diff := cmp.Diff(want, c.Draw(stream(seed))); diff != "" {
			t.Errorf("drawn without a gradient: %s", diff)
		}
	}
}

func TestControllerStart(t *testing.T) {
	// Weights lie within 0.1 but for the biases of separable convolutions, and these are drawn more often, above all in normal cells, when nothing is learned yet.
	torchtest.Scope(t)
	c := newTestController(t, darts.FullSpace(4), Options{})
	for name, w := range c.StateDict() {
		largest := w.Abs().Amax(nil, false).Item()
		switch name {
		case "operation.bias":
			if diff := cmp.Diff([]float64{0, 0, 0, 10, 10, 0, 0}, w.Float64s()); diff != "" {
				t.Error(diff)
			}
		case "lstm.weight", "attention.key", "attention.query", "attention.v", "operation.weight", "operation.embedding", "start":
			if largest > 0.1 || largest < 0.08 {
				t.Errorf("%s reaches %v", name, largest)
			}
		}
	}
	var normal, reduce float64 // parts of edges with a separable convolution
	const draws = 200
	for i := range draws {
		g := c.Draw(stream(i))
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, of := range []struct {
			cell genotype.Cell
			part *float64
		}{{g.Normal, &normal}, {g.Reduce, &reduce}} {
			for e, edge := range of.cell.Edges {
				if slices.Contains(separable, edge.Op) {
					*of.part += 1.0 / (8 * draws)
				}
				if e%2 == 1 && edge.From == of.cell.Edges[e-1].From {
					t.Fatalf("both inputs of a node are %d", edge.From)
				}
			}
		}
	}
	// Logits are 0.44 and about 0, in normal cells 0.25 more and less.
	within := func(what string, got, logit float64) {
		p := 2 * math.Exp(logit) / (2*math.Exp(logit) + 5)
		if deviation := math.Sqrt(p * (1 - p) / (8 * draws)); math.Abs(got-p) > 4*deviation {
			t.Errorf("%s cells: %.3f separable convolutions, expected %.3f ± %.3f", what, got, p, deviation)
		}
	}
	within("normal", normal, 0.44+2*0.25)
	within("reduction", reduce, 0.44)
}

func TestControllerGradient(t *testing.T) {
	// The gradient of the log-probability is the slope of a central difference when the decisions stay as they are, for each of the weights' tensors.
	torchtest.Scope(t)
	c := newTestController(t, mixedSpace(), Options{Dtype: torch.Float64})
	torch.NoGrad(func() {
		c.W().MulScalar_(3)
		c.weights.Views(c.W())["operation.bias"].Fill_(0.3) // where tanh is not flat
	})
	g, logP, _ := c.Sample(stream(5))
	dW := torch.ZerosLike(c.W())
	c.gradient(logP, dW)
	at := func() (p float64) {
		torch.NoGrad(func() {
			same, logP, _ := c.Sample(stream(5))
			if diff := cmp.Diff(g, same); diff != "" {
				t.Fatal(diff)
			}
			p = logP.Item()
		})
		return p
	}
	for _, name := range c.weights.Names() {
		torch.Scoped(func() {
			w := c.weights.Views(c.W())[name]
			direction := torch.Randn(w.Shape(), torch.Options{Dtype: torch.Float64})
			direction.DivScalar_(direction.Norm().Item())
			want := c.weights.Views(dW)[name].Mul(direction).Sum().Item()
			const eps = 1e-5
			w.AddScaled_(direction, eps)
			plus := at()
			w.AddScaled_(direction, -2*eps)
			minus := at()
			w.AddScaled_(direction, eps)
			got := (plus - minus) / (2 * eps)
			if math.Abs(got-want) > 1e-8 || math.Abs(want) < 1e-6 {
				t.Errorf("%s: slope %v, gradient %v", name, got, want)
			}
		})
	}
}

func TestControllerLearns(t *testing.T) {
	// An operation that is rewarded comes to a probability above 0.9, from about a fifth, when rewards count it.
	torchtest.Scope(t)
	// Not the separable convolutions: their bias of 10 lies where tanh is flat, and is hardly unlearned.
	ops := []genotype.Op{genotype.MaxPool3x3, genotype.AvgPool3x3, genotype.SkipConnect, genotype.DilConv3x3, genotype.DilConv5x5}
	c := newTestController(t, darts.Everywhere(1, ops), Options{LR: 0.01, Entropy: 1e-4, Baseline: 0.99, Squash: 3})
	part := func(g genotype.Genotype) (part float64) {
		edges := slices.Concat(g.Normal.Edges, g.Reduce.Edges)
		for _, e := range edges {
			if e.Op == genotype.SkipConnect {
				part += 1 / float64(len(edges))
			}
		}
		return part
	}
	const updates, aggregate, draws = 80, 10, 200
	frequency := func(from int) (p float64) {
		for i := range draws {
			p += part(c.Draw(stream(from+i))) / draws
		}
		return p
	}
	if before := frequency(1 << 20); before > 0.25 {
		t.Fatalf("the operation has %.3f before it is rewarded", before)
	}
	for u := range updates {
		streams := make([]*rand.Rand, aggregate)
		for i := range streams {
			streams[i] = stream(u*aggregate + i)
		}
		if err := c.Update(streams, func(_ int, g genotype.Genotype) (float64, error) { return part(g), nil }); err != nil {
			t.Fatal(err)
		}
	}
	if after := frequency(2 << 20); after < 0.9 {
		t.Errorf("the operation has %.3f after %d updates, want 0.9", after, updates)
	}
	if c.Updates() != updates {
		t.Errorf("%d updates counted, want %d", c.Updates(), updates)
	}
}

func TestControllerUpdate(t *testing.T) {
	// The first update is Adam's by the mean of the draws' gradients, weighed by how far each reward is above the baseline as it stands then; one that fails changes nothing.
	torchtest.Scope(t)
	o := Options{LR: 0.0035, Entropy: 0.25, Baseline: 0.9, Dtype: torch.Float64}
	c := newTestController(t, darts.FullSpace(2), o)
	before := c.W().Clone()
	rewards := []float64{0.5, 2, -1}
	streams := func() (all []*rand.Rand) {
		for i := range rewards {
			all = append(all, stream(i))
		}
		return all
	}
	var b float64
	mean, d := torch.ZerosLike(before), torch.ZerosLike(before)
	for i, reward := range rewards {
		_, logP, entropy := c.Sample(stream(i))
		R := reward + 0.25*entropy
		b = 0.9*b + 0.1*R
		c.weights.Gradient(logP.Neg().MulScalar(R-b), d, nil)
		mean.AddScaled_(d, 1./3)
	}
	failed := errors.New("no reward")
	if err := c.Update(streams(), func(i int, _ genotype.Genotype) (float64, error) {
		if i == 2 {
			return 0, failed
		}
		return rewards[i], nil
	}); err != failed {
		t.Errorf("got error %v", err)
	}
	torchtest.Close(t, "w after a failure", c.W(), before, 0)
	if c.baseline.Item() != 0 || c.Updates() != 0 {
		t.Error("a failed update counts")
	}
	if err := c.Update(streams(), func(i int, _ genotype.Genotype) (float64, error) { return rewards[i], nil }); err != nil {
		t.Fatal(err)
	}
	// Step 1 with β1 = 0: m = g, √v = |g|·√(1 − β2), to which eps is added before the root is corrected.
	root := math.Sqrt(1 - 0.999)
	want := before.AddScaled(mean.Div(mean.Abs().MulScalar(root).AddScalar(1e-3)), -0.0035*root)
	torchtest.Close(t, "w", c.W(), want, 1e-12)
	if got := c.baseline.Item(); math.Abs(got-b) > 1e-14 {
		t.Errorf("baseline %v, want %v", got, b)
	}
}

func TestControllerMoments(t *testing.T) {
	// Adam's first moment is the gradient of only the last update, its second moment goes back further, after two updates.
	torchtest.Scope(t)
	c := newTestController(t, darts.FullSpace(1), Options{LR: 0.0035, Baseline: 0.9, Dtype: torch.Float64})
	b := 0.0
	var gradients []torch.Tensor
	for i, reward := range []float64{0.5, 2} {
		_, logP, _ := c.Sample(stream(i))
		b = 0.9*b + 0.1*reward
		g := torch.ZerosLike(c.W())
		c.weights.Gradient(logP.Neg().MulScalar(reward-b), g, nil)
		gradients = append(gradients, g)
		if err := c.Update([]*rand.Rand{stream(i)}, func(int, genotype.Genotype) (float64, error) { return reward, nil }); err != nil {
			t.Fatal(err)
		}
	}
	moments := c.adam.StateDict()
	torchtest.Close(t, "m", moments["exp_avg.0"], gradients[1], 1e-12)
	torchtest.Close(t, "v", moments["exp_avg_sq.0"], gradients[0].Square().MulScalar(0.001*0.999).AddScaled(gradients[1].Square(), 0.001), 1e-12)
}

func TestControllerState(t *testing.T) {
	// A controller goes on as another one does when it has the other's state, and refuses one that lacks something.
	torchtest.Scope(t)
	o := Options{LR: 0.0035, Entropy: 1e-4, Baseline: 0.99}
	update := func(c *Controller, from int) {
		err := c.Update([]*rand.Rand{stream(from), stream(from + 1)}, func(_ int, g genotype.Genotype) (float64, error) {
			return float64(g.Normal.Edges[0].From), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := newTestController(t, darts.FullSpace(2), o)
	update(c, 0)
	other, err := New(darts.FullSpace(2), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.LoadStateDict(c.StateDict()); err != nil {
		t.Fatal(err)
	}
	update(c, 2)
	update(other, 2)
	got, want := other.StateDict(), c.StateDict()
	for name := range want {
		torchtest.Close(t, name, got[name], want[name], 0)
	}
	for _, name := range []string{"baseline", "adam.step", "lstm.weight"} {
		sd := c.StateDict()
		delete(sd, name)
		if err := other.LoadStateDict(sd); err == nil {
			t.Errorf("no error without %s", name)
		}
	}
}

func TestControllerRefuses(t *testing.T) {
	// No controller is made when its space is none or its baseline out of range.
	torchtest.Scope(t)
	for _, test := range []struct {
		s    darts.Space
		o    Options
		want string
	}{
		{darts.Space{Nodes: 2}, Options{}, "darts: space: no operations of normal cells"},
		{darts.FullSpace(2), Options{Baseline: 1}, "darts: controller: baseline 1, want at least 0 and less than 1"},
	} {
		_, err := New(test.s, test.o)
		if fmt.Sprint(err) != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}
