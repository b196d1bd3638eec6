package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSpinBriefly(t *testing.T) {
	// A search runs with a short spin count in the same process, unless the user says how OpenMP waits.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "tiny.yaml", tinyConfig)
	for _, test := range []struct{ set, want string }{
		{"", "GOMP_SPINCOUNT=" + spinCount},
		{"GOMP_SPINCOUNT=7", "GOMP_SPINCOUNT=7"},
		{"OMP_WAIT_POLICY=passive", ""},
	} {
		p := exec.Command(darts, "search", config, "--out", filepath.Join(t.TempDir(), "run"), "--set", "epochs=1000", "--threads", "1")
		p.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
			return strings.HasPrefix(s, "GOMP_SPINCOUNT=") || strings.HasPrefix(s, "OMP_WAIT_POLICY=")
		})
		if test.set != "" {
			p.Env = append(p.Env, test.set)
		}
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewScanner(out).Scan() // a line shows that main has begun
		environment, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/environ")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for entry := range strings.SplitSeq(string(environment), "\x00") {
			if strings.HasPrefix(entry, "GOMP_SPINCOUNT=") {
				got = entry
			}
		}
		if got != test.want {
			t.Errorf("with %q it runs with %q, want %q", test.set, got, test.want)
		}
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}
