package prune_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/onnx"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// trained is a training of two epochs on digits, of a network with some channels to cut.
func trained(t *testing.T, items ...string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	c := fixture.LoadTiny(t, "tiny-train.yaml", append([]string{"network.channels=6"}, items...)...)
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start writes the weights that p begins with beside its run folder.
func start(t *testing.T, p prune.Pruned) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pruned.safetensors")
	if err := os.WriteFile(file, p.Weights, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Config.Pruned.Weights = file
	return p.Config
}

func TestPrune(t *testing.T) {
	// A pruned network has at most the share of multiply-adds, is trained on from the recipe's schedule, and its run tests, exports and classifies.
	from := trained(t)
	for _, by := range []string{prune.Scale, prune.Taylor} {
		t.Run(by, func(t *testing.T) {
			p, err := prune.Network(t.Context(), from, prune.Options{By: by, Share: 0.6})
			if err != nil {
				t.Fatal(err)
			}
			most := 0.6 * float64(p.Before.MultiplyAdds)
			if got := float64(p.After.MultiplyAdds); got > most || got < 0.97*most {
				t.Errorf("%v multiply-adds are left, want %v or a little less", got, most)
			}
			if p.After.Parameters >= p.Before.Parameters || p.After.Bytes >= p.Before.Bytes {
				t.Errorf("%+v is no smaller than %+v", p.After, p.Before)
			}
			if got := p.Config.Pruned.Epoch; got != 1 || p.Config.Epochs != 2 {
				t.Errorf("training goes on from epoch %d of %d, want 1 of 2", got, p.Config.Epochs)
			}
			dir := filepath.Join(t.TempDir(), "run")
			result, err := train.Run(t.Context(), dir, start(t, p), nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if int64(result.Parameters) != p.After.Parameters {
				t.Errorf("the run has %d parameters, want %d", result.Parameters, p.After.Parameters)
			}
			metrics := string(fixture.Content(t, dir, runfolder.MetricsFile))
			if strings.Contains(metrics, `"epoch":0,`) || !strings.Contains(metrics, `"epoch":1,`) {
				t.Errorf("want metrics of the second epoch alone, got\n%s", metrics)
			}
			serves(t, dir, result)
		})
	}
}

func TestIncomplete(t *testing.T) {
	// The training of a pruned network is tested from its checkpoint before it is complete, and ends as one that was not interrupted.
	p, err := prune.Network(t.Context(), trained(t), prune.Options{By: prune.Scale, Share: 0.6, Epochs: 2})
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, p)
	dir := nastest.StopAfter(t, c)
	tested, err := train.Test(t.Context(), dir, torch.CPU)
	if err != nil || int64(tested.Parameters) != p.After.Parameters || len(tested.Notes) == 0 {
		t.Errorf("%+v, %v, want %d parameters and a note", tested, err, p.After.Parameters)
	}
	if err := os.Remove(c.Pruned.Weights); err != nil { // the folder has a copy
		t.Fatal(err)
	}
	resumed, err := train.Run(t.Context(), dir, c, nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "whole"), start(t, p), nas.Settings{})
	if err != nil || whole.TestLoss != resumed.TestLoss {
		t.Errorf("losses %v and %v, %v", whole.TestLoss, resumed.TestLoss, err)
	}
}

// serves tests, exports, and loads the run in dir.
func serves(t *testing.T, dir string, result runfolder.TrainResult) {
	t.Helper()
	exported := filepath.Join(t.TempDir(), "exported")
	if _, err := model.Export(dir, exported, false); err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{dir, exported} {
		tested, err := train.Test(t.Context(), of, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		if tested.TestError != result.TestError || tested.Parameters != result.Parameters {
			t.Errorf("%s: error %v of %d parameters, the run's are %v and %d", of, tested.TestError, tested.Parameters, result.TestError, result.Parameters)
		}
		torchtest.Scope(t)
		if _, err := model.LoadModel(of, torch.CPU); err != nil {
			t.Error(err)
		}
	}
	weights := filepath.Join(exported, runfolder.WeightsFile)
	c := config.Defaults(config.Train) // knows neither sizes nor widths
	c.Data.Name, c.Genotype = "digits", result.Genotype.String()
	tested, err := train.TestWeights(t.Context(), c, nil, weights, torch.CPU)
	if err != nil || tested.TestError != result.TestError {
		t.Errorf("the weights alone: error %v, %v, the run's is %v", tested.TestError, err, result.TestError)
	}
}

func TestScaleChooses(t *testing.T) {
	// By scale the channels go whose batch norms have the smallest factors, wherever they are.
	from := trained(t)
	file := filepath.Join(from, runfolder.WeightsFile)
	about, err := model.Described(file)
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	o := about.NetworkOptions(torch.Options{})
	net, err := cells.NewNetwork(about.Genotype, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.LoadWeights(net, file); err != nil {
		t.Fatal(err)
	}
	sd := net.StateDict()
	groups := o.Groups(about.Genotype)
	torch.NoGrad(func() {
		for i, g := range groups { // the first channel of every third group matters little
			for _, norm := range g.Norms {
				sd[norm+".weight"].Fill_(1)
				if i%3 == 0 {
					sd[norm+".weight"].Narrow(0, 0, 1).Fill_(0.001)
				}
			}
		}
	})
	write(t, file, sd, about)
	keep := make([][]bool, len(groups))
	for i, g := range groups {
		keep[i] = slices.Repeat([]bool{true}, g.Size())
		keep[i][0] = i%3 != 0
	}
	want := o.Left(about.Genotype, keep)
	o.Widths = &want
	_, left := o.Count(about.Genotype)
	o.Widths = nil
	_, whole := o.Count(about.Genotype)
	p, err := prune.Network(t.Context(), from, prune.Options{By: prune.Scale, Share: (float64(left) + 0.5) / float64(whole)})
	if err != nil {
		t.Fatal(err)
	}
	if p.Config.Pruned.Widths != want.String() {
		t.Errorf("left are %s, want %s", p.Config.Pruned.Widths, want)
	}
}

// write puts weights in place of those of a run.
func write(t *testing.T, file string, sd torch.StateDict, about model.Description) {
	t.Helper()
	content, err := model.EncodeWeights(sd, about)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMagnitude(t *testing.T) {
	// By magnitude the smallest weights are 0, and stay so while the others are trained; the network keeps its size.
	from := trained(t)
	p, err := prune.Network(t.Context(), from, prune.Options{By: prune.Magnitude, Share: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if p.Config.Pruned.Widths != "" || !p.Config.Pruned.Mask {
		t.Errorf("%+v, want a mask and all channels", p.Config.Pruned)
	}
	if share := float64(p.After.MultiplyAdds) / float64(p.Before.MultiplyAdds); math.Abs(share-0.5) > 0.01 {
		t.Errorf("a share of %v of the multiply-adds is not by 0, want 0.5", share)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), dir, start(t, p), nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	zeros, moved := 0, 0
	before, after, ended := all(t, filepath.Join(from, runfolder.WeightsFile)), all(t, filepath.Join(dir, runfolder.StartFile)), all(t, filepath.Join(dir, runfolder.WeightsFile))
	for name, t0 := range before {
		if t0.Dim() < 2 {
			continue
		}
		largest, smallest := 0.0, math.Inf(1) // that is 0 now, and that is not
		now, end := after[name].Float64s(), ended[name].Float64s()
		for i, v := range t0.Float64s() {
			switch {
			case now[i] == 0:
				zeros++
				largest = max(largest, math.Abs(v))
				if end[i] != 0 {
					t.Fatalf("%s has %v where there was 0", name, end[i])
				}
			default:
				smallest = min(smallest, math.Abs(v))
				if now[i] != end[i] {
					moved++
				}
			}
		}
		if largest > smallest {
			t.Errorf("%s: a weight of %v went, one of %v stayed", name, largest, smallest)
		}
	}
	if got := p.Before.Parameters - p.After.Parameters; int64(zeros) != got || moved == 0 {
		t.Errorf("%d weights are 0, want %d; %d others moved", zeros, got, moved)
	}
}

func all(t *testing.T, file string) torch.StateDict {
	t.Helper()
	st, err := safetensors.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	sd, err := st.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

func TestRefused(t *testing.T) {
	// What cannot be pruned is refused with one line that says what was wanted.
	from := nastest.TrainedRun(t)
	search := nastest.StopAfter(t, fixture.Tiny(t))
	text := filepath.Join(t.TempDir(), "text")
	if _, err := train.Run(t.Context(), text, fixture.LoadTiny(t, "tiny-text-train.yaml"), nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	broken := trained(t)
	file := filepath.Join(broken, runfolder.WeightsFile)
	about, err := model.Described(file)
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	sd := all(t, file)
	sd["classifier.bias"].Fill_(math.NaN())
	write(t, file, sd, about)
	for _, test := range []struct {
		dir  string
		o    prune.Options
		want string
	}{
		{from, prune.Options{By: prune.Scale, Share: 1}, "nas: prune: 100 % of the multiply-adds, want more than 0 and less than 100"},
		{from, prune.Options{By: prune.Scale, Share: math.NaN()}, "nas: prune: NaN % of the multiply-adds, want more than 0 and less than 100"},
		{from, prune.Options{By: prune.Scale, Share: 0.001}, "nas: prune: 0.1 % of the multiply-adds cannot be reached: the least of this network is "},
		{from, prune.Options{By: "size", Share: 0.5}, `nas: prune: by "size", want scale, taylor, magnitude`},
		{from, prune.Options{By: prune.Scale, Share: 0.5, Epochs: 3}, "nas: prune: 3 epochs, want 1 to 2, which the network was trained for"},
		{search, prune.Options{By: prune.Scale, Share: 0.5}, "is a search, which has no trained network: train its cell with `darts train CONFIG --genotype "},
		{text, prune.Options{By: prune.Scale, Share: 0.5}, "is of a language model, which has no filters: want a network of images"},
		{broken, prune.Options{By: prune.Scale, Share: 0.5}, `"classifier.bias" is not finite: the network says nothing of what matters`},
	} {
		_, err := prune.Network(t.Context(), test.dir, test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want %s", test.o, err, test.want)
		}
	}
}

func TestPrunedInIntegers(t *testing.T) {
	// A pruned network computes in integers as any other: it is tested, classifies and exports; what is in integers is not pruned.
	p, err := prune.Network(t.Context(), trained(t), prune.Options{By: prune.Scale, Share: 0.6})
	if err != nil {
		t.Fatal(err)
	}
	half, integers := filepath.Join(t.TempDir(), "half"), filepath.Join(t.TempDir(), "int8")
	c := start(t, p)
	if _, err := train.Run(t.Context(), half, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	q := *c
	q.Epochs, q.Network.DropPath, q.Pruned = 0, 0, &config.Pruned{Widths: c.Pruned.Widths}
	q.Quantise = &config.Quantise{From: half, Method: "mse", Images: 20, Range: config.FullRange}
	result, err := train.Run(t.Context(), integers, &q, nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := train.Test(t.Context(), integers, torch.CPU); err != nil || *again.Tested != *result.Tested {
		t.Errorf("a test says %+v, %v, the run %+v", again.Tested, err, result.Tested)
	}
	if _, err := model.ExportONNX(integers, filepath.Join(t.TempDir(), "x.onnx"), onnx.Options{}); err != nil {
		t.Error(err)
	}
	if _, err := prune.Network(t.Context(), integers, prune.Options{By: prune.Scale, Share: 0.6}); err == nil || !strings.Contains(err.Error(), "computes in integers") {
		t.Errorf("got %v", err)
	}
	q.Pruned = nil
	_, err = train.Run(t.Context(), filepath.Join(t.TempDir(), "whole"), &q, nas.Settings{})
	if err == nil || !strings.Contains(err.Error(), "has other widths than pruned.widths says") {
		t.Errorf("got %v", err)
	}
}
