package tensorboard

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"godarts/cells/genotype"
	"godarts/nas/checks"
	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	_ "godarts/nas/search"
)

// searched returns the record of a search of two epochs with all that one can record.
func searched(t *testing.T) *record.Run {
	t.Helper()
	dir := t.TempDir()
	c, err := config.Parse("test.yaml", []byte("experiment: search\nstrategy: {name: pc-darts}\ndata: {name: digits}\n"))
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	number := func(x float64) *float64 { return &x }
	skips := 2
	first, second := published(t, "DARTS_V1"), published(t, "DARTS_V2")
	epoch := func(index int, cells string) runfolder.Metric {
		x := float64(index + 1)
		return runfolder.Metric{
			Epoch: index, LR: number(0.025 / x), TrainLoss: number(2 / x), TrainAccuracy: number(0.3 * x), ValidLoss: number(2.1 / x), ValidAccuracy: number(0.29 * x),
			ValidTopFive: number(0.4 * x), Eigenvalue: number(0.1 * x), GradNormW: number(3 / x), GradNormAlpha: number(0.01), Genotype: cells,
			Observation: &runfolder.Observation{SkipConnections: &skips, Parameters: 300000000, MultiplyAdds: 5e9, Temperature: number(10), Stage: 1,
				Cells: []runfolder.CellMix{{Kind: "normal", Operations: []string{"none", "my op/1"}, Edges: []runfolder.EdgeMix{
					{Node: 2, From: 0, P: []float64{0.25, 0.75}, Entropy: 0.56, Beta: number(0.4)},
					{Node: 2, From: 1, P: []float64{0, 1}, Entropy: 0, Beta: number(0.6)},
				}}}},
		}
	}
	step := func(epoch, step, of int, loss float64) runfolder.Metric {
		return runfolder.Metric{Epoch: epoch, Step: step, Of: of, LR: number(0.025), TrainLoss: &loss, TrainAccuracy: number(0.1)}
	}
	lines := []any{
		step(0, 50, 120, 2.5), step(0, 100, 120, 2.25), epoch(0, first),
		step(1, 50, 110, 1.5), step(1, 100, 110, 1.25), epoch(1, second),
		step(2, 50, 120, 0.1),
	}
	write(t, dir, runfolder.ConfigFile, string(resolved))
	write(t, dir, runfolder.MetricsFile, jsonLines(t, lines...))
	write(t, dir, runfolder.RunFile, jsonLines(t, runfolder.RunInfo{Device: "cpu", Threads: 1, Command: "darts search test.yaml",
		Started: time.Unix(1699999999, 0).UTC()}))
	write(t, dir, runfolder.TimingsFile, jsonLines(t,
		runfolder.Timing{Epoch: 0, Step: 50, Time: 1700000000.5, ItemsPerSecond: 64},
		runfolder.Timing{Epoch: 0, Time: 1700000100, ItemsPerSecond: 65, PeakRSSBytes: 1 << 30, PeakDeviceBytes: 1 << 21}))
	r, err := record.Read(dir)
	if err != nil || len(r.Notes) > 0 {
		t.Fatal(err, r.Notes)
	}
	return r
}

// published returns the text of a published cell.
func published(t *testing.T, name string) string {
	t.Helper()
	g, err := genotype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return g.String()
}

func jsonLines(t *testing.T, all ...any) string {
	t.Helper()
	var b strings.Builder
	for _, v := range all {
		line, err := finite.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wanted are scalars of the search that searched returns: by tag their steps and values.
var wanted = map[string]map[int]float64{
	"loss/train": {1: 2, 2: 1}, "loss/valid": {1: 2.1, 2: 1.05}, "accuracy/train": {1: 0.3, 2: 0.6}, "accuracy/valid": {1: 0.29, 2: 0.58},
	"accuracy/valid_top_five": {1: 0.4, 2: 0.8}, "learning_rate/w": {1: 0.025, 2: 0.0125}, "eigenvalue/alpha": {1: 0.1, 2: 0.2},
	"grad_norm/w": {1: 3, 2: 1.5}, "grad_norm/alpha": {1: 0.01, 2: 0.01},
	"by_step/loss": {50: 2.5, 100: 2.25, 170: 1.5, 220: 1.25, 280: 0.1}, "by_step_speed/items_per_second": {50: 64},
	"speed/items_per_second": {1: 65}, "memory/peak_rss_bytes": {1: 1 << 30}, "memory/peak_device_bytes": {1: 1 << 21},
	"cell/skip_connections": {1: 2, 2: 2}, "cell/parameters": {1: 3e8, 2: 3e8}, "cell/multiply_adds": {1: 5e9, 2: 5e9}, "cell/temperature": {1: 10, 2: 10}, "cell/stage": {1: 1, 2: 1},
	"alpha_normal/edge_0_2/none": {1: 0.25, 2: 0.25}, "alpha_normal/edge_0_2/my_op_1": {1: 0.75, 2: 0.75}, "alpha_normal/edge_1_2/none": {1: 0, 2: 0},
	"beta_normal/edge_1_2": {1: 0.6, 2: 0.6}, "entropy_normal/edge_0_2": {1: 0.56, 2: 0.56}, "entropy/normal": {1: 0.28, 2: 0.28},
}

func TestExport(t *testing.T) {
	// The event file has every figure of the run at its step, the times of its lines, the cell where it changed, and its config, also when it is written again.
	dir := t.TempDir()
	for range 2 {
		if err := Export(searched(t), dir); err != nil {
			t.Fatal(err)
		}
	}
	r := readFile(t, dir)
	for tag, steps := range wanted {
		if len(r.points[tag]) != len(steps) {
			t.Errorf("%s: %v, want %v", tag, r.points[tag], steps)
		}
		for _, p := range r.points[tag] {
			if p.value != fmt.Sprint(float32(steps[p.step])) {
				t.Errorf("%s at step %d: %s, want %v", tag, p.step, p.value, steps[p.step])
			}
		}
	}
	for tag, want := range map[string][]point{
		"alpha_normal/edge_0_2": {{1, "histogram of 2, sum 1"}, {2, "histogram of 2, sum 1"}},
		"alpha_normal/my_op_1":  {{1, "histogram of 2, sum 1.75"}, {2, "histogram of 2, sum 1.75"}},
		"genotype/text_summary": {{1, "    " + published(t, "DARTS_V1")}, {2, "    " + published(t, "DARTS_V2")}},
	} {
		if fmt.Sprint(r.points[tag]) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", tag, r.points[tag], want)
		}
	}
	for _, kind := range []string{"normal", "reduce"} {
		if images := r.points["cell/"+kind]; len(images) != 2 || images[1].step != 2 || !strings.HasPrefix(images[0].value, "image ") {
			t.Errorf("%s cell: %v", kind, images)
		}
	}
	if text := r.points["command/text_summary"]; len(text) != 1 || text[0].value != "    darts search test.yaml" {
		t.Errorf("command: %v", text)
	}
	if text := r.points["config/text_summary"]; len(text) != 1 || !strings.Contains(text[0].value, "\n      name: pc-darts\n") {
		t.Errorf("config: %v", text)
	}
	if want := []float64{1699999999, 1699999999, 1699999999, 1700000000.5, 1700000000.5, 1700000100, 1700000100, 1700000100, 1700000100, 1700000100}; fmt.Sprint(r.wall) != fmt.Sprint(want) {
		t.Errorf("times %v, want %v", r.wall, want)
	}
}

// inTensorBoard is what testdata/read.py prints.
type inTensorBoard struct {
	Scalars    map[string][][3]float64 // step, value, time
	Histograms map[string][][3]float64 // step, number, sum
	Images     map[string][][3]int     // step, width, height
	Texts      map[string][][2]any
	Hparams    map[string]any
	Metrics    []string
	End        *int
}

// open reads event files by TensorBoard.
func open(t *testing.T, dir string) (r inTensorBoard) {
	t.Helper()
	cmd := exec.Command(checks.Python(t, "tensorboard", "PIL"), "testdata/read.py", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTensorBoardReads(t *testing.T) {
	// TensorBoard reads every figure to the last digit of float32, histograms, images, texts and hyper-parameters.
	dir := t.TempDir()
	if err := Export(searched(t), dir); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir)
	for tag, steps := range wanted {
		if len(r.Scalars[tag]) != len(steps) {
			t.Errorf("%s: %v, want %v", tag, r.Scalars[tag], steps)
		}
		for _, p := range r.Scalars[tag] {
			if math.Float32bits(float32(p[1])) != math.Float32bits(float32(steps[int(p[0])])) {
				t.Errorf("%s at step %g: %v, want %v", tag, p[0], p[1], steps[int(p[0])])
			}
		}
	}
	if got := r.Scalars["loss/train"][0][2]; got != 1700000100 {
		t.Errorf("time %f", got)
	}
	for tag, want := range map[string]string{"alpha_normal/edge_0_2": "[[1 2 1] [2 2 1]]", "alpha_normal/none": "[[1 2 0.25] [2 2 0.25]]"} {
		if got := fmt.Sprint(r.Histograms[tag]); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
	for tag, images := range r.Images {
		want := readFile(t, dir).points[tag]
		for i, it := range images {
			if it[0] != want[i].step || fmt.Sprintf("image %dx%d", it[1], it[2]) != want[i].value {
				t.Errorf("%s: %v, want %v", tag, images, want)
			}
		}
	}
	if len(r.Images) != 2 {
		t.Errorf("images %v", r.Images)
	}
	if got := r.Texts["genotype/text_summary"]; len(got) != 2 || got[1][1] != "    "+published(t, "DARTS_V2") {
		t.Errorf("genotypes %v", got)
	}
	if r.Hparams["strategy.name"] != "pc-darts" || r.Hparams["epochs"] != 50.0 || r.Hparams["alpha.betas"] == nil || r.Hparams["data.augment"] == "" {
		t.Errorf("hyper-parameters %v", r.Hparams)
	}
	if fmt.Sprint(r.Metrics) != "[accuracy/valid loss/valid]" || r.End != nil {
		t.Errorf("results %v, end %v", r.Metrics, r.End)
	}
}
