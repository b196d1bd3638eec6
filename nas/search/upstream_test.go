package search

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// These tests let the strategies take the steps that the authors' programs took, from
// recordings of whole runs of them: testdata/README.md says how those were made. A
// strategy runs its own Search with the config of its paper at the recorded sizes. Its
// feed alone is another: it brings the recorded images.

// upstream is a recording.
type upstream struct {
	t testing.TB
	*safetensors.File
}

// float64s is the type in which the authors' programs were run.
var float64s = torch.Options{Dtype: torch.Float64}

// eachUpstream runs a test, in a scope of its own, on every recording of a form.
func eachUpstream(t *testing.T, pattern string, test func(r upstream)) {
	t.Helper()
	for _, path := range torchtest.Upstream(t, pattern) {
		t.Run(torchtest.UpstreamName(path), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
			torch.SetThreads(1)
			test(upstream{t, torchtest.Golden(t, path)})
		})
	}
}

// requireUpstream skips a test of recordings that testdata has none of.
func requireUpstream(t *testing.T) {
	t.Helper()
	if os.Getenv("GODARTS_UPSTREAM") == "" {
		t.Skip("its recordings are kept apart: GODARTS_UPSTREAM names their folder")
	}
}

func (r upstream) has(name string) bool {
	_, _, err := r.Info(name)
	return err == nil
}

func (r upstream) tensor(name string) torch.Tensor {
	r.t.Helper()
	x, err := r.Load(name, float64s)
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

// numbers are the elements of a recorded tensor, none if there is no such one.
func (r upstream) numbers(name string) (all []float64) {
	r.t.Helper()
	if !r.has(name) {
		return nil
	}
	torch.Scoped(func() { all = r.tensor(name).Float64s() })
	return all
}

// state are the tensors under a prefix, without it.
func (r upstream) state(prefix string) torch.StateDict {
	r.t.Helper()
	sd := torch.StateDict{}
	for _, name := range r.Names() {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			sd[short] = r.tensor(name)
		}
	}
	if len(sd) == 0 {
		r.t.Fatalf("the recording has no %s*", prefix)
	}
	return sd
}

// batch are the images and labels under a name, none if there are none.
func (r upstream) batch(name string) (b nn.Batch) {
	r.t.Helper()
	if !r.has(name + "_target") {
		return b
	}
	y, err := r.Load(name+"_target", torch.Options{Dtype: torch.Int64})
	if err != nil {
		r.t.Fatal(err)
	}
	return nn.Batch{X: r.tensor(name + "_input").ChannelsLast(), Y: y}
}

// meta is an entry of the metadata, empty if it is missing.
func (r upstream) meta(key string) string { return r.Metadata()[key] }

// whole is a number of the metadata.
func (r upstream) whole(key string) int {
	r.t.Helper()
	n, err := strconv.Atoi(r.meta(key))
	if err != nil {
		r.t.Fatalf("metadata %s: %v", key, err)
	}
	return n
}

// decode reads an entry of the metadata in JSON.
func (r upstream) decode(key string, to any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.meta(key)), to); err != nil {
		r.t.Fatalf("metadata %s: %v", key, err)
	}
}

// compare compares a tensor with the recorded one of that name.
func (r upstream) compare(name string, got torch.Tensor) {
	r.t.Helper()
	tolerance := torchtest.Float64
	stored, _, err := r.Info(name)
	if err != nil {
		r.t.Fatal(err)
	}
	if stored == torch.Float32 {
		tolerance = torchtest.StoredFloat32
	}
	torch.Scoped(func() { torchtest.Close(r.t, name, got.Detach(), r.tensor(name), tolerance) })
}

// compareNumbers compares numbers with those of the recorded tensor of that name, or with
// its first ones if the replay has not come to its end.
func (r upstream) compareNumbers(name string, got []float64, whole bool) {
	r.t.Helper()
	want := r.numbers(name)
	if len(got) != len(want) && (whole || len(got) > len(want)) {
		r.t.Errorf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !(math.Abs(got[i]-want[i]) <= torchtest.Float64*math.Abs(want[i])) {
			r.t.Errorf("%s[%d]: got %.17g, want %.17g", name, i, got[i], want[i])
			return
		}
	}
}

// compareState compares the recorded entries under a prefix with those of sd.
func (r upstream) compareState(prefix string, sd torch.StateDict) {
	r.t.Helper()
	seen := 0
	for _, name := range r.Names() {
		short, ok := strings.CutPrefix(name, prefix)
		if !ok || short == "eval_logits" {
			continue
		}
		seen++
		got, ok := sd[short]
		if !ok {
			r.t.Errorf("the network has no %s", short)
			continue
		}
		r.compare(name, got)
	}
	if seen == 0 {
		r.t.Errorf("the recording has no %s*", prefix)
	}
}

// config is that of a paper at the recorded sizes.
func (r upstream) config(file string, set ...string) *config.Config {
	r.t.Helper()
	c, err := config.Load("../../configs/"+file, append([]string{
		"network.dtype=float64", "network.channels=" + r.meta("C"), "data.batch=" + r.meta("batch"),
	}, set...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// run is a run of c without a folder, whose feed brings what was recorded. Its tensors
// belong to the test's scope.
func (r upstream) run(c *config.Config, perEpoch int) (*nas.Run, *recordedFeed) {
	f := &recordedFeed{upstream: r, perEpoch: perEpoch}
	for i := 0; r.has(fmt.Sprintf("measure%d.target", i)); i++ {
		name := fmt.Sprintf("measure%d.", i)
		y, err := r.Load(name+"target", torch.Options{Dtype: torch.Int64})
		if err != nil {
			r.t.Fatal(err)
		}
		f.measured = append(f.measured, nn.Batch{X: r.tensor(name + "input").ChannelsLast(), Y: y})
	}
	shape := r.tensor("step0.train_input").Shape()
	sizes := &data.Images{N: shape[0] * perEpoch, Channels: shape[1], Height: shape[2], Width: shape[3], Classes: 10}
	f.Feed = &images.Feed{Set: &data.Set{Train: sizes, Test: sizes}}
	run := &nas.Run{Config: c, Feed: f}
	run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
		f.lr = append(f.lr, s.LR)
		return nil
	}})
	return run, f
}

// recordedFeed brings the recorded batches, and notes what is measured.
type recordedFeed struct {
	upstream
	*images.Feed           // its images have sizes, but no pixels
	perEpoch     int       // steps
	begin        func(int) // called before an epoch's first step, if not nil
	most         int       // steps to replay; 0 is all that are recorded
	cut          func()    // ends the search once those are replayed
	ended        bool      // the search has come to its own end
	measured     []nn.Batch
	lr           []float64   // of the steps
	losses       [][]float64 // of each pass over what is measured
	right        []float64   // part of it that was classified right
}

var _ images.Source = (*recordedFeed)(nil)

func (f *recordedFeed) Steps(nas.Position) int { return f.perEpoch }

func (f *recordedFeed) Size() (n int, what string) { return f.perEpoch, "batch" }

func (f *recordedFeed) Batches(_ context.Context, at nas.Position) iter.Seq2[int, nas.Batch] {
	if f.begin != nil {
		f.begin(at.Epoch)
	}
	return func(yield func(int, nas.Batch) bool) {
		for i := range f.perEpoch {
			step := at.Epoch*f.perEpoch + i
			if f.most > 0 && step == f.most || !f.has(fmt.Sprintf("step%d.train_input", step)) {
				f.cut()
				return
			}
			if !yield(i, recordedStep{f, step}) {
				return
			}
		}
	}
}

func (f *recordedFeed) Measured() string { return "validation" }

func (f *recordedFeed) Validate(_ context.Context, _ int, forward func(nn.Batch) nn.Output) (m nas.Meter, _ error) {
	var losses []float64
	for _, b := range f.measured {
		torch.Scoped(func() {
			out := forward(b)
			loss, correct := nas.Measure(out.Loss, out.Logits, b.Y)
			losses = append(losses, loss)
			m.Add(loss, correct, b.X.Size(0))
		})
	}
	f.losses, f.right = append(f.losses, losses), append(f.right, m.Accuracy())
	return m, nil
}

// recordedStep are the images of one step.
type recordedStep struct {
	*recordedFeed
	step int
}

func (recordedStep) Err() error { return nil }

func (recordedStep) Take() bool { return true }

// Fill implements Batch. The random numbers of a step begin with the recorded seed.
func (l recordedStep) Fill(s *nas.Step) {
	s.Train, s.Valid = l.batch(fmt.Sprintf("step%d.train", l.step)), l.batch(fmt.Sprintf("step%d.valid", l.step))
	s.Count = s.Train.X.Size(0)
	if l.meta("seed_base") != "" {
		torch.ManualSeed(uint64(l.whole("seed_base") + l.step))
	}
}

// pass is what a supernet gave for one call of Gradients.
type pass struct {
	loss, w, alphas float64 // the norms of both gradients, 0 where they were not needed
	logits          []float64
}

// spy notes the passes of a supernet.
type spy struct {
	darts.Supernet
	passes *[]pass
}

func (s spy) Gradients(w torch.Tensor, b nn.Batch, need darts.Need) darts.Result {
	return noted(s.passes, s.Supernet.Gradients(w, b, need))
}

func noted(passes *[]pass, g darts.Result) darts.Result {
	p := pass{loss: g.Loss.Item()}
	if g.W.Defined() {
		p.w = g.W.Norm().Item()
	}
	for _, dAlpha := range g.Alphas {
		p.alphas = math.Hypot(p.alphas, dAlpha.Norm().Item())
	}
	if g.Logits.Defined() {
		p.logits = g.Logits.Float64s()
	}
	*passes = append(*passes, p)
	return g
}

// lossesOf are those of passes.
func lossesOf(passes []pass) (losses []float64) {
	for _, p := range passes {
		losses = append(losses, p.loss)
	}
	return losses
}

// alphaWatch compares α, and the gradients that Adam was given, with the recorded ones.
// The gradients are those that take Adam's first moment from its last value to this one.
type alphaWatch struct {
	upstream
	adam     *optim.Adam
	alphas   []torch.Tensor
	before   []torch.Tensor // α before the step
	momentum []torch.Tensor // Adam's first moment then
}

// watch begins to watch α. What it keeps belongs to the present scope.
func (r upstream) watch(adam *optim.Adam, alphas []torch.Tensor) *alphaWatch {
	a := &alphaWatch{upstream: r, adam: adam, alphas: alphas}
	for i, alpha := range alphas {
		a.before, a.momentum = append(a.before, alpha.Detach().Clone()), append(a.momentum, a.moment(i).Clone())
	}
	return a
}

func (a *alphaWatch) moment(i int) torch.Tensor {
	return a.adam.StateDict()["exp_avg."+strconv.Itoa(i)]
}

// namesOfTables are those of Alphas in a recording.
var namesOfTables = []string{"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce"}

// step compares after a step, rows of tables where keep is not nil and says so, and the
// others not at all. It returns whether α has moved; a step that has no recorded α must
// not move it.
func (a *alphaWatch) step(step int, keep func(table, row int) bool) {
	a.t.Helper()
	o := a.adam.Options()
	for i, alpha := range a.alphas {
		torch.NoGrad(func() {
			name := fmt.Sprintf("step%d.", step)
			if recorded := name + namesOfTables[i]; !a.has(recorded) {
				torchtest.Close(a.t, fmt.Sprintf("%s in step %d, before it moves", namesOfTables[i], step), alpha.Detach(), a.before[i], 0)
			} else {
				d := a.moment(i).AddScaled(a.momentum[i], -o.Betas[0]).DivScalar_(1-o.Betas[0]).AddScaled(a.before[i], -o.WeightDecay)
				a.compareRows(name+"grad_"+namesOfTables[i], d, i, keep)
				a.compareRows(recorded, alpha.Detach(), i, keep)
			}
			a.before[i].Copy_(alpha)
			a.momentum[i].Copy_(a.moment(i))
		})
	}
}

func (a *alphaWatch) compareRows(name string, got torch.Tensor, table int, keep func(table, row int) bool) {
	a.t.Helper()
	if keep == nil {
		a.compare(name, got)
		return
	}
	for row := range got.Size(0) {
		if keep(table, row) {
			torchtest.Close(a.t, fmt.Sprintf("%s, row %d", name, row), got.Select(0, row), a.tensor(name).Select(0, row), torchtest.Float64)
		}
	}
}

// Count implements nas.Counter: a recording has no config.
func (f *recordedFeed) Count(genotype.Genotype) (parameters, multiplyAdds int64) { return 0, 0 }

// search lets a strategy run, to the end of what is recorded or with -short for so many
// steps, and gives the cells it found if it came to its end.
func (f *recordedFeed) search(run *nas.Run, s nas.Strategy, brief int) string {
	f.t.Helper()
	if testing.Short() {
		f.most = brief
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	f.cut = cancel
	g, err := s.Search(ctx, run)
	if f.ended = ctx.Err() == nil; f.ended && err != nil || !f.ended && len(f.lr) == 0 {
		f.t.Fatalf("after %d steps: %v", len(f.lr), err)
	}
	return g.String()
}

// numbersAre is compareNumbers of what the search has come to.
func (f *recordedFeed) numbersAre(name string, got []float64) {
	f.t.Helper()
	f.compareNumbers(name, got, f.ended)
}

// flat joins lists.
func flat(lists [][]float64) []float64 { return slices.Concat(lists...) }
