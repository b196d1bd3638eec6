package bench_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/nas/bench"
	"godarts/torch/torchtest"
)

// tiny is work of less than a second, on one thread, since other tests may run at the same time.
var tiny = bench.Sizes{Batch: 4, Channels: 2, Layers: 3, Images: 5, Units: 6, Tokens: 11, Steps: 3}

func work(row bench.Row) bench.Work {
	return bench.Work{Row: row.Name, Form: bench.Forms()[0], Sizes: row.Sizes(false, tiny), Threads: 1, Seed: 3}
}

func TestServe(t *testing.T) {
	// Each row takes the requested steps, which train in rows that train, and answers its peak memory.
	const steps = 3
	for _, row := range bench.Rows() {
		t.Run(row.Name, func(t *testing.T) {
			torchtest.Scope(t)
			var out bytes.Buffer
			w := work(row)
			if row.MakeFiles != nil {
				w.Files = t.TempDir()
				if err := row.MakeFiles(w.Files, w); err != nil {
					t.Fatal(err)
				}
			}
			if err := bench.Serve(w, "darts test", strings.NewReader(strings.Repeat("step\n", steps)), &out); err != nil {
				t.Fatal(err)
			}
			answers := parse(t, &out)
			if len(answers) != steps+2 || answers[0].Ready != "darts test" || answers[0].Threads != 1 {
				t.Fatalf("answers %+v", answers)
			}
			var losses []float64
			for _, a := range answers[1 : 1+steps] {
				if !(a.Seconds > 0) {
					t.Errorf("step %+v", a)
				}
				if a.Loss != nil {
					losses = append(losses, *a.Loss)
				}
			}
			if peak := answers[steps+1].PeakBytes; peak < 10e6 {
				t.Errorf("a peak of %d bytes, less than only libtorch", peak)
			}
			switch row.Name {
			case "input", "decode":
				if losses != nil {
					t.Errorf("images without a network have the losses %v", losses)
				}
			case "rnn-first-order", "rnn-second-order", "rnn-train":
				if uniform := math.Log(float64(w.Tokens)); len(losses) != 1 || !(math.Abs(losses[0]-uniform) < 0.1*uniform) {
					t.Errorf("losses %v, want only that of the initial network, about %g", losses, uniform)
				}
			case "forward-backward", "inference":
				if want := slices.Repeat(losses[:1], steps); !slices.Equal(losses, want) {
					t.Errorf("losses %v, want %v: nothing is to change", losses, want)
				}
			default:
				if len(losses) != steps || !(losses[steps-1] < losses[0]) {
					t.Errorf("losses %v do not fall", losses)
				}
			}
		})
	}
}

// said is a line of a measured program.
type said struct {
	Ready     string
	Threads   int
	Seconds   float64
	Loss      *float64
	PeakBytes int64 `json:"peak_bytes"`
}

func parse(t *testing.T, out *bytes.Buffer) (answers []said) {
	t.Helper()
	for line := range strings.Lines(out.String()) {
		var a said
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		answers = append(answers, a)
	}
	return answers
}

func TestServeErrors(t *testing.T) {
	// An unknown work or request is an error that says what is wrong.
	row, err := bench.FindRow("inference")
	if err != nil {
		t.Fatal(err)
	}
	search, err := bench.FindRow("first-order")
	if err != nil {
		t.Fatal(err)
	}
	text, err := bench.FindRow("rnn-first-order")
	if err != nil {
		t.Fatal(err)
	}
	change := func(w bench.Work, f func(*bench.Work)) bench.Work {
		f(&w)
		return w
	}
	for _, test := range []struct {
		name, in, want string
		work           bench.Work
	}{
		{"row", "", `bench: unknown row "x" (there are: `, bench.Work{Row: "x"}},
		{"request", "stop\n", `bench: inference: unknown request "stop" (there is: step)`, work(row)},
		{"form", "", `bench: unknown form "slow" (there are: `, change(work(search), func(w *bench.Work) { w.Form = "slow" })},
		{"files", "", `data: imagefolder: no root`, bench.Work{Row: "decode"}},
		{"form of a text", "", `bench: unknown form "slow" (there are: `, change(work(text), func(w *bench.Work) { w.Form = "slow" })},
		{"sizes", "", `darts: supernet: 1 layers, want at least 3`, change(work(search), func(w *bench.Work) { w.Layers = 1 })},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			err := bench.Serve(test.work, "darts test", strings.NewReader(test.in), io.Discard)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	// A row has the small sizes or the paper's, with the given ones in their place.
	for _, test := range []struct {
		row     string
		full    bool
		instead bench.Sizes
		want    string
	}{
		{"first-order", false, bench.Sizes{}, "C 16, 8 layers, batch 16"},
		{"second-order", true, bench.Sizes{}, "C 16, 8 layers, batch 64"},
		{"train", false, bench.Sizes{}, "C 36, 20 layers, batch 16"},
		{"inference", true, bench.Sizes{}, "C 36, 20 layers, batch 96"},
		{"input", true, bench.Sizes{}, "25000 images, batches of 64"},
		{"forward-backward", true, bench.Sizes{Batch: 3, Channels: 8, Layers: 4, Images: 9}, "C 8, 4 layers, batch 3"},
		{"rnn-second-order", true, bench.Sizes{Channels: 8}, "300 units, 10000 tokens, 35 steps, batch 256"},
		{"rnn-train", true, bench.Sizes{}, "850 units, 10000 tokens, 35 steps, batch 64"},
		{"rnn-train", false, bench.Sizes{Batch: 3, Units: 5, Tokens: 7, Steps: 2}, "5 units, 7 tokens, 2 steps, batch 3"},
		{"input", false, bench.Sizes{Batch: 3, Channels: 8, Layers: 4, Images: 9}, "9 images, batches of 3"},
	} {
		row, err := bench.FindRow(test.row)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.Sizes(test.full, test.instead).String(); got != test.want {
			t.Errorf("%s, full %v, %+v: %s, want %s", test.row, test.full, test.instead, got, test.want)
		}
	}
}
