package bench_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"godarts/nas/bench"
)

// rivalKind in the environment makes the test binary a program to measure, which behaves
// as rivals says.
const rivalKind = "GODARTS_TEST_RIVAL"

func TestMain(m *testing.M) {
	kind := os.Getenv(rivalKind)
	if kind == "" {
		os.Exit(m.Run())
	}
	rivals[kind]()
}

// rivals are programs that behave well or badly.
var rivals = map[string]func(){
	"a":             func() { serve(2, 0.5, 1, 2, 1.5) },
	"b":             func() { serve(2, 3, 6, 6, 6) },
	"more threads":  func() { serve(3, 1) },
	"not a program": func() { fail("ModuleNotFoundError: No module named 'torch'\n\n") },
	"no answer":     func() { serve(2); fail("Traceback\nRuntimeError: out of memory") },
	"rubbish":       func() { fmt.Fprintln(os.Stderr, "a warning"); fmt.Println("importing torch"); wait() },
	"wrong answer":  func() { fmt.Println(`{"ready": "x", "threads": 2}`); fmt.Println(`{"peak_bytes": 1}`); wait() },
	"bad end":       func() { serve(2, 1, 1, 1); say(`{"peak_bytes": 7}`); fail("corrupted size vs. prev_size") },
	"hangs":         wait,
}

// serve answers a warm-up and steps by the given times. At the end it answers its peak
// memory, unless there is another request for a step.
func serve(threads int, seconds ...float64) {
	say(fmt.Sprintf(`{"ready": "rival 1 %s", "threads": %d}`, arguments(), threads))
	lines := bufio.NewScanner(os.Stdin)
	for _, s := range seconds {
		if !lines.Scan() {
			break
		}
		say(fmt.Sprintf(`{"seconds": %g, "loss": 2.5}`, s))
	}
	if lines.Scan() || len(seconds) == 0 {
		return
	}
	if os.Getenv(rivalKind) != "bad end" {
		say(`{"peak_bytes": 1000000}`)
	}
}

// arguments returns the arguments that select the work.
func arguments() string {
	return strings.Join(os.Args[slices.Index(os.Args, "--serve")+1:], " ")
}

func say(line string) { fmt.Println(line) }

func fail(words string) {
	fmt.Fprint(os.Stderr, words)
	os.Exit(1)
}

// wait waits until the measuring program is gone.
func wait() { _, _ = io.Copy(io.Discard, os.Stdin) }

// rival returns the side that behaves as this kind.
func rival(t *testing.T, kind string) bench.Side {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := rivals[kind]; !ok {
		t.Fatalf("no rival behaves as %q", kind)
	}
	return bench.Side{Name: strings.ReplaceAll(kind, " ", "-"), Command: []string{"env", rivalKind + "=" + kind, self}}
}
