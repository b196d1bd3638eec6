package darts

import (
	"errors"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestChoices(t *testing.T) {
	// The first of the lowest accuracies is chosen when some are equal.
	for _, test := range []struct {
		accuracies []float64
		want       int
	}{
		{[]float64{0.5}, 0},
		{[]float64{0.5, 0.2, 0.9, 0.2, 0.9, 0.3}, 1},
		{[]float64{0, 0, 0}, 0},
	} {
		got, err := lowest(len(test.accuracies), func(i int) (float64, error) { return test.accuracies[i], nil })
		if err != nil || got != test.want {
			t.Errorf("%v: lowest %d, want %d", test.accuracies, got, test.want)
		}
	}
}

func TestDecideNode(t *testing.T) {
	// A node of four edges keeps the two whose removal leaves the least accuracy, the first of equal ones, and each is measured once with the others in place.
	torchtest.Scope(t)
	for _, test := range []struct {
		without []float64
		want    []int // edges kept, of the last node's
	}{
		{[]float64{0.3, 0.1, 0.4, 0.2}, []int{1, 3}},
		{[]float64{0.1, 0.1, 0.1, 0.1}, []int{0, 1}},
		{[]float64{0.9, 0.2, 0.5, 0.5}, []int{1, 2}},
	} {
		net, err := NewPlain(Options{Channels: 2, Layers: 3, Nodes: 3, Classes: 4, InputChannels: 1, StemMultiplier: 1})
		if err != nil {
			t.Fatal(err)
		}
		p := NewPerturbationSupernet(net)
		var asked []int
		err = p.DecideNode(1, 2, func() (float64, error) {
			if got := len(p.edges(1, 2)); got != 4 {
				t.Errorf("%d edges are there, want 4", got)
			}
			i := p.removed.edge - FirstEdge(2)
			asked = append(asked, i)
			return test.without[i], nil
		})
		if err != nil || !slices.Equal(asked, []int{0, 1, 2, 3}) {
			t.Errorf("measured without %v, error %v", asked, err)
		}
		var kept []int
		for _, e := range p.edges(1, 2) {
			kept = append(kept, e-FirstEdge(2))
		}
		if !slices.Equal(kept, test.want) || len(p.edges(0, 2)) != 4 {
			t.Errorf("%v: kept %v, want %v", test.without, kept, test.want)
		}
	}
}

// projectable is a PerturbationSupernet of 2 nodes and three operations in float64, and images.
func projectable(t *testing.T) (*PerturbationSupernet, nn.Batch) {
	net, b := smallNetwork(t, 2, slices.Repeat([][]genotype.Op{{genotype.None, genotype.MaxPool3x3, genotype.SkipConnect}}, Edges(2)))
	return NewPerturbationSupernet(net), b
}

func TestDecisions(t *testing.T) {
	// An edge keeps the operation whose removal hurts most, and a node loses the edges whose removal hurts least, when accuracies are made up.
	torchtest.Scope(t)
	p, _ := projectable(t)
	var asked []entry
	hurt := map[entry]float64{ // what the accuracy of 1 loses without
		{true, 1, 3, 0}: 0.1, {true, 1, 3, 1}: 0.4, {true, 1, 3, 2}: 0.3,
		{true, 1, 2, Deleted}: 0.2, {true, 1, 3, Deleted}: 0.1, {true, 1, 4, Deleted}: 0.5,
	}
	accuracy := func() (float64, error) {
		asked = append(asked, p.removed)
		return 1 - hurt[p.removed], nil
	}
	if err := p.DecideOperation(1, 3, accuracy); err != nil {
		t.Fatal(err)
	}
	if want := []entry{{true, 1, 3, 0}, {true, 1, 3, 1}, {true, 1, 3, 2}}; !slices.Equal(asked, want) {
		t.Errorf("measured without %v, want %v", asked, want)
	}
	if want := []int{-1, -1, -1, 1, -1}; !slices.Equal(p.rows[1], want) || !slices.Equal(p.Undecided(1), []int{0, 1, 2, 4}) || len(p.Undecided(0)) != 5 {
		t.Errorf("decided %v, want %v in reduction cells alone", p.rows, want)
	}
	if got := p.Open(1); !slices.Equal(got, []int{1}) {
		t.Errorf("open nodes %v, want the second", got)
	}
	asked = nil
	if err := p.DecideNode(1, 1, accuracy); err != nil {
		t.Fatal(err)
	}
	if want := []int{-1, -1, -1, Deleted, -1}; !slices.Equal(p.rows[1], want) || len(p.Open(1)) != 0 || len(p.Open(0)) != 1 || len(asked) != 3 {
		t.Errorf("decided %v after %v, want %v in reduction cells alone", p.rows, asked, want)
	}
	if p.removed != (entry{}) {
		t.Errorf("without %v afterwards", p.removed)
	}
}

func TestFailedDecisions(t *testing.T) {
	// Nothing is decided when a measurement fails.
	torchtest.Scope(t)
	torch.ManualSeed(1)
	net, err := NewPlain(Options{Channels: 2, Layers: 3, Nodes: 3, Classes: 4, InputChannels: 1, StemMultiplier: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPerturbationSupernet(net)
	failure := errors.New("no")
	failing := func(after int) func() (float64, error) {
		return func() (float64, error) {
			after--
			if after < 0 {
				return 0, failure
			}
			return 0, nil
		}
	}
	if err := p.DecideOperation(0, 1, failing(7)); err != failure {
		t.Errorf("operation: error %v", err)
	}
	if err := p.DecideNode(0, 2, failing(3)); err != failure {
		t.Errorf("node: error %v", err)
	}
	if len(p.Undecided(0)) != Edges(3) {
		t.Errorf("decided: %v", p.rows[0])
	}
}

func TestProjectedPasses(t *testing.T) {
	// Passes equal the plain form's when nothing is decided. A decided edge acts as one whose alpha leaves only its operation, and its row has no gradient.
	torchtest.Scope(t)
	p, b := projectable(t)
	need := Need{W: true, Alphas: true, FreezeStatistics: true}
	same := func(what string, tolerance float64) {
		t.Helper()
		got, want := p.Gradients(p.W(), b, need), p.Plain.Gradients(p.W(), b, need)
		torchtest.Close(t, what+": loss", got.Loss, want.Loss, tolerance)
		torchtest.Close(t, what+": gradient of w", got.W, want.W, tolerance)
		for kind, dAlpha := range got.Alphas {
			torchtest.Close(t, what+": gradient of alpha", dAlpha, want.Alphas[kind], tolerance)
		}
		torchtest.Close(t, what+": evaluation", p.Eval(b).Logits, p.Plain.Eval(b).Logits, tolerance)
		torchtest.Close(t, what+": measurement", p.Measure(b).Logits, want.Logits, tolerance)
		direction := torch.Ones(p.W().Shape(), p.W().Options())
		torchtest.Close(t, what+": Hessian", p.HessianVectorProduct(direction, b)[0], p.Plain.HessianVectorProduct(direction, b)[0], tolerance)
	}
	same("undecided", 0)
	p.rows[0][0], p.rows[0][3], p.rows[1][1], p.rows[1][4] = 2, Deleted, 1, 0
	// Entries far above the others are all of the softmax; "none" adds what a deleted edge does.
	for _, at := range [][3]int{{0, 0, 2}, {0, 3, 0}, {1, 1, 1}, {1, 4, 0}} {
		torch.NoGrad(func() { p.Alphas()[at[0]].Select(0, at[1]).Select(0, at[2]).Fill_(100) })
	}
	same("decided", 1e-12)
	g := p.Gradients(p.W(), b, need)
	for _, at := range [][2]int{{0, 0}, {0, 3}, {1, 1}, {1, 4}} {
		if n := g.Alphas[at[0]].Select(0, at[1]).Norm().Item(); n != 0 {
			t.Errorf("a gradient of %g at the decided edge %v", n, at)
		}
	}
}

func TestRemoval(t *testing.T) {
	// A measurement without an operation weighs it with 0 and the others as before, and changes no tensor of the network.
	torchtest.Scope(t)
	p, b := projectable(t)
	before := torch.StateDict{}
	for name, x := range p.StateDict() {
		before[name] = x.Detach().Clone()
	}
	a := p.Architecture(genotype.Normal)
	mask := torch.Ones(a.Alpha.Shape(), p.W().Options())
	mask.Select(0, 2).Select(0, 1).Zero_()
	want := p.gradients(p.W(), b, Need{FreezeStatistics: true}, func() mixtures {
		mix := p.mixed()
		mix.of[genotype.Normal] = a.numbers(a.Mix().Mul(mask))
		return mix
	})
	p.removed = entry{true, 0, 2, 1}
	out := p.Measure(b)
	p.removed = entry{}
	torchtest.Close(t, "logits", out.Logits, want.Logits, 1e-14)
	if p.Measure(b).Logits.Sub(out.Logits).Norm().Item() == 0 {
		t.Error("the removal changes nothing")
	}
	for name, x := range p.StateDict() {
		torchtest.Close(t, name, x, before[name], 0)
	}
}

func TestProjectedGenotype(t *testing.T) {
	// The cells have the decided operations on the kept edges, and where that is "none" the operation that alpha prefers.
	torchtest.Scope(t)
	p, _ := projectable(t)
	if got, want := p.Genotype().String(), p.Plain.Genotype().String(); got != want {
		t.Errorf("undecided: %s, want %s", got, want)
	}
	torch.NoGrad(func() {
		p.Architecture(genotype.Normal).Alpha.Copy_(table([][]float32{{0, 2, 1}, {9, 0, 1}, {0, 5, 0}, {0, 5, 0}, {0, 0, 9}}))
	})
	p.rows[0] = []int{2, 0, 1, Deleted, 1}
	const pool, skip = genotype.MaxPool3x3, genotype.SkipConnect
	want := []genotype.Edge{{Op: skip, From: 0}, {Op: skip, From: 1}, {Op: pool, From: 0}, {Op: pool, From: 2}}
	if got := p.Genotype().Normal.Edges; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRows(t *testing.T) {
	// Saved rows load as they were, and are refused when they stand for no decisions.
	torchtest.Scope(t)
	p, _ := projectable(t)
	p.rows[0][3], p.rows[1][4] = Deleted, 2
	other, _ := projectable(t)
	if err := other.SetRows(p.Rows()); err != nil || !slices.Equal(other.rows[0], p.rows[0]) || !slices.Equal(other.rows[1], p.rows[1]) {
		t.Errorf("got %v, error %v, want %v", other.rows, err, p.rows)
	}
	for name, bad := range map[string]torch.Tensor{
		"shape":             torch.FromSlice(make([]int64, 8), 2, 4),
		"no such operation": p.Rows().AddScalar(1),
		"below deleted":     p.Rows().AddScalar(-1),
	} {
		if err := other.SetRows(bad); err == nil || !slices.Equal(other.rows[1], p.rows[1]) {
			t.Errorf("%s: error %v, decisions %v", name, err, other.rows)
		}
	}
}
