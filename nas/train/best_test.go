package train

import (
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

func TestLoadBest(t *testing.T) {
	// The result of a text's training is the average of its best model when that has one, its weights when it has none, and the first weights when there is no best model.
	r := &nas.Run{Config: fixture.LoadTiny(t, "tiny-text-train.yaml"), Dir: t.TempDir()}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	g, err := runfolder.GenotypeOf(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	err = torch.Do(func() error {
		trainer, err := NewText(r, g)
		if err != nil {
			return err
		}
		w := trainer.net.Weights()
		for _, test := range []struct {
			name      string
			bestEpoch int
			averaged  bool
			want      float64
		}{{"no best", 0, true, 1}, {"no average", 1, false, 2}, {"an average", 1, true, 3}} {
			torch.NoGrad(func() { w.W.Fill_(1) })
			sd := torch.StateDict{}
			for name, x := range w.StateDict() {
				sd[name] = torch.EmptyLike(x).Fill_(2)
			}
			if test.averaged {
				sd[nas.OptimizerAveraged+"ax.0"] = torch.EmptyLike(w.W).Fill_(3)
			}
			content, err := safetensors.WithSum(sd, map[string]string{runfolder.MetaFormat: runfolder.CheckpointFormat}, runfolder.MetaSum)
			if err != nil {
				return err
			}
			if err := runfolder.Write(filepath.Join(r.Dir, runfolder.BestFile), content); err != nil {
				return err
			}
			trainer.bestEpoch = test.bestEpoch
			if err := trainer.loadBest(r); err != nil {
				return err
			}
			for name, x := range w.StateDict() {
				if least, most := x.Amin(nil, false).Item(), x.Amax(nil, false).Item(); least != test.want || most != test.want {
					t.Errorf("%s: %s has numbers from %v to %v, want %v", test.name, name, least, most, test.want)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
