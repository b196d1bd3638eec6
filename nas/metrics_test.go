package nas_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/search"
	"godarts/nas/train"
)

func TestMetricsKeys(t *testing.T) {
	// The line of an epoch names what was measured: test images, images held out, or the validation images of a search.
	for _, test := range []struct {
		name, file string
		set        []string
		want       string
	}{
		{"training", "testdata/tiny-train.yaml", nil, "test_accuracy test_loss"},
		{"training that holds images out", "testdata/tiny-train.yaml", []string{"data.train_portion=0.5"}, "valid_accuracy valid_loss"},
		{"search", "testdata/tiny.yaml", []string{"network.nodes=1"}, "valid_accuracy valid_loss"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Load(test.file, append(test.set, "epochs=1")...)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "run")
			if c.Experiment == config.Train {
				_, err = train.Run(t.Context(), dir, c, nas.Settings{})
			} else {
				_, err = search.Run(t.Context(), dir, c, nas.Settings{})
			}
			if err != nil {
				t.Fatal(err)
			}
			lines := slices.Collect(bytes.Lines(fixture.Content(t, dir, "metrics.jsonl")))
			var line map[string]any
			if err := json.Unmarshal(lines[len(lines)-1], &line); err != nil {
				t.Fatal(err)
			}
			keys := slices.DeleteFunc(slices.Sorted(maps.Keys(line)), func(k string) bool {
				return !strings.HasPrefix(k, "valid") && !strings.HasPrefix(k, "test")
			})
			if got := strings.Join(keys, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
