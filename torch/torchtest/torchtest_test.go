package torchtest_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// recorder is a test whose failures are kept, and whose cleanups run on demand.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(fn func()) { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// stop is what Fatal panics with.
type stop struct{}

func (r *recorder) Fatal(args ...any) {
	r.failures = append(r.failures, fmt.Sprint(args...))
	panic(stop{})
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// run runs fn and its cleanups.
func (r *recorder) run(fn func()) {
	defer func() {
		for _, c := range r.cleanups {
			c()
		}
		if v := recover(); v != nil && v != (stop{}) {
			panic(v)
		}
	}()
	fn()
}

func TestClose(t *testing.T) {
	// Close reports the worst element when a comparison fails, and nothing else.
	torchtest.Scope(t)
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		name      string
		got, want []float64
		tolerance float64
		failure   string
	}{
		{"equal", []float64{1, 2}, []float64{1, 2}, 0, ""},
		{"within", []float64{3, 4.0005}, []float64{3, 4}, 1e-4, ""},
		{"beyond", []float64{3, 4.005}, []float64{3, 4}, 1e-4,
			"x[1]: got 4.0049999999999999, want 4; largest difference 0.005, relative norm of all 0.001, tolerance 0.0001"},
		{"relative to the norm, not to each", []float64{1000, 1e-3}, []float64{1000, 0}, 1e-5, ""},
		{"zero within", []float64{1e-9, 0}, []float64{0, 0}, 1e-8, ""},
		{"zero beyond", []float64{0, 0.5}, []float64{0, 0}, 1e-8,
			"x[1]: got 0.5, want 0; largest difference 0.5, absolute norm of all 0.5, tolerance 1e-08"},
		{"not a number", []float64{9, nan}, []float64{1, 1}, 10,
			"x[1]: got NaN, want 1; largest difference NaN, relative norm of all NaN, tolerance 10"},
		{"infinite", []float64{inf, 1}, []float64{1, 1}, 10,
			"x[0]: got +Inf, want 1; largest difference +Inf, relative norm of all +Inf, tolerance 10"},
		{"nothing", nil, nil, 0, ""},
		{"shapes", []float64{1}, []float64{1, 2}, 10, "x: shape [1], want [2]"},
	} {
		r := &recorder{}
		r.run(func() {
			torchtest.Close(r, "x", torch.FromSlice(test.got, len(test.got)), torch.FromSlice(test.want, len(test.want)), test.tolerance)
		})
		if got := strings.Join(r.failures, "\n"); got != test.failure {
			t.Errorf("%s\n got %s\nwant %s", test.name, got, test.failure)
		}
	}
	r := &recorder{}
	r.run(func() {
		torchtest.Close(r, "y", torch.FromSlice([]float32{1, 2, 3, 4, 5, 9}, 2, 3), torch.FromSlice([]int64{1, 2, 3, 4, 5, 6}, 2, 3), 0.1)
	})
	if len(r.failures) != 1 || !strings.HasPrefix(r.failures[0], "y[1 2]: got 9, want 6; largest difference 3,") {
		t.Errorf("failures %q", r.failures)
	}
}

func TestScope(t *testing.T) {
	// Scope fails the test when tensors of its scope live on.
	for _, test := range []struct {
		name    string
		fn      func()
		failure string
	}{
		{"clean", func() { torch.Zeros(nil, torch.Options{}) }, ""},
		{"kept", func() {
			torch.Keep(torch.Zeros(nil, torch.Options{}))
			torch.Keep(torch.Zeros(nil, torch.Options{}))
		}, "2 tensors live after the test, 0 before it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			torch.Scoped(func() {
				r := &recorder{}
				r.run(func() {
					torchtest.Scope(r)
					test.fn()
				})
				if got := strings.Join(r.failures, "\n"); got != test.failure {
					t.Errorf("got %q, want %q", got, test.failure)
				}
			})
		})
	}
}

func TestFixture(t *testing.T) {
	// Fixture finds a recording in the nearest folder that has it when no variable names another.
	root := t.TempDir()
	below := filepath.Join(root, "a", "b")
	write := func(parts ...string) string {
		path := filepath.Join(append([]string{root}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	far := write("testdata", "fixtures", "x")
	both := write("testdata", "fixtures", "y")
	near := write("a", "testdata", "fixtures", "y")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	t.Setenv("GODARTS_FIXTURES", "")
	if got := torchtest.Fixture(t, "x"); got != far {
		t.Errorf("got %s, want %s", got, far)
	}
	if got := torchtest.Fixture(t, "y"); got != near {
		t.Errorf("got %s, want %s", got, near)
	}
	r := &recorder{}
	r.run(func() { torchtest.Fixture(r, "z") })
	if want := "no testdata/fixtures/z in " + below + " or above"; len(r.failures) != 1 || r.failures[0] != want {
		t.Errorf("failures %q, want %q", r.failures, want)
	}
	t.Setenv("GODARTS_FIXTURES", filepath.Dir(both))
	if got := torchtest.Fixture(t, "y"); got != both {
		t.Errorf("got %s, want %s", got, both)
	}
}

func TestGolden(t *testing.T) {
	// Golden opens a recording until the test ends, and ends the test when there is none.
	torchtest.Scope(t)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(f, torch.StateDict{"a": torch.Zeros(nil, torch.Options{})}, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	var s *safetensors.File
	r.run(func() {
		s = torchtest.Golden(r, path)
		if _, err := s.Load("a", torch.Options{}); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Load("a", torch.Options{}); err == nil || len(r.failures) > 0 {
		t.Errorf("the recording is open after the test: %v, %q", err, r.failures)
	}
	r = &recorder{}
	r.run(func() { torchtest.Golden(r, path+"x") })
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], path+"x") {
		t.Errorf("failures %q", r.failures)
	}
}

func TestDrawn(t *testing.T) {
	// Compare reports a parameter whose shape, first, last or sum is not what was recorded.
	torchtest.Scope(t)
	x := torch.FromSlice([]float32{0.25, -0.5, 0.125}, 3)
	for _, test := range []struct {
		name     string
		recorded torchtest.Drawn
		failure  string
	}{
		{"equal", torchtest.Drawn{Shape: []int{3}, First: 0.25, Last: 0.125, Sum: -0.125}, ""},
		{"shape", torchtest.Drawn{Shape: []int{1, 3}, First: 0.25, Last: 0.125, Sum: -0.125}, "w: shape [3], want [1 3]"},
		{"first", torchtest.Drawn{Shape: []int{3}, First: 0.25001, Last: 0.125, Sum: -0.125}, "w: first, last, sum 0.25 0.125 -0.125, want 0.25001 0.125 -0.125"},
		{"last", torchtest.Drawn{Shape: []int{3}, First: 0.25, Last: -0.125, Sum: -0.125}, "w: first, last, sum 0.25 0.125 -0.125, want 0.25 -0.125 -0.125"},
		{"sum", torchtest.Drawn{Shape: []int{3}, First: 0.25, Last: 0.125, Sum: -0.1251}, "w: first, last, sum 0.25 0.125 -0.125, want 0.25 0.125 -0.1251"},
	} {
		r := &recorder{}
		r.run(func() { test.recorded.Compare(r, "w", x) })
		if got := strings.Join(r.failures, "\n"); got != test.failure {
			t.Errorf("%s\n got %s\nwant %s", test.name, got, test.failure)
		}
	}
}
