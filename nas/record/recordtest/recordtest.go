// Package recordtest makes up records of runs, for tests of figures and pages.
package recordtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// Config returns the config that a text of YAML describes.
func Config(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("made-up.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Search returns the record of a complete search by DARTS whose α drifts apart over the epochs. The
// strategy darts has to be registered.
func Search(t testing.TB, dir string, seed, epochs int) *record.Run {
	t.Helper()
	c := Config(t, fmt.Sprintf("{experiment: search, strategy: {name: darts, order: 2}, data: {name: cifar10}, epochs: %d, seed: %d, "+
		"expect: {test_error: 2.76, std: 0.09, source: arXiv 1806.09055 table 1}}", epochs, seed))
	r := &record.Run{Dir: dir, Config: c, State: record.Done, Info: info()}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	drift := map[string][][]float64{} // by kind: for each edge the direction of α
	for _, kind := range []string{"normal", "reduce"} {
		for range 14 {
			direction := make([]float64, len(genotype.Primitives))
			for i := range direction {
				direction[i] = random.NormFloat64()
			}
			drift[kind] = append(drift[kind], direction)
		}
	}
	for epoch := range epochs {
		part := float64(epoch+1) / float64(epochs)
		var g genotype.Genotype
		o := &runfolder.Observation{SkipConnections: new(0), Parameters: 3_000_000 + int64(1e5*part), MultiplyAdds: 500_000_000}
		for kind := range genotype.ConvolutionalKinds {
			mix := runfolder.CellMix{Kind: kind.String(), Operations: operations()}
			edge := 0
			for node := 2; node < 6; node++ {
				for from := range node {
					e := edgeMix(node, from, drift[kind.String()][edge], 2*part, random)
					mix.Edges = append(mix.Edges, e)
					edge++
				}
			}
			*g.Cell(kind) = strongest(mix)
			o.Cells = append(o.Cells, mix)
		}
		for _, e := range g.Normal.Edges {
			if e.Op == genotype.SkipConnect {
				*o.SkipConnections++
			}
		}
		for step := 50; step < 390; step += 50 {
			at := (float64(epoch) + float64(step)/390) / float64(epochs)
			r.Steps = append(r.Steps, runfolder.Metric{Epoch: epoch, Step: step, Of: 390, TrainLoss: new(0.3 + 2*math.Exp(-3*at) + 0.03*random.NormFloat64())})
		}
		r.Epochs = append(r.Epochs, runfolder.Metric{
			Epoch: epoch, LR: new(0.001 + 0.012*(1+math.Cos(math.Pi*part))), Genotype: g.String(), Observation: o,
			TrainLoss: new(0.3 + 2*math.Exp(-3*part)), TrainAccuracy: new(0.95 - 0.7*math.Exp(-3*part)),
			ValidLoss: new(0.5 + 1.8*math.Exp(-3*part) + 0.02*random.NormFloat64()), ValidAccuracy: new(0.9 - 0.7*math.Exp(-3*part) + 0.004*random.NormFloat64()),
			GradNormW: new(2 - part), GradNormAlpha: new(0.02 + 0.05*part), Eigenvalue: new(0.2 + 0.3*part*part),
		})
		r.Timings = append(r.Timings, runfolder.Timing{Epoch: epoch, Time: 1.75e9 + 900*float64(epoch+1), Seconds: 900 * float64(epoch+1), ItemsPerSecond: 27 + random.Float64(), PeakRSSBytes: 3 << 30})
		if epoch == epochs-1 {
			r.Search = &runfolder.SearchResult{Genotype: g}
		}
	}
	return r
}

func info() *runfolder.RunInfo {
	return &runfolder.RunInfo{ID: "MADEUP", Version: "v0.0.0", Libtorch: "2.11.0", Go: "go1.26", Platform: "linux/amd64", Processor: "AMD EPYC", Device: "cpu", Threads: 2, Seed: 1}
}

func operations() (ops []string) {
	for _, op := range genotype.Primitives {
		ops = append(ops, string(op))
	}
	return ops
}

// edgeMix returns softmax(by·direction + noise).
func edgeMix(node, from int, direction []float64, by float64, random *rand.Rand) runfolder.EdgeMix {
	e := runfolder.EdgeMix{Node: node, From: from}
	sum := 0.0
	for _, d := range direction {
		p := math.Exp(by*d + 0.05*random.NormFloat64())
		e.P, sum = append(e.P, p), sum+p
	}
	for i := range e.P {
		e.P[i] /= sum
		e.Entropy -= e.P[i] * math.Log(e.P[i])
	}
	return e
}

// strongest derives a cell: for each node the two edges with the largest share of an operation.
func strongest(mix runfolder.CellMix) (c genotype.Cell) {
	for node := 2; node < 6; node++ {
		var into []runfolder.EdgeMix
		for _, e := range mix.Edges {
			if e.Node == node {
				into = append(into, e)
			}
		}
		best := func(e runfolder.EdgeMix) (at int) {
			for i, p := range e.P {
				if i > 0 && (at == 0 || p > e.P[at]) {
					at = i
				}
			}
			return at
		}
		slices.SortStableFunc(into, func(a, b runfolder.EdgeMix) int {
			if a.P[best(a)] > b.P[best(b)] {
				return -1
			}
			return 1
		})
		for _, e := range into[:2] {
			c.Edges = append(c.Edges, genotype.Edge{Op: genotype.Primitives[best(e)], From: e.From})
		}
		c.Concat = append(c.Concat, node)
	}
	return c
}

// Training returns the record of a complete training of the cell g.
func Training(t testing.TB, dir string, g genotype.Genotype, seed int, testError float64) *record.Run {
	t.Helper()
	const epochs = 30
	c := Config(t, fmt.Sprintf("{experiment: train, data: {name: cifar10}, network: {auxiliary: true}, epochs: %d, seed: %d, genotype: %q}", epochs, seed, g.String()))
	r := &record.Run{Dir: dir, Config: c, State: record.Done, Info: info()}
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	parameters := 0 // of the cell
	for _, e := range g.Normal.Edges {
		parameters += 100_000 * (1 + len(e.Op)%3)
	}
	for epoch := range epochs {
		part := float64(epoch+1) / epochs
		accuracy := 1 - testError/100 - 0.6*math.Exp(-5*part) + 0.004*(1-part)*random.NormFloat64()
		r.Epochs = append(r.Epochs, runfolder.Metric{Epoch: epoch, LR: new(0.0125 * (1 + math.Cos(math.Pi*part))), TrainLoss: new(0.1 + 2*math.Exp(-4*part)),
			TrainAccuracy: new(0.99 - 0.6*math.Exp(-5*part)), TestLoss: new(0.2 + 1.8*math.Exp(-4*part)), TestAccuracy: &accuracy})
		r.Timings = append(r.Timings, runfolder.Timing{Epoch: epoch, Time: 1.75e9 + 600*float64(epoch+1), Seconds: 600 * float64(epoch+1), ItemsPerSecond: 80})
	}
	r.Train = &runfolder.TrainResult{Genotype: g, Tested: &runfolder.Tested{TestError: testError, TestLoss: 0.2}, Parameters: 2_000_000 + parameters}
	return r
}

// Several returns a search by each of three seeds, and three trainings of each found cell.
func Several(t testing.TB) (runs []*record.Run) {
	t.Helper()
	for seed := 1; seed <= 3; seed++ {
		search := Search(t, fmt.Sprintf("runs/set/darts-%d/search", seed), seed, 20)
		runs = append(runs, search)
		for training := range 3 {
			r := Training(t, fmt.Sprintf("runs/set/darts-%d/train-%d", seed, training), search.Search.Genotype, training,
				2.5+0.3*float64(seed)+0.1*float64(training))
			search.Epochs[len(search.Epochs)-1].Parameters = int64(r.Train.Parameters) // what the search counts is trained
			runs = append(runs, r)
		}
	}
	return runs
}
