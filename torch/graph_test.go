package torch_test

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestCaptureGraph(t *testing.T) {
	// CaptureGraph says what is missing, and runs nothing, when there is no scope, no GPU or no -tags cuda.
	fn := func() { t.Error("the function ran") }
	want := "torch: capture_graph: this binary was built without -tags cuda"
	if torch.HasGraphs {
		want = "torch: capture_graph: cpu has no graphs: want a GPU"
	}
	err := torch.Do(func() error {
		_, err := torch.CaptureGraph(torch.CPU, nil, fn)
		return err
	})
	var e *torch.Error
	if !errors.As(err, &e) || e.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if e := caught(t, func() { torch.CaptureGraph(torch.CPU, nil, fn) }); !errors.Is(e, torch.ErrNoScope) {
		t.Errorf("without a scope: error %v", e)
	}
}

func TestReplay(t *testing.T) {
	// A replay computes again from the inputs' present values, and changes in place what fn changes, when they were overwritten.
	gpu := torchtest.CUDA(t)
	if !torch.HasGraphs {
		t.Skip("built without -tags cuda")
	}
	torchtest.Scope(t)
	o := torch.Options{Device: gpu}
	x, runs := torch.Ones([]int{3}, o), torch.Zeros([]int{1}, o)
	var sum, other torch.Tensor
	g, err := torch.CaptureGraph(gpu, nil, func() {
		runs.AddScalar_(1)
		sum = torch.Keep(x.Mul(x).Sum())
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	shared, err := torch.CaptureGraph(gpu, g, func() { other = torch.Keep(x.Sum()) })
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Free()
	runs.Zero_() // of the warm-up
	for _, v := range []float64{2, 3} {
		x.Fill_(v)
		g.Replay()
		got := sum.Clone()
		shared.Replay()
		if got.Item() != 3*v*v || other.Item() != 3*v {
			t.Errorf("x = %g: sums %g and %g, want %g and %g", v, got.Item(), other.Item(), 3*v*v, 3*v)
		}
	}
	if runs.Item() != 2 {
		t.Errorf("%g runs, want 2", runs.Item())
	}
	if _, err := torch.CaptureGraph(gpu, nil, func() { x.Sum().Item() }); err == nil {
		t.Error("a function that waits for the GPU was captured")
	}
	if x.Sum().Item() != 9 {
		t.Error("the GPU does not compute after a capture that failed")
	}
}

func TestGraphNames(t *testing.T) {
	// The CUDA libraries beside libtorch have every function that is looked up by name when they are there.
	source, err := os.ReadFile("internal/cuda/graph.cpp")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(_Z\w+)"`).FindAllSubmatch(source, -1) {
		wanted[string(m[1])] = true
	}
	if len(wanted) < 5 {
		t.Fatalf("found %d names: the search is broken", len(wanted))
	}
	for _, name := range []string{"libtorch_cuda.so", "libc10_cuda.so"} {
		library, err := elf.Open(filepath.Join(libraries(t), name))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the names are not looked up here: libtorch without CUDA (scripts/setup --cuda brings it)")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer library.Close()
		symbols, err := library.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range symbols {
			if s.Section != elf.SHN_UNDEF {
				delete(wanted, s.Name)
			}
		}
	}
	for name := range wanted {
		t.Errorf("no %s", name)
	}
}

// libraries is the folder of the libtorch that this process has loaded.
func libraries(t *testing.T) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if i := strings.Index(line, "/"); i >= 0 && filepath.Base(strings.TrimSpace(line[i:])) == "libtorch_cpu.so" {
			return filepath.Dir(line[i:])
		}
	}
	t.Fatal("libtorch_cpu.so is not loaded")
	return ""
}
