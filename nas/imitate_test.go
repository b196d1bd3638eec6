package nas_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/replay"
)

func TestImitatedRuns(t *testing.T) {
	// A run whose steps and evaluations are replayed, as graphs are, writes the same folder as one whose steps run as they are, and leaves no tensor.
	dropouts := []string{
		"network.dropout.output=0.3", "network.dropout.state=0.1", "network.dropout.input=0.3", "network.dropout.embedding=0.1",
		"network.dropout.word=0.1", "network.activation=0.5", "network.slowness=0.5",
	}
	for _, row := range []struct {
		file string
		set  []string
	}{
		{"tiny-text.yaml", nil},
		{"tiny-text.yaml", append([]string{"strategy.order=1"}, dropouts...)},
		{"tiny-text.yaml", append([]string{"data.batch=8", "data.small_batch=4", "network.form=plain"}, dropouts...)},
		{"tiny-text.yaml", append([]string{"alpha.corrected=true", "data.batch=8", "data.small_batch=4"}, dropouts...)},
		{"tiny-text.yaml", append([]string{"alpha.hvp.method=exact"}, dropouts...)},
		{"tiny-text-train.yaml", append([]string{"epochs=6", "nonmono=1"}, dropouts...)},
		{"tiny-text-train.yaml", append([]string{"epochs=6", "nonmono=1", "data.small_batch=2"}, dropouts...)},
		{"tiny.yaml", []string{"network.nodes=1", "strategy.order=2"}},
		{"tiny-train.yaml", nil},
	} {
		t.Run(fmt.Sprint(row.file, row.set), func(t *testing.T) {
			c := fixture.LoadTiny(t, row.file, row.set...)
			perform := func() (dir string) {
				dir = filepath.Join(t.TempDir(), "run")
				var err error
				if c.Experiment == config.Train {
					_, err = train.Run(t.Context(), dir, c, nas.Settings{})
				} else {
					_, err = search.Run(t.Context(), dir, c, nas.Settings{})
				}
				if err != nil {
					t.Fatal(err)
				}
				return dir
			}
			want := perform()
			live := torch.Live()
			defer replay.Imitate()()
			fixture.Same(t, want, perform())
			if got := torch.Live(); got != live {
				t.Errorf("%d tensors outlive the run", got-live)
			}
		})
	}
}
