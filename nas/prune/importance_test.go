package prune

import (
	"math"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestTaylor(t *testing.T) {
	// The importance of a channel is the square of what the loss of a batch changes by when everything that gives the channel is scaled.
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.LoadTiny(t, "tiny-train.yaml", "network.channels=4", "network.dtype=float64", "data.subset=12", "genotype=PDARTS")
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	about, err := model.Described(file)
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	n, err := load(file, about, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	r := &nas.Run{Config: c}
	if err := r.OpenAsRecorded(dir); err != nil {
		t.Fatal(err)
	}
	groups := n.o.Groups(about.Genotype)
	all, err := n.taylor(t.Context(), groups, r)
	if err != nil {
		t.Fatal(err)
	}
	b := images.ToBatch(r.Feed.(*images.Feed).Train.Load(0, 0), r.Options())
	sd, tied := n.net.StateDict(), 0
	for i, g := range groups {
		k := i % g.Size()
		loss := func(z float64) (loss float64) {
			scale := func(by float64) {
				torch.NoGrad(func() {
					for _, norm := range g.Norms {
						sd[norm+".weight"].Narrow(0, k, 1).MulScalar_(by)
						sd[norm+".bias"].Narrow(0, k, 1).MulScalar_(by)
					}
				})
			}
			scale(z)
			torch.NoGrad(func() { loss = n.net.Forward(b, nn.Mode{}).Loss.Item() })
			scale(1 / z)
			return loss
		}
		if len(g.Norms) > 1 {
			tied++
		}
		const eps = 1e-5
		slope := (loss(1+eps) - loss(1-eps)) / (2 * eps)
		if got, want := math.Sqrt(all[i][k]), math.Abs(slope); math.Abs(got-want) > 1e-6*(1+want) {
			t.Errorf("channel %d of %s: a slope of %v, want %v", k, g.Place, got, want)
		}
	}
	if tied == 0 {
		t.Error("no channel has more than one batch norm")
	}
}
