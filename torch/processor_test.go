package torch_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
)

// asked runs this test again in a process with those variables and gives what it prints.
func asked(t *testing.T, variables ...string) string {
	t.Helper()
	p := exec.Command(os.Args[0], "-test.run=^TestProcessor$")
	p.Env = append(os.Environ(), append([]string{"GODARTS_TEST_CHILD=1"}, variables...)...)
	out, err := p.Output()
	if err != nil {
		t.Fatalf("%v: %v", variables, err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}

func TestProcessor(t *testing.T) {
	// Processor names the kind of processor in use when the environment asks for one, never a higher one than the machine's, and nothing is computed when it asks for none that there is.
	if os.Getenv("GODARTS_TEST_CHILD") != "" {
		name, err := torch.Processor()
		done := torch.Do(func() error { torch.Ones([]int{1}, torch.Options{}); return nil })
		fmt.Printf("%s|%v|%v\n", name, err, done)
		return
	}
	const ours, libtorchs = "GODARTS_CPU=", "ATEN_CPU_CAPABILITY="
	kinds := []string{"none", "simd128", "avx2", "avx512"}
	best, _, _ := strings.Cut(asked(t, ours, libtorchs), "|")
	has := slices.Index(kinds, best)
	if has < 0 {
		t.Skipf("loops of ours and libtorch's differ here: %s", best)
	}
	for i, kind := range kinds {
		want := kinds[min(i, has)]
		if got := asked(t, ours+kind, libtorchs+strings.NewReplacer("none", "default", "simd128", "default").Replace(want)); got != want+"|<nil>|<nil>" {
			t.Errorf("%s for both: got %s, want %s", kind, got, want)
		}
		if want != best {
			want += ", libtorch " + best
		}
		if got := asked(t, ours+kind, libtorchs); got != want+"|<nil>|<nil>" {
			t.Errorf("%s for ours: got %s, want %s", kind, got, want)
		}
	}
	refusal := "torch: processor: GODARTS_CPU=sse: no kind of processor (wanted none, simd128, avx2 or avx512)"
	if got, want := asked(t, ours+"sse"), "|"+refusal+"|"+refusal; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
